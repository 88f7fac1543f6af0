"""The pool: evaluations on Ray actors, attempt after attempt, while workers come and go.

Attempts are ours, not Ray's: its retries have run methods twice, and gave up where another node would have done. Every
result, and every worker that is ready or gone, arrives as an event in one queue; nothing here waits for anything else.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError

from explorer.clock import Crew, NodeCrew, Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.failures import Attempt, FailureKind
from explorer.problem import Problem
from explorer.workers.connection import connect
from explorer.workers.deadlines import Deadlines
from explorer.workers.evaluator import Evaluator, Hello, code_digest
from explorer.workers.verdict import verdict, was_preempted
from explorer.workers.wanted import Workers
from simulators.protocol import InputError, plugins

__all__ = ["RayPool"]

logger = logging.getLogger(__name__)

LOOK_S = 2.0  # between looks at the nodes
DOUBT_S = 30.0  # after which a worker that cannot be reached counts as out of reach, whatever became of its node
ELSEWHERE_S = 10.0  # that an attempt waits for a worker of another node
LONGEST_PAUSE_S = 300.0  # between attempts to start workers that do not start
PATIENCE_S = 300.0  # that there is with workers that others' work keeps from starting
FRUITLESS = 3  # starts in a row that failed, after which a pool without workers gives up


@dataclass
class _Job:
    """An evaluation on its way."""

    proposal: Proposal
    earlier: tuple[Attempt, ...] = ()
    preempted: int = 0  # of the earlier ones, nobody's fault
    started_at: float = 0.0  # the present attempt
    began: float = 0.0  # likewise, on this process's clock
    failed: float = 0.0  # the last attempt
    deadline_s: float | None = None


@dataclass(eq=False)
class _Worker:
    """An actor, and what it does."""

    actor: Any
    node: str = ""
    name: str = ""
    ready: bool = False
    job: _Job | None = None
    gone: bool = False


@dataclass(frozen=True)
class _Doubt:
    """An attempt of which it is not known yet why it failed."""

    job: _Job
    worker: _Worker
    error: BaseException
    since: float


Event = tuple[Callable[..., None], tuple[Any, ...]]


class RayPool(Pool):
    """A pool of evaluator actors.

    Args:
        problem: shipped once to every node.
        wanted: the workers.
        address: of a cluster, see :func:`~explorer.workers.connection.connect`.

    Raises:
        InputError: no cluster answers, or it has not the resources for a single worker.
    """

    def __init__(self, problem: Problem, wanted: Workers | None = None, address: str | None = None) -> None:
        self._wanted = wanted = wanted or Workers()
        connect(self._wanted, address)
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._deadlines = Deadlines(problem, self._wanted.deadline_s)
        self._workers: list[_Worker] = []
        self._idle: deque[_Worker] = deque()
        self._jobs: dict[str, _Job] = {}
        self._queue: deque[_Job] = deque()  # what waits for a worker: attempts that are made again
        self._doubts: list[_Doubt] = []
        self._alarms: list[tuple[float, int, _Worker, _Job]] = []  # a heap of deadlines
        self._numbers = count()
        self._alive: dict[str, dict[str, float]] = {}
        self._looked = -LOOK_S
        self._fruitless, self._start_error = 0, ""
        self._start_after = 0.0
        self._last_worker = time.monotonic()
        self._busy_s = self._ready_s = 0.0
        self._measured = time.monotonic()
        self._code = code_digest()
        self._problem = problem
        self._shipped = ray.put(problem)
        self._actors = ray.remote(
            num_cpus=wanted.cpus,
            num_gpus=wanted.gpus,
            memory=wanted.memory_bytes or 0,
            resources=dict(wanted.resources),
            max_restarts=0,
            max_task_retries=0,
        )(Evaluator)
        self._look()
        self._check_room()
        self._tell_room()
        self._hire(time.monotonic())

    # -- what a search sees -------------------------------------------------------------------------------------

    @property
    def workers(self) -> int:
        """Number of workers that are wanted; those that are ready may be fewer."""
        if self._wanted.count is not None:
            return self._wanted.count
        return max(1, sum(self._wanted.room_on(resources) for resources in self._alive.values()))

    @property
    def running(self) -> list[Proposal]:
        return [job.proposal for job in self._jobs.values()]

    @property
    def idle(self) -> int:
        return max(0, len(self._idle) - len(self._queue))

    def submit(self, proposal: Proposal) -> None:
        job = _Job(proposal)
        self._jobs[proposal.key] = job
        if self._idle:
            self._give(job, self._idle.popleft())
        else:
            self._queue.append(job)

    def wait(self, timeout_s: float) -> list[Evaluation]:
        until = time.monotonic() + timeout_s
        finished: list[Evaluation] = []
        while True:
            self._tend(finished)
            alarm = min(until, self._looked + LOOK_S, self._next_deadline())
            events = self._take_events(max(0.0, alarm - time.monotonic()))
            for handle, arguments in events:
                handle(*arguments, finished)
            if finished or time.monotonic() >= until or any(handle == self._woken for handle, _ in events):
                self._measure()
                return finished

    def wake(self) -> None:
        self._events.put((self._woken, ()))

    def close(self) -> None:
        for worker in self._workers:
            worker.gone = True
            ray.kill(worker.actor)
        self._workers, self._jobs = [], {}
        self._idle.clear()
        self._queue.clear()
        self._doubts.clear()

    # -- events -------------------------------------------------------------------------------------------------

    def _take_events(self, timeout_s: float) -> list[Event]:
        """Those that have come, after waiting for the first."""
        events: list[Event] = []
        try:
            events.append(self._events.get(timeout=timeout_s) if timeout_s > 0 else self._events.get_nowait())
            while True:
                events.append(self._events.get_nowait())
        except Empty:
            return events

    def _when_done(self, reference: Any, handle: Callable[..., None], *arguments: Any) -> None:
        future: Future[Any] = reference.future()
        future.add_done_callback(lambda done: self._events.put((handle, (*arguments, done))))

    def _woken(self, _: list[Evaluation]) -> None:
        """Somebody wants :meth:`wait` to return."""

    def _next_deadline(self) -> float:
        while self._alarms and self._alarms[0][2].job is not self._alarms[0][3]:
            heappop(self._alarms)  # it ended in time
        return self._alarms[0][0] if self._alarms else math.inf

    def _tend(self, finished: list[Evaluation]) -> None:
        """Look after everything that no event tells of."""
        now = time.monotonic()
        if now >= self._looked + LOOK_S:
            self._look()
            self._bury(finished)
            self._settle_doubts(now, finished)
            self._hire(now)
        while self._next_deadline() <= now:
            _, _, worker, job = heappop(self._alarms)
            self._dismiss(worker)
            reason = f"deadline: took longer than {job.deadline_s:.4g} s"
            self._fail(job, worker, FailureKind.DEADLINE, reason, "", finished)
        if self._queue and self._idle:
            self._hand_out(now)

    # -- workers ------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Which nodes there are now."""
        self._looked, before = time.monotonic(), self._alive
        self._alive = {node["NodeID"]: node["Resources"] for node in ray.nodes() if node["Alive"]}
        for node in self._alive.keys() - before.keys():
            logger.info("node %s joined", node)
        for node in before.keys() - self._alive.keys():
            logger.info("node %s is gone", node)

    def _check_room(self) -> None:
        """Raises InputError if no node has room for a worker, and nobody asked for patience until one has."""
        if self._wanted.patience_s is not None or any(map(self._wanted.room_on, self._alive.values())):
            return
        lacks = "; ".join(
            f"{_amount(name, amount)} (the largest node has "
            f"{_amount(name, max((resources.get(name, 0.0) for resources in self._alive.values()), default=0.0))})"
            for name, amount in self._wanted.of_each.items()
            if all(resources.get(name, 0.0) < amount for resources in self._alive.values())
        )
        raise InputError(
            f"a worker asks for {lacks or 'more than any one node has'}; ask for less or connect to a larger cluster",
            "workers",
        )

    def _tell_room(self) -> None:
        """Say so if not all workers will find room."""
        room = sum(map(self._wanted.room_on, self._alive.values()))
        if room and self._wanted.count is not None and room < self._wanted.count:
            logger.warning(
                "there is room for %d of %d workers now; the others start when nodes join", room, self._wanted.count
            )

    def _bury(self, finished: list[Evaluation]) -> None:
        """Let go of workers whose nodes are gone."""
        for worker in [worker for worker in self._workers if worker.node and worker.node not in self._alive]:
            job = worker.job
            self._dismiss(worker)
            if job is not None:
                self._fail(job, worker, *verdict(RuntimeError(), node_lost=True), "", finished)

    def _hire(self, now: float) -> None:
        """Start as many workers as are missing; end a search that has been without any for too long."""
        if any(worker.ready for worker in self._workers):
            self._last_worker = now
        elif now - self._last_worker > (self._wanted.patience_s or PATIENCE_S) or self._fruitless >= FRUITLESS:
            raise InputError(self._why_nobody(), "workers")
        if now >= self._start_after:
            for _ in range(self.workers - len(self._workers)):
                self._start()

    def _start(self) -> None:
        worker = _Worker(self._actors.remote((self._shipped,), self._wanted.memory_bytes))
        self._workers.append(worker)
        self._when_done(worker.actor.hello.remote(self._code, plugins()), self._greeted, worker)

    def _greeted(self, worker: _Worker, done: Future[Any], _: list[Evaluation]) -> None:
        """A worker is ready, or did not come to be."""
        if worker.gone:
            return
        error = done.exception()
        if error is not None:
            self._dismiss(worker)
            self._fruitless += not was_preempted(error)
            self._start_error = _why_not_started(error)
            pause_s = min(LONGEST_PAUSE_S, 2.0**self._fruitless)
            self._start_after = time.monotonic() + pause_s
            logger.warning("a worker did not start: %s", self._start_error)
            return
        hello: Hello = done.result()
        worker.node, worker.name = hello.node, hello.name
        if hello.code != self._code:  # kept, so that Ray puts no other one in its place
            self._start_error = (
                f"node {hello.node[:8]} ({hello.name.rpartition(':')[0]}) has another version of reram-explorer than "
                "this process; install the same on all nodes, or ship it with workers.working_dir"
            )
            logger.warning("%s", self._start_error)
            if not any(w.ready for w in self._workers) and all(w.node for w in self._workers):
                self._fruitless = FRUITLESS
            return
        worker.ready, self._fruitless = True, 0
        logger.info("worker %s on node %s is ready", worker.name, worker.node)
        self._last_worker = time.monotonic()
        self._idle.append(worker)

    def _dismiss(self, worker: _Worker) -> None:
        """End a worker, whatever it does; another one takes its place."""
        self._let_go(worker)
        ray.kill(worker.actor)

    def _let_go(self, worker: _Worker) -> None:
        worker.gone, worker.job = True, None
        self._workers.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        self._looked = min(self._looked, time.monotonic() - LOOK_S)  # a new one is started at the next turn

    def _why_nobody(self) -> str:
        if self._start_error:
            return f"no worker starts: {self._start_error}"
        patience_s = self._wanted.patience_s or PATIENCE_S
        asks = ", ".join(_amount(name, amount) for name, amount in self._wanted.of_each.items())
        return (
            f"no worker for {patience_s:g} s: each asks for {asks}, and of the {len(self._alive)} nodes none had room "
            "for one; nothing that was finished is lost: resume when there is room"
        )

    # -- attempts -----------------------------------------------------------------------------------------------

    def _give(self, job: _Job, worker: _Worker) -> None:
        job.started_at, job.began = time.time(), time.monotonic()
        job.deadline_s = self._deadlines.of(job.proposal)
        worker.job = job
        if job.deadline_s is not None:
            heappush(self._alarms, (job.began + job.deadline_s, next(self._numbers), worker, job))
        self._when_done(worker.actor.evaluate.remote(job.proposal), self._ended, worker, job)

    def _ended(self, worker: _Worker, job: _Job, done: Future[Any], finished: list[Evaluation]) -> None:
        """An attempt came to an end, by itself or with its worker."""
        if worker.gone:
            return  # it had been given up already
        error = done.exception()
        if error is None:
            worker.job = None
            self._idle.append(worker)
            self._deliver(job, worker, done.result(), finished)
        elif isinstance(error, ActorUnavailableError):
            # its node may be gone, which Ray finds out later than that the connection is
            self._let_go(worker)
            self._doubts.append(_Doubt(job, worker, error, time.monotonic()))
        else:
            self._dismiss(worker)
            self._judge(job, worker, error, finished)

    def _judge(self, job: _Job, worker: _Worker, error: BaseException, finished: list[Evaluation]) -> None:
        kind, reason = verdict(error, node_lost=worker.node not in self._alive)
        job.preempted += was_preempted(error)
        self._fail(job, worker, kind, reason, str(error), finished)

    def _settle_doubts(self, now: float, finished: list[Evaluation]) -> None:
        for doubt in list(self._doubts):
            if doubt.worker.node not in self._alive or now > doubt.since + DOUBT_S:
                self._doubts.remove(doubt)
                ray.kill(doubt.worker.actor)  # it may be alive and busy
                self._judge(doubt.job, doubt.worker, doubt.error, finished)

    def _fail(
        self, job: _Job, worker: _Worker, kind: FailureKind, reason: str, traceback: str, finished: list[Evaluation]
    ) -> None:
        """An attempt failed without an evaluation."""
        lost = self._problem.failed(job.proposal, kind, reason, traceback, time.monotonic() - job.began)
        self._deliver(job, worker, lost.by(worker.name), finished)

    def _deliver(self, job: _Job, worker: _Worker, evaluation: Evaluation, finished: list[Evaluation]) -> None:
        """Hand out an evaluation, unless another attempt may end otherwise. Times are by the driver's clock."""
        evaluation = replace(evaluation, started_at=job.started_at, node=worker.node, earlier=job.earlier)
        self._busy_s += evaluation.duration_s
        kind = evaluation.kind
        if kind:
            attempt = len(job.earlier) + 1
            logger.info("attempt %d at %s failed on node %s, worker %s: %s", attempt, job.proposal.design, worker.node,
                        worker.name, evaluation.failure)  # fmt: skip
        if kind and kind.of_place and len(job.earlier) + 1 - job.preempted < self._wanted.attempts:
            failed = Attempt(
                kind, evaluation.failure, evaluation.traceback, worker.node, worker.name, evaluation.started_at,
                evaluation.duration_s,
            )  # fmt: skip
            job.earlier = (*job.earlier, failed)
            job.failed = time.monotonic()
            self._queue.append(job)
            return
        if kind is None:
            self._deadlines.learn(evaluation)
        if kind and job.earlier:
            evaluation = replace(evaluation, failure=f"{evaluation.failure} (attempt {len(job.earlier) + 1})")
        del self._jobs[job.proposal.key]
        finished.append(evaluation)

    def _hand_out(self, now: float) -> None:
        """Give what waits to workers; what has failed to those of other nodes, if there are any that are free soon."""
        for job in list(self._queue):
            if not self._idle:
                return
            been = {attempt.node for attempt in job.earlier}
            others = [worker for worker in self._idle if worker.node not in been]
            may_come = any(node not in been and self._wanted.room_on(room) for node, room in self._alive.items())
            if not others and may_come and now < job.failed + ELSEWHERE_S:
                continue
            worker = others[0] if others else self._idle[0]
            self._idle.remove(worker)
            self._queue.remove(job)
            self._give(job, worker)

    # -- figures ------------------------------------------------------------------------------------------------

    def crew(self) -> Crew:
        self._measure()
        ready = [worker for worker in self._workers if worker.ready]
        count = Counter(worker.node for worker in ready)
        busy = Counter(worker.node for worker in ready if worker.job)
        addresses = {worker.node: worker.name.rpartition(":")[0] for worker in ready}
        nodes = tuple(NodeCrew(node, addresses[node], number, busy[node]) for node, number in sorted(count.items()))
        starting = sum(not worker.ready and not worker.node for worker in self._workers)
        now = time.monotonic()
        begun_s = sum(now - worker.job.began for worker in ready if worker.job)
        return Crew(self.workers, nodes, starting, self._ready_s, self._busy_s + begun_s)

    def _measure(self) -> None:
        now = time.monotonic()
        self._ready_s += (now - self._measured) * sum(worker.ready for worker in self._workers)
        self._measured = now


def _why_not_started(error: BaseException) -> str:
    text = str(error)
    if "No module named" in text or "failed to import" in text:
        missing = re.findall(r"No module named '([\w.]+)'", text) or ["reram-explorer"]
        return (
            f"a node lacks the Python package {missing[-1]}; install the same packages on all nodes, "
            "or ship the code with workers.working_dir"
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:500]


def _amount(resource: str, amount: float) -> str:
    """So much of a resource of Ray's, in words."""
    return f"{amount / 2**30:.3g} GiB memory" if resource == "memory" else f"{amount:g} {resource}"
