"""Fronts of functions that are drawn from models: what the best designs could be, and how good each family may be.

Objectives are in the direction that is to be made large here.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale, maximal
from explorer.families import Families
from explorer.problem import Problem
from explorer.strategies.front_information import dominated_boxes
from explorer.strategies.unit_encoding import UnitEncoding
from explorer.surrogates.fidelity_gp import FidelityPosterior
from simulators.protocol import Designs

__all__ = ["DrawnFronts", "FrontSampler", "limits", "on_front"]

Array = NDArray[np.float64]

ENUMERATED = 1024  # families that are all looked at
SCATTERED = 256  # of larger spaces: random families that the search for the drawn functions' fronts begins with,
ROUNDS = 8  # of neighbours of these fronts,
PARENTS = 16  # families of each front,
CHILDREN = 4  # neighbours of each
PROMISING = 30  # families whose gains are looked at in every sample
MARGIN = 0.1  # of a front's box


@dataclass(frozen=True, eq=False)
class DrawnFronts:
    """Functions drawn from the posteriors of the expensive objectives at full fidelity.

    Args:
        families: the families that were looked at, with their cheap objectives.
        points: their coordinates, families x dimensions.
        draws: the drawn functions, objectives x samples x families.
        limits: how good each family can be if a sample's front is the front (:func:`limits`), same shape.
        rows: of each sample the members on its front.
    """

    families: Families
    points: Array
    draws: Array
    limits: Array
    rows: tuple[NDArray[np.intp], ...]

    @property
    def fronts(self) -> list[Array]:
        """The expensive objectives on each sample's front, points x objectives."""
        return [self.draws[:, sample, self.families.family[rows]].T for sample, rows in enumerate(self.rows)]

    @functools.cached_property
    def boxes(self) -> list[tuple[Array, Array]]:
        """What each sample's front dominates (:func:`.front_information.dominated_boxes`)."""
        return [dominated_boxes(front) for front in self.fronts]

    def objectives(self, rows: NDArray[np.intp], sample: int) -> Array:
        """All objectives of some members by a sample, rows x objectives, each in its own direction."""
        return self.families.objectives(rows, _own_direction(self.families.problem, self.draws[:, sample]))

    def scale(self, front: Array) -> Scale:
        """The box of all samples' fronts and of a front that is known, a tenth of it added at the worst corner.

        Values beyond what was ever seen must count, and values far below any front must not make it small.

        Args:
            front: points x objectives.
        """
        objectives = self.families.problem.objectives
        points = [self.objectives(rows, sample) for sample, rows in enumerate(self.rows)]
        found = np.concatenate([front.reshape(-1, len(objectives)), *points])
        low, high = found.min(axis=0), found.max(axis=0)
        room = np.where(high > low, high - low, np.maximum(np.abs(low), 1.0))  # a constant: any will do
        worse, signs = MARGIN * room, np.array([objective.sign for objective in objectives])
        ends = np.where(signs > 0, low - worse, low), np.where(signs > 0, high, high + worse)
        return Scale(objectives, *(tuple(end.tolist()) for end in ends))

    def gains(self, front: Array, wanted: NDArray[np.bool_], pending: Sequence[int] = ()) -> Array:
        """The hypervolume that families would add to a front by each sample, samples x families.

        Only the most promising of those that are on the front of some sample are looked at in every sample.

        Args:
            front: points x objectives.
            wanted: the families to look at.
            pending: families that are being trained to the end: what they add is theirs already.
        """
        scale, reach = self.scale(front), self.reach & wanted
        found = np.zeros(reach.shape)

        def look(at: NDArray[np.bool_]) -> None:
            for sample in range(len(at)):
                satisfied = self.families.satisfied(_own_direction(self.families.problem, self.draws[:, sample]))

                def members(family: int, sample: int = sample, satisfied: NDArray[np.bool_] = satisfied) -> Array:
                    rows = self.families.rows(family)
                    return self.objectives(rows[satisfied[rows]], sample)

                start = np.concatenate([front, *(members(family) for family in pending)])
                before = scale.hypervolume(start)
                for family in np.flatnonzero(at[sample]).tolist():
                    found[sample, family] = scale.hypervolume(np.concatenate([start, members(family)])) - before

        look(reach)
        promising = np.argsort(-found.sum(axis=0), kind="stable")[:PROMISING]
        rest = np.zeros_like(reach)
        rest[:, promising] = ~reach[:, promising] & reach[:, promising].any(axis=0)
        look(rest)
        return found

    @property
    def reach(self) -> NDArray[np.bool_]:
        """Whether a family is on the front of a sample: samples x families."""
        found = np.zeros((len(self.rows), len(self.families)), dtype=bool)
        for sample, rows in enumerate(self.rows):
            found[sample, self.families.family[rows]] = True
        return found


class FrontSampler:
    """Draws functions and finds their fronts.

    Args:
        problem: what is searched.
        encoding: of the variables that the expensive part reads.
        rng: everything random follows from it.
    """

    def __init__(self, problem: Problem, encoding: UnitEncoding, rng: np.random.Generator) -> None:
        space = problem.space.subspace(problem.reads)
        if space is None:
            raise ValueError("there is nothing to choose that the expensive part reads")
        self._problem, self._encoding, self._rng, self._space = problem, encoding, rng, space
        self._everything: Families | None = None

    def draw(self, posteriors: Sequence[FidelityPosterior], samples: int, known: Sequence[Designs]) -> DrawnFronts:
        """Draw functions.

        All families are looked at if they are few, by exact draws. Of many, those on the fronts of the drawn functions
        are, which a search by neighbours finds on approximate draws, with what it met on its way.

        Args:
            posteriors: of the expensive objectives.
            samples: number of functions of each.
            known: families to look at in any case, one row each.
        """
        if self._space.size <= ENUMERATED:
            if self._everything is None:
                self._everything = Families.of(self._problem, self._space.at(range(self._space.size)), self._rng)
            families = self._everything
            points = self._encoding.encode(families.own)
            draws = np.array([posterior.draws(points, samples, self._rng) for posterior in posteriors])
        else:
            families, draws = self._searched(posteriors, samples, known)
            points = self._encoding.encode(families.own)
        found = np.stack([limits(families, draws[:, sample]) for sample in range(samples)], axis=1)
        return DrawnFronts(
            families, points, draws, found, tuple(on_front(families, draws[:, s]) for s in range(samples))
        )

    def _searched(
        self, posteriors: Sequence[FidelityPosterior], samples: int, known: Sequence[Designs]
    ) -> tuple[Families, Array]:
        paths = [posterior.paths(samples, self._rng) for posterior in posteriors]
        scattered = self._problem.sample(self._rng, SCATTERED)
        new = Designs.joined([*known, Designs({name: scattered[name] for name in self._problem.reads}, SCATTERED)])
        families = Families.of(self._problem, new.take(_first_of_each(self._encoding.encode(new))), self._rng)
        draws = np.zeros((len(paths), samples, 0))
        for round_ in range(ROUNDS):
            points = self._encoding.encode(families.own)
            if len(unseen := points[draws.shape[2] :]):
                draws = np.concatenate([draws, [path(unseen) for path in paths]], axis=2)
            if round_ == ROUNDS - 1:
                break
            parents = np.unique(np.concatenate([self._parents(families, draws[:, s]) for s in range(samples)]))
            near = self._space.neighbours(self._rng, families.own.take(np.repeat(parents, CHILDREN)))
            together = np.concatenate([points, self._encoding.encode(near)])
            fresh = _first_of_each(together)
            fresh = fresh[fresh >= len(points)] - len(points)
            if len(fresh):
                families = families.joined(Families.of(self._problem, near.take(fresh), self._rng))
        return families, draws

    def _parents(self, families: Families, values: Array) -> NDArray[np.intp]:
        found = np.unique(families.family[on_front(families, values)])
        return self._rng.choice(found, PARENTS, replace=False) if len(found) > PARENTS else found


def _first_of_each(points: Array) -> NDArray[np.intp]:
    """The first row of each different one, ascending."""
    return np.sort(np.unique(points, axis=0, return_index=True)[1])


def on_front(families: Families, values: Array) -> NDArray[np.intp]:
    """The members that no other member beats, of those that satisfy the constraints (of all if none does).

    Args:
        families: whichever.
        values: of their expensive objectives, objectives x families.
    """
    good = np.flatnonzero(families.satisfied(_own_direction(families.problem, values)))
    if len(good) == 0:
        good = np.arange(len(families.family))
    return good[maximal(np.concatenate([values[:, families.family[good]].T, families.cheap[good]], axis=1))]


def limits(families: Families, values: Array) -> Array:
    """How good each family's expensive objectives can be at most if the front is that of ``values``.

    A member that were better in an expensive objective than all that the front has at least as good in every cheap one
    would be on the front itself. Where no objective is cheap, the limit is the front's greatest value for all alike.

    Args:
        families: whichever.
        values: of their expensive objectives, objectives x families.

    Returns:
        The same shape.
    """
    front = on_front(families, values)
    best = values[:, families.family[front]]
    above = (families.cheap[front] >= families.cheap[:, None]).all(axis=2)  # members x front
    found = []
    for level in best:
        of_members = np.where(above, level, -np.inf).max(axis=1)
        # infeasible members may have nothing above them: the whole front limits these
        of_members = np.where(np.isfinite(of_members), of_members, level.max())
        found.append(families.least_per_family(of_members))
    return np.array(found)


def _own_direction(problem: Problem, values: Array) -> Mapping[str, Array]:
    return {objective.name: objective.sign * row for objective, row in zip(problem.expensive, values, strict=True)}
