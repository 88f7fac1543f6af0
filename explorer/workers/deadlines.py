"""How long an attempt may take."""

from __future__ import annotations

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem

__all__ = ["Deadlines"]

TIMES = 10.0  # as long as the slowest so far: machines differ, and share their work
SHORTEST_S = 600.0
TELLING = 5  # evaluations, before which nothing is known


class Deadlines:
    """Deadlines of attempts: the one that was asked for, else one that follows from what attempts took so far.

    Args:
        problem: tells what an evaluation costs.
        given_s: the one that was asked for.
    """

    def __init__(self, problem: Problem, given_s: float | None) -> None:
        self._problem = problem
        self._given_s = given_s
        self._slowest_s = 0.0  # per unit of cost
        self._count = 0

    def learn(self, evaluation: Evaluation) -> None:
        """Take in an evaluation that ended well."""
        if evaluation.cost > 0:
            self._count += 1
            self._slowest_s = max(self._slowest_s, evaluation.duration_s / evaluation.cost)

    def of(self, proposal: Proposal) -> float | None:
        """Seconds that an attempt at a proposal may take; None while nothing tells it."""
        if self._given_s is not None:
            return self._given_s
        if self._count < TELLING:
            return None
        return max(SHORTEST_S, TIMES * self._slowest_s * self._problem.cost(proposal.fidelity))
