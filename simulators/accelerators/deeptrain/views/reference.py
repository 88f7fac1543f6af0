"""The figures that the model is made of, and where each is printed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.accelerators.deeptrain.policies import CARDS, POLICIES, Policy, card_in_force
from simulators.accelerators.deeptrain.stacking import ORDERS
from simulators.components import DEVICES, ISAAC_CHIP, ISAAC_IMA, ISAAC_TILE, LAWS, NODES
from simulators.components.parts import Circuit
from simulators.protocol import Assumptions, Designs, Quantity, Table, Workload

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["assumptions", "choices", "devices", "nodes", "parts"]


def parts(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    """Circuit parts of the reference tile."""
    parents = {"IMA": ISAAC_IMA, "tile": ISAAC_TILE, "chip": ISAAC_CHIP}
    rows = [
        (
            parent, part.name, part.count, Quantity(part.power_w, "W"), Quantity(part.area_mm2, "mm2"),
            Quantity(part.delay_s, "s"), f"{part.law}; {part.circuit}", part.source,
        )
        for parent, found in parents.items()
        for part in found
    ]  # fmt: skip
    assumed = simulator.assumed
    gpu, link = ("gpu_layer_power_w", "gpu_layer_area_mm2"), "link_bytes_per_s"
    rows += [
        ("stack", "gpu_layer", 1, Quantity(assumed[gpu[0]], "W"), Quantity(assumed[gpu[1]], "mm2"),
         Quantity(1 / assumed["gpu_lane_instructions_per_s"], "s"), "number of GPU layers; 16 Fermi tiles",
         assumed.declared[gpu[0]].source),
        ("stack", "link", 1, Quantity(math.nan, "W"), Quantity(math.nan, "mm2"), Quantity(1 / assumed[link], "s"),
         f"bytes; {assumed['wire_energy_per_byte_mm_j'] * 1e12:g} pJ per byte and mm, "
         f"{assumed['tsv_energy_per_byte_j'] * 1e12:g} pJ per byte through a via", assumed.declared[link].source),
    ]  # fmt: skip
    columns = (
        "in each", "part", "count", "power_w of one", "area_mm2 of one", "delay_s of an operation",
        "scales with; made as",
        "source",
    )  # fmt: skip
    notes = [f"{law}: {words}" for law, words in LAWS.items()]
    notes.append("made as: how it follows the technology node (view technology)")
    return Table("Circuit parts of the reference tile, 32 nm, 10 MHz", columns, rows, notes)


def devices(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    """ReRAM cells by name."""
    rows = [
        (
            name + (" (in force)" if name == simulator.settings.device else ""), device.most_bits,
            Quantity(device.read_time_s, "s"), Quantity(device.write_time_s, "s"),
            Quantity(device.write_energy_per_bit_j, "J"), Quantity(device.endurance_writes, ""), device.source,
        )
        for name, device in DEVICES.items()
    ]  # fmt: skip
    columns = ("device", "bits per cell, at most", "read_time_s", "write_time_s", "write_energy_per_bit_j",
               "endurance_writes", "source")  # fmt: skip
    return Table("ReRAM cells", columns, rows, ["chosen by the setting device; assumptions replace single figures"])


def choices(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    """Values of variables that a word does not explain, and the figures of graphics cards in force."""
    rows = [("policy", name, policy.meaning, _source(policy)) for name, policy in POLICIES.items()]
    rows += [("stack_order", name, meaning, "") for name, meaning in ORDERS.items()]
    notes = [_card(name, simulator.assumed) for name in CARDS]
    return Table("Choices", ("variable", "value", "meaning", "source"), rows, notes)


def _card(name: str, assumed: Assumptions) -> str:
    """A graphics card's figures in force."""
    card = card_in_force(name, assumed)
    return (
        f"{name}: {card.peak_flops / 1e12:g} TFLOP/s at its peak ({assumed['card_utilisation']:.0%} of it in "
        f"convolutions), {card.bytes_per_s / 1e9:g} GB/s, {card.power_w:g} W, {card.area_mm2:g} mm2, "
        f"{card.temperature_k - 273.15:g} C (view assumptions)"
    )


def _source(policy: Policy) -> str:
    return f"{policy.source}; {policy.card.source}" if policy.card else policy.source


def nodes(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    """Technology nodes."""
    circuits: tuple[Circuit, ...] = ("memory", "array")  # logic scales as memories do
    rows = [
        (
            f"{node.length_nm} nm" + (" (in force)" if length == simulator.settings.technology_nm else ""),
            Quantity(node.supply_v, "V"),
            *(Quantity(node.area_factor(circuit), "") for circuit in circuits),
            *(Quantity(node.power_factor(circuit), "") for circuit in circuits),
            node.source,
        )
        for length, node in NODES.items()
    ]
    columns = ("node", "supply_v", "area of logic and memory / 32 nm", "area of crossbars", "power of logic and memory",
               "power of crossbars", "source")  # fmt: skip
    notes = ["converters follow the survey of converters, off-chip links stay as they are"]
    return Table("Technology nodes", columns, rows, notes)


def assumptions(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    """Fitted and guessed numbers in force, and settings that are as defensible another way."""
    rows = [
        (
            name,
            *(Quantity(value, about.unit) for value in (simulator.assumed[name], about.value, *about.likely)),
            about.meaning,
            about.source,
        )
        for name, about in simulator.assumed.declared.items()
    ]
    columns = ("assumption", "value", "default", "likely from", "to", "meaning", "source")
    return Table("Assumptions in force", columns, rows, [_setting(simulator, name) for name in simulator.alternatives])


def _setting(simulator: DeepTrain, name: str) -> str:
    """A setting in force, and what it might be as well."""
    default, value = type(simulator.settings).model_fields[name].default, getattr(simulator.settings, name)
    others = [other for other in (default, *simulator.alternatives[name]) if other != value]
    return f"setting {name}: {value}; as defensible: {', '.join(map(str, others))}"
