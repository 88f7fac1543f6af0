"""An exact front as a table for people and as flat rows for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.enumeration import ExactFront
from explorer.problem import Problem
from explorer.space import written
from explorer.tables import ARROWS, Column, Rows
from explorer.units import counted, format_number

__all__ = ["exact_columns", "exact_records", "exact_rows", "left_out"]


def exact_rows(front: ExactFront, title: str, *, limit: int | None, named: Sequence[str], workload: str = "") -> Rows:
    """An exact front as a table.

    Args:
        front: the front, or a front for each group.
        title: of the table.
        limit: rows of each front at most, spread evenly from the best in the first objective to the worst.
        named: variables and fields that are shown too.
        workload: for a note.
    """
    asked = front.question
    space, shown = front.problem.space, _spread(front.groups, limit)
    values = front.values[shown]
    columns = [Column.of(o.name, o.unit, values[:, at].tolist()) for at, o in enumerate(asked.objectives)]
    titles = [f"{c.title} {ARROWS[o.direction]}" for c, o in zip(columns, asked.objectives, strict=True)]
    beside, beside_titles = _beside(front, shown, named)
    rows = []
    for at, row in enumerate(shown.tolist()):
        design = front.design(row)
        rows.append((
            space.describe(design),
            *([front.group_text(row)] if asked.per else []),
            *(format_number(value, column.factor) for value, column in zip(values[at], columns, strict=True)),
            *(cells[at] for cells in beside),
            f"and {counted(int(front.others[row]), 'others')}" if front.others[row] else "-",
        ))  # fmt: skip
    notes = [f"{workload}; computed exactly, nothing is trained"] if workload else []
    notes += left_out(front.problem)
    if any(row[-1] != "-" for row in rows):
        notes.append("as good: how many more designs have exactly the same values")
    if len(shown) < len(front):
        notes.append(
            f"of each front at most {counted(limit or 0, 'designs')} are shown, {len(front) - len(shown)} are not"
        )
    per = [asked.per.replace("_", " ")] if asked.per else []
    return Rows(title, ("design", *per, *titles, *beside_titles, "as good"), tuple(rows), tuple(notes))


def left_out(problem: Problem) -> list[str]:
    """What of a search needs training and is left out where nothing is trained, in words; empty if nothing is."""
    names = ", ".join(objective.name for objective in problem.expensive)
    found = [f"left out, since it is trained for: {names}"] if names else []
    if problem.outcome_constraints:
        constraints = ", ".join(constraint.text for constraint in problem.outcome_constraints)
        found.append(f"constraints that are left out for the same reason: {constraints}")
    return found


def exact_columns(front: ExactFront, named: Sequence[str]) -> list[str]:
    """The names of the entries of :func:`exact_records`, in their order."""
    asked = front.question
    names = [asked.per] if asked.per else []
    names += ["design", *front.problem.space.variables, *(objective.name for objective in asked.objectives)]
    return list(dict.fromkeys([*names, *named, "others"]))


def exact_records(front: ExactFront, *, limit: int | None, named: Sequence[str]) -> Iterator[dict[str, Any]]:
    """An exact front as flat rows: group, design, variables, objectives, what is named, and how many others are equal.

    Args:
        front: the front, or a front for each group.
        limit: rows of each front at most, as in :func:`exact_rows`.
        named: variables and fields that are told too.
    """
    asked, columns = front.question, exact_columns(front, named)
    fields = front.known().fields if len(front) else {}
    for row in _spread(front.groups, limit).tolist():
        design = front.design(row)
        found: dict[str, Any] = {
            asked.per: front.group(row),
            **{name: float(values[row]) for name, values in fields.items() if name in named},
            "design": front.problem.space.describe(design),
            **design.to_json(),
            **{o.name: float(value) for o, value in zip(asked.objectives, front.values[row], strict=True)},
            "others": int(front.others[row]),
        }
        yield {name: found[name] for name in columns}


def _beside(
    front: ExactFront, shown: NDArray[np.intp], named: Sequence[str]
) -> tuple[list[list[str]], list[str]]:  # fmt: skip
    """Cells and titles of the variables and fields that are shown beside the objectives."""
    problem, asked = front.problem, front.question
    names = [name for name in named if name != asked.per and name not in {o.name for o in asked.objectives}]
    cells, titles = [], []
    known = front.known() if names and len(front) else None
    for name in names if known else []:
        variable = problem.space.variables.get(name)
        if variable is not None:
            cells.append([written(variable, front.design(row)[name]) for row in shown.tolist()])
            titles.append(name.replace("_", " "))
        elif known is not None:
            values = known.names(front.designs)[name][shown].tolist()
            unit = problem.outline.units.get(name, "")
            column = Column.of(name.removesuffix(f"_{unit.lower()}").replace("_", " "), unit, values)
            cells.append([format_number(value, column.factor) for value in values])
            titles.append(column.title)
    return cells, titles


def _spread(groups: NDArray[np.int64], limit: int | None) -> NDArray[np.intp]:
    """The rows that are shown: at most ``limit`` of each group, the first and the last among them."""
    rows: NDArray[np.intp] = np.arange(len(groups))
    if limit is None:
        return rows
    parts = np.split(rows, np.flatnonzero(np.diff(groups)) + 1)
    chosen = [part[np.unique(np.linspace(0, len(part) - 1, limit).round().astype(int))] if len(part) > limit else part
              for part in parts]  # fmt: skip
    return np.concatenate(chosen)
