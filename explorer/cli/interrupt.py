"""Ctrl-C that is not lost: an interrupt that comes while Python cannot raise it is raised at the next occasion.

Python drops exceptions that are raised inside finalisers and inside callbacks of compiled libraries, a keyboard
interrupt among them. Ctrl-C in such a moment would end the workers, but not the search.
"""

from __future__ import annotations

import signal

__all__ = ["Interrupts"]


class Interrupts:
    """While it is entered, remembers Ctrl-C; only for the main thread.

    A process that was started to ignore Ctrl-C, as scripts start those in the background, goes on ignoring it.
    """

    def __init__(self) -> None:
        self._came = False

    def __enter__(self) -> Interrupts:
        self._before = signal.getsignal(signal.SIGINT)
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, *_: object) -> None:
        self._came = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise an interrupt that came and was dropped.

        Raises:
            KeyboardInterrupt: there was one.
        """
        if self._came:
            raise KeyboardInterrupt
