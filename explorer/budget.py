"""When a search ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.evaluation import Evaluation

__all__ = ["Budget"]


@dataclass(frozen=True)
class Budget:
    """When a search ends: at the first limit that is reached. None: no limit.

    Args:
        evaluations: finished evaluations that were run, failed ones included.
        cost: sum of what evaluations paid, in units of the fidelity (epochs); the last one may exceed it.
        wall_time_s: seconds from the start of this run.
    """

    evaluations: int | None = None
    cost: float | None = None
    wall_time_s: float | None = None

    def used_up(self, evaluations: Sequence[Evaluation]) -> bool:
        """Whether evaluations that were run, replicates left out, reach its number of evaluations or its cost."""
        return self.used(len(evaluations), sum(evaluation.cost for evaluation in evaluations)) >= 1

    def used(self, evaluations: int, cost: float, wall_time_s: float = 0.0) -> float:
        """The share of it that a number of evaluations, their cost and their time use; 0 where nothing is limited."""
        limits = [(evaluations, self.evaluations), (cost, self.cost), (wall_time_s, self.wall_time_s)]
        return max((spent / limit if limit > 0 else 1.0 for spent, limit in limits if limit is not None), default=0.0)
