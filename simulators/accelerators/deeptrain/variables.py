"""What can be chosen in a DeepTrain design, in the order in which a design is described."""

from __future__ import annotations

from simulators.protocol import Categorical, Integer, Variable, Workload
from simulators.workloads import bn_variable

__all__ = ["HARDWARE_VARIABLES", "deeptrain_variables"]

FREQUENCIES_HZ = (5e6, 10e6, 20e6, 40e6)

HARDWARE_VARIABLES = (
    Variable("reram_layers", Integer(1, 7), 3, meaning="stacked layers of ReRAM tiles", label="{}R", searched=True),
    Variable(
        "gpu_layers", Integer(1, 7), 1, meaning="stacked layers of GPU tiles", label="{}G", separator="", searched=True
    ),
    Variable(
        "crossbar_size", Categorical((32, 64, 128, 256, 512)), 128,
        meaning="rows, and as many columns, of a crossbar", label="{0}x{0}", searched=True,
    ),
    Variable("cell_bits", Categorical((1, 2, 4, 8)), 2, "bit", "bits per ReRAM cell", "{} bit/cell", searched=True),
    Variable(
        "frequency_hz", Categorical(FREQUENCIES_HZ), 10e6, "Hz", "crossbar reads per second", "{} Hz",
        labels=tuple((hertz, f"{hertz / 1e6:g} MHz") for hertz in FREQUENCIES_HZ),
    ),
    Variable(
        "tiles_per_layer", Categorical((64, 100, 144, 196, 256)), 144,
        meaning="ReRAM tiles of one layer: a square grid of clusters of four", label="{} tiles/layer",
    ),
)  # fmt: skip


def deeptrain_variables(workload: Workload) -> tuple[Variable, ...]:
    """All variables for a workload: the stack's, then one bit of ``bn`` per convolution.

    Raises:
        InputError: the workload's network, data set or options are unknown.
    """
    return (*HARDWARE_VARIABLES, bn_variable(workload))
