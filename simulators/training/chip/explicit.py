"""A product as the chip computes it: input bit by input bit, cell by cell of a word, crossbar by crossbar.

Rows of a crossbar are driven by one bit of their inputs at a time; a column's current is the sum over the driven rows
of what its cells conduct, less that of a reference column of cells in the middle (so many of them that their noise
averages out); a converter reads it; shifts and additions put the readings together, and add the middle again, which is
known. Negative inputs are a second run of their magnitudes.

Noise of single reads is drawn for the sum of a column: of many independent ones, it is normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from simulators.training.chip.chip import Chip
from simulators.training.chip.noise import NoiseSource
from simulators.training.chip.words import digits_of

__all__ = ["Columns", "columns_of", "multiply"]

AT_ONCE = 2048
"""Rows of inputs that are multiplied at a time: what they take stays small."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Words in the cells of crossbars; tensors of shape (cells of a word, crossbars, rows, outputs).

    Args:
        levels: what each cell conducts on average over reads beyond the middle, in steps.
        variance: of a read, in steps squared.
    """

    levels: Tensor
    variance: Tensor


def columns_of(words: Tensor, chip: Chip, noise: NoiseSource) -> Columns:
    """Write words into cells.

    Args:
        words: stored words, shape (outputs, inputs).
        chip: on which they lie.
        noise: of writing.
    """
    size = chip.crossbar_size
    padded = torch.nn.functional.pad(words, (0, -words.shape[1] % size))  # by rows that no input drives
    digits = digits_of(padded.t().reshape(-1, size, len(words)), chip.weight_bits, chip.cell.bits).to(torch.int64)
    known = chip.deviations
    mean, written, read = (
        torch.tensor(values, dtype=torch.float64, device=words.device)[digits]
        for values in (known.mean, known.written_variance, known.read_variance)
    )
    levels = digits - chip.cell.middle + mean
    if chip.deviates_when_written:
        levels += written.sqrt() * noise.normal(tuple(digits.shape)).double()
    return Columns(levels, read)


def multiply(inputs: Tensor, columns: Columns, chip: Chip, noise: NoiseSource) -> Tensor:
    """Whole numbers times the signed numbers that words stand for.

    Args:
        inputs: whole numbers that ``chip.input_bits`` hold, shape (count, inputs).
        columns: the words.
        chip: on which they lie.
        noise: of reading.

    Returns:
        shape (count, outputs), float64.
    """
    powers = 2.0 ** torch.arange(0, chip.weight_bits, chip.cell.bits, dtype=torch.float64)
    known = chip.cell.middle * float(powers.sum()) - 2 ** (chip.weight_bits - 1)  # of a word in the middle
    found = []
    for some in torch.split(inputs.to(torch.int64), AT_ONCE):
        total = known * some.sum(dim=1, keepdim=True).double()
        for sign in (1, -1):
            magnitudes = (sign * some).clamp_min(0)
            if bool(magnitudes.any()):
                total = total + sign * _run(magnitudes, columns, chip, noise)
        found.append(total)
    return torch.cat(found)


def _run(magnitudes: Tensor, columns: Columns, chip: Chip, noise: NoiseSource) -> Tensor:
    """Magnitudes times words less the word in the middle: shape (count, outputs)."""
    cells, crossbars, size, outputs = columns.levels.shape
    padded = torch.nn.functional.pad(magnitudes, (0, crossbars * size - magnitudes.shape[1]))
    rows = padded.view(-1, crossbars, size).transpose(0, 1)  # crossbars x count x rows
    total = torch.zeros(len(magnitudes), outputs, dtype=torch.float64, device=magnitudes.device)
    for plane in range(chip.input_bits):
        bits = ((rows >> plane) & 1).double()
        if not bool(bits.any()):
            continue
        driven = bits.sum(dim=2, keepdim=True)
        for cell in range(cells):
            deviation = (bits @ columns.variance[cell]).sqrt_()
            sums = (bits @ columns.levels[cell]).addcmul_(deviation, noise.normal(tuple(deviation.shape)).double())
            total += 2.0 ** (plane + cell * chip.cell.bits) * chip.converter.read(sums, driven).sum(dim=0)
    return total
