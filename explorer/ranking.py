"""Which design of a front to take: rankings by weights, by the distance to an ideal, and by how much others give up.

All of them look at a front on the scale of its own ends: 0 is the worst that any of its designs has, 1 the best.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from explorer.expressions import full_name
from explorer.fronts import Front
from explorer.outline import ObjectiveInfo, Outline
from simulators.protocol import InputError, suggestion

__all__ = ["Ranking", "by_distance", "by_trade_off", "by_weights"]

Array = NDArray[np.float64]

WEIGHTINGS = 4096  # a power of two, as Sobol's points want it


class Ranking(Front):
    """A front in an order, the best first.

    Args:
        front: its designs in this order.
        scores: of each of them.
        title: what a score is, in two or three words.
        note: the same in a sentence.
    """

    def __init__(self, front: Front, scores: Sequence[float], title: str, note: str) -> None:
        super().__init__(front.outline, front.points, (*front.notes, note))
        self.scores = tuple(scores)
        self.title = title

    def first(self, count: int) -> Ranking:
        """The best of them."""
        *notes, note = self.notes
        return Ranking(Front(self.outline, self[:count], notes), self.scores[:count], self.title, note)

    def records(self) -> list[dict[str, Any]]:
        """As of any front, with the ``score`` of each."""
        return [{**row, "score": score} for row, score in zip(super().records(), self.scores, strict=True)]


def by_weights(front: Front, weights: Mapping[str, float]) -> Ranking:
    """The largest weighted mean of the objectives first.

    Args:
        front: what is ranked.
        weights: of objectives; those that are not named have none.

    Raises:
        InputError: no objective of that name, or weights that are negative or all zero.
    """
    share = _weights(front.outline, weights)
    named = zip(front.outline.objectives, share.tolist(), strict=True)
    told = ", ".join(f"{objective.name} {weight:.3g}" for objective, weight in named if weight)
    note = f"weighted mean, from 0 to 1, of how good a design is in each objective among these: {told}"
    return _ranked(front, goodness(front) @ share, "weighted mean", note)


def by_distance(front: Front, ideal: Mapping[str, float], weights: Mapping[str, float] | None = None) -> Ranking:
    """The nearest to an ideal first.

    Args:
        front: what is ranked.
        ideal: values of objectives, in SI; of those that are not named, the best on the front. What is better than
            ideal is as good.
        weights: of objectives; None: the same for all.

    Raises:
        InputError: no objective of that name, or weights that are negative or all zero.
    """
    objectives = front.outline.objectives
    given = _by_objective(front.outline, ideal, "ideal")
    share = _weights(front.outline, weights or {objective.name: 1.0 for objective in objectives})
    low, span = _ends(front)
    missing = np.maximum(0.0, _goal(objectives, given, low, span) - goodness(front))
    score = np.sqrt((missing**2 * share).sum(axis=1))
    note = "distance to the ideal: 1 is from the worst to the best of these in all objectives"
    return _ranked(front, -score, "distance", note, sign=-1)


def by_trade_off(front: Front) -> Ranking:
    """Knees first: designs that one would miss.

    The score is how much worse, in points of a hundred, one would do on average without the design, over all weightings
    of the objectives alike (expected marginal utility: Branke, Deb, Dierolf and Osswald, PPSN 2004).
    """
    good = goodness(front)
    utility = good @ _weightings(good.shape[1]).T if len(good) else np.zeros((0, 1))
    loss = np.zeros(len(good))
    if len(good) > 1:
        best = utility.argmax(axis=0)
        first, second = np.partition(utility, -2, axis=0)[[-1, -2]]
        loss = np.bincount(best, weights=first - second, minlength=len(good)) / utility.shape[1]
    elif len(good):
        loss[:] = 1.0
    note = "missed by: how many points of a hundred one would lose without it, over all weightings alike"
    return _ranked(front, 100.0 * loss, "missed by", note)


def goodness(front: Front) -> Array:
    """How good each design is in each objective, from 0, the worst on the front, to 1, the best."""
    low, span = _ends(front)
    return (front.matrix * _signs(front.outline.objectives) - low) / span


def _signs(objectives: Sequence[ObjectiveInfo]) -> Array:
    return np.array([objective.sign for objective in objectives], dtype=np.float64)


def _ends(front: Front) -> tuple[Array, Array]:
    """Per objective, all to be made large: the worst on the front, and how far the best is from it."""
    values = front.matrix * _signs(front.outline.objectives)
    if len(values) == 0:
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    low, span = values.min(axis=0), np.ptp(values, axis=0)
    return low, np.where(span > 0, span, 1.0)


def _goal(objectives: Sequence[ObjectiveInfo], given: Mapping[str, float], low: Array, span: Array) -> Array:
    """The ideal on the front's scale; 1, the best, for what is not given."""
    goal = np.ones(len(objectives))
    for column, objective in enumerate(objectives):
        if objective.name in given:
            goal[column] = (objective.sign * given[objective.name] - low[column]) / span[column]
    return goal


def _by_objective(outline: Outline, given: Mapping[str, float], field: str) -> dict[str, float]:
    names = {objective.name for objective in outline.objectives}
    found = {full_name(name, outline.units): value for name, value in given.items()}
    for name in found.keys() - names:
        raise InputError(f"'{name}' is no objective{suggestion(name, names)}", field)
    return found


def _weights(outline: Outline, weights: Mapping[str, float]) -> Array:
    """Shares of all objectives, 1 together."""
    given = _by_objective(outline, weights, "weights")
    for name, weight in given.items():
        if not 0 <= weight < np.inf:
            raise InputError(f"the weight of {name} is {weight:g}; give 0 or more", "weights")
    array = np.array([given.get(objective.name, 0.0) for objective in outline.objectives])
    if array.sum() == 0:
        raise InputError("all weights are zero; give at least one objective more", "weights")
    return np.asarray(array / array.sum())


def _weightings(objectives: int) -> Array:
    """Weightings of objectives, spread evenly over all there are: points of a simplex, the same every time."""
    if objectives == 1:
        return np.ones((1, 1))
    cube = qmc.Sobol(objectives - 1, scramble=False).random(WEIGHTINGS)
    ends = np.sort(np.hstack([np.zeros((WEIGHTINGS, 1)), cube, np.ones((WEIGHTINGS, 1))]), axis=1)
    return np.asarray(np.diff(ends, axis=1))


def _ranked(front: Front, merit: Array, title: str, note: str, sign: int = 1) -> Ranking:
    """In the order of merit, what is equal as it was; a score is the merit, or its negative."""
    order = np.argsort(-merit, kind="stable")
    return Ranking(front.of([front[index] for index in order.tolist()]), (sign * merit[order]).tolist(), title, note)
