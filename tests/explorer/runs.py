"""Searches on a simulated clock, with all that came out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.budget import Budget
from explorer.clock import SimulatedPool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.search import Progress, Search
from explorer.strategies import Strategy
from tests.explorer.problems import family_problem


def every_training(**changes: Any) -> Problem:
    """Every design is a family of its own: each evaluation trains."""
    return family_problem(reads={}, **changes)


class Heard(Strategy):
    """Random search that remembers what it was told, and when."""

    name = "heard"

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        super().__init__(problem, seed)
        self.finished: list[Evaluation] = []
        self.heard: set[str] = set()
        self.asked: list[int] = []
        self.running: list[Sequence[Proposal]] = []

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        self.finished += finished
        self.heard.update(evaluation.key for evaluation in finished)
        self.running.append(running)

    def suggest(self, count: int) -> list[Proposal]:
        self.asked.append(count)
        return [p for p in (self.anything_new() for _ in range(count)) if p]


class Run:
    """A search on a simulated clock, with all that came out of it."""

    def __init__(self, problem: Problem, budget: Budget | int, workers: int = 1, **options: Any) -> None:
        self.saved: list[Evaluation] = []
        self.batches: list[Sequence[Evaluation]] = []
        self.progress: list[Progress] = []
        self.pool = SimulatedPool(problem, workers, options.pop("duration_s", lambda e: 1.0 + e.seed % 5))
        self.strategy = options.pop("strategy", None) or Heard(problem)
        self.search = Search(
            problem, self.strategy, self.pool, budget if isinstance(budget, Budget) else Budget(budget),
            save=self._save, listener=self.progress.append, **options,
        )  # fmt: skip
        self.search.run()

    def _save(self, batch: Sequence[Evaluation]) -> None:
        if isinstance(self.strategy, Heard):  # the strategy has not heard of any of these yet
            assert not self.strategy.heard & {evaluation.key for evaluation in batch if not evaluation.derived_from}
        self.saved += batch
        self.batches.append(batch)

    @property
    def evaluations(self) -> list[Evaluation]:
        return [evaluation for evaluation in self.saved if not evaluation.derived_from]


class Listed(Heard):
    """Proposes what it was given, in this order."""

    def __init__(self, problem: Problem, proposals: Sequence[Proposal]) -> None:
        super().__init__(problem)
        self._listed = list(proposals)

    def suggest(self, count: int) -> list[Proposal]:
        self.asked.append(count)
        found, self._listed = self._listed[:count], self._listed[count:]
        return found
