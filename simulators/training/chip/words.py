"""Weights as words of several cells: fixed-point numbers, stored with half the range added as in ISAAC.

A word of ``word_bits`` lies in cells of ``cell_bits``, the most significant ones first in weight: the word is the sum
of digits times powers of the number of levels. All weights of a layer share one power of two as their range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simulators.training.chip.effects import Deviations

FloatArray = NDArray[np.float64]

__all__ = ["WordTables", "digits_of", "fixed_point", "step_of", "word_tables"]


LEAST = 1e-30
"""Smaller numbers are nothing: a step of them would be none."""


def step_of(values: Tensor, bits: int) -> Tensor | float:
    """The step of the fixed-point numbers of so many bits that hold values: a power of two.

    A tensor without dimensions where waiting for a number would stop the device (on a CPU a number is faster).

    Args:
        values: any; where one is not finite, no step is right, and what is computed with it will not be finite either.
        bits: with the sign.
    """
    flat = values.permute(0, 2, 3, 1) if values.dim() == 4 else values  # channels last: one run through the memory
    least, most = torch.aminmax(flat)
    too_large = 1 - 2.0**-bits  # for a mantissa: it would be rounded up to the power itself
    if values.device.type == "cpu":
        mantissa, exponent = math.frexp(max(float(most), -float(least), LEAST))
        return 2.0 ** (exponent + (mantissa > too_large) - (bits - 1))
    largest = torch.maximum(most, -least).clamp_min(LEAST)
    mantissas, exponents = torch.frexp(largest)
    return torch.ldexp(torch.ones_like(largest), exponents + (mantissas > too_large) - (bits - 1))


def fixed_point(values: Tensor, step: Tensor | float) -> Tensor:
    """Values rounded to whole steps, ties to even; at most 2^21 steps.

    Adding a number so large that float32 has no room for less than a step, and taking it away again, is twice as fast
    as dividing, rounding and multiplying, and as exact, since the step is a power of two.
    """
    large = 1.5 * 2.0**23 * step
    return torch.add(values, large).sub_(large)


@dataclass(frozen=True, eq=False)
class WordTables:
    """What effects do to whole words, in steps of the word; tensors of shape (2^word_bits,), by stored word.

    Args:
        mean: of all effects.
        written_deviation: of what stays until the next write.
        read_variance: of every read.
    """

    mean: Tensor
    written_deviation: Tensor
    read_variance: Tensor


def digits_of(words: Tensor, word_bits: int, cell_bits: int) -> Tensor:
    """Digits of stored words, the least significant cell first: shape (cells, *words.shape)."""
    shifts = range(0, word_bits, cell_bits)
    return torch.stack([(words >> shift) & (2**cell_bits - 1) for shift in shifts])


def word_tables(deviations: Deviations, word_bits: int, cell_bits: int) -> WordTables:
    """Tables of what independent deviations of its cells do to each word, beyond what a reference column shows.

    Args:
        deviations: of each level of a cell.
        word_bits, cell_bits: of a word and of a cell.
    """
    digits = _all_digits(word_bits, cell_bits)
    powers = np.exp2(np.arange(0, word_bits, cell_bits, dtype=np.float64))

    def summed(of_level: FloatArray, weights: FloatArray) -> Tensor:
        return torch.from_numpy(weights @ of_level[digits]).float()

    return WordTables(
        summed(deviations.mean, powers),
        summed(deviations.written_variance, powers**2).sqrt(),
        summed(deviations.read_variance, powers**2),
    )


@lru_cache(maxsize=8)
def _all_digits(word_bits: int, cell_bits: int) -> NDArray[np.int64]:
    words = np.arange(2**word_bits)
    return np.stack([(words >> shift) & (2**cell_bits - 1) for shift in range(0, word_bits, cell_bits)])
