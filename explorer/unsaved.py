"""Evaluations on their way to the store: an outage of it is bridged, and nothing that finished meanwhile is lost.

A search goes on while its store does not answer: results wait in memory, in order, and are written when it answers
again. What a strategy has learned of and the store has not is lost only if the driver is killed during the outage, and
then done again. A store that cannot take any more (a full disk) or stays away ends the search, cleanly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from explorer.evaluation import Evaluation
from explorer.store import StoreError

__all__ = ["OUTAGE_S", "Unsaved"]

logger = logging.getLogger(__name__)

OUTAGE_S = 600.0
PAUSE_S = 2.0  # between attempts: each may take as long as a database takes to say no


class Unsaved:
    """What is to be written.

    Args:
        write: writes evaluations to the store.
        longest_s: how long an outage may last.
        now: the clock.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Evaluation]], None],
        longest_s: float = OUTAGE_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._longest_s = longest_s
        self._now = now
        self._rows: list[Evaluation] = []
        self._since: float | None = None
        self._next = 0.0

    def __len__(self) -> int:
        return len(self._rows)

    def save(self, evaluations: Sequence[Evaluation]) -> None:
        """Write evaluations and what waits; also called with nothing, from time to time.

        Raises:
            StoreError: the store cannot take them, or has not for too long; the message counts what is lost.
        """
        self._rows += evaluations
        if not self._rows or (self._since is not None and self._now() < self._next):
            return
        try:
            self._write(self._rows)
        except StoreError as error:
            self._put_up_with(error)
            return
        if self._since is not None:
            logger.warning("the store answers again; %d evaluations that waited are written", len(self._rows))
        self._rows, self._since = [], None

    def flush(self, patience_s: float) -> None:
        """Write what waits, before the end.

        Args:
            patience_s: how long to wait for the store.

        Raises:
            StoreError: it did not answer until then.
        """
        until = self._now() + patience_s
        self._longest_s = min(self._longest_s, patience_s)
        while self._rows:
            self._next = 0.0
            self.save([])
            if self._rows and self._now() < until:
                time.sleep(min(PAUSE_S, 0.5))

    def _put_up_with(self, error: StoreError) -> None:
        now = self._now()
        if self._since is None:
            self._since = now
            if error.passing:
                logger.warning("%s; the search goes on, and results wait to be written", error)
        if not error.passing or now - self._since > self._longest_s:
            raise StoreError(
                f"{error.message}; {len(self._rows)} finished evaluations could not be written and will be done again "
                "(trainings go on from their checkpoints): mend it, then resume the study",
                error.field,
            ) from error
        self._next = now + PAUSE_S
