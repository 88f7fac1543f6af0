"""Cells that cannot be written: which they are, and what becomes of the words that lie in them."""

from __future__ import annotations

import math
from dataclasses import dataclass as plain_dataclass
from typing import Annotated

import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from simulators.training.chip.cells import STRICT

__all__ = ["Masks", "StuckCells", "worn_out"]


@dataclass(frozen=True, config=STRICT)
class StuckCells:
    """Shares of cells that always are at their highest or at their lowest level ("stuck-at-0" and "stuck-at-1" mean
    opposite things in different papers).

    Args:
        on: share that is stuck at the highest conductance.
        off: share that is stuck at the lowest conductance.
        in_gradients: whether the cells that hold weight gradients are as faulty.

    Raises:
        ValueError: a share is not from 0 to 1, or both together are above 1.
    """

    on: Annotated[float, Field(ge=0, le=1)] = 0.0
    off: Annotated[float, Field(ge=0, le=1)] = 0.0
    in_gradients: bool = True

    @model_validator(mode="after")
    def _no_more_than_all(self) -> StuckCells:
        if self.on + self.off > 1:
            raise ValueError(f"{self.on:g} stuck on and {self.off:g} stuck off are more than all cells")
        return self

    @property
    def any(self) -> bool:
        """Whether there are such cells."""
        return self.on + self.off > 0


@plain_dataclass(frozen=True, eq=False)
class Masks:
    """The stuck cells under some words, as bits: of one shape with the words.

    Args:
        kept: 1 where a bit can be written.
        on: 1 where a bit is always 1.
    """

    kept: Tensor
    on: Tensor

    @classmethod
    def draw(cls, shape: torch.Size, stuck: StuckCells, word_bits: int, cell_bits: int, seed: int) -> Masks:
        """Stuck cells of a chip: the same seed gives the same.

        Args:
            shape: of the words.
            stuck: how many.
            word_bits, cell_bits: of a word and of a cell.
            seed: of the chip and the place.
        """
        generator = torch.Generator().manual_seed(seed)
        kept = torch.full(shape, 2**word_bits - 1, dtype=torch.int32)
        on = torch.zeros(shape, dtype=torch.int32)
        for shift in range(0, word_bits, cell_bits):
            drawn = torch.rand(shape, generator=generator)
            bits = (2**cell_bits - 1) << shift
            on |= torch.where(drawn < stuck.on, bits, 0).to(torch.int32)
            kept &= torch.where(drawn < stuck.on + stuck.off, ~bits, -1).to(torch.int32)
        return cls(kept, on & (2**word_bits - 1))

    def to(self, device: torch.device) -> Masks:
        """The same on another device."""
        return Masks(self.kept.to(device), self.on.to(device))

    def applied(self, words: Tensor) -> Tensor:
        """What is read where ``words`` were written."""
        return (words & self.kept) | self.on


def worn_out(writes: float, endurance_writes: float, shape: float) -> float:
    """Share of cells that so many writes have worn out: a Weibull distribution with half of all at the endurance.

    Args:
        writes: of a cell.
        endurance_writes: that half of the cells survive.
        shape: how suddenly they fail: 1 at a constant rate, more the later.
    """
    return -math.expm1(-math.log(2) * (writes / endurance_writes) ** shape)
