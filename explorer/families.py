"""Families: designs that share one training, and what is known of them before anything is trained.

One training opens the exact front of its whole family. A strategy therefore values the family that a proposal opens,
not the proposal: its expensive objectives are drawn from a model, everything else about its members is exact. All
members share what is drawn, so only those matter that no other member beats in every cheap objective. Many families at
once are one table, its rows the members, family after family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale, maximal
from explorer.problem import Problem
from simulators.protocol import Design, Designs

__all__ = ["Families"]

Array = NDArray[np.float64]

MEMBERS = 512  # members of a family that are looked at
CHUNK = 200_000  # designs that are looked at together
SINGLES = 64  # members of which the best is named


@dataclass(frozen=True, eq=False)
class Families:
    """Families with the members that may be on a front.

    Args:
        problem: whose families they are.
        own: the variables that the expensive part reads, a row for each family that has a feasible member.
        family: of each member the row of its family, ascending, shape (members,).
        members: the designs; all of them feasible as far as that is known before training.
        cheap: their cheap objectives in the direction that is to be made large, members x cheap objectives.
        names: what else outcome constraints name, members of each entry.
    """

    problem: Problem
    own: Designs
    family: NDArray[np.intp]
    members: Designs
    cheap: Array
    names: Mapping[str, NDArray[np.generic]]

    @classmethod
    def of(cls, problem: Problem, own: Designs, rng: np.random.Generator) -> Families:
        """Look at families; those without a feasible member are left out.

        Args:
            problem: whose families they are.
            own: the variables that the expensive part reads, a row for each family, one at least.
            rng: picks ``MEMBERS`` of the members if there are more.
        """
        others = problem.others
        if others is not None and len(others) > MEMBERS:
            others = others.take(rng.choice(len(others), MEMBERS, replace=False))
        step = max(1, CHUNK // (1 if others is None else len(others)))
        parts = [_part(problem, own.take(np.arange(first, min(first + step, len(own)))), others)
                 for first in range(0, len(own), step)]  # fmt: skip
        return _joined(parts)

    def __len__(self) -> int:
        """Number of families."""
        return len(self.own)

    def joined(self, other: Families) -> Families:
        """Both tables, one after the other."""
        return _joined([self, other])

    def rows(self, family: int) -> NDArray[np.intp]:
        """The rows of a family's members."""
        first, after = np.searchsorted(self.family, [family, family + 1])
        return np.arange(first, after)

    def least_per_family(self, values: Array) -> Array:
        """The least of ``values`` (one for each member) in each family."""
        found: Array = np.full(len(self), np.inf)
        np.minimum.at(found, self.family, values)
        return found

    def satisfied(self, supposed: Mapping[str, Array]) -> NDArray[np.bool_]:
        """Which members satisfy the constraints on outcomes, as far as what is supposed tells.

        Args:
            supposed: per expensive objective its value in each family, in its own direction.
        """
        names = {**self.names, **{name: values[self.family] for name, values in supposed.items()}}
        satisfied = np.ones(len(self.family), dtype=bool)
        for constraint in self.problem.outcome_constraints:
            if constraint.names <= set(names):
                satisfied &= np.asarray(constraint.evaluate(names), dtype=bool)
        return satisfied

    def eligible(self, family: int, satisfied: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Rows of the members that satisfy the constraints; of all of the family's if none does."""
        rows = self.rows(family)
        return rows[satisfied[rows]] if satisfied[rows].any() else rows

    def objectives(self, rows: NDArray[np.intp], supposed: Mapping[str, Array]) -> Array:
        """All objectives of some members, rows x objectives, each in its own direction.

        Args:
            rows: the members.
            supposed: per expensive objective its value in each family, in its own direction.
        """
        cheap = iter(self.cheap[rows].T)
        return np.column_stack([
            objective.sign * next(cheap) if objective.cheap else supposed[objective.name][self.family[rows]]
            for objective in self.problem.objectives
        ])  # fmt: skip

    def most_adding(self, rows: NDArray[np.intp], supposed: Mapping[str, Array], scale: Scale, front: Array) -> Design:
        """The member that adds the most to a front by itself.

        Args:
            rows: the members to choose from, one at least.
            supposed: per expensive objective its value in each family, in its own direction.
            scale: what hypervolumes are measured in.
            front: values of the front, count x objectives.
        """
        row = 0
        if len(rows) > 1 and len(self.problem.objectives) > 1:
            values = self.objectives(rows[:SINGLES], supposed)[:, None]
            row = int(np.argmax([scale.hypervolume(np.concatenate([front, value])) for value in values]))
        return self.problem.space.unpack(self.members.take(rows[[row]]))[0]


def _part(problem: Problem, own: Designs, others: Designs | None) -> Families:
    designs = _with_members(problem, own, others)
    members = len(designs) // len(own)
    known = problem.known(designs)
    cheap = [objective for objective in problem.objectives if objective.cheap]
    values: Array = np.zeros((len(designs), len(cheap)))
    for column, objective in enumerate(cheap):
        values[:, column] = objective.sign * known.objectives[objective.name]
    kept = [number * members + np.flatnonzero(known.feasible[number * members : (number + 1) * members])
            for number in range(len(own))]  # fmt: skip
    named = {name for constraint in problem.outcome_constraints for name in constraint.names}
    if named <= {*problem.reads, *(objective.name for objective in problem.expensive)}:  # equal within a family
        kept = [rows[maximal(values[rows])] for rows in kept]
        kept = [rows[np.unique(values[rows], axis=0, return_index=True)[1]] for rows in kept]  # of equals one will do
    chosen = np.concatenate(kept)
    with_members, family = np.unique(chosen // members, return_inverse=True)
    columns = designs.take(chosen).expanded()
    found = Designs({name: columns[name] for name in problem.space.variables}, len(chosen))
    before = known.names(designs)
    names = {name: np.asarray(before[name])[chosen] for name in named if name in before and name not in found}
    names.update((name, found[name]) for name in named if name in found)
    return Families(problem, own.take(with_members), family, found, values[chosen], names)


def _with_members(problem: Problem, own: Designs, others: Designs | None) -> Designs:
    """All members of families, family after family: each has the same choices of all other variables."""
    columns = own.expanded()
    if others is None:
        return Designs({name: columns[name] for name in problem.space.variables}, len(own))
    repeated = {name: np.repeat(columns[name], len(others), axis=0) for name in problem.reads}
    tiled = {
        name: column if len(column) == 1 else np.tile(column, (len(own), *[1] * (column.ndim - 1)))
        for name, column in others.columns.items()
        if name not in repeated
    }
    return Designs({**tiled, **repeated}, len(own) * len(others))


def _joined(parts: Sequence[Families]) -> Families:
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return Families(
        parts[0].problem,
        Designs.joined([part.own for part in parts]),
        np.concatenate([part.family + start for part, start in zip(parts, starts, strict=False)]),
        Designs.joined([part.members for part in parts]),
        np.concatenate([part.cheap for part in parts]),
        {name: np.concatenate([part.names[name] for part in parts]) for name in parts[0].names},
    )
