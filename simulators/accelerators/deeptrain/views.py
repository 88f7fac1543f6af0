"""Tables of one design for people."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import bits_of
from simulators.accelerators.deeptrain.model import FIELDS, Stacks, build_stacks
from simulators.accelerators.deeptrain.noc import stack_traffic
from simulators.accelerators.mesh import DIRECTIONS
from simulators.components import ISAAC_CHIP, ISAAC_IMA, ISAAC_TILE
from simulators.protocol import Designs, InputError, Quantity, Report, Table, View, Workload
from simulators.workloads import bn_variable

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["make_views"]


def make_views(simulator: DeepTrain) -> tuple[View, ...]:
    """All views of a simulator."""
    tables: dict[str, tuple[str, Callable[[DeepTrain, Designs, Workload], Table]]] = {
        "summary": ("totals", _summary),
        "mapping": ("crossbars, copies and stage times of each layer", _mapping),
        "area": ("area of each component", partial(_components, quantity="area_mm2", unit="mm2")),
        "energy": ("energy per image of each component", partial(_components, quantity="energy_j", unit="J")),
        "power": ("rated power of each component", partial(_components, quantity="power_w", unit="W")),
        "noc": ("traffic on the network on chip by layer of the stack, its busiest links", _noc),
        "thermal": ("temperature of each layer of the stack", _thermal),
        "components": ("circuit parts of ISAAC's tile: power and area of one, and the source", _parts),
        "assumptions": ("fitted and guessed numbers in force", _assumptions),
    }
    return tuple(View(name, meaning, partial(table, simulator)) for name, (meaning, table) in tables.items())


def _report(simulator: DeepTrain, designs: Designs, workload: Workload) -> Report:
    """The report of the one design that a view shows.

    Raises:
        InputError: there are more or fewer.
    """
    if len(designs) != 1:
        raise InputError(f"a view shows one design, got {len(designs)}")
    return simulator.simulate(designs, workload, breakdown=True)


def _notes(report: Report) -> list[str]:
    return [] if report.feasible[0] else [report.reason(0)]


def _title(simulator: DeepTrain, designs: Designs, workload: Workload) -> str:
    words = ""
    for variable in simulator.variables(workload):
        given = variable.name in designs
        value = variable.domain.value(designs[variable.name][0]) if given else variable.default
        if variable.searched or value != variable.default:
            words += (variable.separator if words else "") + variable.describe(value)
    return f"{words}: {workload}"


def _summary(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    report = _report(simulator, designs, workload)
    rows = [
        (name, Quantity(report.totals[name][0].item(), field.unit), field.meaning) for name, field in FIELDS.items()
    ]
    return Table(_title(simulator, designs, workload), ("field", "value", "meaning"), rows, _notes(report))


def _stack(simulator: DeepTrain, designs: Designs, workload: Workload) -> Stacks:
    return build_stacks(designs, workload, simulator.settings, simulator.assumed)


def _mapping(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    report = _report(simulator, designs, workload)
    stacks = _stack(simulator, designs, workload)
    mapping, layers = stacks.mapping, report.by_layer
    rows = [
        (
            name,
            stacks.table.positions[layer].item(),
            mapping.weight_crossbars[0, layer].item(),
            mapping.transposed_crossbars[0, layer].item(),
            mapping.activation_crossbars[0, layer].item(),
            Quantity(layers["copies"][0, layer].item(), ""),
            Quantity(layers["conv_stage_time_s"][0, layer].item(), "s"),
            Quantity(layers["bn_stage_time_s"][0, layer].item(), "s"),
        )
        for layer, name in enumerate(report.layers)
    ]
    columns = (
        "layer", "products per image", "crossbars of W", "crossbars of its transpose", "crossbars of activations",
        "copies", "conv_stage_time_s", "bn_stage_time_s",
    )  # fmt: skip
    return Table(_title(simulator, designs, workload), columns, rows, _notes(report))


def _components(simulator: DeepTrain, designs: Designs, workload: Workload, quantity: str, unit: str) -> Table:
    report = _report(simulator, designs, workload)
    total = report.totals[quantity][0].item()
    parts = {name: values[0].item() for name, values in report.by_component[quantity].items()}
    rows = [
        (name, Quantity(value, unit), Quantity(value / total, "fraction"))
        for name, value in [*sorted(parts.items(), key=lambda part: -part[1]), ("total", total)]
    ]
    return Table(_title(simulator, designs, workload), ("component", quantity, "share"), rows, _notes(report))


def _kinds(simulator: DeepTrain, stacks: Stacks) -> list[str]:
    """Of the layers of the one stack, from the heat sink on."""
    reram, gpu = (stacks.hardware[name][0].item() for name in ("reram_layers", "gpu_layers"))
    kinds = ["ReRAM"] * reram + ["GPU"] * gpu
    return kinds if simulator.settings.next_to_sink == "reram" else kinds[::-1]


def _noc(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    report = _report(simulator, designs, workload)
    columns = (
        "layer from the heat sink", "kind", "busiest link", "its bytes per image", "with each message by itself",
        "bytes over all links",
    )  # fmt: skip
    stacks = _stack(simulator, designs, workload)
    kinds, title = _kinds(simulator, stacks), _title(simulator, designs, workload)
    if not report.feasible[0]:
        nothing = Quantity(math.nan, "")
        empty = [(position, kind, "", nothing, nothing, nothing) for position, kind in enumerate(kinds, 1)]
        return Table(title, columns, empty, _notes(report))
    tree, single = (_link_loads(simulator, stacks, designs, workload, multicast) for multicast in (True, False))
    rows: list[tuple[object, ...]] = []
    for position, kind in enumerate(kinds):
        here, alone = tree[..., position], single[..., position]
        direction, x, y = np.unravel_index(here.argmax(), here.shape)
        loads = (Quantity(load.item(), "") for load in (here.max(), alone.max(), here.sum()))
        rows.append((position + 1, kind, f"{DIRECTIONS[direction]} from ({x}, {y})", *loads))
    rate, stage_s = simulator.assumed["link_bytes_per_s"], report.stage_time_s[0].item()
    notes = [
        f"{name} the busiest link takes {found.max() / rate * 1e6:.4g} µs per image, "
        f"which the stage time ({stage_s * 1e6:.4g} µs) does not count"
        for name, found in (("by trees", tree), ("each message by itself,", single))
    ]
    return Table(title, columns, rows, notes)


def _link_loads(
    simulator: DeepTrain, stacks: Stacks, designs: Designs, workload: Workload, multicast: bool
) -> NDArray[np.float64]:
    hardware = {name: stacks.hardware[name][0].item() for name in ("reram_layers", "gpu_layers", "tiles_per_layer")}
    traffic = stack_traffic(
        stacks.table, stacks.mapping, stacks.tile, tuple(hardware.values()), workload.mode == "training", multicast,
        simulator.settings, simulator.assumed,
    )  # fmt: skip
    return traffic.loads(bits_of(designs, bn_variable(workload))[0])


def _thermal(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    _report(simulator, designs, workload)
    stacks = _stack(simulator, designs, workload)
    kinds = _kinds(simulator, stacks)
    rows = [
        (position, kind, Quantity(temperature.item(), "K"))
        for position, (kind, temperature) in enumerate(zip(kinds, stacks.temperatures_k[0], strict=True), 1)
    ]
    return Table(_title(simulator, designs, workload), ("layer from the heat sink", "kind", "temperature_k"), rows)


def _parts(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    parents = {"IMA": ISAAC_IMA, "tile": ISAAC_TILE, "chip": ISAAC_CHIP}
    rows = [
        (parent, part.name, part.count, Quantity(part.power_w, "W"), Quantity(part.area_mm2, "mm2"), part.source)
        for parent, parts in parents.items()
        for part in parts
    ]
    columns = ("in each", "part", "count", "power_w of one", "area_mm2 of one", "source")
    return Table("Circuit parts of the reference tile", columns, rows)


def _assumptions(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
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
    return Table("Assumptions in force", columns, rows)
