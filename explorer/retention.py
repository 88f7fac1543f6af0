"""How much of a folder checkpoints may take: those that were written longest ago go first.

Nothing is lost that cannot be had again: a training whose checkpoint is gone starts afresh when it is asked for more
epochs, or for its network. One that runs now writes its own again with the next epoch.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from simulators.protocol import Folder

__all__ = ["keep_below", "kept_below"]

logger = logging.getLogger(__name__)

EVERY_S = 60.0
ROOM = 0.9  # of the limit, that is left once it was exceeded: not every epoch is to remove a file


def keep_below(folder: Folder, most_bytes: int) -> int:
    """Remove files of a folder until it holds less than a limit.

    Returns:
        How many were removed.

    Raises:
        OSError: the folder cannot be read, or a file not be removed.
    """
    files = sorted(folder.files(), key=lambda file: file.written)
    held, removed = sum(file.size_bytes for file in files), 0
    if held <= most_bytes:
        return 0
    for file in files:
        if held <= ROOM * most_bytes:
            break
        folder.remove(file.name)
        held -= file.size_bytes
        removed += 1
    return removed


@contextmanager
def kept_below(folder: Folder | None, most_bytes: int | None, every_s: float = EVERY_S) -> Iterator[None]:
    """Within it, a folder is looked at again and again, in a thread of its own: a remote one may take its time.

    Args:
        folder: of checkpoints; None: there are none.
        most_bytes: the limit; None: there is none.
        every_s: between two looks.
    """
    if folder is None or most_bytes is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        while not over.wait(every_s):
            try:
                if removed := keep_below(folder, most_bytes):
                    logger.info("%d checkpoints of %s removed: checkpoints_limit", removed, folder)
            except OSError as error:
                logger.warning("checkpoints of %s cannot be tidied up: %s", folder, error)

    thread = threading.Thread(target=look, name="retention", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10.0)
