"""Fronts, families and hypervolume of what was evaluated.

Only full-fidelity evaluations count. Replicates of one family are averaged. A front is completed over families: a
member of a trained family that was never proposed is there too, marked ``derived_from``.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.outline import HELD_OUT, ObjectiveInfo, Outline
from explorer.problem import Problem
from explorer.units import format_quantity
from simulators.protocol import Design, InputError, suggestion

if TYPE_CHECKING:
    import pandas

__all__ = [
    "Archive", "Front", "Point", "Scale", "averaged", "completion", "derived_members", "front", "front_of",
    "nondominated", "points",
]  # fmt: skip


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
        objectives: of the problem.
        low, high: per objective the ends of its range; infinity and -infinity while nothing is known of it.
    """

    objectives: tuple[ObjectiveInfo, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, problem: Problem, evaluations: Iterable[Evaluation] = (), looks: int = 4096) -> Scale:
        """The scale of a problem: known bounds, else what ``looks`` random designs show of cheap objectives, else what
        the evaluations show of expensive ones (it then widens as more arrive)."""
        known = problem.known(problem.sample(np.random.default_rng(problem.seed), looks))
        ranges = []
        for objective in problem.objectives:
            low, high = objective.bounds or (math.nan, math.nan)
            seen = known.objectives[objective.name] if objective.cheap else np.array([])
            ranges.append((
                low if math.isfinite(low) else float(np.min(seen, initial=math.inf)),
                high if math.isfinite(high) else float(np.max(seen, initial=-math.inf)),
            ))  # fmt: skip
        scale = cls(problem.objectives, *map(tuple, zip(*ranges, strict=True)))
        for evaluation in evaluations:
            scale = scale.widened(evaluation)
        return scale

    def widened(self, evaluation: Evaluation) -> Scale:
        """The scale with an evaluation inside it; cheap objectives keep their range, they were looked at before."""
        if evaluation.failed:
            return self
        expensive = [None if o.cheap else evaluation.values[o.name] for o in self.objectives]
        low = tuple(old if new is None else min(old, new) for old, new in zip(self.low, expensive, strict=True))
        high = tuple(old if new is None else max(old, new) for old, new in zip(self.high, expensive, strict=True))
        return self if (low, high) == (self.low, self.high) else Scale(self.objectives, low, high)

    def hypervolume(self, values: NDArray[np.float64]) -> float:
        """The share of the box that rows of ``values`` (count x objectives) dominate, 0 to 1."""
        seen = np.isfinite(self.low)
        low, high = np.where(seen, self.low, 0.0), np.where(seen, self.high, 1.0)
        high = np.where(high > low, high, low + np.where(low == 0, 1.0, np.abs(low)))  # a single value: any box will do
        unit = np.clip((values - low) / (high - low), 0.0, 1.0)
        unit = np.where([objective.sign > 0 for objective in self.objectives], unit, 1.0 - unit)
        unit = unit[(unit > 0).all(axis=1)]
        if len(unit) == 0:
            return 0.0
        return float(moocore.hypervolume(unit, ref=[0.0] * unit.shape[1], maximise=True))


def derived_members(
    problem: Problem, evaluation: Evaluation, where: Callable[[Mapping[str, Any]], NDArray[np.bool_]] | None = None
) -> list[Evaluation]:
    """The best of an evaluation's family: feasible members that no other dominates, as evaluations that cost nothing.

    Args:
        problem: what is searched.
        evaluation: finished, at full fidelity.
        where: keeps only members for which it is true; gets variables, fields and objectives as arrays.
    """
    designs = problem.members(evaluation.design)
    if len(designs) == 1:  # it is alone
        return []
    known = problem.known(designs)
    designs, known = designs.take(known.feasible), known.take(known.feasible)
    if len(designs) == 0:
        return []
    values = problem.derive(designs, known, evaluation)
    names = {**known.names(designs), **values}
    for name, value in evaluation.quantities.items():
        names.setdefault(name, np.full(len(designs), value))
    violation = sum(
        (np.broadcast_to(constraint.violation(names), len(designs)) for constraint in problem.outcome_constraints),
        np.zeros(len(designs)),
    )
    table = np.column_stack([values[objective.name] for objective in problem.objectives])
    keep = (violation == 0) & np.isfinite(table).all(axis=1)
    if where is not None:
        keep &= where(names)
    chosen = np.flatnonzero(keep)
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
                violation=0.0,
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
    evaluations = [evaluation for evaluation in evaluations if _counts(outline, evaluation)]
    of_family = _replicates(evaluations)
    runs_first = sorted(evaluations, key=lambda e: bool(e.derived_from))
    of_design: dict[Design, dict[int, Evaluation]] = {evaluation.design: {} for evaluation in runs_first}
    for evaluation in sorted(runs_first, key=lambda e: (bool(e.derived_from), e.replicate)):
        own = of_design[evaluation.design]
        if not (own and evaluation.derived_from):
            own.setdefault(evaluation.replicate, evaluation)
    return [
        _point(outline, next(iter(own.values())), own, of_family.get(next(iter(own.values())).family, own))
        for own in of_design.values()
    ]


def _counts(outline: Outline, evaluation: Evaluation) -> bool:
    return not evaluation.failed and evaluation.fidelity == outline.full_fidelity


def _replicates(evaluations: Iterable[Evaluation]) -> dict[str, dict[int, Evaluation]]:
    """Per family the first evaluation of each replicate that was run."""
    of_family: dict[str, dict[int, Evaluation]] = {}
    for evaluation in sorted(evaluations, key=lambda e: e.replicate):
        if not evaluation.derived_from:
            of_family.setdefault(evaluation.family, {}).setdefault(evaluation.replicate, evaluation)
    return of_family


def averaged(outline: Outline, replicates: Mapping[int, Evaluation]) -> Evaluation:
    """The first of a family's replicates, with the means of the objectives that the family shares."""
    first = next(iter(replicates.values()))
    means = {
        objective.name: float(np.mean([evaluation.values[objective.name] for evaluation in replicates.values()]))
        for objective in outline.objectives
        if objective.shared
    }
    return replace(first, values={**first.values, **means})


def completion(
    problem: Problem,
    evaluations: Iterable[Evaluation],
    where: Callable[[Mapping[str, Any]], NDArray[np.bool_]] | None = None,
) -> list[Evaluation]:
    """The members of all evaluated families that matter for a front, see :func:`derived_members`."""
    of_family = _replicates(e for e in evaluations if _counts(problem.outline, e))
    return [
        member
        for replicates in of_family.values()
        for member in derived_members(problem, averaged(problem.outline, replicates), where)
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

    @cached_property
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


def front_of(outline: Outline, found: Iterable[Point]) -> Front:
    """The feasible, non-dominated ones of ``found``; of equal ones the first, evaluated ones before derived ones."""
    feasible = sorted((point for point in found if point.feasible), key=lambda point: bool(point.derived_from))
    keep = nondominated(matrix(feasible, outline.objectives), outline.objectives)
    return Front(outline, [point for point, kept in zip(feasible, keep, strict=True) if kept])


def front(problem: Problem, evaluations: Iterable[Evaluation]) -> Front:
    """The front of evaluations, completed over families.

    Args:
        problem: what was searched.
        evaluations: in any order; only finished ones at full fidelity count.
    """
    evaluations = list(evaluations)
    return front_of(problem.outline, points(problem.outline, [*evaluations, *completion(problem, evaluations)]))


class Archive:
    """The front of a running search, kept up to date as evaluations arrive.

    Args:
        problem: what is searched.
        evaluations: those of an earlier run, derived ones included.
    """

    def __init__(self, problem: Problem, evaluations: Iterable[Evaluation] = ()) -> None:
        self.problem = problem
        self.evaluations: list[Evaluation] = list(evaluations)
        self.scale = Scale.of(problem, self.evaluations)
        counted = [evaluation for evaluation in self.evaluations if _counts(problem.outline, evaluation)]
        self._replicates = _replicates(counted)
        self._known = {evaluation.design for evaluation in counted}
        self._hypervolume: float | None = None
        self._replace(points(problem.outline, counted))

    def add(self, evaluation: Evaluation) -> list[Evaluation]:
        """Take in an evaluation.

        Returns:
            The members of families that came to the front with it and were not known before.
        """
        self.evaluations.append(evaluation)
        self._rescale(evaluation)
        outline = self.problem.outline
        if not _counts(outline, evaluation):
            return []
        self._known.add(evaluation.design)
        replicates = self._replicates.setdefault(evaluation.family, {})
        is_first = not replicates
        means_move = evaluation.replicate > 0 or not (is_first or 0 in replicates)
        replicates.setdefault(evaluation.replicate, evaluation)
        if means_move:  # values may have got worse: members that were dominated so far, of any family, may come back
            derived = completion(self.problem, self.evaluations)
            self._replace(points(outline, [*self.evaluations, *derived]))
        else:
            derived = derived_members(self.problem, evaluation) if is_first else []
            own = {evaluation.design, *(member.design for member in derived)}
            found = points(outline, [*replicates.values(), evaluation, *derived])
            self._join([point for point in found if point.design in own])
        kept = [member for member in derived if member.design in self._on_front - self._known]
        self.evaluations.extend(kept)
        self._known.update(member.design for member in kept)
        return kept

    def _join(self, found: Sequence[Point]) -> None:
        """Put points on the front if they belong there."""
        signs = [objective.sign for objective in self.front.outline.objectives]
        front, values = self.front.matrix * signs, matrix(found, self.front.outline.objectives) * signs
        replaced = {point.design for point in found}
        dominated = all((front >= row).all(axis=1).any() and not (front == row).all(axis=1).any() for row in values)
        if dominated and self._on_front.isdisjoint(replaced):
            return  # as for most points: no need to compare those of the front with each other
        self._replace([*(point for point in self.front if point.design not in replaced), *found])

    def _replace(self, found: Sequence[Point]) -> None:
        self.front = front_of(self.problem.outline, found)
        self._on_front = {point.design for point in self.front}
        self._hypervolume = None

    def _rescale(self, evaluation: Evaluation) -> None:
        scale = self.scale.widened(evaluation)
        if scale is not self.scale:
            self.scale, self._hypervolume = scale, None

    @property
    def hypervolume(self) -> float:
        """The share of the scale's box that the front dominates, 0 to 1."""
        if self._hypervolume is None:
            self._hypervolume = self.scale.hypervolume(self.front.matrix)
        return self._hypervolume
