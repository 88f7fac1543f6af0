"""Real and simulated time.

The loop of :mod:`explorer.search` runs over a :class:`Pool`. The real one is :class:`explorer.workers.RayPool`; the
simulated one here evaluates at once and lets the result arrive at its simulated time, so that scheduling, idle time
and order of arrival are tested in milliseconds, without sleeping.
"""

from __future__ import annotations

import heapq
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem

__all__ = ["Pool", "SimulatedPool"]


class Pool(ABC):
    """Workers that evaluate proposals."""

    @property
    @abstractmethod
    def workers(self) -> int:
        """Number of workers; those that are ready for work may be fewer."""

    @abstractmethod
    def submit(self, proposal: Proposal) -> None:
        """Give a proposal to an idle worker; call only while :attr:`idle` is above 0."""

    @property
    @abstractmethod
    def running(self) -> list[Proposal]:
        """What is being evaluated now, in the order of submission."""

    @property
    def idle(self) -> int:
        """Number of workers without work."""
        return self.workers - len(self.running)

    @abstractmethod
    def wait(self, timeout_s: float) -> list[Evaluation]:
        """Evaluations that finished since the last call; waits until there is one, ``timeout_s`` at most."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wake(self) -> None:
        """Let :meth:`wait` return at once; may be called by another thread. Nothing to do where no time passes."""
        return

    def close(self) -> None:
        """End the workers; what is running is lost. Nothing to do for workers that are no processes."""
        return


class SimulatedPool(Pool):
    """Workers on a simulated clock.

    Args:
        problem: evaluates at once, in this process.
        workers: number of simulated workers.
        duration_s: how long an evaluation takes on the simulated clock; by default its cost in seconds.
    """

    def __init__(
        self, problem: Problem, workers: int, duration_s: Callable[[Evaluation], float] = lambda e: max(e.cost, 1e-3)
    ) -> None:
        self._workers = workers
        self._problem = problem
        self._duration_s = duration_s
        self._now = 0.0
        self._free = list(range(workers))
        self._running: list[tuple[float, int, int, Proposal, Evaluation]] = []
        self._count = 0
        self.busy_s = 0.0
        """Simulated seconds of work so far, all workers together."""

    @property
    def workers(self) -> int:
        return self._workers

    @property
    def running(self) -> list[Proposal]:
        return [entry[3] for entry in sorted(self._running, key=lambda entry: entry[1])]

    def submit(self, proposal: Proposal) -> None:
        worker = heapq.heappop(self._free)
        evaluation = self._problem.evaluate(proposal).by(f"simulated-{worker}")
        duration = self._duration_s(evaluation)
        evaluation = replace(evaluation, started_at=self._now, duration_s=duration)
        self._count += 1
        heapq.heappush(self._running, (self._now + duration, self._count, worker, proposal, evaluation))
        self.busy_s += duration

    def wait(self, timeout_s: float) -> list[Evaluation]:
        if not self._running or self._running[0][0] > self._now + timeout_s:
            self._now += timeout_s
            return []
        finished = []
        self._now = max(self._now, self._running[0][0])
        while self._running and self._running[0][0] <= self._now:
            _, _, worker, _, evaluation = heapq.heappop(self._running)
            heapq.heappush(self._free, worker)
            finished.append(evaluation)
        return finished

    def now(self) -> float:
        return self._now
