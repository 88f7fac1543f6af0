"""Cells that cannot be written: how many."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from simulators.training.chip.cells import STRICT

__all__ = ["StuckCells", "worn_out"]

LARGEST = 100.0
"""Logarithm of a number of lifetimes after which no cell is left, whatever the shape."""


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


def worn_out(writes: float, endurance_writes: float, shape: float) -> float:
    """Share of cells that so many writes have worn out: a Weibull distribution with half of all at the endurance.

    Args:
        writes: of a cell.
        endurance_writes: that half of the cells survive.
        shape: how suddenly they fail: 1 at a constant rate, more the later.
    """
    if writes == 0:
        return 0.0
    power = shape * (math.log(writes) - math.log(endurance_writes))
    return -math.expm1(-math.log(2) * math.exp(min(power, LARGEST)))
