"""How a running search stands, for whoever looks at it from outside: written to its store, and shown as metrics."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.clock import Crew, NodeCrew

if TYPE_CHECKING:
    from explorer.search import Progress

__all__ = ["SILENT_S", "Standing", "Watcher"]

EVERY_S = 2.0
SILENT_S = 60.0
"""After so long a driver that has told nothing counts as gone."""
RECENT_S = 300.0  # of which the rate of evaluations is


@dataclass(frozen=True)
class Standing:
    """How a search stands.

    Args:
        at: when, in seconds since 1970, by the clock of the driver.
        driver: process and host.
        phase: ``searching``, ``confirming``, or how it ended: ``finished``, ``terminated``, ``interrupted`` or
            ``failed``.
        reason: why it failed.
        finished, failed, running, wanted, spent, wanted_cost, elapsed_s, remaining_s: see
            :class:`~explorer.search.Progress`.
        per_minute: evaluations that were run in the last five minutes, or since it began.
        failures: numbers of evaluations of this run that failed, by kind.
        again: attempts of this run that were made once more, by why the earlier one failed.
        crew: the workers.
        unsaved: evaluations that wait to be written.
    """

    at: float
    driver: str
    phase: str
    finished: int
    failed: int
    running: int
    wanted: int | None
    spent: float
    wanted_cost: float | None
    elapsed_s: float
    remaining_s: float | None
    per_minute: float
    crew: Crew
    reason: str = ""
    failures: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, int] = field(default_factory=dict)
    unsaved: int = 0

    ENDED = ("finished", "terminated", "interrupted", "failed")

    @property
    def ended(self) -> bool:
        """Whether the run is over, as its driver said itself."""
        return self.phase in self.ENDED

    @property
    def age_s(self) -> float:
        """Seconds since it was written, if clocks agree; never negative."""
        return max(0.0, time.time() - self.at)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Standing:
        """Read back what :meth:`to_json` wrote."""
        crew = dict(row["crew"])
        nodes = tuple(NodeCrew(**node) for node in crew["nodes"])
        return cls(**{**row, "crew": Crew(**{**crew, "nodes": nodes})})


class Watcher:
    """A search's listener that tells how it stands, every few seconds.

    Args:
        crew: says how the workers stand.
        unsaved: counts evaluations that wait to be written.
        tell: who is told.
        now: the clock.
    """

    def __init__(
        self,
        crew: Callable[[], Crew],
        unsaved: Callable[[], int],
        tell: Callable[[Standing], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._crew = crew
        self._unsaved = unsaved
        self._tell = tell
        self._now = now
        self._told = -EVERY_S
        self._recent: deque[float] = deque()
        self._failures: Counter[str] = Counter()
        self._again: Counter[str] = Counter()
        self._latest: Progress | None = None

    def update(self, progress: Progress) -> None:
        """Take in the progress."""
        now = self._now()
        self._latest = progress
        if evaluation := progress.latest:
            if evaluation.worker:  # others needed none
                self._recent.append(now)
            if evaluation.failed:
                self._failures[evaluation.kind or "exception"] += 1
            self._again.update(attempt.kind for attempt in evaluation.earlier)
        if now >= self._told + EVERY_S:
            self._told = now
            self._tell(self._standing(progress, progress.phase))

    def end(self, phase: str, reason: str = "") -> None:
        """Tell how the search ended."""
        if self._latest is not None:
            self._tell(self._standing(self._latest, phase, reason))

    def _standing(self, progress: Progress, phase: str, reason: str = "") -> Standing:
        now = self._now()
        while self._recent and self._recent[0] < now - RECENT_S:
            self._recent.popleft()
        return Standing(
            at=time.time(),
            driver=f"process {os.getpid()} on {socket.gethostname()}",
            phase=phase,
            finished=progress.finished,
            failed=progress.failed,
            running=progress.running,
            wanted=progress.wanted,
            spent=progress.spent,
            wanted_cost=progress.wanted_cost,
            elapsed_s=progress.elapsed_s,
            remaining_s=progress.remaining_s,
            per_minute=60.0 * len(self._recent) / max(1.0, min(RECENT_S, progress.elapsed_s)),
            crew=self._crew(),
            reason=reason,
            failures=dict(self._failures),
            again=dict(self._again),
            unsaved=self._unsaved(),
        )
