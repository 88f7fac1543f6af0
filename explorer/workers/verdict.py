"""What Ray's errors say of an attempt that ended without a result."""

from __future__ import annotations

import re

from ray.exceptions import ActorUnavailableError, OutOfMemoryError, RayActorError, RayTaskError

from explorer.failures import FailureKind

__all__ = ["verdict", "was_preempted"]

NODE = "because its node"  # Ray's words for an actor whose node is gone
PRESSURE = ("running low on memory", "due to memory pressure", "OutOfMemoryError")


def verdict(error: BaseException, node_lost: bool) -> tuple[FailureKind, str]:
    """Why an attempt failed: in a word, and in a line.

    Args:
        error: what Ray raised instead of a result.
        node_lost: whether the node where it ran is known to be gone.
    """
    text = str(error)
    if isinstance(error, OutOfMemoryError) or any(words in text for words in PRESSURE):
        # of the node, which others may have filled: Ray ends whoever came last
        return FailureKind.NODE_OUT_OF_MEMORY, "node out of memory: Ray ended the worker before the system would"
    if isinstance(error, RayTaskError):
        return FailureKind.EXCEPTION, f"{type(error.cause).__name__}: {error.cause}".splitlines()[0][:500]
    if node_lost or NODE in text:
        return FailureKind.NODE_LOST, "node lost: it was ended, or the network to it failed"
    if isinstance(error, ActorUnavailableError):
        return FailureKind.OUT_OF_REACH, "out of reach: the connection to the worker failed"
    code = re.search(r"exit code (\d+)", text)
    ended = f"its process ended with exit code {code[1]}" if code else "its process was killed, or crashed"
    return FailureKind.WORKER_DIED, f"worker died: {ended}"


def was_preempted(error: BaseException) -> bool:
    """Whether the node was taken away with notice, as cheap machines are: nobody's fault."""
    return isinstance(error, RayActorError) and error.preempted
