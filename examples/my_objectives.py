from objectives import objective


@objective(direction="minimize", unit="g")
def carbon(hardware):
    """CO2 per image: running it at 400 g/kWh, and making the chip at 15 g/mm2 shared by 1e9 images."""
    return hardware.energy_j / 3.6e6 * 400 + hardware.area_mm2 * 15 / 1e9
