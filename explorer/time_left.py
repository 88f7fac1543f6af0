"""How long a search still takes, by what its evaluations took so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Work", "time_left"]


@dataclass(frozen=True)
class Work:
    """An evaluation that is finished or runs.

    Args:
        amount: what it uses of the budget: 1 of a number of evaluations, its cost of a cost.
        time_s: how long it took, or has run.
    """

    amount: float
    time_s: float


def time_left(
    left: float, finished: Sequence[Work], running: Sequence[Work], workers: int, thinking_s: float = 0.0
) -> float | None:
    """Seconds until a budget is used up.

    By what finished evaluations took on their workers: how long workers take to start says nothing about what is left.

    Args:
        left: of the budget, what running evaluations use of it included.
        finished: evaluations.
        running: evaluations.
        workers: that share the work.
        thinking_s: how long the strategy took for all of them.

    Returns:
        The time; None while nothing tells it.
    """
    amount = sum(work.amount for work in finished)
    if not amount > 0:
        return None
    per_unit = sum(work.time_s for work in finished) / amount
    queued = max(0.0, left - sum(work.amount for work in running))
    work_s = queued * per_unit + sum(max(0.0, work.amount * per_unit - work.time_s) for work in running)
    usual = amount / len(finished)
    thinking_s *= queued / usual / (len(finished) + len(running))
    return work_s / max(1.0, min(workers, left / usual)) + thinking_s
