"""Batches of designs taken apart: the few distinct pieces of hardware among them, and the bits of each design.

A million designs hold some hundred combinations of hardware variables. What depends on these alone is computed once
per combination and looked up per design.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import Categorical, Designs, InputError, Integer, Variable

__all__ = [
    "CHUNK",
    "Combinations",
    "Groups",
    "alike_rows",
    "bits_of",
    "distinct_combinations",
    "grouped",
    "sums_of_groups",
    "weighted_bits",
]

TABLE = 1 << 16  # combinations beyond which those that occur are sorted, not ticked off
CHUNK = 1 << 15  # designs whose bits are widened to floats at a time: stays in the cache


@dataclass(frozen=True, eq=False)
class Combinations:
    """The distinct combinations of some variables in a batch of designs.

    Args:
        values: per variable an array of shape (combinations,).
        index: which combination each design has: shape (designs,), or (1,) where all have the same.
    """

    values: Mapping[str, NDArray[Any]]
    index: NDArray[np.intp]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.values[name]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    @property
    def key(self) -> tuple[tuple[Any, ...], ...]:
        """The combinations as plain values."""
        return tuple(tuple(column.tolist()) for column in self.values.values())


def distinct_combinations(designs: Designs, variables: Sequence[Variable]) -> Combinations:
    """The combinations that occur; a variable that ``designs`` lacks has its default.

    Args:
        designs: any number of designs.
        variables: of integer or categorical domains; where choices are numbers and words, all are read as words.

    Raises:
        InputError: a column holds a value that its variable does not allow.
    """
    combined: NDArray[Any] = np.zeros(1, dtype=np.intp)
    choices = [
        _choices(variable) if variable.name in designs else np.array([variable.default]) for variable in variables
    ]
    for variable, allowed in zip(variables, choices, strict=True):
        if variable.name in designs:
            combined = combined * len(allowed) + _codes(variable, allowed, designs[variable.name])
    shape = tuple(map(len, choices))
    present, index = _distinct(combined, math.prod(shape))
    values = {
        variable.name: allowed[codes]
        for variable, allowed, codes in zip(variables, choices, np.unravel_index(present, shape), strict=True)
    }
    return Combinations(values, index)


def _distinct(combined: NDArray[Any], possible: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The numbers that occur, ascending, and which of them each entry is."""
    if possible > max(TABLE, len(combined)):
        present, index = np.unique(combined, return_inverse=True)
        return present, index
    occurs = np.zeros(possible, dtype=bool)
    occurs[combined] = True
    number = np.cumsum(occurs) - 1
    return np.flatnonzero(occurs), number[combined]


def _choices(variable: Variable) -> NDArray[Any]:
    domain = variable.domain
    if isinstance(domain, Integer):
        return np.arange(domain.low, domain.high + 1)
    if isinstance(domain, Categorical):
        return np.sort(np.asarray(domain.choices))
    raise TypeError(f"{variable.name} is neither an integer nor a choice")


def _codes(variable: Variable, allowed: NDArray[Any], column: NDArray[Any]) -> NDArray[Any]:
    """Position of each entry of ``column`` in ``allowed`` (sorted)."""
    words = allowed.dtype.kind == "U"
    if column.ndim != 1 or column.dtype.kind not in ("iuU" if words else "iuf"):
        kind = "value" if words else "number"
        raise InputError(f"needs one {kind} per design; choose {variable.domain.allowed}", variable.name)
    if words:
        column = column.astype(str)
    if column.dtype.kind in "iu" and allowed.dtype.kind in "iu" and len(column):
        in_range = (int(column.min()) >= allowed[0]) and (int(column.max()) <= allowed[-1])
        table = np.full(allowed[-1] - allowed[0] + 1, -1, dtype=np.intp)
        table[allowed - allowed[0]] = np.arange(len(allowed))
        codes = table[column - allowed[0]] if in_range else np.full(len(column), -1)
        wrong = codes < 0 if in_range else ~np.isin(column, allowed)
    else:
        codes = np.minimum(np.searchsorted(allowed, column), len(allowed) - 1)
        wrong = allowed[codes] != column
    if wrong.any():
        value = column[np.argmax(wrong)].item()
        raise InputError(f"{value!r} is not allowed; choose {variable.domain.allowed}", variable.name)
    return codes


def bits_of(designs: Designs, variable: Variable) -> NDArray[Any]:
    """The column of a binary vector: shape (designs, length), or (1, length) where all designs share it.

    Raises:
        InputError: the column has another length, or holds something other than 0 and 1.
    """
    if variable.name not in designs:
        return variable.domain.column([variable.default])
    bits, length = designs[variable.name], len(variable.default)  # type: ignore[arg-type]  # a binary vector's default is Bits
    if bits.ndim != 2 or bits.shape[1] != length:
        raise InputError(
            f"has shape {bits.shape}; {length} bits per design are needed: {variable.domain.allowed}", variable.name
        )
    if bits.dtype.kind not in "biu" or (bits.size and (bits.max() > 1 or bits.min() < 0)):
        raise InputError("holds values other than 0 and 1", variable.name)
    return bits


def weighted_bits(bits: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums of weights over the bits that are on.

    Args:
        bits: shape (designs, length).
        weights: shape (length, sums).

    Returns:
        shape (sums, designs).
    """
    sums = np.empty((weights.shape[1], len(bits)))
    for start in range(0, len(bits), CHUNK):
        sums[:, start : start + CHUNK] = weights.T @ bits[start : start + CHUNK].astype(np.float64).T
    return sums


def alike_rows(rows: NDArray[Any]) -> list[NDArray[np.intp]]:
    """Indices of equal rows together.

    Args:
        rows: shape (count, length).
    """
    if len(rows) == 1:  # what single designs ask for
        return [np.zeros(1, dtype=np.intp)]
    kinds, kind_of = np.unique(rows, axis=0, return_inverse=True)
    return [np.flatnonzero(kind_of.ravel() == kind) for kind in range(len(kinds))]


@dataclass(frozen=True, eq=False)
class Groups:
    """Designs of the same combination together.

    Args:
        order: all designs, group by group.
        borders: where each group begins in it, and the end; shape (groups + 1,).
    """

    order: NDArray[np.intp]
    borders: NDArray[np.intp]

    def rows(self, group: int) -> NDArray[np.intp]:
        """The designs of a group."""
        return self.order[self.borders[group] : self.borders[group + 1]]


def grouped(index: NDArray[np.intp], count: int, groups: int) -> Groups:
    """Sort designs by their combination.

    Args:
        index: the combination of each, shape (designs,), or (1,) where all have the same.
        count: designs.
        groups: combinations.
    """
    group_of = np.broadcast_to(index, count)
    order = np.argsort(group_of.astype(np.min_scalar_type(groups)), kind="stable")  # small integers: by radix
    return Groups(order, np.concatenate([[0], np.cumsum(np.bincount(group_of, minlength=groups))]))


def sums_of_groups(
    index: NDArray[np.intp], bits: NDArray[Any], base: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """A number of each combination, and its own weights of the bits that are on.

    Args:
        index: the combination of each design, shape (designs,), or (1,) where all have the same.
        bits: shape (designs, length), or (1, length) where all have the same.
        base: shape (combinations,).
        weights: shape (combinations, length).

    Returns:
        shape (designs,), or (1,) where all are the same.
    """
    if len(bits) == 1:
        same: NDArray[np.float64] = base + weights @ bits[0].astype(np.float64)
        return same[index]
    if len(index) == 1:
        one: NDArray[np.float64] = base[index] + weighted_bits(bits, weights[index].T)[0]
        return one
    sums, groups = np.empty(len(bits)), grouped(index, len(bits), len(base))
    for group in range(len(base)):
        rows = groups.rows(group)
        sums[rows] = base[group] + weighted_bits(bits[rows], weights[group, :, None])[0]
    return sums
