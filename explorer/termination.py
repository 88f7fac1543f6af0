"""SIGTERM: schedulers and clouds send it some time before they end a process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Terminated", "on_sigterm"]


class Terminated(SystemExit):
    """The search was told by SIGTERM to end, and did: nothing that was finished is lost.

    A ``SystemExit`` with the code that such an end has: a script that does not catch it ends, quietly.
    """

    def __init__(self) -> None:
        super().__init__(128 + signal.SIGTERM)


@contextmanager
def on_sigterm(act: Callable[[], None]) -> Iterator[None]:
    """Within it, the first SIGTERM calls ``act``; a second one does what it would have done outside.

    Only in the main thread, where Python hears of signals; elsewhere nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)
        act()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
