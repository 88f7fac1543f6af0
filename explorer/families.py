"""What a family is worth: the hypervolume that it adds to a front, if its expensive objectives were as supposed.

One training opens the exact front of its whole family. A strategy therefore values the family that a proposal opens,
not the proposal: its expensive objectives are drawn from a model, everything else about its members is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale, nondominated
from explorer.problem import Problem
from simulators.protocol import Design, Designs

__all__ = ["Families", "Valued", "best_member", "value_families"]

Array = NDArray[np.float64]

MEMBERS = 512  # members of a family that are looked at
SINGLES = 64  # members of its front of which the best is named


@dataclass(frozen=True, eq=False)
class Families:
    """Members of several families: the same choices of all other variables for each.

    Args:
        designs: the members, family after family.
        count: number of families.
    """

    designs: Designs
    count: int

    @property
    def members(self) -> int:
        """Number of members of each."""
        return len(self.designs) // self.count

    @classmethod
    def of(cls, problem: Problem, own: Designs, rng: np.random.Generator) -> Families:
        """Families of a problem.

        Args:
            problem: whose families they are.
            own: the variables that the expensive part reads, a row for each family.
            rng: picks ``MEMBERS`` of the members if there are more.
        """
        columns, others = own.expanded(), problem.others
        if others is None:
            return cls(Designs({name: columns[name] for name in problem.space.variables}, len(own)), len(own))
        if len(others) > MEMBERS:
            others = others.take(rng.choice(len(others), MEMBERS, replace=False))
        repeated = {name: np.repeat(columns[name], len(others), axis=0) for name in problem.reads}
        tiled = {
            name: column if len(column) == 1 else np.tile(column, (len(own), *[1] * (column.ndim - 1)))
            for name, column in others.columns.items()
            if name not in repeated
        }
        return cls(Designs({**tiled, **repeated}, len(own) * len(others)), len(own))


@dataclass(frozen=True, eq=False)
class Valued:
    """A family's worth.

    Args:
        gain: what it adds; for one objective, the best value of its members, in the direction that is to be made large;
            ``-inf`` if none of them can be built.
        satisfied: whether some member satisfies every constraint, as far as what is supposed tells.
        members: rows of the members that are on its own front (of those that satisfy the constraints, if any do).
        values: their objectives, members x objectives.
    """

    gain: float
    satisfied: bool
    members: NDArray[np.intp]
    values: Array


def value_families(
    problem: Problem, families: Families, supposed: Mapping[str, Array], scale: Scale, front: Array
) -> list[Valued]:
    """Value families.

    Args:
        problem: whose families they are.
        families: the families.
        supposed: per expensive objective its value in each family, shape (families,).
        scale: what hypervolumes are measured in.
        front: values of the front, count x objectives.

    Returns:
        one for each family.
    """
    objectives = problem.objectives
    known = problem.known(families.designs)
    expensive = {name: np.repeat(values, families.members) for name, values in supposed.items()}
    values = {**known.objectives, **expensive}
    names = {**known.names(families.designs), **expensive}
    satisfied = known.feasible.copy()
    for constraint in problem.outcome_constraints:
        if constraint.names <= set(names):
            satisfied &= np.asarray(constraint.evaluate(names), dtype=bool)
    table = np.column_stack([values[objective.name] for objective in objectives])
    before = scale.hypervolume(front) if len(objectives) > 1 else 0.0
    found = []
    for family in range(families.count):
        rows = np.arange(family * families.members, (family + 1) * families.members)
        good = satisfied[rows]
        members = rows[good] if good.any() else rows[known.feasible[rows]]
        members = members[nondominated(table[members], objectives)]
        if len(members) == 0:
            gain = -np.inf
        elif len(objectives) == 1:
            gain = objectives[0].sign * float(table[members[0], 0])
        else:
            gain = scale.hypervolume(np.concatenate([front, table[members]])) - before
        found.append(Valued(gain, bool(good.any()), members, table[members]))
    return found


def best_member(problem: Problem, families: Families, valued: Valued, scale: Scale, front: Array) -> Design:
    """The member of a family that adds the most by itself; arguments as those of :func:`value_families`."""
    row = 0
    if len(problem.objectives) > 1:
        values = valued.values[:SINGLES, None]
        row = int(np.argmax([scale.hypervolume(np.concatenate([front, value])) for value in values]))
    return problem.space.unpack(families.designs.take(valued.members[[row]]))[0]
