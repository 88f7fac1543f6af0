"""What the training simulator shows to people: cells that a chip can have, and what a design's chip does to numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import Designs, Quantity, Table, View, Workload
from simulators.training.chip.cells import CELLS, Cell
from simulators.training.chip.effects import Deviations, Effect, Programming, RandomTelegraph, ThermalShot, deviations

if TYPE_CHECKING:
    from simulators.training.chip.chip import Chip
    from simulators.training.simulator import ImageTraining

__all__ = ["make_views"]

FloatArray = NDArray[np.float64]

READS = ((10e6, 300.0), (1e9, 400.0))
"""Read rates and temperatures at which cells are compared: a quiet one and a loud one."""

MOST_ROWS = 16
"""Levels of a cell that are shown; of a cell with more, so many spread over all."""


def make_views(simulator: ImageTraining) -> tuple[View, ...]:
    """The views of a simulator: its cells always, a design's chip where the settings have one."""
    cells = View("cells", "cells that the setting chip.cells can name, and how noisy each is", _cells)
    if simulator.settings.chip is None:
        return (cells,)
    chip = View("chip", "what the design's chip does to conductances, sums and words", partial(_chip, simulator))
    return (cells, chip)


def _noise(cell: Cell, effects: Sequence[Effect]) -> float:
    """Root mean square over levels of what is drawn, in steps between levels."""
    found = deviations(cell, effects)
    return float(np.sqrt((found.written_variance + found.read_variance).mean()))


def _cells(designs: Designs, workload: Workload) -> Table:  # noqa: ARG001  # a view's signature
    rows = []
    for name, kind in CELLS.items():
        for bits in (1, 2, 4, 8):
            own = [Cell(kind, bits, frequency_hz, temperature_k) for frequency_hz, temperature_k in READS]
            noise = [_noise(cell, [ThermalShot()]) for cell in own]
            rows.append(
                (
                    name if bits == 1 else "", Quantity(kind.on_ohm, "ohm"), Quantity(kind.off_ohm, "ohm"),
                    Quantity(kind.read_voltage_v, "V"), bits, Quantity(own[0].step_s, "S"),
                    *(Quantity(value, "") for value in noise), Quantity(_noise(own[0], [Programming()]), ""),
                    Quantity(_noise(own[0], [RandomTelegraph()]), ""), kind.source if bits == 1 else "",
                )
            )  # fmt: skip
    columns = (
        "cells", "on_ohm", "off_ohm", "read_voltage_v", "bits", "step_s",
        *(f"thermal and shot, {rate_hz / 1e6:g} MHz, {temperature_k:g} K" for rate_hz, temperature_k in READS),
        "writes", "telegraph noise", "source",
    )  # fmt: skip
    notes = [
        "noise in steps between levels: deviation of a cell, root mean square over its levels; what a column's sum is "
        "off by, if well below half a step, converters round away",
        "with few bits per cell a step is large, and temperature and read rate hardly matter; the read voltage decides "
        "at how many bits they do",
    ]
    return Table("ReRAM cells by resistance", columns, rows, notes)


def _chip(simulator: ImageTraining, designs: Designs, workload: Workload) -> Table:
    settings = simulator.settings.chip
    if settings is None:
        raise ValueError("there is no chip")
    variables = {variable.name: variable for variable in simulator.variables(workload) if variable.name != "bn"}
    chosen = {
        name: variable.domain.value(designs[name][0]) if name in designs else variable.default
        for name, variable in variables.items()
    }
    chip = settings.chip(chosen)
    levels = np.unique(np.linspace(0, 2**chip.cell.bits - 1, MOST_ROWS).round().astype(int))
    effects = {
        f"{_words(effect)}: {what}": column
        for effect in chip.effects
        for what, column in _columns(deviations(chip.cell, [effect])).items()
        if column.any()
    }
    rows = [
        (
            int(level), Quantity(float(chip.cell.conductances_s[level]), "S"),
            *(Quantity(float(column[level]), "") for column in effects.values()),
        )
        for level in levels
    ]  # fmt: skip
    title = ", ".join(variables[name].describe(value) for name, value in chosen.items())
    return Table(f"{title}: {workload}", ("level", "conductance_s", *effects), rows, _notes(chip))


def _columns(found: Deviations) -> dict[str, FloatArray]:
    """Mean and deviation at every level."""
    return {"mean": found.mean, "deviation": np.sqrt(found.written_variance + found.read_variance)}


def _words(effect: Effect) -> str:
    """A class's name in words: ``thermal shot``."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", type(effect).__name__).lower()


def _notes(chip: Chip) -> list[str]:
    """What levels do not tell of a chip."""
    converter, cells = chip.converter, -(-chip.weight_bits // chip.cell.bits)
    whole = 2.0**chip.weight_bits
    written = float(chip.tables.written_deviation.double().square().mean().sqrt()) / whole
    read = float(chip.tables.read_variance.double().mean().sqrt()) / whole
    step = (
        "rounds to whole steps of a cell, so that noise well below half of one is lost on the way"
        if converter.step == 1
        else f"has steps of {converter.step:g} of a cell's: smaller sums are lost"
    )
    notes = [
        "effects in steps between levels; means beyond what the reference column shows, which is read with every other",
        f"a weight of {chip.weight_bits} bits lies in {cells} cells: of the layer's range it is {written:.2g} off as "
        f"written, and {read:.2g} more at every read, before converters round that away",
        f"a column of {chip.crossbar_size} rows needs converters of {converter.needed_bits} bits; one of "
        f"{chip.converter_bits or converter.needed_bits} {step}",
    ]
    if chip.stuck.any:
        off, on = (format(100 * share, ".3g") for share in (chip.stuck.off, chip.stuck.on))
        broken = 1 - (1 - chip.stuck.on - chip.stuck.off) ** cells
        notes.append(f"{on} % of cells are stuck on, {off} % off: {100 * broken:.3g} % of weights have one")
    return notes
