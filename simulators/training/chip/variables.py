"""What a design chooses of the chip that its network is trained for."""

from __future__ import annotations

from simulators.components.variables import ADC_BITS, CELL_BITS, CROSSBAR_SIZE, read_rate
from simulators.protocol import Categorical, Variable

__all__ = ["CHIP_VARIABLES"]

FREQUENCIES_HZ = (5e6, 10e6, 20e6, 40e6, 100e6, 200e6, 500e6, 1e9)
TEMPERATURES_K = (300, 325, 350, 375, 400)

CHIP_VARIABLES = (
    CROSSBAR_SIZE,
    CELL_BITS,
    ADC_BITS,
    read_rate(FREQUENCIES_HZ),
    Variable(
        "temperature_k", Categorical(TEMPERATURES_K), 350, "K",
        "of the cells; the constraint peak_temperature_k <= temperature_k holds a stack to it", "{} K",
    ),
    Variable(
        "weight_clip", Categorical((0.0, 0.05, 0.1, 0.2, 0.5, 1.0)), 0.0,
        meaning="largest absolute value of a weight; 0: no limit", label="|w| <= {}", labels=((0.0, "no clipping"),),
    ),
)  # fmt: skip
"""Read by training where its setting ``chip`` is given."""
