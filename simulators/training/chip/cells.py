"""ReRAM cells as a current sees them: conductances of their levels, by name, and the point at which they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import InputError

__all__ = ["CELLS", "Cell", "CellKind"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class CellKind:
    """A kind of cell: published ones differ by two orders of magnitude, so that there is no cell, but only named ones.

    Args:
        on_ohm, off_ohm: resistances of the highest and of the lowest level.
        read_voltage_v: over a cell while it is read: it decides whether temperature and read rate matter.
        source: where the resistances are printed.

    Raises:
        InputError: a number is not positive, or the cell conducts better when it is off.
    """

    on_ohm: float
    off_ohm: float
    read_voltage_v: float
    source: str = ""

    def __post_init__(self) -> None:
        for name in ("on_ohm", "off_ohm", "read_voltage_v"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{value:g}: choose a finite number above 0", name)
        if self.on_ohm >= self.off_ohm:
            raise InputError(
                f"{self.off_ohm:g} ohm is not above on_ohm ({self.on_ohm:g} ohm): a cell that is off conducts less",
                "off_ohm",
            )


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


@dataclass(frozen=True)
class Cell:
    """A cell in use.

    Args:
        kind: its conductances and read voltage.
        bits: that it holds.
        read_rate_hz: reads per second: the bandwidth of noise.
        temperature_k: of the cell.

    Raises:
        InputError: a number is not allowed.
    """

    kind: CellKind
    bits: int
    read_rate_hz: float
    temperature_k: float

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 8:
            raise InputError(f"{self.bits}: choose 1 to 8", "cell_bits")
        for name in ("read_rate_hz", "temperature_k"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{value:g}: choose a finite number above 0", name)

    def step_of(self, bits: int) -> float:
        """Siemens from one level of a cell with so many bits to the next."""
        return (1 / self.kind.on_ohm - 1 / self.kind.off_ohm) / (2**bits - 1)

    @property
    def step_s(self) -> float:
        """Siemens from one of its levels to the next."""
        return self.step_of(self.bits)

    @property
    def middle(self) -> int:
        """The level in the middle: that of the cells of a reference column."""
        return int(2 ** (self.bits - 1))

    @property
    def conductances_s(self) -> FloatArray:
        """Of all levels, the lowest first; evenly spaced. Shape (levels,)."""
        return 1 / self.kind.off_ohm + self.step_s * np.arange(2**self.bits, dtype=np.float64)
