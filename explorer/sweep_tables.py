"""A sweep as tables: one for a variable, one for each field for two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from explorer.sweep import Sweep
from explorer.tables import Column, Rows
from explorer.units import format_number

__all__ = ["sweep_columns", "sweep_rows"]

REASONS = 6  # that are told of those that cannot be built


def sweep_rows(found: Sweep, title: str, workload: str) -> list[Rows]:
    """The tables of a sweep.

    Args:
        found: the sweep.
        title: of one variable's table; of two variables each table's title also names its field.
        workload: for a note below the last table.
    """
    columns = sweep_columns(found)
    notes = [workload, *([f"fixed: {found.fixed_text}"] if found.fixed_text else [])]
    told, unbuilt = _reasons(found)
    first = found.axes[0]
    if len(found.axes) == 1:
        marked = (*(["can be built"] if unbuilt else []),)
        rows = [
            (
                text,
                *(format_number(found.values[field][at], column.factor) for field, column in columns.items()),
                *([_mark(found, (at,), told) or "yes"] if unbuilt else []),
            )
            for at, text in enumerate(first.texts)
        ]
        titles = (first.title, *(column.title for column in columns.values()), *marked)
        return [Rows(title, titles, tuple(rows), (*notes, *unbuilt))]
    second = found.axes[1]
    across = f"{first.title} \\ {second.title}"
    tables = []
    for field, column in columns.items():
        values = found.values[field]
        rows = [
            (text, *(_cell(found, values, (at, to), column, told) for to in range(len(second.values))))
            for at, text in enumerate(first.texts)
        ]
        below = (*notes, *unbuilt) if field == list(columns)[-1] else ()
        tables.append(Rows(f"{title}: {column.title}", (across, *second.texts), tuple(rows), below))
    return tables


def sweep_columns(found: Sweep) -> dict[str, Column]:
    """Per field its title and unit, one that suits what can be built."""
    columns = {}
    for name, field in found.fields.items():
        values = found.values[name]
        good = values[np.isfinite(values) & (found.feasible if found.feasible.any() else True)]
        title = name.removesuffix(f"_{field.unit.lower()}").replace("_", " ")
        columns[name] = Column.of(title, field.unit, good.tolist())
    return columns


def _cell(
    found: Sweep, values: NDArray[np.float64], place: tuple[int, ...], column: Column, told: Sequence[str]
) -> str:  # fmt: skip
    mark = _mark(found, place, told)
    return mark or format_number(values[place], column.factor)


def _mark(found: Sweep, place: tuple[int, ...], told: Sequence[str]) -> str:
    """What stands for a design that cannot be built; empty for one that can."""
    if found.feasible[place]:
        return ""
    reason = found.reasons[place]
    return f"no ({told.index(reason) + 1})" if reason in told[:REASONS] else "no"


def _reasons(found: Sweep) -> tuple[list[str], tuple[str, ...]]:
    """The different reasons why designs cannot be built, and notes that tell them."""
    different = list(dict.fromkeys(found.reasons[~found.feasible].tolist()))
    notes = [f"no ({number}): cannot be built, {reason}" for number, reason in enumerate(different[:REASONS], 1)]
    if len(different) > REASONS:
        notes.append(
            f"no: cannot be built either, for {len(different) - REASONS} more reasons: --out FILE.csv tells all"
        )
    return different, tuple(notes)
