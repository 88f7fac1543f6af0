"""The loop: proposals go to workers, evaluations come back, are stored, and teach the strategy.

One driver. Every evaluation that a wait returns is committed before the strategy hears of it; proposals are asked ahead
of time, so that a worker that becomes idle finds one waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from explorer.archive import Archive
from explorer.clock import Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy

__all__ = ["Budget", "Progress", "Search"]

TICK_S = 0.5  # how often a listener hears of the time passing while nothing finishes


@dataclass(frozen=True)
class Budget:
    """When a search ends: at the first limit that is reached. None: no limit.

    Args:
        evaluations: finished evaluations, failed ones included.
        cost: sum of what evaluations paid, in units of the fidelity (epochs); the last one may exceed it.
        wall_time_s: seconds from the start of this run.
    """

    evaluations: int | None = None
    cost: float | None = None
    wall_time_s: float | None = None


@dataclass(frozen=True)
class Progress:
    """How a search stands.

    Args:
        finished, failed, running: numbers of evaluations; ``finished`` includes the failed ones.
        wanted: evaluations in the budget, if it limits them.
        cost: paid so far, replicates included.
        front_size, hypervolume: of the front completed over families; the hypervolume is a share from 0 to 1.
        elapsed_s, remaining_s: time; None while it cannot be told.
        phase: what goes on.
        latest: the evaluation that finished last.
    """

    finished: int
    failed: int
    running: int
    wanted: int | None
    cost: float
    front_size: int
    hypervolume: float
    elapsed_s: float
    remaining_s: float | None
    phase: str = "searching"
    latest: Evaluation | None = None


class Search:
    """One search.

    Args:
        problem: what is searched.
        strategy: what to try next.
        pool: who evaluates.
        budget: when to stop.
        initial: designs that are evaluated first.
        save: called with every batch of evaluations, derived ones included, before anything else learns of them.
        listener: called with the progress at every change and every half second.
        earlier: evaluations of an earlier run of the same study.
        ahead: proposals kept waiting for workers; None: none with one worker (each suggestion then sees all results),
            else one for every four workers.
    """

    def __init__(
        self,
        problem: Problem,
        strategy: Strategy,
        pool: Pool,
        budget: Budget,
        *,
        initial: Sequence[Proposal] = (),
        save: Callable[[Sequence[Evaluation]], None] = lambda _: None,
        listener: Callable[[Progress], None] = lambda _: None,
        earlier: Sequence[Evaluation] = (),
        ahead: int | None = None,
    ) -> None:
        self.problem = problem
        self.strategy = strategy
        self.pool = pool
        self.budget = budget
        self.archive = Archive(problem, earlier)
        self._save = save
        self._listener = listener
        self._ahead = ahead if ahead is not None else (0 if pool.workers == 1 else -(-pool.workers // 4))
        done = {evaluation.key for evaluation in earlier if not evaluation.derived_from}
        self._waiting = deque({proposal.key: proposal for proposal in initial if proposal.key not in done}.values())
        self._finished = [e for e in earlier if not e.derived_from and e.replicate == 0]
        self._failed = sum(evaluation.failed for evaluation in self._finished)
        self._cost = sum(evaluation.cost for evaluation in self._finished)
        self._paid = sum(evaluation.cost for evaluation in earlier)
        self._news: list[Evaluation] = list(earlier)
        self._exhausted = False
        self._started = self._phase_started = pool.now()
        self._since_start = 0
        self._phase = "searching"
        self._total = budget.evaluations

    @property
    def finished(self) -> list[Evaluation]:
        """Evaluations that count towards the budget, in order of arrival."""
        return self._finished

    def run(self) -> None:
        """Search until the budget is used up or nothing new is left."""
        while True:
            self._dispatch()
            if not self.pool.running:
                break
            self._collect()
        self._tell()

    def repeat(self, proposals: Sequence[Proposal]) -> None:
        """Evaluate proposals outside the budget: replicates that tell a good point from luck."""
        done = {evaluation.key for evaluation in self.archive.evaluations if not evaluation.derived_from}
        queue = deque(proposal for proposal in proposals if proposal.key not in done)
        self._phase = "confirming"
        self._total = len(queue)
        self._since_start, self._phase_started = 0, self.pool.now()
        while queue or self.pool.running:
            while queue and self.pool.idle:
                self.pool.submit(queue.popleft())
            self._collect()
        self._tell()

    # -- one turn -----------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        self._fill(self.pool.idle)
        while self.pool.idle and self._waiting and self._within_budget():
            self.pool.submit(self._waiting.popleft())
        if not self.pool.idle:  # workers are busy now: a good time to think ahead
            self._fill(self._ahead)

    def _fill(self, count: int) -> None:
        """Ask until ``count`` proposals wait, unless the budget needs fewer."""
        missing = min(count - len(self._waiting), self._left() - len(self._waiting))
        if missing <= 0 or self._exhausted or not self._within_budget():
            return
        with threadpool_limits(limits=1):
            self.strategy.update(self._news, [*self.pool.running, *self._waiting])
            self._news = []
            proposals = self.strategy.suggest(missing)
        self._exhausted = not proposals
        self._waiting.extend(proposals)

    def _left(self) -> int:
        """Evaluations that may still be started."""
        if self.budget.evaluations is None:
            return 1_000_000_000
        return self.budget.evaluations - len(self._finished) - len(self.pool.running)

    def _within_budget(self) -> bool:
        if self.budget.cost is not None:
            cost = self._cost + sum(self.problem.cost(proposal.fidelity) for proposal in self.pool.running)
            if cost >= self.budget.cost:
                return False
        if self.budget.wall_time_s is not None and self.pool.now() - self._started >= self.budget.wall_time_s:
            return False
        return self._left() > 0

    def _collect(self) -> None:
        evaluations = self.pool.wait(TICK_S)
        if not evaluations:
            self._tell()
            return
        batch: list[Evaluation] = []
        for evaluation in evaluations:
            batch += [evaluation, *self.archive.add(evaluation)]
        self._save(batch)
        self._finished += [evaluation for evaluation in evaluations if evaluation.replicate == 0]
        self._failed += sum(evaluation.failed for evaluation in evaluations if evaluation.replicate == 0)
        self._cost += sum(evaluation.cost for evaluation in evaluations if evaluation.replicate == 0)
        self._paid += sum(evaluation.cost for evaluation in evaluations)
        self._since_start += len(evaluations)
        self._news += evaluations
        self._tell(evaluations[-1])

    # -- progress -----------------------------------------------------------------------------------------------

    def progress(self, latest: Evaluation | None = None) -> Progress:
        """How the search stands now."""
        elapsed = self.pool.now() - self._started
        return Progress(
            finished=len(self._finished),
            failed=self._failed,
            running=len(self.pool.running),
            wanted=self.budget.evaluations,
            cost=self._paid,
            front_size=len(self.archive.front),
            hypervolume=self.archive.hypervolume,
            elapsed_s=elapsed,
            remaining_s=self._remaining(),
            phase=self._phase,
            latest=latest,
        )

    def _remaining(self) -> float | None:
        """Seconds until the limit that will be reached first, by the pace of this phase so far."""
        elapsed = self.pool.now() - self._started
        estimates = []
        if self._since_start and self._total is not None:
            done = len(self._finished) if self._phase == "searching" else self._since_start
            pace = (self.pool.now() - self._phase_started) / (self._since_start + len(self.pool.running) / 2)
            estimates.append(max(0.0, pace * (self._total - done)))
        if self.budget.wall_time_s is not None:
            estimates.append(max(0.0, self.budget.wall_time_s - elapsed))
        return min(estimates, default=None)

    def _tell(self, latest: Evaluation | None = None) -> None:
        self._listener(self.progress(latest))
