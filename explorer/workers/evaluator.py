"""The actor that evaluates proposals, one at a time."""

from __future__ import annotations

import hashlib
import os
import resource
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from platform import python_version
from typing import Any

import ray
from threadpoolctl import threadpool_limits

from explorer.evaluation import Evaluation, Proposal
from explorer.failures import FailureKind
from explorer.problem import Problem
from simulators.protocol import also_known

__all__ = ["Evaluator", "Hello", "code_digest"]

# More BLAS threads than one make workers fight over cores. No runtime environment sets them: Ray would then use none
# of the processes that it keeps ready, and start each worker anew, which takes twice as long.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

PACKAGES = ("explorer", "objectives", "simulators")


@dataclass(frozen=True)
class Hello:
    """What a worker says of itself when it is ready.

    Args:
        node: Ray's identifier of its node.
        name: address and process.
        code: digest of the code that it runs.
        python: version.
    """

    node: str
    name: str
    code: str
    python: str


@cache
def code_digest() -> str:
    """SHA-256 of the source of this product as this process has it: results of other code are not comparable."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        spec = find_spec(package)
        folder = Path(str(spec and spec.origin)).parent
        for file in sorted(folder.rglob("*.py")):
            digest.update(f"{package}/{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


class Evaluator:
    """The actor: holds the problem, evaluates one proposal at a time, on one thread unless the problem says otherwise.

    Args:
        problem: reference to it, in a tuple: not yet read, as libraries that come with it look up their threads once,
            and as another version of the code could not read it.
        memory_bytes: the most that evaluations may add to the process; None: no limit.
    """

    def __init__(self, problem: tuple[Any], memory_bytes: int | None = None) -> None:
        os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
        threadpool_limits(limits=1)  # libraries that Ray has loaded
        self._reference = problem[0]
        self._loaded: Problem | None = None
        self._memory_bytes = memory_bytes
        self._name = f"{ray.util.get_node_ip_address()}:{os.getpid()}"

    def hello(self, code: str, known: Mapping[str, Mapping[str, str]]) -> Hello:
        """Say who this is, and make ready for evaluations if the driver's code is the same.

        Args:
            code: digest of the driver's code.
            known: plug-ins that the driver knows, see :func:`simulators.protocol.plugins`.
        """
        also_known(known)
        node = ray.get_runtime_context().get_node_id()
        hello = Hello(node, self._name, code_digest(), python_version())
        if hello.code == code and self._loaded is None:
            self._loaded = ray.get(self._reference)
            if self._memory_bytes is not None:
                limit_memory(self._memory_bytes)
        return hello

    @property
    def _problem(self) -> Problem:
        if self._loaded is None:
            raise RuntimeError("hello comes before evaluate")
        return self._loaded

    def evaluate(self, proposal: Proposal) -> Evaluation:
        """Evaluate; failures come back as failed evaluations."""
        began = time.perf_counter()
        try:
            evaluation = self._problem.evaluate(proposal).by(self._name)
        except (KeyboardInterrupt, SystemExit) as raised:  # by a user's function: no reason to end the worker
            reason, took_s = f"{type(raised).__name__}: {raised}"[:500], time.perf_counter() - began
            lost = self._problem.failed(proposal, FailureKind.EXCEPTION, reason, traceback.format_exc(), took_s)
            return lost.by(self._name)
        if evaluation.kind is FailureKind.OUT_OF_MEMORY and self._memory_bytes is not None:
            limit = f"more than the {self._memory_bytes / 2**30:.3g} GiB of workers.memory"
            evaluation = replace(evaluation, failure=f"{limit}: {evaluation.failure}"[:500])
        return evaluation


def limit_memory(more_bytes: int) -> None:
    """Let this process have so much memory beyond what it has now: what asks for more gets a ``MemoryError``.

    Counted is memory that could be written (``RLIMIT_DATA``), as addresses alone, of which CUDA takes terabytes, cost
    nothing.
    """
    status = Path("/proc/self/status").read_text()
    has = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = has + more_bytes if hard == resource.RLIM_INFINITY else min(has + more_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
