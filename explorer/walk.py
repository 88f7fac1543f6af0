"""All designs of a space one after the other, numbered, in batches that simulators are quick with.

The variable with the most values varies fastest, so that designs which differ in it alone lie side by side: a batch
then holds every other variable once, and what a simulator computes of those is computed once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.space import Space
from simulators.protocol import Designs

__all__ = ["CHUNK", "Chunk", "Walk"]

CHUNK = 1 << 16  # designs at a time: their columns stay in the cache
ALONE = 1 << 14  # from so many values on the fastest variable has batches of its own

Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive designs of a walk.

    Args:
        start: the number of the first.
        designs: constraints not considered; a variable that all of them share has a column of one entry.
    """

    start: int
    designs: Designs


class Walk:
    """The order in which a space's designs are enumerated.

    Args:
        space: of fewer than 2^63 designs.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self._order = sorted(space.variables, key=lambda name: space.variables[name].domain.size)  # stable
        self._strides: dict[str, int] = {}
        stride = 1
        for name in reversed(self._order):
            self._strides[name] = stride
            stride *= space.variables[name].domain.size

    def digit(self, name: str, index: Index) -> Index:
        """Which value of its domain a variable has in the designs numbered ``index``, shape (count,)."""
        return index // self._strides[name] % self.space.variables[name].domain.size

    def at(self, index: Index) -> Designs:
        """The designs numbered ``index``, shape (count,)."""
        columns = {name: v.domain.at(self.digit(name, index)) for name, v in self.space.variables.items()}
        return Designs(columns, len(index))

    def chunks(self, size: int = CHUNK) -> Iterator[Chunk]:
        """Every design once, constraints not considered, in ascending number.

        Args:
            size: of a batch, at most.
        """
        fastest = self._order[-1]
        domain = self.space.variables[fastest].domain
        if domain.size < min(ALONE, size):  # a batch holds all of its values several times
            step = size // domain.size * domain.size
            for start in range(0, self.space.size, step):
                yield Chunk(start, self.at(np.arange(start, min(start + step, self.space.size))))
            return
        pieces = [(first, min(first + size, domain.size)) for first in range(0, domain.size, size)]
        kept = domain.at(np.arange(domain.size)) if len(pieces) == 1 else None
        for start in range(0, self.space.size, domain.size):
            shared = self.at(np.array([start]))
            for first, after in pieces:
                column = domain.at(np.arange(first, after)) if kept is None else kept
                yield Chunk(start + first, Designs({**shared.columns, fastest: column}, after - first))
