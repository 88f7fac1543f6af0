"""What is known of families before anything is trained: the best of their members in all that is cheap.

All members of a family share the values of its training, so only those matter that no other member beats in every cheap
objective. Many families at once are one table, its rows the members, family after family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.domination import maximal
from explorer.families import Families
from explorer.problem import Problem
from simulators.protocol import Design, Designs

__all__ = ["CheapFronts"]

Array = NDArray[np.float64]

CHUNK = 200_000  # designs that are looked at together


@dataclass(frozen=True, eq=False)
class CheapFronts:
    """The cheap fronts of families.

    Args:
        problem: whose families they are.
        own: the variables that the expensive part reads, a row for each family that has a feasible member.
        family: of each member the row of its family, ascending, shape (members,).
        members: the designs.
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
    def of(cls, problem: Problem, own: Designs, rng: np.random.Generator) -> CheapFronts:
        """Look at families; those without a feasible member are left out.

        Args:
            problem: whose families they are.
            own: the variables that the expensive part reads, a row for each family, one at least.
            rng: picks members of families that have too many.
        """
        members = Families.of(problem, own.take(np.arange(1)), rng).members
        step = max(1, CHUNK // members)
        parts = [_part(problem, own.take(np.arange(first, min(first + step, len(own)))), rng)
                 for first in range(0, len(own), step)]  # fmt: skip
        return _joined(parts)

    def __len__(self) -> int:
        """Number of families."""
        return len(self.own)

    def joined(self, other: CheapFronts) -> CheapFronts:
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

    def member(self, row: int) -> Design:
        """The design in one row."""
        return self.problem.space.unpack(self.members.take(np.array([row])))[0]


def _part(problem: Problem, own: Designs, rng: np.random.Generator) -> CheapFronts:
    families = Families.of(problem, own, rng)
    known = problem.known(families.designs)
    cheap = [objective for objective in problem.objectives if objective.cheap]
    values: Array = np.zeros((len(families.designs), len(cheap)))
    for column, objective in enumerate(cheap):
        values[:, column] = objective.sign * known.objectives[objective.name]
    kept = []
    for number in range(families.count):
        rows = np.arange(number * families.members, (number + 1) * families.members)
        rows = rows[known.feasible[rows]]
        rows = rows[maximal(values[rows])]
        kept.append(rows[np.unique(values[rows], axis=0, return_index=True)[1]])  # of equal members one will do
    chosen = np.concatenate(kept)
    with_members, family = np.unique(chosen // families.members, return_inverse=True)
    designs = families.designs.take(chosen)
    members = Designs({name: designs.expanded()[name] for name in problem.space.variables}, len(chosen))
    named = {name for constraint in problem.outcome_constraints for name in constraint.names}
    names = {name: np.asarray(column)[chosen] for name, column in known.names(families.designs).items()
             if name in named and name not in members}  # fmt: skip
    names.update((name, members[name]) for name in named if name in members)
    return CheapFronts(problem, own.take(with_members), family, members, values[chosen], names)


def _joined(parts: Sequence[CheapFronts]) -> CheapFronts:
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return CheapFronts(
        parts[0].problem,
        Designs.joined([part.own for part in parts]),
        np.concatenate([part.family + start for part, start in zip(parts, starts, strict=False)]),
        Designs.joined([part.members for part in parts]),
        np.concatenate([part.cheap for part in parts]),
        {name: np.concatenate([part.names[name] for part in parts]) for name in parts[0].names},
    )
