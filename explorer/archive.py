"""Fronts, families and hypervolume of what was evaluated.

Only full-fidelity evaluations count. Replicates of one family are averaged. A front is completed over families: a
member of a trained family that was never proposed is there too, marked ``derived_from``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.outline import ObjectiveInfo, Outline
from explorer.problem import Problem
from explorer.units import format_quantity
from simulators.protocol import Design, InputError, suggestion

if TYPE_CHECKING:
    import pandas

__all__ = ["Archive", "Front", "Point", "Scale", "derived_members", "front", "front_of", "nondominated", "points"]

HELD_OUT = "test_"
"""Fields whose names begin so are measured on data that no search may see; only final reports show them."""


@dataclass(frozen=True)
class Point:
    """One design at full fidelity.

    Args:
        design: the design.
        label: the design in words.
        family: name of its family.
        values: the objectives, the expensive ones averaged over replicates.
        quantities: the reports' other totals (of the first replicate).
        spread: standard deviation of the expensive objectives over replicates; empty with one replicate.
        replicates: number of trainings behind the expensive objectives.
        held_out: report fields on data that the search never sees (``test_accuracy``), averaged over replicates.
        feasible: satisfies every constraint.
        strategy: who proposed it.
        derived_from: key of the evaluation that it follows from; empty if it was evaluated itself.
    """

    design: Design
    label: str
    family: str
    values: Mapping[str, float]
    quantities: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    replicates: int = 1
    held_out: Mapping[str, float] = field(default_factory=dict)
    feasible: bool = True
    strategy: str = ""
    derived_from: str = ""


def nondominated(values: NDArray[np.float64], objectives: Sequence[ObjectiveInfo]) -> NDArray[np.bool_]:
    """Which rows of ``values`` (count x objectives) no other row dominates; of equal rows the first."""
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    maximise = [objective.direction == "maximize" for objective in objectives]
    return np.asarray(moocore.is_nondominated(values, maximise=maximise, keep_weakly=False), dtype=bool)


def matrix(points: Sequence[Point], objectives: Sequence[ObjectiveInfo]) -> NDArray[np.float64]:
    """Objective values as an array, points x objectives."""
    rows = [[point.values[objective.name] for objective in objectives] for point in points]
    return np.array(rows, dtype=np.float64).reshape(len(points), len(objectives))


@dataclass(frozen=True)
class Scale:
    """Maps every objective to 0 (worst) .. 1 (best), so that hypervolumes are fractions of a fixed box.

    Args:
        worst, best: per objective, in the order of ``objectives``.
    """

    objectives: tuple[ObjectiveInfo, ...]
    worst: tuple[float, ...]
    best: tuple[float, ...]

    @classmethod
    def of(cls, problem: Problem, evaluations: Iterable[Evaluation] = (), looks: int = 4096) -> Scale:
        """The scale of a problem: known bounds, else what ``looks`` random designs show of cheap objectives, else what
        the evaluations show of expensive ones (it then moves while these are few)."""
        known = problem.known(problem.sample(np.random.default_rng(problem.seed), looks))
        finished = [evaluation for evaluation in evaluations if not evaluation.failed]
        worst, best = [], []
        for objective in problem.objectives:
            if objective.bounds:
                low, high = objective.bounds
            elif objective.cheap:  # what random designs show
                values = known.objectives[objective.name]
                low, high = float(np.min(values)), float(np.max(values))
            else:
                seen = [evaluation.values[objective.name] for evaluation in finished] or [0.0, 1.0]
                low, high = min(seen), max(seen)
            if high <= low:
                high = low + (abs(low) or 1.0)
            worst.append(low if objective.sign > 0 else high)
            best.append(high if objective.sign > 0 else low)
        return cls(problem.objectives, tuple(worst), tuple(best))

    def hypervolume(self, values: NDArray[np.float64]) -> float:
        """The share of the box that rows of ``values`` (count x objectives) dominate, 0 to 1."""
        worst, best = np.array(self.worst), np.array(self.best)
        unit = np.clip((values - worst) / (best - worst), 0.0, 1.0)
        unit = unit[(unit > 0).all(axis=1)]
        if len(unit) == 0:
            return 0.0
        return float(moocore.hypervolume(unit, ref=[0.0] * unit.shape[1], maximise=True))


def derived_members(
    problem: Problem, evaluation: Evaluation, where: Callable[[Mapping[str, Any]], NDArray[np.bool_]] | None = None
) -> list[Evaluation]:
    """The best of an evaluation's family: members that no other member dominates, as evaluations that cost nothing.

    Args:
        problem: what is searched.
        evaluation: finished, at full fidelity.
        where: keeps only members for which it is true; gets variables, fields and objectives as arrays.
    """
    designs = problem.members(evaluation.design)
    known = problem.known(designs)
    designs = designs.take(known.feasible)
    if len(designs) == 0:
        return []
    known = problem.known(designs)
    values = problem.derive(designs, known, evaluation)
    names = {**known.names(designs), **values}
    for name, value in evaluation.quantities.items():
        names.setdefault(name, np.full(len(designs), value))
    violation = sum(
        (np.broadcast_to(constraint.violation(names), len(designs)) for constraint in problem.outcome_constraints),
        np.zeros(len(designs)),
    )
    keep = np.ones(len(designs), dtype=bool) if where is None else where(names)
    table = np.column_stack([values[objective.name] for objective in problem.objectives])
    chosen = np.flatnonzero(keep & np.isfinite(table).all(axis=1))
    chosen = chosen[nondominated(table[chosen], problem.objectives)]
    training_fields = {k: v for k, v in evaluation.quantities.items() if k not in known.fields}
    members = []
    for index, design in zip(chosen, problem.space.unpack(designs.take(chosen)), strict=True):
        if design == evaluation.design:
            continue
        members.append(
            replace(
                evaluation,
                design=design,
                values={name: float(value[index]) for name, value in values.items()},
                quantities={**{k: float(v[index]) for k, v in known.fields.items()}, **training_fields},
                violation=float(violation[index]),
                series={},
                cost=0.0,
                duration_s=0.0,
                derived_from=evaluation.key,
            )
        )
    return members


def points(outline: Outline, evaluations: Iterable[Evaluation]) -> list[Point]:
    """Every design that was evaluated at full fidelity or derived from one, replicates averaged.

    Args:
        outline: of the study.
        evaluations: finished and derived ones, in any order; failed and low-fidelity ones are passed over.
    """
    finished = [e for e in evaluations if not e.failed and e.fidelity == outline.full_fidelity]
    of_family: dict[str, dict[int, Evaluation]] = {}
    of_design: dict[Design, dict[int, Evaluation]] = {}
    for evaluation in sorted(finished, key=lambda e: (bool(e.derived_from), e.replicate)):
        of_design.setdefault(evaluation.design, {}).setdefault(evaluation.replicate, evaluation)
        if not evaluation.derived_from:
            of_family.setdefault(evaluation.family, {}).setdefault(evaluation.replicate, evaluation)
    return [
        _point(outline, next(iter(own.values())), own, of_family.get(next(iter(own.values())).family, own))
        for own in of_design.values()
    ]


def _point(
    outline: Outline, first: Evaluation, own: Mapping[int, Evaluation], family: Mapping[int, Evaluation]
) -> Point:
    values, spread = dict(first.values), {}
    replicates = 1
    for objective in outline.objectives:
        if objective.cheap:
            continue
        sources = family if objective.shared else own
        sample = [evaluation.values[objective.name] for evaluation in sources.values()]
        replicates = max(replicates, len(sample))
        values[objective.name] = float(np.mean(sample))
        if len(sample) > 1:
            spread[objective.name] = float(np.std(sample, ddof=1))
    held_out = {
        name: float(np.mean([evaluation.quantities[name] for evaluation in family.values()]))
        for name in first.quantities
        if name.startswith(HELD_OUT) and all(name in evaluation.quantities for evaluation in family.values())
    }
    return Point(
        first.design,
        outline.space.describe(first.design),
        first.family,
        values,
        first.quantities,
        spread,
        replicates,
        held_out,
        outline.violation(first.design, {**first.quantities, **values}) == 0.0,
        first.strategy,
        first.derived_from,
    )


class Front(Sequence[Point]):
    """The feasible designs that no other one dominates.

    Args:
        outline: of the study.
        points: the non-dominated ones.
    """

    def __init__(self, outline: Outline, points: Sequence[Point]) -> None:
        self.outline = outline
        self.points = tuple(points)

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: Any) -> Any:
        return self.points[index]

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __str__(self) -> str:
        lines = [f"Pareto front: {len(self)} designs"]
        for point in self.points:
            values = ", ".join(
                f"{o.name} {format_quantity(point.values[o.name], o.unit)}" for o in self.outline.objectives
            )
            lines.append(f"  {point.label}: {values}")
        return "\n".join(lines)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Objective values, points x objectives."""
        return matrix(self.points, self.outline.objectives)

    def sorted_by(self, name: str) -> Front:
        """The same front, best first in the objective ``name`` (or smallest first in a variable or report field).

        Raises:
            InputError: there is no such name.
        """
        signs = {objective.name: objective.sign for objective in self.outline.objectives}
        if name not in self.outline.units and name not in signs:
            raise InputError(f"unknown name '{name}'{suggestion(name, self.outline.units)}", "sort")

        def rank(point: Point) -> tuple[int, Any]:
            value = {**point.design, **point.quantities, **point.values}.get(name)
            if value is None:
                return (1, 0)
            return (0, -signs[name] * float(point.values[name]) if name in signs else value)

        return Front(self.outline, sorted(self.points, key=rank))

    def representatives(self, count: int, scale: Scale) -> Front:
        """At most ``count`` points, chosen one by one so that each adds the most hypervolume to those before it."""
        left: list[int] = list(range(len(self)))
        chosen: list[int] = []
        values = self.matrix
        while left and len(chosen) < count:
            best = max(left, key=lambda index: scale.hypervolume(values[[*chosen, index]]))
            chosen.append(best)
            left.remove(best)
        return Front(self.outline, [self.points[index] for index in chosen])

    def records(self) -> list[dict[str, Any]]:
        """One flat row a point: variables, objectives, their spread, replicates, other fields, origin."""
        rows = []
        for point in self.points:
            row: dict[str, Any] = {"design": point.label, **point.design.to_json(), **point.values}
            row.update({f"{name}_spread": value for name, value in point.spread.items()})
            row["replicates"] = point.replicates
            row.update(point.held_out)
            row.update({name: value for name, value in point.quantities.items() if name not in row})
            row.update({"strategy": point.strategy, "derived_from": point.derived_from})
            rows.append(row)
        return rows

    def to_pandas(self) -> pandas.DataFrame:
        """The front as a data frame, one row a point."""
        import pandas

        return pandas.DataFrame(self.records())

    def to_json(self) -> str:
        """The front as a JSON array of flat rows."""
        return json.dumps(self.records(), indent=1)

    def to_csv(self) -> str:
        """The front as CSV with a header."""
        rows = self.records()
        out = io.StringIO()
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()


def front_of(outline: Outline, found: Sequence[Point]) -> Front:
    """The feasible, non-dominated ones of ``found``."""
    feasible = [point for point in found if point.feasible]
    keep = nondominated(matrix(feasible, outline.objectives), outline.objectives)
    return Front(outline, [point for point, kept in zip(feasible, keep, strict=True) if kept])


def front(problem: Problem, evaluations: Iterable[Evaluation]) -> Front:
    """The front of evaluations, completed over families.

    Args:
        problem: what was searched.
        evaluations: in any order; only finished ones at full fidelity count.
    """
    evaluations = list(evaluations)
    seen: set[str] = set()
    derived: list[Evaluation] = []
    for evaluation in sorted(evaluations, key=lambda e: e.replicate):
        full = not evaluation.failed and evaluation.fidelity == problem.full_fidelity and not evaluation.derived_from
        if full and evaluation.family not in seen:
            seen.add(evaluation.family)
            derived += derived_members(problem, evaluation)
    return front_of(problem.outline, points(problem.outline, [*evaluations, *derived]))


class Archive:
    """The front of a running search, kept up to date as evaluations arrive.

    Args:
        problem: what is searched.
        evaluations: those of an earlier run, derived ones included.
    """

    def __init__(self, problem: Problem, evaluations: Iterable[Evaluation] = ()) -> None:
        self.problem = problem
        self.evaluations: list[Evaluation] = list(evaluations)
        self._families = {e.family for e in self.evaluations if e.derived_from or self._counts(e)}
        self.scale = Scale.of(problem, self.evaluations)
        self.front = front_of(problem.outline, points(problem.outline, self.evaluations))

    def _counts(self, evaluation: Evaluation) -> bool:
        return not evaluation.failed and evaluation.fidelity == self.problem.full_fidelity

    def add(self, evaluation: Evaluation) -> list[Evaluation]:
        """Take in an evaluation.

        Returns:
            The members of its family that are on the front now and were not known before.
        """
        self.evaluations.append(evaluation)
        if not self._counts(evaluation):
            return []
        outline = self.problem.outline
        if evaluation.replicate > 0:  # means move: every point of the family must be looked at again
            self.front = front_of(outline, points(outline, self.evaluations))
            return []
        derived: list[Evaluation] = []
        if evaluation.family not in self._families:
            self._families.add(evaluation.family)
            derived = derived_members(self.problem, evaluation)
        found = points(outline, [evaluation, *derived])
        self.front = front_of(outline, [*self.front, *found])
        on_front = {point.design for point in self.front}
        kept = [member for member in derived if member.design in on_front]
        self.evaluations.extend(kept)
        return kept

    @property
    def hypervolume(self) -> float:
        """The share of the scale's box that the front dominates, 0 to 1."""
        return self.scale.hypervolume(self.front.matrix)
