"""Analog-to-digital converters of a column's sum: what they add to its noise, and what they take away.

A sum without noise is a whole number of steps. A converter whose own step is one of them rounds small noise away
altogether; that is why few bits per cell are safe. Large noise passes, with the error of rounding on top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from simulators.components import adc_bits

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
        bits: resolution; 0: as many as a sum of all rows needs (ISAAC).
        share: of the largest possible sum that it can read; beyond, it saturates. With less than 1 it tells smaller
            steps apart.
    """

    rows: int
    cell_bits: int
    bits: int = 0
    share: float = 1.0

    @property
    def needed_bits(self) -> int:
        """Bits that a sum of all rows needs, see :func:`simulators.components.adc_bits`."""
        return int(adc_bits(self.rows, self.cell_bits))

    @property
    def step(self) -> int:
        """Steps between levels of a cell that one of the converter's own spans: 1, 2, 4, ...

        Never less than one: a sum is a whole number, and finer readings are rounded to it.
        """
        missing = self.needed_bits - (self.bits or self.needed_bits) + math.floor(math.log2(self.share))
        return int(2 ** max(missing, 0))

    @property
    def saturates(self) -> bool:
        """Whether there are sums that it cannot read."""
        return self.largest < self.rows * (2**self.cell_bits - 1) / 2

    @property
    def largest(self) -> float:
        """The largest sum that it can read; columns that hold more than half of what they could are stored inverted."""
        return self.share * 2.0**self.needed_bits

    def read(self, sums: Tensor) -> Tensor:
        """What it makes of sums, in steps between levels; in the middle of its own step, so that nothing is biased."""
        step = self.step
        code = torch.floor((sums.clamp(-self.largest, self.largest) + 0.5) / step)
        return code * step + (step - 1) / 2

    def error_variance(self, variance: Tensor) -> Tensor:
        """Variance of what it reads around the sum without noise.

        Noise is rounded to whole steps; which part of the converter's step it meets is as good as random.

        Args:
            variance: of the noise of a sum, in steps between levels squared.
        """
        return rounded_variance(variance) + (self.step**2 - 1) / 12


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
