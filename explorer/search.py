"""The loop: proposals go to workers, evaluations come back, are stored, and teach the strategy.

One driver. Every evaluation that a wait returns is committed before the strategy hears of it. The strategy thinks
aside, so that nothing waits for it that need not; proposals are asked ahead of time where workers would have to wait
for them, by the times that evaluations and suggestions took so far. A member of a family that is trained already is
answered at once, and one of a family that is being trained waits for it: no training is paid for twice.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from explorer.answers import Answers, without_answered
from explorer.archive import Archive
from explorer.budget import Budget
from explorer.clock import Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy
from explorer.thinking import InTurn, Question, Suggestion, Thinker
from explorer.time_left import Work, time_left

__all__ = ["Progress", "Search"]

logger = logging.getLogger(__name__)

TICK_S = 0.5  # how often a listener hears of the time passing while nothing finishes
MOST_FAILED = 100  # evaluations in a row, after which a search ends: what costs nothing never uses up a budget
PATIENT = 0.01  # share of their time that workers may wait for suggestions that know of all results
MOST_ANSWERED = 1000  # proposals in a row that needed no training, after which a strategy counts as at its end


@dataclass(frozen=True)
class Progress:
    """How a search stands.

    Args:
        finished, failed, running: numbers of evaluations that were run; ``finished`` includes the failed ones.
        whole: those of the finished ones at full fidelity.
        wanted: evaluations in the budget, if it limits them.
        spent, wanted_cost: of the budget of cost, if it limits that.
        cost: paid so far, replicates included, in units of the fidelity; of finished evaluations only
            (:class:`~explorer.evaluation.Evaluation`).
        front_size, hypervolume: of the front completed over families; the hypervolume is a share from 0 to 1.
        elapsed_s: since this run began.
        remaining_s: until the end of this phase; None while it cannot be told.
        phase: what goes on: ``searching``, then ``confirming`` if that is wanted.
        confirmed, to_confirm: replicates outside the budget, finished (failed ones included) and in all; before they
            begin, as many as there may be.
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
    confirmed: int = 0
    to_confirm: int = 0
    latest: Evaluation | None = None
    whole: int = 0
    spent: float = 0.0
    wanted_cost: float | None = None


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
        ahead: proposals kept waiting for workers; None: as many as workers take while the strategy thinks, none if they
            would hardly wait. With one worker none, and each suggestion sees all results.
        in_order: let the strategy hear of results in the order of its proposals, one for each new proposal, so that
            what it proposes does not depend on how fast workers are. A worker waits where an earlier evaluation is
            slower than all others together.
        to_confirm: how many replicates may follow (:meth:`repeat`), for the progress.
        thinker: asks the strategy; by default in turn with everything else.
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
        in_order: bool = False,
        to_confirm: int = 0,
        thinker: Thinker | None = None,
    ) -> None:
        self.problem = problem
        self.strategy = strategy
        self.pool = pool
        self.budget = strategy.budget = budget
        self.archive = Archive(problem, earlier)
        self._save = save
        self._listener = listener
        self._thinker = thinker or InTurn(strategy, pool.now)
        self._fixed_ahead = ahead if ahead is not None else 0 if pool.workers == 1 else None
        if in_order and self._fixed_ahead is None:
            self._fixed_ahead = -(-pool.workers // 4)  # never by times, which are not the same again
        self._asked_s = 0.0  # from a question to its answer at hand, the latest counting most
        self._asked_at = 0.0
        done = {evaluation.key for evaluation in earlier if not evaluation.derived_from}
        self._waiting = deque({proposal.key: proposal for proposal in initial if proposal.key not in done}.values())
        self._in_order = in_order
        self._untold = deque(self._waiting)  # what the strategy does not know the results of, in order
        self._arrived: dict[str, Evaluation] = {}  # of these
        self._finished = [e for e in earlier if not e.derived_from and e.replicate == 0]
        run = list(without_answered(problem.outline, self._finished))
        self._counted, self._whole = len(run), sum(e.fidelity == problem.full_fidelity for e in run)
        self._failed = sum(evaluation.failed for evaluation in self._finished)
        self._answers = Answers(problem, earlier)
        self._held: list[Proposal] = []  # until the training of their family that runs is finished
        self._answered = 0  # since the last one that was run
        self._failed_since = 0  # the last one that did not fail
        self._cost = sum(evaluation.cost for evaluation in self._finished)
        self._paid = sum(evaluation.cost for evaluation in earlier)
        self._news: list[Evaluation] = list(earlier)
        self._exhausted = self._fruitless = False  # nothing is to be asked for now; the last time nothing came
        self._draining, self._ends_at = False, math.inf
        self._started = pool.now()
        self._submitted: dict[str, tuple[Proposal, float]] = {}
        self._done = self._done_cost = Work(0.0, 0.0, 0)  # by workers, in this phase: as evaluations, and as cost
        self._thinking_s = 0.0
        self._phase = "searching"
        self._confirmed, self._to_confirm = 0, to_confirm

    @property
    def finished(self) -> list[Evaluation]:
        """Evaluations, replicates left out, in order of arrival."""
        return self._finished

    def run(self) -> None:
        """Search until the budget is used up, nothing new is left, or a hundred evaluations in a row failed."""
        while True:
            self._dispatch()
            to_do = self.pool.running or (self._within_budget() and (self._thinker.busy or self._waiting))
            if not to_do or self._gives_up():
                break
            self._collect()
        self._tell()

    def drain(self, grace_s: float) -> None:
        """Begin nothing any more. May be called in a signal handler.

        Args:
            grace_s: seconds that what runs has to end; the search ends then, whatever runs.
        """
        self._draining = True
        self._ends_at = self.pool.now() + grace_s
        self.pool.wake()

    @property
    def draining(self) -> bool:
        """Whether it was told to begin nothing any more."""
        return self._draining

    def _gives_up(self) -> bool:
        return self._draining and self.pool.now() >= self._ends_at

    def repeat(self, proposals: Sequence[Proposal]) -> None:
        """Evaluate proposals outside the budget: replicates that tell a good point from luck."""
        done = {evaluation.key for evaluation in self.archive.evaluations if not evaluation.derived_from}
        queue = deque(proposal for proposal in proposals if proposal.key not in done)
        self._phase = "confirming"
        self._confirmed, self._to_confirm = len(proposals) - len(queue), len(proposals)
        self._done = self._done_cost = Work(0.0, 0.0, 0)
        self._thinking_s = 0.0
        self._tell()
        while (self.pool.running or (queue and not self._draining)) and not self._gives_up():
            while queue and self.pool.idle and not self._draining:
                self._submit(queue.popleft())
            self._collect()
        self._tell()

    # -- one turn -----------------------------------------------------------------------------------------------

    def _dispatch(self) -> None:
        self._release_held()
        self._fill()
        while self.pool.idle and self._waiting and self._within_budget():
            self._start(self._waiting.popleft())
            self._fill()

    def _start(self, proposal: Proposal) -> None:
        """Evaluate a proposal: at once, after its family's training that runs, or now on a worker."""
        if answer := self._answers.answer(proposal):
            self._take([answer], run=False)
        elif self._answers.awaits(proposal):
            self._held.append(proposal)
        else:
            self._submit(proposal)

    def _release_held(self) -> None:
        """Answer what waited for a training that is finished, whatever is left of the budget; what has to pay for more
        epochs is next."""
        ready = [proposal for proposal in self._held if not self._answers.awaits(proposal)]
        self._held = [proposal for proposal in self._held if self._answers.awaits(proposal)]
        for proposal in reversed(ready):
            if answer := self._answers.answer(proposal):
                self._take([answer], run=False)
            else:
                self._waiting.appendleft(proposal)

    def _submit(self, proposal: Proposal) -> None:
        self.pool.submit(proposal)
        self._answers.begin(proposal)
        self._submitted[proposal.key] = proposal, self.pool.now()

    def _fill(self) -> None:
        """Take what the strategy answered, and ask it again until as many proposals wait as workers need soon."""
        while True:
            if suggestion := self._thinker.take():
                self._learn(suggestion)
            if self._thinker.busy or (missing := self._missing()) <= 0:
                return
            if self._exhausted or not self._within_budget() or (self._in_order and not self._release()):
                return
            running = self._untold if self._in_order else [*self.pool.running, *self._held, *self._waiting]
            count = 1 if self._in_order else missing
            self._asked_at = self.pool.now()
            self._thinker.ask(Question(self._news, list(running), count, self.pool.now() - self._started))
            self._news = []

    def _missing(self) -> int:
        """Proposals that are to be asked for: for idle workers, while all work ahead, and one where none is ready."""
        wanted = self.pool.idle or self._ahead() or int(not self.pool.running)
        return min(wanted, self._left()) - len(self._waiting)

    def _ahead(self) -> int:
        """Proposals that are kept waiting while all workers work."""
        if self._fixed_ahead is not None:
            return self._fixed_ahead
        if not self._done.count:
            return 0
        workers, lasts_s = self.pool.workers, self._done.time_s / self._done.count
        if self._asked_s <= PATIENT * lasts_s:
            return 0
        return min(workers, math.ceil(workers * self._asked_s / max(lasts_s, 1e-9)))

    def _learn(self, suggestion: Suggestion) -> None:
        self._thinking_s += suggestion.time_s
        took_s = max(suggestion.time_s, self.pool.now() - self._asked_at)  # also while this thread was busy otherwise
        self._asked_s = took_s if self._asked_s == 0 else (self._asked_s + took_s) / 2
        self._fruitless = len(suggestion.proposals) == 0
        self._exhausted = self._fruitless or self._answered >= MOST_ANSWERED
        self._waiting.extend(suggestion.proposals)
        self._untold.extend(suggestion.proposals if self._in_order else ())

    def _release(self) -> bool:
        """Let the strategy hear of as many results as the next proposal needs, of all where it had nothing to propose;
        false if they are not there yet."""
        while len(self._untold) >= (1 if self._fruitless else self.pool.workers + (self._fixed_ahead or 0)):
            evaluation = self._arrived.pop(self._untold[0].key, None)
            if evaluation is None:
                return False
            self._untold.popleft()
            self._news.append(evaluation)
        return True

    def _left(self) -> int:
        """Evaluations that may still be started."""
        if self.budget.evaluations is None:
            return 1_000_000_000
        held = sum(not self._answers.is_due(proposal) for proposal in self._held)
        return self.budget.evaluations - self._counted - len(self.pool.running) - held

    def _within_budget(self) -> bool:
        if self._draining or self._failed_since >= MOST_FAILED:
            return False
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
        for evaluation in evaluations:
            self._answers.end(evaluation)
        self._exhausted = False  # a strategy that had nothing to propose may have now
        self._take(evaluations)

    def _take(self, evaluations: Sequence[Evaluation], *, run: bool = True) -> None:
        """Store evaluations, run by workers or answered, then tell of them."""
        batch: list[Evaluation] = []
        for evaluation in evaluations:
            batch += [evaluation, *self.archive.add(evaluation)]
        self._save(batch)
        if self._in_order:
            self._arrived.update((evaluation.key, evaluation) for evaluation in evaluations)
        else:
            self._news += evaluations
        for evaluation in evaluations:
            self._count(evaluation, run)
            self._tell(evaluation)

    def _count(self, evaluation: Evaluation, run: bool) -> None:
        self._answered = 0 if run else self._answered + 1
        self._failed_since = self._failed_since + 1 if evaluation.failed else 0
        if self._failed_since == MOST_FAILED:
            logger.warning(
                "%d evaluations in a row failed, the last one by: %s; the search ends", MOST_FAILED, evaluation.failure
            )
        if run:
            self._submitted.pop(evaluation.key, None)
            self._done = self._done.and_one(1.0, evaluation.duration_s)
            self._done_cost = self._done_cost.and_one(evaluation.cost, evaluation.duration_s)
        self._paid += evaluation.cost
        if evaluation.replicate:
            self._confirmed += 1
            return
        self._finished.append(evaluation)
        self._counted += run
        self._whole += run and evaluation.fidelity == self.problem.full_fidelity
        self._failed += evaluation.failed
        self._cost += evaluation.cost

    # -- progress -----------------------------------------------------------------------------------------------

    def progress(self, latest: Evaluation | None = None) -> Progress:
        """How the search stands now."""
        elapsed = self.pool.now() - self._started
        return Progress(
            finished=self._counted,
            failed=self._failed,
            running=len(self.pool.running),
            wanted=self.budget.evaluations,
            cost=self._paid,
            front_size=len(self.archive.front),
            hypervolume=self.archive.hypervolume,
            elapsed_s=elapsed,
            remaining_s=self._remaining(),
            phase=self._phase,
            confirmed=self._confirmed,
            to_confirm=self._to_confirm,
            latest=latest,
            whole=self._whole,
            spent=self._cost,
            wanted_cost=self.budget.cost,
        )

    def _remaining(self) -> float | None:
        """Seconds until the limit of this phase that will be reached first."""
        now, budget = self.pool.now(), self.budget
        if self._phase == "confirming":
            budget = Budget(self._to_confirm - self._confirmed + self._counted)
        running = [(proposal, now - at) for proposal, at in self._submitted.values()]
        estimates: list[float | None] = []
        if budget.evaluations is not None:
            begun = [Work(1, age) for _, age in running]
            estimates.append(self._time_left(budget.evaluations - self._counted, self._done, begun))
        if budget.cost is not None:
            begun = [Work(self.problem.cost(proposal.fidelity), age) for proposal, age in running]
            estimates.append(self._time_left(budget.cost - self._cost, self._done_cost, begun))
        if budget.wall_time_s is not None:
            estimates.append(budget.wall_time_s - (now - self._started))
        return min((max(0.0, estimate) for estimate in estimates if estimate is not None), default=None)

    def _time_left(self, left: float, done: Work, running: Sequence[Work]) -> float | None:
        return time_left(max(0.0, left), done, running, self.pool.workers, self._thinking_s)

    def _tell(self, latest: Evaluation | None = None) -> None:
        self._listener(self.progress(latest))
