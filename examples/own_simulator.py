"""A hardware simulator of one's own: a chip of equal cores.  rex simulate multicore --network vgg16 --set cores=32"""

import numpy as np

from simulators.protocol import Categorical, Field, HardwareSimulator, InputError, Integer, Report, Variable
from simulators.workloads import network_for

VARIABLES = (
    Variable("cores", Integer(1, 64), 16, meaning="cores on the chip", label="{} cores", searched=True),
    Variable("lanes", Categorical([64, 128, 256]), 64, meaning="multipliers a core", label="{} lanes", searched=True),
)
FIELDS = {
    "latency_s": Field("s", "time of one image; to train: forward, backward and weight gradients"),
    "area_mm2": Field("mm2", "of all cores: 0.2 mm2 each, and 0.002 mm2 per multiplier"),
}


class Multicore(HardwareSimulator):
    """Cores of multipliers at 1 GHz: latency is work / rate, area grows with the multipliers."""

    name = "multicore"
    meaning = "a chip of equal cores, each with as many multipliers"
    fields = FIELDS

    def __init__(self, settings=None):
        for name in settings or {}:
            raise InputError("multicore has no settings", name)

    def variables(self, workload):  # noqa: ARG002  # the same for every workload
        return VARIABLES

    def simulate(self, designs, workload, *, breakdown=False):  # noqa: ARG002  # totals only
        columns = {variable.name: np.full(len(designs), variable.default) for variable in VARIABLES}
        columns |= designs.expanded()  # a variable that is not given keeps its default
        cores, lanes = columns["cores"], columns["lanes"]
        passes = 3 if workload.mode == "training" else 1
        totals = {
            "latency_s": passes * network_for(workload).macs / (cores * lanes * 1e9),
            "area_mm2": cores * (0.2 + 0.002 * lanes),
        }
        return Report(totals, infeasible={"{area_mm2:.0f} mm2 are too large to make": totals["area_mm2"] > 25})
