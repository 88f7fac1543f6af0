"""Analog-to-digital converters of a column's sum: what they add to its noise, and what they take away.

A column is read against a reference column, whose cells are in the middle between all levels: what all cells have in
common goes, and what is left is a whole number of steps, up or down (or, where an odd number of rows is driven, a half
more, which is known). A converter whose own step is one of them rounds small noise
away altogether; that is why few bits per cell are safe. Large noise passes, with the error of rounding on top. With a
coarser step, sums below half of it are lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from simulators.components import adc_bits
from simulators.protocol import InputError

__all__ = ["Converter", "rounded_variance", "rounding_gain"]

CERTAIN = 0.75
"""Deviation from which on rounding is plain: what is left out there is below exp(-2 pi^2 0.75^2), a hundred-thousandth.
"""
THRESHOLDS = 5
"""Half-integers that noise below ``CERTAIN`` can reach: six deviations."""


@dataclass(frozen=True)
class Converter:
    """A converter that reads columns of a crossbar.

    Args:
        rows: of the crossbar.
        cell_bits: of its cells.
        bits: resolution; 0: as many as ISAAC's has for a column.
        share: of the sums of such a converter that it can read; beyond, it saturates. With half of them, its step is
            half as large.

    Raises:
        InputError: the share is not above 0 and at most 1.
    """

    rows: int
    cell_bits: int
    bits: int = 0
    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise InputError(f"{self.share:g}: choose a share above 0, at most 1", "converter_share")

    @property
    def needed_bits(self) -> int:
        """Bits with which nothing is lost, see :func:`simulators.components.adc_bits`."""
        return int(adc_bits(self.rows, self.cell_bits))

    @property
    def step(self) -> float:
        """Steps between levels of a cell that one of the converter's own spans; at least 1, since a sum is a whole
        number, and finer readings are rounded to it.
        """
        missing = self.needed_bits - (self.bits or self.needed_bits) + math.log2(self.share)
        return max(1.0, math.pow(2.0, missing))

    @property
    def largest(self) -> float:
        """The largest sum, up or down, that it can read: any with ``share`` 1, since columns that could add up to more
        are stored inverted (ISAAC, section V); else that share of half of what all rows at one end add up to, which is
        seven deviations away for 32 rows of random words.
        """
        return math.inf if self.share == 1 else self.share * 2.0**self.needed_bits / 2

    def read(self, sums: Tensor, driven: Tensor) -> Tensor:
        """What it makes of sums.

        Args:
            sums: beyond those of the reference column, in steps between levels.
            driven: how many rows are.
        """
        lowest = 0.5 * driven  # below the reference: what sums would be if all cells were half a step lower
        found = ((sums + lowest) / self.step).round_().mul_(self.step).sub_(lowest)
        return found.clamp_(-self.largest, self.largest)

    def error_variance(self, variance: Tensor, sums: Tensor) -> Tensor:
        """Mean squared difference between what it reads and the sum without noise.

        Rounding a normal variable keeps a part of it (:func:`rounding_gain`) and adds what is independent of it.

        Args:
            variance: of the noise of a sum, in steps between levels squared.
            sums: mean square of the sums without noise.
        """
        if self.step == 1:
            return rounded_variance(variance)
        all_of_it = (variance + sums) / self.step**2
        gain = rounding_gain(all_of_it)
        added = self.step**2 * (rounded_variance(all_of_it) - gain**2 * all_of_it)
        ties = gain * torch.exp(-2 * math.pi**2 * variance) / 6  # quiet sums meet the middle between two steps exactly
        return (1 - gain) ** 2 * sums + gain**2 * variance + added + ties

    def gain(self, variance: Tensor, sums: Tensor) -> Tensor:
        """Which part of a small change of a sum it lets through, on average; arguments as :meth:`error_variance`."""
        return rounding_gain(variance if self.step == 1 else (variance + sums) / self.step**2)


def rounded_variance(variance: Tensor) -> Tensor:
    """Variance of a normal variable that is rounded to whole numbers: the sum over k of (2 k - 1) P(|x| > k - 1/2).

    Args:
        variance: of the variable, mean 0.
    """
    deviation = variance.sqrt().clamp_min(1e-9)[..., None]
    k = torch.arange(1, THRESHOLDS + 1, dtype=variance.dtype, device=variance.device)
    beyond = 2 * torch.special.ndtr(-(k - 0.5) / deviation)
    few = ((2 * k - 1) * beyond).sum(dim=-1)
    return torch.where(variance > CERTAIN**2, variance + 1 / 12, few)


def rounding_gain(variance: Tensor) -> Tensor:
    """Which part of a small change of a normal variable is still there after rounding it, on average.

    Bussgang's theorem: the density of the variable at the thresholds; 0 without noise, 1 with much.

    Args:
        variance: of the variable, mean 0.
    """
    deviation = variance.sqrt().clamp_min(1e-9)[..., None]
    k = torch.arange(1, THRESHOLDS + 1, dtype=variance.dtype, device=variance.device)
    density = torch.exp(-0.5 * ((k - 0.5) / deviation) ** 2) / (deviation * math.sqrt(2 * math.pi))
    return torch.where(variance > CERTAIN**2, 1.0, 2 * density.sum(dim=-1))
