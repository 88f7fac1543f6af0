"""The front of a stream of designs too long to be kept: a front for each group, exact, in bounded memory.

What arrives is first compared with a few strong designs of its group, those that are best in some weighted sum, which
leaves little of it. The rest waits until there is enough of it to be worth comparing with the whole front.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.domination import maximal

__all__ = ["RunningFront"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

WAITING = 1 << 14  # rows that may wait at least; with a large front, as many as it has
NARROW = 1 << 16  # groups whose numbers lie within such a range need no sorting to be numbered anew
FAVOURED = 8.0  # weight of one column, in units of the others'


class RunningFront:
    """Rows that no other row of their group dominates; of equal ones the first is kept and the others are counted.

    What comes out depends neither on how the stream was cut into batches nor on their order.

    Args:
        columns: of a row, all to be made small.
    """

    def __init__(self, columns: int) -> None:
        self._rows = _Rows.none(columns)
        self._waiting: list[_Rows] = []
        favouring = 1.0 + (FAVOURED - 1.0) * np.eye(columns) if columns > 1 else np.empty((0, 1))
        self._weights = np.vstack([np.ones(columns), favouring])

    def add(self, values: Array, index: Index, groups: Index) -> None:
        """Take in rows.

        Args:
            values: finite, shape (columns, count): column after column is twice as fast as row after row.
            index: a number for each row, none twice in the stream, shape (count,).
            groups: of each row, shape (count,).
        """
        if len(index) == 0:
            return
        kept = self._undominated(values, groups)
        rows = _Rows(groups[kept], values[:, kept].T, index[kept], np.ones(len(kept), dtype=np.int64))
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) > max(WAITING, len(self._rows)):
            self._merge()

    @property
    def groups(self) -> Index:
        """The group of each row of the front, ascending."""
        self._merge()
        return self._rows.groups

    @property
    def values(self) -> Array:
        """The rows of the front, shape (count, columns); those of a group in lexicographic order."""
        self._merge()
        return self._rows.values

    @property
    def index(self) -> Index:
        """The number of each row of the front, the least where several are equal."""
        self._merge()
        return self._rows.index

    @property
    def equals(self) -> Index:
        """How many rows of its group each row of the front stands for, itself included."""
        self._merge()
        return self._rows.equals

    def _undominated(self, values: Array, groups: Index) -> NDArray[np.intp]:
        """The rows that no strong one of their group dominates."""
        front = self._rows.values.T
        slots, count = _slots(np.concatenate([self._rows.groups, groups]))
        of_front, slots = slots[: len(self._rows)], slots[len(self._rows) :]
        least = np.minimum(values.min(axis=1), front.min(axis=1, initial=np.inf))
        span = np.maximum(values.max(axis=1), front.max(axis=1, initial=-np.inf)) - least
        kept: NDArray[np.intp] = np.arange(len(groups))
        for weight in self._weights / np.where(span > 0, span, 1.0):
            strong = np.full((len(values), count), np.inf)
            best = np.full(count, np.inf)
            for rows, where in ((front, of_front), (values, slots)):
                score = weight @ rows
                before = best.copy()
                np.minimum.at(best, where, score)
                hits = np.flatnonzero((score == best[where]) & (score < before[where]))
                chosen = np.full(count, -1)
                chosen[where[hits]] = hits  # one of those that share the best score
                chosen = chosen[chosen >= 0]
                strong[:, where[chosen]] = rows[:, chosen]
            beaten, differs = np.ones(len(kept), dtype=bool), np.zeros(len(kept), dtype=bool)
            for column, limits in zip(values, strong, strict=True):
                limit = limits[slots]
                beaten &= column >= limit
                differs |= column != limit
            left = ~(beaten & differs)
            kept, values, slots = kept[left], values[:, left], slots[left]
        return kept

    def _merge(self) -> None:
        """Compare what waits with the front."""
        if self._waiting:
            self._rows = _Rows.joined([self._rows, *self._waiting]).counted().front()
            self._waiting = []


class _Rows:
    """Rows of a front or of what may come to it: group, values, number, and how many equal ones they stand for."""

    def __init__(self, groups: Index, values: Array, index: Index, equals: Index) -> None:
        self.groups, self.values, self.index, self.equals = groups, values, index, equals

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def none(cls, columns: int) -> _Rows:
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, np.zeros((0, columns)), nothing, nothing)

    @classmethod
    def joined(cls, parts: list[_Rows]) -> _Rows:
        return cls(
            np.concatenate([part.groups for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.index for part in parts]),
            np.concatenate([part.equals for part in parts]),
        )

    def counted(self) -> _Rows:
        """Equal rows of a group as one, the one with the least number; sorted by group, then by value."""
        order = np.lexsort((self.index, *self.values.T[::-1], self.groups))
        groups, values = self.groups[order], self.values[order]
        new = np.ones(len(order), dtype=bool)
        new[1:] = (groups[1:] != groups[:-1]) | (values[1:] != values[:-1]).any(axis=1)
        first = np.flatnonzero(new)
        return _Rows(groups[first], values[first], self.index[order[first]], np.add.reduceat(self.equals[order], first))

    def front(self) -> _Rows:
        """Without the rows that another one of their group dominates; groups are sorted."""
        starts = np.flatnonzero(np.diff(self.groups, prepend=self.groups[:1] - 1))
        kept = np.concatenate([maximal(-values) for values in np.split(self.values, starts[1:])])
        return _Rows(self.groups[kept], self.values[kept], self.index[kept], self.equals[kept])


def _slots(groups: Index) -> tuple[NDArray[np.intp], int]:
    """Small numbers for groups, and how many there may be."""
    low, high = int(groups.min()), int(groups.max())
    if high - low < NARROW:
        return (groups - low).astype(np.intp), high - low + 1
    present, slots = np.unique(groups, return_inverse=True)
    return slots, len(present)
