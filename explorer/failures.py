"""Why evaluations fail, and the attempts that came to nothing before one that counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Attempt", "FailureKind"]


class FailureKind(StrEnum):
    """Why an attempt at an evaluation came to nothing."""

    INFEASIBLE = "infeasible"
    EXCEPTION = "exception"
    NOT_FINITE = "not finite"
    OUT_OF_MEMORY = "out of memory"
    NODE_OUT_OF_MEMORY = "node out of memory"
    SYSTEM_ERROR = "system error"
    DEADLINE = "deadline"
    WORKER_DIED = "worker died"
    NODE_LOST = "node lost"
    OUT_OF_REACH = "out of reach"

    @property
    def of_place(self) -> bool:
        """Whether another attempt, elsewhere, may end otherwise.

        What a design does by itself, with its own seed, it does again: an exception of its code, a value that is no
        number, more memory than an evaluation may have. What a file system, a network, a worker or a node did to it
        may have nothing to do with the design; nor need a hang.
        """
        return self in _OF_PLACE


_OF_PLACE = {
    FailureKind.NODE_OUT_OF_MEMORY,
    FailureKind.SYSTEM_ERROR,
    FailureKind.DEADLINE,
    FailureKind.WORKER_DIED,
    FailureKind.NODE_LOST,
    FailureKind.OUT_OF_REACH,
}


@dataclass(frozen=True)
class Attempt:
    """An attempt at an evaluation that failed, after which another one was made.

    Args:
        kind: why, in one of a few words.
        failure: why, in a line.
        traceback: where it failed, if that is known.
        node: Ray's identifier of the node.
        worker: address and process of the worker.
        started_at: seconds since 1970, by the clock of the driver.
        duration_s: how long it took.
    """

    kind: FailureKind
    failure: str
    traceback: str = ""
    node: str = ""
    worker: str = ""
    started_at: float = 0.0
    duration_s: float = 0.0
