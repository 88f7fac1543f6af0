"""Fronts: the feasible designs that no other one dominates.

Only full-fidelity evaluations count. Replicates of one family are averaged. A front is completed over families: a
member of a trained family that was never proposed is there too, marked ``derived_from``.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale, nondominated
from explorer.evaluation import Evaluation
from explorer.expressions import Expression, full_name
from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point, held_out_means, matrix
from explorer.problem import Problem
from explorer.results import Results, Selection, counts
from explorer.space import condition
from explorer.units import counted, format_quantity
from simulators.protocol import InputError, LazyColumns, suggestion

if TYPE_CHECKING:
    import pandas

    from explorer.ranking import Ranking

__all__ = [
    "Front", "averaged", "completion", "derived_members", "front", "front_among", "front_of", "replicates_of_families",
]  # fmt: skip


def derived_members(
    problem: Problem,
    evaluation: Evaluation,
    where: Callable[[Mapping[str, Any]], NDArray[np.bool_]] | None = None,
    extra: Sequence[ObjectiveInfo] = (),
) -> list[Evaluation]:
    """The best of an evaluation's family: feasible members that no other dominates, as evaluations that cost nothing.

    Args:
        problem: what is searched.
        evaluation: finished, at full fidelity.
        where: keeps only members for which it is true; gets variables, fields and objectives as arrays.
        extra: variables and fields that count as objectives, too.
    """
    designs = problem.members(evaluation.design)
    if len(designs) == 1:  # it is alone
        return []
    known = problem.known(designs)
    designs, known = designs.take(known.feasible), known.take(known.feasible)
    if len(designs) == 0:
        return []
    values = problem.derive(designs, known, evaluation)
    before, paid = known.names(designs), evaluation.quantities

    def named(name: str) -> NDArray[Any]:
        if name in values:
            return values[name]
        return before[name] if name in before else np.full(len(designs), paid[name])

    names = LazyColumns(dict.fromkeys([*before, *values, *paid]), named)
    violation = sum(
        (np.broadcast_to(constraint.violation(names), len(designs)) for constraint in problem.outcome_constraints),
        np.zeros(len(designs)),
    )
    objectives = (*problem.objectives, *extra)
    table = np.column_stack([np.asarray(names[objective.name], dtype=np.float64) for objective in objectives])
    keep = (violation == 0) & np.isfinite(table).all(axis=1)
    if where is not None:
        keep &= where(names)
    chosen = np.flatnonzero(keep)
    chosen = chosen[nondominated(table[chosen], objectives)]
    training_fields = {k: v for k, v in evaluation.quantities.items() if k not in known.fields}
    if len(chosen) == 0:
        return []
    members = []
    some = designs.take(chosen)
    fields = problem.known(some).fields  # of these few only: some fields take long
    for row, (index, design) in enumerate(zip(chosen, problem.space.unpack(some), strict=True)):
        if design == evaluation.design:
            continue
        members.append(
            replace(
                evaluation,
                design=design,
                values={name: float(value[index]) for name, value in values.items()},
                quantities={**{k: float(v[row]) for k, v in fields.items()}, **training_fields},
                violation=0.0,
                series={},
                cost=0.0,
                duration_s=0.0,
                derived_from=evaluation.key,
            )
        )
    return members


def replicates_of_families(evaluations: Iterable[Evaluation]) -> dict[str, dict[int, Evaluation]]:
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
    held_out = held_out_means(first, replicates.values())
    return replace(first, values={**first.values, **means}, quantities={**first.quantities, **held_out})


def completion(
    problem: Problem,
    evaluations: Iterable[Evaluation],
    where: Callable[[Mapping[str, Any]], NDArray[np.bool_]] | None = None,
    extra: Sequence[ObjectiveInfo] = (),
    outline: Outline | None = None,
) -> list[Evaluation]:
    """The members of all evaluated families that matter for a front, see :func:`derived_members`.

    Args:
        problem: what is searched.
        evaluations: those that do not count are passed over.
        where, extra: as for :func:`derived_members`.
        outline: that says which count; None: the problem's.
    """
    outline = outline or problem.outline
    of_family = replicates_of_families(e for e in evaluations if counts(outline, e))
    return [
        member
        for replicates in of_family.values()
        for member in derived_members(problem, averaged(outline, replicates), where, extra)
    ]


class Front(Sequence[Point]):
    """The feasible designs that no other one dominates.

    Args:
        outline: of the study, with the objectives and constraints of this front.
        points: the non-dominated ones; a :class:`Selection` makes them when they are looked at.
        notes: what one has to know of it, a line each.
    """

    def __init__(self, outline: Outline, points: Sequence[Point], notes: Sequence[str] = ()) -> None:
        self.outline = outline
        self._points = points if isinstance(points, Selection) else tuple(points)
        self.notes = tuple(notes)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """The designs."""
        return tuple(self._points)

    def of(self, points: Sequence[Point]) -> Front:
        """Some of these designs, or these in another order."""
        return Front(self.outline, points, self.notes)

    def __len__(self) -> int:
        return len(self._points)

    def __getitem__(self, index: Any) -> Any:
        return self._points[index]

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    def __str__(self) -> str:
        lines = [f"Pareto front: {counted(len(self), 'designs')}"]
        for point in self.points:
            values = ", ".join(
                f"{o.name} {format_quantity(point.values[o.name], o.unit)}" for o in self.outline.objectives
            )
            lines.append(f"  {point.label}: {values}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        ranges = []
        for objective, values in zip(self.outline.objectives, self.matrix.T.tolist(), strict=True) if len(self) else ():
            ends = dict.fromkeys(format_quantity(end, objective.unit) for end in (min(values), max(values)))
            ranges.append(f"{objective.name} {' to '.join(ends)}")
        return f"<Front of {counted(len(self), 'designs')}{': ' if ranges else ''}{', '.join(ranges)}>"

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Objective values, points x objectives."""
        objectives, points = self.outline.objectives, self._points
        return points.matrix(objectives) if isinstance(points, Selection) else matrix(points, objectives)

    def sorted_by(self, name: str, *, descending: bool | None = None) -> Front:
        """The same front, sorted by an objective, variable or report field; designs without that field come last.

        Args:
            name: of the objective, variable or report field; the unit that it ends with may be left out.
            descending: largest first; None: best first in an objective and in a field named after one
                (``test_accuracy``), smallest first in everything else.

        Raises:
            InputError: there is no such name.
        """
        name = full_name(name, self.outline.units)
        known = {*self.outline.units, *(objective.name for objective in self.outline.objectives)}
        if name not in known:
            raise InputError(f"unknown name '{name}'{suggestion(name, known)}", "sort")
        if descending is None:
            descending = self.outline.direction(name) > 0
        have = [point for point in self.points if name in point.names]
        ordered = sorted(have, key=lambda point: point.names[name], reverse=descending)
        return self.of([*ordered, *(point for point in self.points if name not in point.names)])

    def where(self, expression: str | Expression) -> Front:
        """Those of these designs for which an expression is true.

        That is less than :meth:`explorer.study.Study.front` finds under it, which asks for the best of the designs that
        satisfy it.

        Raises:
            InputError: the expression cannot be read or names something unknown.
        """
        wanted = condition(expression, self.outline.units, self.outline.space.lengths, "where")
        return self.of([point for point in self.points if _holds(wanted, point)])

    def rank(self, *, weights: Mapping[str, float] | None = None, ideal: Mapping[str, float] | None = None) -> Ranking:
        """These designs in the order in which one might take them.

        Args:
            weights: of objectives: the largest weighted mean first.
            ideal: values of objectives in SI: the nearest to them first; weights then weigh the distances. With
                neither, knees come first: designs that one would miss, see :func:`explorer.ranking.by_trade_off`.

        Raises:
            InputError: no objective of that name, or weights that are negative or all zero.
        """
        from explorer import ranking

        if ideal is not None:
            return ranking.by_distance(self, ideal, weights)
        return ranking.by_trade_off(self) if weights is None else ranking.by_weights(self, weights)

    def knee(self) -> Point:
        """The design that one would miss most, see :func:`explorer.ranking.by_trade_off`.

        Raises:
            IndexError: the front is empty.
        """
        return self.rank().points[0]

    def first(self, count: int) -> Front:
        """The first so many of these designs."""
        return self.of(self._points[:count])

    def representatives(self, count: int, scale: Scale) -> Front:
        """At most ``count`` points, chosen one by one so that each adds the most hypervolume to those before it."""
        left: list[int] = list(range(len(self)))
        chosen: list[int] = []
        values = self.matrix
        while left and len(chosen) < count:
            best = max(left, key=lambda index: scale.hypervolume(values[[*chosen, index]]))
            chosen.append(best)
            left.remove(best)
        return self.of([self.points[index] for index in chosen])

    def records(self) -> list[dict[str, Any]]:
        """One flat row a point: variables, objectives, their standard error and their spread over replicates, how many
        these are, other fields, origin.

        ``derived_from`` is the design that was trained, in words; empty for a design that was evaluated itself.
        ``evaluation`` is the number of the one that was run, which ``rex model`` and ``rex rerun`` know it by.
        """
        rows = []
        for point in self.points:
            row: dict[str, Any] = {"design": point.label, **point.design.to_json(), **point.values}
            row.update({f"{name}_error": value for name, value in point.error.items()})
            row.update({f"{name}_spread": value for name, value in point.spread.items()})
            row["replicates"] = point.replicates
            row.update(point.held_out)
            row.update({name: value for name, value in point.quantities.items() if name not in row})
            row.update({"strategy": point.strategy, "derived_from": self._origin(point)})
            if point.evaluation:
                row["evaluation"] = point.evaluation
            rows.append(row)
        return rows

    def _origin(self, point: Point) -> str:
        if not point.derived_from:
            return ""
        space = self.outline.space
        return space.describe(space.design(json.loads(point.derived_from)[0]))

    def to_pandas(self) -> pandas.DataFrame:
        """The front as a data frame, one row a point."""
        import pandas

        return pandas.DataFrame(self.records())

    def to_parquet(self, path: str | Path) -> None:
        """The front as a Parquet file that was not there before, see :mod:`explorer.parquet`.

        Raises:
            InputError: it is there already, or cannot be written.
        """
        from explorer.parquet import write_parquet

        write_parquet(self.to_pandas(), self.outline.units, Path(path))

    def to_json(self) -> str:
        """The front as a JSON array of flat rows; counts are integers."""
        with_unit = {name for name, unit in self.outline.units.items() if unit}
        rows = [
            {name: value if name in with_unit else _plain(value) for name, value in row.items()}
            for row in self.records()
        ]
        return json.dumps(rows, indent=1)

    def to_csv(self) -> str:
        """The front as CSV with a header, also if it is empty; whole numbers are written without a point."""
        rows = self.records()
        out = io.StringIO()
        always = ["design", *self.outline.space.variables, *(objective.name for objective in self.outline.objectives)]
        names = list(dict.fromkeys([*always, *(name for row in rows for name in row)]))
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
        return out.getvalue()


def _holds(expression: Expression, point: Point) -> bool:
    names = point.names
    return expression.names <= names.keys() and bool(np.all(expression.evaluate(names)))


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def front_of(outline: Outline, found: Iterable[Point]) -> Front:
    """The feasible, non-dominated ones of ``found``; of equal ones the first, evaluated ones before derived ones."""
    feasible = sorted((point for point in found if point.feasible), key=lambda point: bool(point.derived_from))
    keep = nondominated(matrix(feasible, outline.objectives), outline.objectives)
    return Front(outline, [point for point, kept in zip(feasible, keep, strict=True) if kept])


def front_among(
    results: Results,
    keep: NDArray[np.bool_] | None = None,
    objectives: Sequence[ObjectiveInfo] = (),
    notes: Sequence[str] = (),
) -> Front:
    """The non-dominated designs of some results; of equal ones the first.

    Args:
        results: of a study.
        keep: which of its designs are looked at; None: the feasible ones.
        objectives: some of the results'; none: all of them.
        notes: of the front.
    """
    known = results.outline.objectives
    objectives = tuple(objectives) or known
    index = np.flatnonzero(results.feasible() if keep is None else keep)
    values = results.values[index][:, [known.index(objective) for objective in objectives]]
    chosen = index[nondominated(values, objectives)]
    outline = results.outline if objectives == known else replace(results.outline, objectives=objectives)
    return Front(outline, Selection(results, chosen), notes)


def front(problem: Problem, evaluations: Iterable[Evaluation]) -> Front:
    """The front of evaluations, completed over families.

    Args:
        problem: what was searched.
        evaluations: in any order; only finished ones at full fidelity count.
    """
    evaluations = list(evaluations)
    return front_among(Results(problem.outline, [*evaluations, *completion(problem, evaluations)]))
