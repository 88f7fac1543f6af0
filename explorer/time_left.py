"""How long a search still takes, by what its evaluations took so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Work", "time_left"]


@dataclass(frozen=True)
class Work:
    """Evaluations that are finished, or one that runs.

    Args:
        amount: what they use of the budget: 1 each of a number of evaluations, their cost of a cost.
        time_s: how long they took, all together, or it has run.
        count: of evaluations.
    """

    amount: float
    time_s: float
    count: int = 1

    def and_one(self, amount: float, time_s: float) -> Work:
        """With an evaluation more."""
        return Work(self.amount + amount, self.time_s + time_s, self.count + 1)


def time_left(
    left: float, finished: Work, running: Sequence[Work], workers: int, thinking_s: float = 0.0
) -> float | None:
    """Seconds until a budget is used up.

    By what finished evaluations took on their workers: how long workers take to start says nothing about what is left.

    Args:
        left: of the budget, what running evaluations use of it included.
        finished: evaluations, all together.
        running: evaluations, one by one.
        workers: that share the work.
        thinking_s: how long the strategy took for all of them.

    Returns:
        The time; None while nothing tells it.
    """
    if not finished.amount > 0:
        return None
    per_unit = finished.time_s / finished.amount
    queued = max(0.0, left - sum(work.amount for work in running))
    work_s = queued * per_unit + sum(max(0.0, work.amount * per_unit - work.time_s) for work in running)
    usual = finished.amount / finished.count
    thinking_s *= queued / usual / (finished.count + len(running))
    return work_s / max(1.0, min(workers, left / usual)) + thinking_s
