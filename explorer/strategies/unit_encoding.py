"""Designs as points of the unit cube: the form that Gaussian processes work on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from explorer.space import Space
from simulators.protocol import BinaryVector, Categorical, Designs, Domain, Integer

__all__ = ["UnitEncoding"]

Array = NDArray[np.float64]


class UnitEncoding:
    """Coordinates from 0 to 1 for some of a space's variables.

    A bit is a coordinate of 0 or 1, and so is each value of a variable of words (two of them are as far apart as the
    two values of a bit). A variable of numbers is one coordinate, its values at equal steps in ascending order:
    neighbouring values are alike.

    Args:
        space: the space.
        names: the variables; one with a single value takes no coordinate.
    """

    def __init__(self, space: Space, names: Iterable[str]) -> None:
        wanted = set(names)
        self._domains = {name: v.domain for name, v in space.variables.items() if name in wanted and v.domain.size > 1}
        domains = self._domains.values()
        self.ordinal: NDArray[np.bool_] = np.array([_ordinal(d) for d in domains for _ in range(_width(d))], dtype=bool)
        """Which coordinates are those of numbers; the others are 0 or 1."""

    @property
    def dimensions(self) -> int:
        """Number of coordinates."""
        return len(self.ordinal)

    def encode(self, designs: Designs) -> Array:
        """Designs as count x dimensions."""
        columns = designs.expanded()
        parts = [_encode(domain, columns[name]) for name, domain in self._domains.items()]
        return np.concatenate([np.zeros((len(designs), 0)), *parts], axis=1)


def _ordinal(domain: Domain) -> bool:
    if isinstance(domain, Categorical):
        return all(isinstance(choice, int | float) for choice in domain.choices)
    return not isinstance(domain, BinaryVector)


def _width(domain: Domain) -> int:
    if isinstance(domain, BinaryVector):
        return domain.length
    return 1 if _ordinal(domain) or domain.size == 2 else domain.size


def _encode(domain: Domain, column: NDArray[np.generic]) -> Array:
    if isinstance(domain, BinaryVector):
        return np.asarray(column, dtype=np.float64)
    if isinstance(domain, Integer):
        return ((np.asarray(column, dtype=np.float64) - domain.low) / (domain.size - 1))[:, None]
    values = np.unique(domain.at(np.arange(domain.size)))
    rank = np.searchsorted(values, column)
    if _width(domain) == 1:
        return (rank / (domain.size - 1))[:, None]
    return np.asarray(np.eye(domain.size)[rank] * np.sqrt(0.5))
