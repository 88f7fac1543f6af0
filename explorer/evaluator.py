"""Evaluations on Ray: an actor that evaluates proposals, and the pool of them."""

from __future__ import annotations

import logging
import math
import os
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError
from threadpoolctl import threadpool_limits

from explorer.clock import Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from simulators.protocol import InputError

__all__ = ["Evaluator", "RayPool", "Resources", "connect"]

KNOCK_S = 5.0  # how long a cluster may take to accept a connection

# More BLAS threads than one make workers fight over cores. No runtime environment sets them: Ray would then use none
# of the processes that it keeps ready, and start each worker anew, which takes twice as long.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Resources:
    """What one worker asks of its node."""

    cpus: float = 1.0
    gpus: float = 0.0


def connect(workers: int, resources: Resources) -> None:
    """Connect to the cluster that ``RAY_ADDRESS`` names, else start Ray on this machine; once per process.

    Args:
        workers: number of workers that will be wanted; a local Ray is told that it has room for them, so that
            more workers than cores take turns instead of waiting for ever.
        resources: of one worker.

    Raises:
        InputError: no cluster answers at ``RAY_ADDRESS``.
    """
    if ray.is_initialized():
        return
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)  # not a line about its tokens above every search
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if (address := os.environ.get("RAY_ADDRESS", "local")) not in ("", "local"):
        try:
            _knock(address)
            ray.init(**quiet)
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"RAY_ADDRESS is {address}, but no Ray cluster can be reached there ({reason}); unset it to use this "
                "machine"
            ) from error
        return
    cores = max(os.cpu_count() or 1, math.ceil(workers * resources.cpus))
    ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)


def _knock(address: str) -> None:
    """Raises OSError if nothing listens at ``host:port``: Ray itself would try for minutes."""
    if named := re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", address):
        socket.create_connection((named[1], int(named[2])), timeout=KNOCK_S).close()


class Evaluator:
    """The actor: holds the problem, evaluates one proposal at a time, on one thread unless the problem says otherwise.

    Args:
        problem: reference to it, in a tuple: not yet read, as libraries that come with it look up their threads once.
    """

    def __init__(self, problem: tuple[Any]) -> None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
        threadpool_limits(limits=1)  # libraries that Ray has loaded
        self._problem: Problem = ray.get(problem[0])
        self._name = f"{ray.util.get_node_ip_address()}:{os.getpid()}"

    def evaluate(self, proposal: Proposal) -> Evaluation:
        """Evaluate; failures come back as failed evaluations."""
        return self._problem.evaluate(proposal).by(self._name)


class RayPool(Pool):
    """A pool of evaluator actors.

    Args:
        problem: shipped once to every worker.
        workers: number of actors.
        resources: of each.

    Raises:
        InputError: the cluster has not the resources for a single worker.
    """

    def __init__(self, problem: Problem, workers: int, resources: Resources | None = None) -> None:
        self.workers = workers
        self._resources = resources or Resources()
        connect(workers, self._resources)
        self._check_room(ray.cluster_resources())
        self._problem = ray.put(problem)
        self._idle = [self._start() for _ in range(workers)]
        self._jobs: dict[Any, tuple[Proposal, Any, float]] = {}

    def _check_room(self, available: Mapping[str, float]) -> None:
        for name, wanted in (("CPU", self._resources.cpus), ("GPU", self._resources.gpus)):
            if wanted and available.get(name, 0.0) < wanted:
                raise InputError(
                    f"a worker asks for {wanted:g} {name}, the cluster has {available.get(name, 0.0):g}; ask for less "
                    "or connect to a larger cluster",
                    "workers",
                )

    def _start(self) -> Any:
        actor = ray.remote(
            num_cpus=self._resources.cpus,
            num_gpus=self._resources.gpus,
            max_restarts=0,  # attempts are ours: Ray's retries have run methods twice
        )(Evaluator)
        return actor.remote((self._problem,))

    @property
    def running(self) -> list[Proposal]:
        return [proposal for proposal, _, _ in self._jobs.values()]

    def submit(self, proposal: Proposal) -> None:
        actor = self._idle.pop()
        self._jobs[actor.evaluate.remote(proposal)] = (proposal, actor, time.time())

    def wait(self, timeout_s: float) -> list[Evaluation]:
        if not self._jobs:
            return []
        jobs = list(self._jobs)
        ready, _ = ray.wait(jobs, num_returns=1, timeout=timeout_s)
        if ready:  # whatever else has finished by now comes along, in one commit
            ready, _ = ray.wait(jobs, num_returns=len(jobs), timeout=0)
        return [self._collect(job) for job in ready]

    def _collect(self, job: Any) -> Evaluation:
        proposal, actor, started = self._jobs.pop(job)
        try:
            evaluation: Evaluation = ray.get(job)
        except RayError as error:  # the worker died: the evaluation failed, another worker takes its place
            self._idle.append(self._start())
            return Evaluation(
                design=proposal.design,
                family="",
                fidelity=proposal.fidelity,
                replicate=proposal.replicate,
                strategy=proposal.strategy,
                failure=f"worker died: {type(error).__name__}",
                traceback=str(error)[-4000:],
                started_at=started,
                duration_s=time.time() - started,
            )
        self._idle.append(actor)
        return evaluation

    def close(self) -> None:
        for actor in [*self._idle, *(actor for _, actor, _ in self._jobs.values())]:
            ray.kill(actor)
        self._idle, self._jobs = [], {}
