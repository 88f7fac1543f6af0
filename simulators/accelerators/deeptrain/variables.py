"""What can be chosen in a DeepTrain design, in the order in which a design is described."""

from __future__ import annotations

from dataclasses import replace

from simulators.accelerators.deeptrain.policies import POLICIES
from simulators.accelerators.deeptrain.stacking import ORDERS
from simulators.components import Device
from simulators.protocol import Categorical, InputError, Integer, Variable

__all__ = ["DERIVED", "HARDWARE_VARIABLES", "hardware_variables"]

FREQUENCIES_HZ = (5e6, 10e6, 20e6, 40e6)
DERIVED = "derived"  # ADC bits: what a column sum needs


def _choice(name: str, default: str, choices: tuple[str, ...], meaning: str, label: str) -> Variable:
    return Variable(name, Categorical(choices), default, meaning=meaning, label=label)


HARDWARE_VARIABLES = (
    Variable(
        "reram_layers", Integer(0, 7), 3, meaning="stacked layers of ReRAM tiles (a graphics card: 0)", label="{}R",
        searched=True,
    ),
    Variable(
        "gpu_layers", Integer(0, 7), 1, meaning="stacked layers of GPU tiles; without any, nothing normalises",
        label="{}G", separator="", searched=True,
    ),
    Variable(
        "crossbar_size", Categorical((32, 64, 128, 256, 512)), 128,
        meaning="rows, and as many columns, of a crossbar", label="{0}x{0}", searched=True,
    ),
    Variable("cell_bits", Categorical((1, 2, 4, 8)), 2, "bit", "bits per ReRAM cell", "{} bit/cell", searched=True),
    Variable(
        "adc_bits", Categorical((DERIVED, *range(4, 15))), DERIVED, "bit",
        "resolution of the converters: derived is what a column sum needs; what accuracy fewer cost is not modelled",
        "{}-bit ADCs", labels=((DERIVED, "derived ADC bits"),),
    ),
    Variable(
        "frequency_hz", Categorical(FREQUENCIES_HZ), 10e6, "Hz", "crossbar reads per second", "{} Hz",
        labels=tuple((hertz, f"{hertz / 1e6:g} MHz") for hertz in FREQUENCIES_HZ),
    ),
    Variable(
        "tiles_per_layer", Categorical((64, 100, 144, 196, 256)), 144,
        meaning="ReRAM tiles of one layer: a square grid of clusters of four", label="{} tiles/layer",
    ),
    _choice(
        "activation_copies", "one", ("one", "pipelayer"),
        "copies of layer l's output kept for the backward pass: one, or PipeLayer's 2 (L - l) + 1",
        "{} activation copies",
    ),
    _choice(
        "replication", "balanced", ("balanced", "powers-of-two", "once"),
        "copies of slow layers: as many as shorten the slowest stage, rounded up to powers of two, or none",
        "{} replication",
    ),
    _choice(
        "stack_order", "reram-first", tuple(ORDERS), "order of the layers from the heat sink on (view choices)", "{}"
    ),
    _choice(
        "policy", "deeptrain", tuple(POLICIES),
        "who computes what: DeepTrain's way, or that of an architecture to compare with (view choices)", "{} policy",
    ),
)  # fmt: skip


def hardware_variables(device_name: str, device: Device) -> tuple[Variable, ...]:
    """The variables of the stack, as far as its ReRAM cells allow.

    Args:
        device_name: of the cell.
        device: the cell: it bounds bits per cell and read rate.

    Raises:
        InputError: it allows none of the values of a variable.
    """
    limits = {"cell_bits": float(device.most_bits), "frequency_hz": 1 / device.read_time_s}
    found = []
    for variable in HARDWARE_VARIABLES:
        if variable.name in limits and isinstance(variable.domain, Categorical):
            choices = tuple(c for c in variable.domain.choices if float(str(c)) <= limits[variable.name])
            if variable.default not in choices:
                raise InputError(f"{device_name} does not allow {variable.describe(variable.default)}", "device")
            if len(choices) < variable.domain.size:
                bounded = f"{variable.meaning} (as many as {device_name} cells allow)"
                variable = replace(variable, domain=Categorical(choices), meaning=bounded)
        found.append(variable)
    return tuple(found)
