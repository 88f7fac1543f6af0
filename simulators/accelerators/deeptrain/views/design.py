"""Tables of one design."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simulators.accelerators.deeptrain.model import FIELDS
from simulators.accelerators.deeptrain.policies import BASELINES
from simulators.accelerators.deeptrain.stacking import GPU_LAYER, RERAM_LAYER
from simulators.accelerators.deeptrain.thermal import LIMIT_K
from simulators.components import IMAS_PER_TILE, ISAAC_IMA, ISAAC_TILE, isaac_tile_totals
from simulators.protocol import Designs, InputError, Quantity, Report, Table, Workload

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["baselines", "components", "described", "layers", "mapping", "reported", "summary", "thermal", "tile"]

KINDS = {RERAM_LAYER: "ReRAM", GPU_LAYER: "GPU"}


def reported(simulator: DeepTrain, designs: Designs, workload: Workload) -> Report:
    """The report of the one design that a view shows.

    Raises:
        InputError: there are more or fewer.
    """
    if len(designs) != 1:
        raise InputError(f"a view shows one design, got {len(designs)}")
    return simulator.simulate(designs, workload, breakdown=True)


def described(simulator: DeepTrain, designs: Designs, workload: Workload) -> str:
    """The title of a view: the design and what it runs."""
    words = ""
    for variable in simulator.variables(workload):
        given = variable.name in designs
        value = variable.domain.value(designs[variable.name][0]) if given else variable.default
        if variable.searched or value != variable.default:
            words += (variable.separator if words else "") + variable.describe(value)
    return f"{words}: {workload}"


def _notes(report: Report) -> list[str]:
    return [] if report.feasible[0] else [f"cannot be built: {report.reason(0)}"]


def summary(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """Totals."""
    report = reported(simulator, designs, workload)
    rows = [
        (name, Quantity(report.totals[name][0].item(), field.unit), field.meaning) for name, field in FIELDS.items()
    ]
    notes = _notes(report)
    if report.link_stage_time_s[0] > report.stage_time_s[0]:
        notes.append(
            f"the busiest link of the network on chip takes {report.link_stage_time_s[0] / report.stage_time_s[0]:.3g} "
            "times as long as a stage, and is not counted: --setting link_time=counted"
        )
    return Table(described(simulator, designs, workload), ("field", "value", "meaning"), rows, notes)


def mapping(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """Crossbars, copies and stage times of each layer."""
    report = reported(simulator, designs, workload)
    stacks = simulator.stacks(designs, workload)
    found, by_layer = stacks.mapping, report.by_layer
    rows = [
        (
            name,
            stacks.table.positions[layer].item(),
            found.weight_crossbars[0, layer].item(),
            found.transposed_crossbars[0, layer].item(),
            found.activation_crossbars[0, layer].item(),
            Quantity(by_layer["copies"][0, layer].item(), ""),
            Quantity(by_layer["conv_stage_time_s"][0, layer].item(), "s"),
            Quantity(by_layer["bn_stage_time_s"][0, layer].item(), "s"),
        )
        for layer, name in enumerate(report.layers)
    ]
    columns = (
        "layer", "products per image", "crossbars of W", "crossbars of its transpose", "crossbars of activations",
        "copies", "conv_stage_time_s", "bn_stage_time_s",
    )  # fmt: skip
    return Table(described(simulator, designs, workload), columns, rows, _notes(report))


def layers(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """Energy of each layer by component."""
    report = reported(simulator, designs, workload)
    stacks = simulator.stacks(designs, workload)
    energy, gpu = stacks.energy, stacks.gpu
    columns = {
        "products_j": energy.products_j[0],
        "weight_update_j": energy.weight_update_j[0],
        "activation_writes_j": energy.activation_writes_j[0],
        "normalisation_j": report.by_layer["normalisation_energy_j"][0],
        "gpu_products_j": gpu.product_energy_j[0] * (1.0 if report.feasible[0] else math.nan),
        "transport_j": report.by_layer["transport_energy_j"][0],
    }
    total = report.energy_j[0].item()
    rows = [
        (
            name,
            *(Quantity(values[layer].item(), "J") for values in columns.values()),
            Quantity(report.by_layer["energy_j"][0, layer].item(), "J"),
            Quantity(report.by_layer["energy_j"][0, layer].item() / total, "fraction"),
        )
        for layer, name in enumerate(report.layers)
    ]
    sums = [Quantity(values.sum().item(), "J") for values in columns.values()]
    whole = 1.0 if report.feasible[0] else math.nan
    rows.append(("total", *sums, Quantity(total, "J"), Quantity(whole, "fraction")))
    titles = ("layer", *columns, "energy_j", "share")
    return Table(described(simulator, designs, workload), titles, rows, _notes(report))


def components(simulator: DeepTrain, designs: Designs, workload: Workload, quantity: str, unit: str) -> Table:
    """A quantity of each component that has any, the largest first."""
    report = reported(simulator, designs, workload)
    total = report.totals[quantity][0].item()
    parts = {name: values[0].item() for name, values in report.by_component[quantity].items() if values[0] != 0}
    rows = [
        (name, Quantity(value, unit), Quantity(value / total if total else math.nan, "fraction"))
        for name, value in [*sorted(parts.items(), key=lambda part: -part[1]), ("total", total)]
    ]
    return Table(described(simulator, designs, workload), ("component", quantity, "share"), rows, _notes(report))


def tile(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """What each part of the design's tile draws and takes, as its law, the converters and the technology scale it."""
    report, own = reported(simulator, designs, workload), simulator.stacks(designs, workload).tile
    counted = [(part, part.count * IMAS_PER_TILE) for part in ISAAC_IMA] + [(part, part.count) for part in ISAAC_TILE]
    rows: list[tuple[object, ...]] = [
        (
            part.name, part.law,
            Quantity(own.power_w[part.name][0].item(), "W"), Quantity(count * part.power_w, "W"),
            Quantity(own.area_mm2[part.name][0].item(), "mm2"), Quantity(count * part.area_mm2, "mm2"),
        )
        for part, count in counted
    ]  # fmt: skip
    power_w, area_mm2 = isaac_tile_totals()
    totals = (own.total_power_w[0].item(), power_w), (own.total_area_mm2[0].item(), area_mm2)
    rows.append(("total", "", *(Quantity(w, "W") for w in totals[0]), *(Quantity(mm2, "mm2") for mm2 in totals[1])))
    bits, crossbars, adcs = (values[0].item() for values in (own.adc_bits, own.crossbars, own.adcs_per_crossbar))
    notes = [f"{crossbars:g} crossbars, {adcs:g} converters of {bits:g} bits each", *_notes(report)]
    columns = ("part", "scales with", "power_w", "power_w of ISAAC's", "area_mm2", "area_mm2 of ISAAC's")
    return Table(described(simulator, designs, workload), columns, rows, notes)


def thermal(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """Temperature of each layer of the stack."""
    report, stacks = reported(simulator, designs, workload), simulator.stacks(designs, workload)
    rows = [
        (position, KINDS[kind], Quantity(temperature.item(), "K"))
        for position, (kind, temperature) in enumerate(
            zip(stacks.kinds[0].tolist(), stacks.temperatures_k[0], strict=True), 1
        )
    ]
    notes = ["no stack: a graphics card has a cooler of its own"] if stacks.gpu.on_card[0] else []
    columns = ("layer from the heat sink", "kind", "temperature_k")
    return Table(described(simulator, designs, workload), columns, rows, notes + _notes(report))


def baselines(simulator: DeepTrain, designs: Designs, workload: Workload) -> Table:
    """The design beside what is published: the network is the same, the baselines are theirs in the rest."""
    variables = {variable.name: variable for variable in simulator.variables(workload)}
    shown = [("this design", designs)] + [
        (
            baseline.name,
            Designs({name: variables[name].domain.column([variables[name].domain.parse(value)])
                     for name, value in baseline.choices.items()}, 1),
        )
        for baseline in BASELINES
    ]  # fmt: skip
    own = reported(simulator, designs, workload)
    fields = ("latency_s", "epoch_time_s", "energy_j", "area_mm2", "power_w", "peak_temperature_k")
    rows, notes = [], [f"{baseline.name}: {baseline.note}" for baseline in BASELINES if baseline.note]
    for name, design in shown:
        report = simulator.simulate(design, workload)
        faster = (report.latency_s / own.latency_s)[0].item()
        saving = (report.energy_j / own.energy_j)[0].item()
        rows.append((
            name, *(Quantity(report.totals[field][0].item(), FIELDS[field].unit) for field in fields),
            Quantity(faster, ""), Quantity(saving, ""),
        ))  # fmt: skip
        notes += [f"{name}: {report.reason(0)}"] if not report.feasible[0] else []
        if report.peak_temperature_k[0] > LIMIT_K:
            notes.append(f"{name}: hotter than {LIMIT_K:g} K, the paper's limit")
    columns = ("", *fields, "its latency / this design's", "its energy / this design's")
    return Table(described(simulator, designs, workload), columns, rows, notes)
