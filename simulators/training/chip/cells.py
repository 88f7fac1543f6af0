"""ReRAM cells as a current sees them: conductances of their levels, by name, and the point at which they are read."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

__all__ = ["CELLS", "Cell", "CellKind"]

FloatArray = NDArray[np.float64]

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@dataclass(frozen=True, config=STRICT)
class CellKind:
    """A kind of cell: published ones differ by two orders of magnitude, so that there is no cell, but only named ones.

    Args:
        on_ohm, off_ohm: resistances of the highest and of the lowest level, the second at least 1.1 times the first.
        read_voltage_v: over a cell while it is read: it decides whether temperature and read rate matter.
        source: where the resistances are printed.

    Raises:
        ValueError: a number is outside what cells can have, or the cell conducts as well when it is off.
    """

    on_ohm: float = Field(ge=1, le=1e12)
    off_ohm: float = Field(ge=1, le=1e12)
    read_voltage_v: float = Field(ge=1e-3, le=100)
    source: str = ""

    @model_validator(mode="after")
    def _conducts_less_when_off(self) -> CellKind:
        if self.on_ohm >= self.off_ohm:
            raise ValueError(
                f"off_ohm ({self.off_ohm:g}) has to be above on_ohm ({self.on_ohm:g}): a cell that is off conducts less"
            )
        if self.off_ohm < LEAST_RATIO * self.on_ohm:
            raise ValueError(
                f"off_ohm ({self.off_ohm:.12g}) has to be at least {LEAST_RATIO:g} times on_ohm ({self.on_ohm:.12g}): "
                "there is no room for levels between them"
            )
        return self


LEAST_RATIO = 1.1

LOW_VOLTAGE = 0.15  # does not disturb a cell, as 3.3 V, near the voltages that write it, would

CELLS: Mapping[str, CellKind] = {
    "3k-3M": CellKind(3e3, 3e6, LOW_VOLTAGE, "He et al., DAC 2019 (its 3.3 V: 3k-3M-3.3V)"),
    "3k-3M-3.3V": CellKind(3e3, 3e6, 3.3, "He et al., DAC 2019"),
    "1.33k-20k": CellKind(1.33e3, 20e3, LOW_VOLTAGE, "published pair of resistances"),
    "2k-2M": CellKind(2e3, 2e6, LOW_VOLTAGE, "published pair of resistances"),
    "10k-1M": CellKind(10e3, 1e6, LOW_VOLTAGE, "published pair of resistances"),
    "240k-24M": CellKind(240e3, 24e6, LOW_VOLTAGE, "NeuroSim's default cell"),
}
"""All of them by name; the first is the default."""


@dataclass(frozen=True, config=STRICT)
class Cell:
    """A cell in use.

    Args:
        kind: its conductances and read voltage.
        bits: that it holds.
        read_rate_hz: reads per second: the bandwidth of noise.
        temperature_k: of the cell.

    Raises:
        ValueError: a number is not allowed.
    """

    kind: CellKind
    bits: int = Field(ge=1, le=8)
    read_rate_hz: float = Field(gt=0)
    temperature_k: float = Field(gt=0)

    def step_of(self, bits: int) -> float:
        """Siemens from one level of a cell with so many bits to the next."""
        step: float = (1 / self.kind.on_ohm - 1 / self.kind.off_ohm) / (2**bits - 1)
        return step

    @property
    def step_s(self) -> float:
        """Siemens from one of its levels to the next."""
        return self.step_of(self.bits)

    @property
    def middle(self) -> float:
        """Halfway between its levels: what the cells of a reference column conduct, half of them at each of the two
        levels around it.
        """
        return float(2**self.bits - 1) / 2

    @property
    def conductances_s(self) -> FloatArray:
        """Of all levels, the lowest first; evenly spaced. Shape (levels,)."""
        return 1 / self.kind.off_ohm + self.step_s * np.arange(2**self.bits, dtype=np.float64)
