"""How much training writes: what weight updates change in cells, and how long these last."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from simulators.training.chip.chip import Chip
from simulators.training.chip.words import digits_of, step_of

__all__ = ["conductance_change", "lifetime_years"]


def conductance_change(before: Sequence[Tensor], after: Sequence[Tensor], chip: Chip) -> tuple[float, float]:
    """Which part of its range a cell's conductance changes by in one update.

    Args:
        before, after: the weights of each layer.
        chip: in whose cells they lie.

    Returns:
        The mean over all cells, and over those that hold the digits of the layer that change most: mostly the lowest
        digits, which are no more like before than by chance.
    """
    half, most = 2 ** (chip.weight_bits - 1), 2**chip.cell.bits - 1
    total, cells, largest = 0.0, 0, 0.0
    for old, new in zip(before, after, strict=True):
        step = step_of(old, chip.weight_bits)
        limits = (0, 2 * half - 1)
        was, now = ((weights / step).round().add(half).clamp(*limits).long() for weights in (old, new))
        changed = digits_of(now, chip.weight_bits, chip.cell.bits) - digits_of(was, chip.weight_bits, chip.cell.bits)
        of_digits = changed.abs().double().flatten(1).mean(dim=1) / most
        total, cells = total + float(of_digits.sum()) * old.numel(), cells + changed.numel()
        largest = max(largest, float(of_digits.max()))
    return total / max(1, cells), largest


def lifetime_years(
    change: float, endurance_writes: float, updates_per_training: float, trainings_per_year: float, failed_share: float
) -> float:
    """Years until cells have been written as often as they endure (PANTHER, section 7.8).

    Args:
        change: part of its range that a cell changes by in an update: so much of a full write.
        endurance_writes: full writes that a cell endures.
        updates_per_training: batches of all epochs.
        trainings_per_year: that end well.
        failed_share: of all trainings, those that are broken off at their end and done again.
    """
    writes_per_year = change * updates_per_training * trainings_per_year / (1 - failed_share)
    return endurance_writes / writes_per_year if writes_per_year else float("inf")
