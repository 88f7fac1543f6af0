"""A chip as layers of a network see it: what its cells, converters and faults do, ready to be applied to tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulators.training.chip.cells import Cell
from simulators.training.chip.converter import Converter
from simulators.training.chip.effects import Deviations, Effect, deviations
from simulators.training.chip.faults import StuckCells
from simulators.training.chip.words import WordTables, word_tables

__all__ = ["Chip"]


@dataclass(frozen=True)
class Chip:
    """ReRAM crossbars that hold the weights of a network.

    Args:
        cell: in use.
        crossbar_size: rows, and as many columns.
        converter_bits: resolution of the converters; 0: what a sum needs.
        converter_share: of the largest sum that they can read.
        effects: what changes conductances.
        stuck: cells that cannot be written.
        weight_bits, input_bits: of fixed-point numbers, with their sign; inputs go in bit by bit.
        weight_clip: largest absolute value of a weight; 0 for no limit.
        explicit: compute products bit by bit and cell by cell (:mod:`.explicit`), dozens of times as long; for
            converters that saturate, and to check the fast way.
    """

    cell: Cell
    crossbar_size: int
    converter_bits: int = 0
    converter_share: float = 1.0
    effects: Sequence[Effect] = ()
    stuck: StuckCells = StuckCells()  # noqa: RUF009  # it is frozen
    weight_bits: int = 16
    input_bits: int = 16
    weight_clip: float = 0.0
    explicit: bool = False

    @cached_property
    def converter(self) -> Converter:
        """Its converters."""
        return Converter(self.crossbar_size, self.cell.bits, self.converter_bits, self.converter_share)

    @cached_property
    def deviations(self) -> Deviations:
        """Of its cells, from all effects."""
        return deviations(self.cell, self.effects)

    @cached_property
    def tables(self) -> WordTables:
        """Of its words, from all effects."""
        return word_tables(self.deviations, self.weight_bits, self.cell.bits)

    @cached_property
    def deviates_when_written(self) -> bool:
        """Whether writes are not exact."""
        return bool(np.any(self.deviations.written_variance))

    @cached_property
    def deviates(self) -> bool:
        """Whether what is read is, on average over reads, anything else than what was to be written."""
        return self.deviates_when_written or bool(np.any(self.deviations.mean))

    @cached_property
    def exact(self) -> bool:
        """Whether products come out as fixed-point arithmetic has them: no effect, and converters that lose nothing."""
        quiet = not (self.deviates or np.any(self.deviations.read_variance))
        return quiet and self.converter.step == 1 and self.converter.share == 1
