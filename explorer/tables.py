"""Fronts and comparisons as tables: the same rows for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.archive import Front, Point
from explorer.comparison import Comparison
from explorer.outline import ObjectiveInfo, Outline
from explorer.units import format_quantity, format_uncertain

__all__ = ["Rows", "comparison_rows", "front_rows"]

ARROWS = {"maximize": "↑", "minimize": "↓"}


@dataclass(frozen=True)
class Rows:
    """A table of text.

    Args:
        title: above it.
        columns: headers.
        rows: cells.
        notes: below it.
        emphasised: indices of rows that stand out.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    emphasised: frozenset[int] = frozenset()


def header(objective: ObjectiveInfo) -> str:
    """An objective's column title, with an arrow to the better side."""
    return f"{objective.name} {ARROWS[objective.direction]}"


def value_text(point: Point, objective: ObjectiveInfo) -> str:
    """An objective's value, with its spread over replicates where there is one."""
    value = point.values[objective.name]
    if objective.name in point.spread:
        return format_uncertain(value, point.spread[objective.name], objective.unit)
    return format_quantity(value, objective.unit)


def held_out_names(points: Sequence[Point]) -> list[str]:
    """The held-out fields that any of the points has."""
    return list(dict.fromkeys(name for point in points for name in point.held_out))


def front_rows(front: Front, title: str, *, limit: int | None = None, held_out: bool = False) -> Rows:
    """A front as a table.

    Args:
        front: its points, in the order in which they are shown.
        title: of the table.
        limit: at most so many rows; a note says how many there are more.
        held_out: also show fields such as ``test_accuracy``.
    """
    shown = front.points[:limit]
    extra = held_out_names(shown) if held_out else []
    rows = [
        (
            point.label,
            *(value_text(point, objective) for objective in front.outline.objectives),
            *(_held_out(front.outline, point, name) for name in extra),
            str(point.replicates),
            f"{point.strategy}, derived" if point.derived_from else point.strategy,
        )
        for point in shown
    ]
    notes = []
    if limit is not None and len(front) > limit:
        notes.append(f"{len(front) - limit} more designs are on the front")
    if any(point.derived_from for point in shown):
        notes.append("derived: never proposed, but exactly known, since its family was trained on another chip")
    columns = ("design", *map(header, front.outline.objectives), *(name.replace("_", " ") for name in extra),
               "seeds", "found by")  # fmt: skip
    return Rows(title, columns, tuple(rows), tuple(notes))


def _held_out(outline: Outline, point: Point, name: str) -> str:
    return format_quantity(point.held_out[name], outline.units.get(name, "")) if name in point.held_out else "-"


def comparison_rows(comparisons: Sequence[Comparison], outline: Outline) -> Rows:
    """Designs of the front beside the initial designs on the same chips; differences are against the first baseline."""
    rows: list[tuple[str, ...]] = []
    emphasised = []
    extra = held_out_names([point for c in comparisons for point in (c.chosen, *c.others)])
    for comparison in comparisons:
        reference = comparison.others[0] if comparison.others else None
        emphasised.append(len(rows))
        for point in (comparison.chosen, *comparison.others):
            cells = []
            for objective in outline.objectives:
                text = value_text(point, objective)
                if reference is not None and point is not reference:
                    text += f" ({difference(point, reference, objective)})"
                cells.append(text)
            cells += [_held_out(outline, point, name) for name in extra]
            rows.append((point.label, *cells, str(point.replicates)))
    columns = ("design", *map(header, outline.objectives), *(name.replace("_", " ") for name in extra), "seeds")
    note = "in brackets: against the first initial design on the same chip"
    return Rows("The front beside the initial designs on the same chips", columns, tuple(rows), (note,),
                frozenset(emphasised))  # fmt: skip


def difference(point: Point, reference: Point, objective: ObjectiveInfo) -> str:
    """How far a value is from the reference's: points for fractions, else per cent."""
    value, base = point.values[objective.name], reference.values[objective.name]
    if objective.unit == "fraction":
        return f"{100 * (value - base):+.1f} points"
    return f"{100 * (value - base) / abs(base):+.0f} %" if base else "-"
