"""What errors of Ray's mean, in the words that Ray 2.60 has for them; :mod:`tests.explorer.workers.test_cluster` makes
real ones, but for memory, which no test should use up."""

from __future__ import annotations

import pytest
from ray.exceptions import ActorUnavailableError, OutOfMemoryError, RayActorError, RayTaskError

from explorer.failures import FailureKind
from explorer.workers.verdict import verdict, was_preempted

GONE, SILENT = RayActorError(error_msg="The actor died because its node has died."), b"\0" * 16
PRESSURE = "Task was killed due to the node running low on memory."
KILLED, LOST = "worker died: its process was killed, or crashed", "node lost: it was ended, or the network to it failed"


@pytest.mark.parametrize(
    ("error", "node_lost", "kind", "reason"),
    [
        (RayActorError(error_msg="Worker exits with an exit code 3."), False, "worker died",
         "worker died: its process ended with exit code 3"),
        (RayActorError(error_msg="connection error code 2. End of file"), False, "worker died", KILLED),
        (GONE, False, "node lost", LOST),
        (ActorUnavailableError("Socket closed", SILENT), True, "node lost", LOST),
        (ActorUnavailableError("Socket closed", SILENT), False, "out of reach",
         "out of reach: the connection to the worker failed"),
        (OutOfMemoryError(PRESSURE), False, "node out of memory",
         "node out of memory: Ray ended the worker before the system would"),
        (RayActorError(error_msg=PRESSURE), True, "node out of memory",
         "node out of memory: Ray ended the worker before the system would"),
        (RayTaskError("evaluate", "Traceback ...", ValueError("no\nway")), False, "exception", "ValueError: no"),
    ],
)  # fmt: skip
def test_errors_are_told_apart(error: Exception, node_lost: bool, kind: str, reason: str) -> None:
    assert verdict(error, node_lost) == (FailureKind(kind), reason)
    assert not was_preempted(error)


def test_what_another_place_may_do_better() -> None:
    assert {kind.value for kind in FailureKind if kind.of_place} == {
        "node out of memory", "system error", "deadline", "worker died", "node lost", "out of reach",
    }  # fmt: skip


def test_a_node_that_was_taken_away_with_notice_is_nobodys_fault() -> None:
    assert was_preempted(RayActorError(error_msg="The actor died because its node has died.", preempted=True))
