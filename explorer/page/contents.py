"""What the page of a study holds, as plain JSON values: the designs by column, and words and bars about them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.breakdown import breakdowns
from explorer.fronts import Front
from explorer.plots.style import axis_title
from explorer.points import Point
from explorer.results import Results
from explorer.space import condition, written
from explorer.study import Study
from explorer.tables import Column, value_text
from explorer.units import counted
from simulators.protocol import BinaryVector, Categorical, InputError, Variable

__all__ = ["Contents", "contents"]

MOST = 20_000
"""Designs that a page holds: the front, and of the others those that came last."""

DETAILED = 100
"""Designs of the front whose breakdown a page holds."""

DIGITS = 5  # of a breakdown's numbers


@dataclass(frozen=True)
class Axis:
    """An objective, a variable, or a field that a constraint names.

    Args:
        name: of it.
        title: with its unit, and with an arrow to the better side.
        better: 1 if more is better, -1 if less is, 0 if neither.
        values: of each design, in SI; of a choice its place among ``ticks``; None where nothing is known.
        factor: the unit of the title in SI.
        ticks: the choices in words.
        counted: whether it is how many bits of a vector are on.
    """

    name: str
    title: str
    better: int
    values: list[float | None]
    factor: float = 1.0
    ticks: list[str] | None = None
    counted: bool = False


@dataclass(frozen=True)
class Contents:
    """What the page holds, see ``page.js``.

    Args:
        name: of the study.
        title: of the page.
        summary: paragraphs.
        designs: by column.
        breakdown: where time, energy and area of the front's designs go; None where no simulator can be asked.
        version: of what is held: a number that changes with it.
        poll_ms: after how long a page asks its server for more; 0: never.
        token: that it shows its server.
    """

    name: str
    title: str
    summary: list[str]
    designs: dict[str, Any]
    breakdown: dict[str, Any] | None
    version: str
    poll_ms: int = 0
    token: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def contents(study: Study, *, poll_ms: int = 0) -> Contents:
    """What the page of a study holds; no Python file that the study names is run.

    Args:
        study: finished or not.
        poll_ms: after how long the page asks its server for more; 0: never.
    """
    results, front = study.results, study.front()
    some = _shown(results, front)
    points: list[Point] = [results[place] for place in some.tolist()]
    axes, bits = _axes(study, results, some, points)
    designs = {
        "label": [point.label for point in points],
        "feasible": results.feasible()[some].astype(int).tolist(),
        "derived": [int(bool(point.derived_from)) for point in points],
        "strategy": [point.strategy for point in points],
        "evaluation": [point.evaluation for point in points],
        "axes": [asdict(axis) for axis in axes],
        "bits": bits,
    }
    return Contents(
        study.name,
        f"Pareto front of {study.name}",
        [*_summary(study, front), *_left_out(results, some)],
        designs,
        _breakdown(study, front),
        str(len(study.rows)),
        poll_ms,
    )


def _shown(results: Results, front: Front) -> NDArray[np.intp]:
    """Places of the designs that a page holds."""
    if len(results) <= MOST:
        return np.arange(len(results))
    best = {point.design for point in front}
    on_front = [place for place, point in enumerate(results) if point.design in best]
    others = np.setdiff1d(np.arange(len(results)), on_front)[-max(0, MOST - len(on_front)) :]
    return np.union1d(np.array(on_front, dtype=np.intp), others)


def _left_out(results: Results, some: Sequence[int] | NDArray[np.intp]) -> list[str]:
    if len(some) == len(results):
        return []
    return [
        f"This page holds the front and the latest other designs: {len(some)} of {len(results)}; rex export has all."
    ]


def _summary(study: Study, front: Front) -> list[str]:
    """The study in words."""
    outline, run = study.outline, study.evaluations
    failed = sum(evaluation.failed for evaluation in run)
    whole = sum(not evaluation.failed and not outline.short(evaluation.fidelity) for evaluation in run)
    spec = study.spec
    lines = [outline.workload] if outline.workload else []
    told = f"{counted(len(run), 'evaluations')}" + (f", {outline.whole(whole)}" if whole < len(run) - failed else "")
    told += f", {failed} failed" if failed else ""
    told += f"; {counted(sum(evaluation.cost for evaluation in run), outline.fidelity_name)} paid"
    told += f" by {spec.strategy.name}, seed {spec.seed}" if spec else ""
    lines.append(f"{told}. {counted(len(front), 'designs')} on the front, of {len(study.results)} that are known.")
    if not front:
        return [*lines, f"The front is empty: {study.why_empty()}."]
    best = [
        f"{objective.name} {value_text(point, objective)} ({point.label})"
        for objective in outline.objectives
        for point in [front.sorted_by(objective.name).points[0]]
    ]
    lines.append(f"Best of the front: {'; '.join(best)}.")
    if len(front) > 2 and len(outline.objectives) > 1:
        lines.append(f"The design that one would miss most: {front.knee().label}.")
    return lines


def _axes(
    study: Study, results: Results, some: NDArray[np.intp], points: Sequence[Point]
) -> tuple[list[Axis], list[dict[str, Any]]]:
    """Axes of objectives, of fields under constraints and of variables with a choice, and vectors of bits in words."""
    outline = study.outline
    values = results.values[some]
    axes = [
        Axis(
            objective.name, axis_title(objective, points), objective.sign, _plain(values[:, number]),
            Column.of_objective(objective, points).factor,
        )
        for number, objective in enumerate(outline.objectives)
    ]  # fmt: skip
    for name in _constrained(study, results):
        column = np.asarray(results.names[name], dtype=np.float64)[some]
        unit = outline.units.get(name, "")
        scale = Column.of(
            name.removesuffix(f"_{unit.lower()}").replace("_", " "), unit, column[np.isfinite(column)].tolist()
        )
        axes.append(Axis(name, scale.title, 0, _plain(column), scale.factor))
    bits: list[dict[str, Any]] = []
    for name, variable in outline.space.variables.items():
        found = [point.design[name] for point in points]
        if isinstance(variable.domain, BinaryVector):
            if len(set(found)) > 1:
                axes.append(Axis(name, f"{name}: how many", 0, [float(sum(row)) for row in found], counted=True))  # type: ignore[arg-type]  # bits
            words = {row: written(variable, row) for row in set(found)}
            bits.append({"name": name, "title": name, "values": [words[row] for row in found]})
        elif len(set(found)) > 1:
            choices = _choices(variable, found)
            ticks = [written(variable, choice) for choice in choices]
            places = {choice: float(place) for place, choice in enumerate(choices)}
            axes.append(Axis(name, name.replace("_", " "), 0, [places[value] for value in found], ticks=ticks))
    return axes, bits


def _constrained(study: Study, results: Results) -> list[str]:
    """Fields that constraints name and that designs have."""
    outline, spec = study.outline, study.spec
    constraints = [*outline.constraints]
    for text in spec.constraints if spec else ():
        constraints.append(condition(text, outline.units, outline.space.lengths))
    named = dict.fromkeys(name for constraint in constraints for name in sorted(constraint.names))
    own = {*outline.space.variables, *(objective.name for objective in outline.objectives)}
    return [name for name in named if name not in own and name in results.names]


def _choices(variable: Variable, found: Sequence[Any]) -> list[Any]:
    """The values of a variable that some design has, in their order."""
    present = set(found)
    if isinstance(variable.domain, Categorical):
        return [choice for choice in variable.domain.choices if choice in present]
    return sorted(present)


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """JSON has no NaN."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _breakdown(study: Study, front: Front) -> dict[str, Any] | None:
    """Where time, energy and area of the front's designs go; None where no simulator can be asked."""
    points = list(front.first(DETAILED))
    try:
        found = breakdowns(study, [point.design for point in points]) if points else []
    except InputError:  # made from functions, a network of the user's own, or nobody says: the page goes without
        return None
    quantities = []
    for one in found:
        scale = Column.of(one.quantity, one.unit, one.values[np.isfinite(one.values) & (one.values > 0)].tolist())
        rows = [
            [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else 0.0 for value in row]
            for row in one.values.tolist()
        ]
        title = f"{scale.title} by {one.by}"
        quantities.append(
            {"title": title, "by": one.by, "parts": list(one.parts), "factor": scale.factor, "values": rows}
        )
    return {"labels": [point.label for point in points], "quantities": quantities}
