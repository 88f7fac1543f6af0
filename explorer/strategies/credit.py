"""Credit: which strategy added how much hypervolume for what it cost.

A pure function of evaluations in their order: a running search, one that is resumed and a report of a finished one
come to the same credit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.archive import Archive
from explorer.evaluation import Evaluation
from explorer.problem import Problem

__all__ = ["Credit", "Ledger"]

SHARPNESS = 2.0  # of shares: who gains twice as much for its cost is given four times as much
SUPPOSED = 3.0  # whole evaluations that each is supposed to have paid for besides, with the gain of the average


@dataclass(frozen=True)
class Credit:
    """Of one strategy.

    Args:
        gained: hypervolume, as a share of the archive's box; older gains count less.
        paid: cost in whole evaluations; older ones count less, too.
    """

    gained: float = 0.0
    paid: float = 0.0

    def faded(self, factor: float) -> Credit:
        """What is left of it."""
        return Credit(self.gained * factor, self.paid * factor)


class Ledger:
    """Credit of several strategies.

    Args:
        problem: what they search.
        members: their names.
        floor: share of the cost that is given out evenly.
        memory: whole evaluations paid, by all together, after which what was gained and paid counts half.
    """

    def __init__(self, problem: Problem, members: Sequence[str], floor: float = 0.0, memory: float = math.inf) -> None:
        self._floor, self._memory = floor, memory
        self._whole = problem.cost(problem.full_fidelity) or 1.0
        self._archive = Archive(problem)
        self.credits = {name: Credit() for name in members}

    def add(self, evaluation: Evaluation) -> None:
        """Take in a finished evaluation, whoever proposed it: what it gained is completed over its family."""
        if evaluation.derived_from:
            return
        front = self._archive.front.matrix
        self._archive.add(evaluation)
        before = self._archive.scale.hypervolume(front)  # in the same box: it may be wider now
        gain, paid = max(0.0, self._archive.hypervolume - before), evaluation.cost / self._whole
        factor = 0.5 ** (paid / self._memory)
        self.credits = {name: credit.faded(factor) for name, credit in self.credits.items()}
        if own := self.credits.get(evaluation.strategy):
            self.credits[evaluation.strategy] = Credit(own.gained + gain, own.paid + paid)

    @property
    def shares(self) -> dict[str, float]:
        """Of the cost that is spent next, by strategy; they add up to 1.

        Each is judged as if it had paid for a few evaluations more and gained with them what all gain on average: no
        luck of the first ones decides.
        """
        even = 1 / len(self.credits)
        paid = sum(credit.paid for credit in self.credits.values())
        average = sum(credit.gained for credit in self.credits.values()) / max(paid, 1.0)
        rates = {
            name: (credit.gained + SUPPOSED * average) / (credit.paid + SUPPOSED)
            for name, credit in self.credits.items()
        }
        best = max(rates.values())
        if best == 0:  # nothing tells them apart
            return dict.fromkeys(self.credits, even)
        weights = {name: (rate / best) ** SHARPNESS for name, rate in rates.items()}
        total = sum(weights.values())
        return {name: self._floor * even + (1 - self._floor) * weight / total for name, weight in weights.items()}
