"""The network on chip of one design: its busiest links in numbers, and as a picture of each layer of the stack."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import bits_of
from simulators.accelerators.deeptrain.model import VIAS, WIRES
from simulators.accelerators.deeptrain.noc import NetworkOnChip
from simulators.accelerators.deeptrain.views.design import KINDS, described, reported
from simulators.accelerators.mesh import DIRECTIONS
from simulators.protocol import Designs, Maps, Quantity, Table, Workload
from simulators.workloads import bn_variable

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["maps", "table"]


def _loads(network: NetworkOnChip, designs: Designs, workload: Workload) -> NDArray[np.float64]:
    return network.loads(0).of(0, bits_of(designs, bn_variable(workload))[0])


def _why_none(simulator: DeepTrain, designs: Designs, workload: Workload) -> str:
    """Why a design has no traffic to show; empty where it has."""
    report, stacks = reported(simulator, designs, workload), simulator.stacks(designs, workload)
    if not stacks.mapping.fits[0]:
        return report.reason(0)
    return "" if len(stacks.kinds[0]) else "a graphics card has no network on chip"


def table(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """Traffic by layer of the stack, along trees and with each message by itself."""
    columns = (
        "layer from the heat sink", "kind", "busiest link", "its bytes per image", "with each message by itself",
        "bytes over all links",
    )  # fmt: skip
    report, stacks = reported(simulator, designs, workload), simulator.stacks(designs, workload)
    kinds = [KINDS[kind] for kind in stacks.kinds[0].tolist()]
    title = described(simulator, designs, workload)
    if why := _why_none(simulator, designs, workload):
        nothing = Quantity(math.nan, "")
        empty = [(position, kind, "", nothing, nothing, nothing) for position, kind in enumerate(kinds, 1)]
        return Table(title, columns, empty, [why])
    tree, single = (_loads(stacks.network.routed(routing), designs, workload) for routing in ("multicast", "unicast"))
    rows: list[tuple[object, ...]] = []
    for position, kind in enumerate(kinds):
        here, alone = tree[..., position], single[..., position]
        direction, x, y = np.unravel_index(here.argmax(), here.shape)
        loads = (Quantity(load.item(), "") for load in (here.max(), alone.max(), here.sum()))
        rows.append((position + 1, kind, f"{DIRECTIONS[direction]} from ({x}, {y})", *loads))
    rate, stage_s = simulator.assumed["link_bytes_per_s"], report.stage_time_s[0].item()
    does = "counts" if simulator.settings.link_time == "counted" else "does not count"
    notes = [
        f"{name} the busiest link takes {found.max() / rate * 1e6:.4g} µs per image, "
        f"which the stage time ({stage_s * 1e6:.4g} µs) {does if name.startswith(used) else 'does not count'}"
        for name, found, used in (
            ("by trees", tree, "by" if simulator.settings.routing == "multicast" else "none"),
            ("each message by itself,", single, "each" if simulator.settings.routing == "unicast" else "none"),
        )
    ]
    links = stacks.network.longest_route(0, bits_of(designs, bn_variable(workload))[0])
    delay_s, parts = simulator.assumed["router_delay_s"], report.by_component["energy_j"]
    joules = [parts[name][0].item() * 1e6 for name in (WIRES, VIAS)]
    notes.append(f"the longest way between two layers takes {links} links, {links * delay_s * 1e9:.4g} ns when idle")
    notes.append(
        f"energy per image: {joules[0]:.4g} µJ over wires, {joules[1]:.4g} µJ from layer to layer of the stack"
    )
    return Table(title, columns, rows, notes)


def maps(simulator: DeepTrain, designs: Designs, workload: Workload) -> Maps:
    """The busiest link that leaves each router, layer by layer of the stack."""
    title, stacks = described(simulator, designs, workload), simulator.stacks(designs, workload)
    why = _why_none(simulator, designs, workload)
    panels = {}
    if not why:
        loads = _loads(stacks.network, designs, workload).max(axis=0)
        for position, kind in enumerate(stacks.kinds[0].tolist()):
            panels[f"layer {position + 1}: {KINDS[kind]}"] = loads[..., position].T  # rows are y
    rate = simulator.assumed["link_bytes_per_s"]
    notes = [why] if why else [
        "the busiest of the links that leave each router, bytes per image; layer 1 is next to the heat sink",
        f"the busiest of all takes {max(panel.max() for panel in panels.values()) / rate * 1e6:.4g} µs per image",
    ]  # fmt: skip
    return Maps(title, panels, "bytes per image", "", ("y", "x"), notes)
