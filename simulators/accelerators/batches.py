"""Batches of designs taken apart: the few distinct pieces of hardware among them, and the bits of each design.

A million designs hold some hundred combinations of hardware variables. What depends on these alone is computed once
per combination and looked up per design.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import Categorical, Designs, InputError, Integer, Variable

__all__ = ["Combinations", "bits_of", "distinct_combinations", "weighted_bits"]

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


def distinct_combinations(designs: Designs, variables: Sequence[Variable]) -> Combinations:
    """The combinations that occur; a variable that ``designs`` lacks has its default.

    Args:
        designs: any number of designs.
        variables: of integer or numeric categorical domains.

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
    occurs = np.zeros(int(np.prod(shape)), dtype=bool)
    occurs[combined] = True
    present = np.flatnonzero(occurs)
    number = np.cumsum(occurs) - 1
    values = {
        variable.name: allowed[codes]
        for variable, allowed, codes in zip(variables, choices, np.unravel_index(present, shape), strict=True)
    }
    return Combinations(values, number[combined])


def _choices(variable: Variable) -> NDArray[Any]:
    domain = variable.domain
    if isinstance(domain, Integer):
        return np.arange(domain.low, domain.high + 1)
    if isinstance(domain, Categorical):
        return np.sort(np.asarray(domain.choices))
    raise TypeError(f"{variable.name} is neither an integer nor a choice")


def _codes(variable: Variable, allowed: NDArray[Any], column: NDArray[Any]) -> NDArray[Any]:
    """Position of each entry of ``column`` in ``allowed`` (sorted)."""
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        raise InputError(f"needs one number per design; choose {variable.domain.allowed}", variable.name)
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
