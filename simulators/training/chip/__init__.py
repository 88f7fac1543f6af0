"""Networks on real, noisy chips: what ReRAM cells, converters and faults do to the products that a network computes."""
