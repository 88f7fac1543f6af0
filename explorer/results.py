"""What a study evaluated, column by column, so that fronts of a million evaluations take a second.

Only evaluations at one fidelity count, and only those that finished. Replicates are averaged: those of a family where
its members share an objective, else those of a design. A member of a family that was run itself counts as that; others
count as derived.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import usual_variance
from explorer.evaluation import Evaluation
from explorer.expressions import Expression
from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point, point_of
from simulators.protocol import LazyColumns

__all__ = ["Results", "Selection", "counts"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]


def counts(outline: Outline, evaluation: Evaluation) -> bool:
    """Whether an evaluation counts for a front: it finished, at full fidelity."""
    return not evaluation.failed and evaluation.fidelity == outline.full_fidelity


class Results(Sequence[Point]):
    """The designs of a study with what is known of them, those that were run before those that follow from others.

    A sequence of points, each made when it is asked for.

    Args:
        outline: of the study.
        rows: evaluations in order of arrival; failed ones and those of another fidelity are passed over.
        before: results of this outline that ``rows`` go on from: what they know is not gathered again.
    """

    def __init__(self, outline: Outline, rows: Iterable[Evaluation], before: Results | None = None) -> None:
        self.outline = outline
        new = [row for row in rows if counts(outline, row)]
        names = [objective.name for objective in outline.objectives]
        self._rows: list[Evaluation] = new
        self._derived = np.fromiter((bool(row.derived_from) for row in new), bool)
        self._replicate = np.fromiter((row.replicate for row in new), np.int64)
        self._table = np.fromiter((row.values[name] for row in new for name in names), np.float64)
        self._table = self._table.reshape(len(new), len(names))
        self._design, self._family = _Groups(), _Groups()
        if before is not None:
            self._rows = [*before._rows, *new]
            self._derived = np.concatenate([before._derived, self._derived])
            self._replicate = np.concatenate([before._replicate, self._replicate])
            self._table = np.concatenate([before._table, self._table])
            self._design, self._family = before._design, before._family
        self._design = self._design.joined_by(row.design for row in new)
        self._family = self._family.joined_by(row.family for row in new)
        arrival = np.arange(len(self._rows))
        # of each design the run with the lowest replicate, else what follows from its family
        self._first = self._design.first((arrival, self._replicate, self._derived))
        earliest = self._design.first((arrival, self._derived))
        order = np.lexsort((earliest, self._derived[earliest]))
        self._order: Index = order  # the designs, by number, as they are shown

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._point(design) for design in self._order[index]]
        return self._point(self._order[index])

    @property
    def derived(self) -> Mask:
        """Which designs were not run themselves."""
        found: Mask = self._derived[self._first][self._order]
        return found

    @cached_property
    def values(self) -> Array:
        """Objectives averaged over replicates, designs x objectives."""
        table, values = self._table, self._table[self._first]
        for column, objective in enumerate(self.outline.objectives):
            if not objective.cheap:
                repeats = self._of_family if objective.shared else self._of_design
                total = np.bincount(repeats.group, weights=table[repeats.rows, column], minlength=repeats.groups.count)
                own = repeats.groups.number[self._first]
                known = repeats.count[own] > 0
                values[known, column] = (total[own] / np.maximum(repeats.count[own], 1))[known]
        return values[self._order]

    @cached_property
    def names(self) -> Mapping[str, NDArray[Any]]:
        """What is known of the designs by name: variables, report fields, objectives; NaN where something is not."""
        space = self.outline.space
        first = [self._rows[index] for index in self._first[self._order]]
        fields = dict.fromkeys(name for row in first for name in row.quantities)
        designs: dict[str, NDArray[Any]] = {}

        def column(name: str) -> NDArray[Any]:
            for number, objective in enumerate(self.outline.objectives):
                if objective.name == name:
                    return self.values[:, number]
            if name in space.variables:
                if not designs:
                    designs.update(space.designs([row.design for row in first]).expanded())
                return designs[name]
            return np.array([row.quantities.get(name, np.nan) for row in first], dtype=np.float64)

        known = [*space.variables, *fields, *(objective.name for objective in self.outline.objectives)]
        return LazyColumns(dict.fromkeys(known), column)

    def feasible(self, constraints: Sequence[Expression] | None = None) -> Mask:
        """Which designs satisfy constraints.

        Args:
            constraints: on what is known of designs by name; None: those of the study.
        """
        fine = np.ones(len(self), dtype=bool)
        for constraint in self.outline.constraints if constraints is None else constraints:
            fine &= self.holding(constraint)
        return fine

    def holding(self, condition: Expression) -> Mask:
        """For which designs a condition is true; false where something that it names is not known."""
        if not condition.names <= set(self.names):
            return np.zeros(len(self), dtype=bool)
        known = np.ones(len(self), dtype=bool)
        for name in condition.names:
            values = self.names[name]
            if values.dtype.kind == "f":
                known &= np.isfinite(values)
        holds = np.broadcast_to(np.asarray(condition.evaluate(self.names), dtype=bool), len(self))
        found: Mask = known & holds
        return found

    def violation(self, condition: Expression) -> Array:
        """How far each design is from meeting a condition, see :meth:`Expression.violation`; infinity where something
        that it names is not known."""
        if not condition.names <= set(self.names):
            return np.full(len(self), np.inf)
        far: Array = np.broadcast_to(condition.violation(self.names), len(self))
        return far

    @cached_property
    def _of_family(self) -> _Repeats:
        """What an objective is averaged over that a family shares: its runs."""
        return self._repeats(self._family, ~self._derived)

    @cached_property
    def _of_design(self) -> _Repeats:
        """What any other objective is averaged over: a design's runs, or what follows for it from its family."""
        run = np.zeros(self._design.count, dtype=bool)
        run[self._design.number[~self._derived]] = True
        return self._repeats(self._design, ~self._derived | ~run[self._design.number])

    def _repeats(self, groups: _Groups, counting: Mask) -> _Repeats:
        """One row of each replicate, the earliest, sorted by group and replicate."""
        rows = np.flatnonzero(counting)
        group, replicate = groups.number[rows], self._replicate[rows]
        order = np.lexsort((rows, replicate, group))
        rows, group, replicate = rows[order], group[order], replicate[order]
        new = (np.diff(group, prepend=-1) != 0) | (np.diff(replicate, prepend=-1) != 0)
        return _Repeats(groups, rows[new], group[new])

    def _sample(self, repeats: _Repeats, group: int) -> dict[int, Evaluation]:
        """The replicates of a group."""
        rows = [self._rows[row] for row in repeats.rows_of(group)]
        return {row.replicate: row for row in rows}

    @cached_property
    def _usual(self) -> dict[str, float | None]:
        """What the variance over replicates of each expensive objective usually is."""
        usual = {}
        for objective in self.outline.objectives:
            if not objective.cheap:
                repeats = self._of_family if objective.shared else self._of_design
                samples = [self._sample(repeats, group) for group in np.flatnonzero(repeats.count > 1).tolist()]
                usual[objective.name] = usual_variance(
                    [row.values[objective.name] for row in sample.values()] for sample in samples
                )
        return usual

    def _point(self, design: int) -> Point:
        row = self._first[design]
        own = self._sample(self._of_design, design)
        family = self._sample(self._of_family, int(self._family.number[row])) or own
        return point_of(self.outline, self._rows[row], own, family, self._usual)


class Selection(Sequence[Point]):
    """Some designs of results, each a point when it is asked for the first time.

    Args:
        results: of a study.
        index: places of the designs in them.
    """

    def __init__(self, results: Results, index: Index) -> None:
        self._results = results
        self._index = index
        self._points: dict[int, Point] = {}

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Selection(self._results, self._index[index])
        place = int(self._index[index])
        if place not in self._points:
            self._points[place] = self._results[place]
        return self._points[place]

    def matrix(self, objectives: Sequence[ObjectiveInfo]) -> Array:
        """Their values, designs x objectives."""
        known = self._results.outline.objectives
        return self._results.values[self._index][:, [known.index(objective) for objective in objectives]]


class _Groups:
    """Rows that belong together.

    Args:
        number: of each row's group.
        numbers: of each group by its key; groups that more rows have joined write theirs into it, too.
    """

    def __init__(self, number: Index | None = None, numbers: dict[Hashable, int] | None = None) -> None:
        self.number = np.zeros(0, dtype=np.int64) if number is None else number
        self._numbers: dict[Hashable, int] = {} if numbers is None else numbers
        self.count = len(self._numbers)

    def joined_by(self, keys: Iterable[Hashable]) -> _Groups:
        """With more rows behind them.

        Args:
            keys: of the groups that they belong to.
        """
        numbers = self._numbers
        if len(numbers) > self.count:  # others have gone on from here before
            numbers = {key: number for key, number in numbers.items() if number < self.count}
        new = np.fromiter((numbers.setdefault(key, len(numbers)) for key in keys), np.int64)
        return _Groups(np.concatenate([self.number, new]), numbers)

    def first(self, ranks: tuple[NDArray[Any], ...]) -> Index:
        """The first row of each group, by the last of some ranks, of equal ones by the one before it, and so on."""
        order = np.lexsort((*ranks, self.number))
        found: Index = order[np.diff(self.number[order], prepend=-1) != 0]
        return found


class _Repeats:
    """Rows that are averaged.

    Args:
        groups: what over.
        rows: sorted by group.
        group: of each of them.
    """

    def __init__(self, groups: _Groups, rows: Index, group: Index) -> None:
        self.groups = groups
        self.rows = rows
        self.group = group
        self.count: Index = np.bincount(group, minlength=groups.count)

    def rows_of(self, group: int) -> list[int]:
        """Those of a group."""
        low, high = np.searchsorted(self.group, [group, group + 1])
        found: list[int] = self.rows[low:high].tolist()
        return found
