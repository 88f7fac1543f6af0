"""Which cells cannot be written, and what becomes of the words that lie in them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from simulators.training.chip.faults import StuckCells

__all__ = ["Masks"]


@dataclass(frozen=True, eq=False)
class Masks:
    """The stuck cells under some words, as bits; only of words that have any, since few do.

    Args:
        places: of these words, an index for each dimension.
        kept: of each of them, 1 where a bit can be written.
        on: of each of them, 1 where a bit is always 1.
        seed: that they were drawn with.
    """

    places: tuple[Tensor, ...]
    kept: Tensor
    on: Tensor
    seed: int

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
        places = torch.nonzero(kept != 2**word_bits - 1, as_tuple=True)
        return cls(places, kept[places], on[places], seed)

    def to(self, device: torch.device) -> Masks:
        """The same on another device."""
        places = tuple(of_dimension.to(device) for of_dimension in self.places)
        return Masks(places, self.kept.to(device), self.on.to(device), self.seed)

    def applied(self, words: Tensor) -> Tensor:
        """What is read where ``words`` were written to these places."""
        return (words & self.kept) | self.on
