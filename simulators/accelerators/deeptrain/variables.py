"""What can be chosen in a DeepTrain design, in the order in which a design is described."""

from __future__ import annotations

from dataclasses import replace

from simulators.accelerators.deeptrain.policies import POLICIES
from simulators.accelerators.deeptrain.stacking import ORDERS
from simulators.components import Device
from simulators.components.variables import ADC_BITS, CELL_BITS, CROSSBAR_SIZE, read_rate
from simulators.protocol import Categorical, InputError, Integer, Variable

__all__ = ["HARDWARE_VARIABLES", "hardware_variables"]

FREQUENCIES_HZ = (5e6, 10e6, 20e6, 40e6)


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
    CROSSBAR_SIZE,
    CELL_BITS,
    ADC_BITS,
    read_rate(FREQUENCIES_HZ),
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
