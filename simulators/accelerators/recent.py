"""A memory of the last few results: searches ask about the same hardware again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Recent"]

Result = TypeVar("Result")


class Recent(Generic[Result]):
    """Results by what they were computed from; the one that was asked for longest ago is forgotten first.

    Threads may share one. A copy in another process begins with none.

    Args:
        most: results that are kept.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Result] = OrderedDict()

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """The result for ``key``; it is computed if it is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = compute()  # twice, rarely, if two threads ask for the same
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._kept)

    def __reduce__(self) -> tuple[type[Recent[Result]], tuple[int]]:
        return Recent, (self.most,)
