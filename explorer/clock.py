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
from dataclasses import dataclass, replace

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem

__all__ = ["Crew", "NodeCrew", "Pool", "SimulatedPool"]


@dataclass(frozen=True)
class NodeCrew:
    """The workers of one node.

    Args:
        node: its identifier.
        address: of it.
        ready: workers that can work.
        busy: those of them that do.
    """

    node: str
    address: str
    ready: int
    busy: int


@dataclass(frozen=True)
class Crew:
    """How the workers of a pool stand.

    Args:
        wanted: number of them.
        nodes: where those are that are ready.
        starting: those that are not ready yet.
        ready_s: seconds that workers were ready, all together.
        busy_s: seconds of work that they did.
    """

    wanted: int
    nodes: tuple[NodeCrew, ...] = ()
    starting: int = 0
    ready_s: float = 0.0
    busy_s: float = 0.0

    @property
    def ready(self) -> int:
        """Workers that can work."""
        return sum(node.ready for node in self.nodes)

    @property
    def idle_share(self) -> float | None:
        """The share of their time that workers had nothing to do; None where there were none."""
        return max(0.0, 1.0 - self.busy_s / self.ready_s) if self.ready_s > 0 else None


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

    @abstractmethod
    def crew(self) -> Crew:
        """How the workers stand."""

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

    def crew(self) -> Crew:
        node = NodeCrew("simulated", "simulated", self._workers, len(self._running))
        return Crew(self._workers, (node,), 0, self._workers * self._now, self.busy_s)

    def now(self) -> float:
        return self._now
