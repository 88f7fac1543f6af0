"""What changes a cell's conductance, each effect by itself: mean and variance at every level.

Effects of a ``write`` stay until the cell is written again; those of a ``read`` are other ones at every read. Constants
and formulas: He et al., "Noise injection adaption", DAC 2019, unless an effect names another source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass as plain_dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from simulators.training.chip.cells import STRICT, Cell

__all__ = ["Deviations", "Drift", "Effect", "Programming", "RandomTelegraph", "ThermalShot", "deviations"]

FloatArray = NDArray[np.float64]

BOLTZMANN_J_PER_K = 1.380649e-23
ELECTRON_C = 1.602176634e-19


class Effect(ABC):
    """A change of conductance, drawn for every cell by itself."""

    at: ClassVar[Literal["read", "write"]]

    @abstractmethod
    def mean_s(self, cell: Cell) -> FloatArray:
        """Mean change in siemens at each level, shape (levels,)."""

    @abstractmethod
    def variance_s2(self, cell: Cell) -> FloatArray:
        """Variance in siemens squared at each level, shape (levels,)."""


@dataclass(frozen=True, config=STRICT)
class ThermalShot(Effect):
    """Thermal and shot noise of the current through a cell: sigma^2 = G f (4 k T + 2 q V) / V^2."""

    at: ClassVar[Literal["read"]] = "read"

    def mean_s(self, cell: Cell) -> FloatArray:
        return np.zeros_like(cell.conductances_s)

    def variance_s2(self, cell: Cell) -> FloatArray:
        voltage = cell.kind.read_voltage_v
        noise = 4 * BOLTZMANN_J_PER_K * cell.temperature_k + 2 * ELECTRON_C * voltage
        found: FloatArray = cell.conductances_s * cell.read_rate_hz * noise / voltage**2
        return found


@dataclass(frozen=True, config=STRICT)
class Programming(Effect):
    """A cell is never written exactly: sigma is a third of a step between levels.

    Args:
        bits: of the cells whose step that is: a write that can tell 2^bits levels is as exact for cells that hold
            fewer. 0: of the cells themselves, that is, a write stops as soon as the level is right.
    """

    bits: Annotated[int, Field(ge=0, le=8)] = 8

    at: ClassVar[Literal["write"]] = "write"

    def mean_s(self, cell: Cell) -> FloatArray:
        return np.zeros_like(cell.conductances_s)

    def variance_s2(self, cell: Cell) -> FloatArray:
        return np.full_like(cell.conductances_s, (cell.step_of(self.bits or cell.bits) / 3) ** 2)


@dataclass(frozen=True, config=STRICT)
class RandomTelegraph(Effect):
    """A trapped electron raises a cell's conductance by G (b G + a) / (G - (b G + a)) half of the time.

    The formula has a pole where G is b G + a, near 1.7e-7 S. Below 1e-6 S, where it was never fitted, the change stays
    what it is there: 2.0e-7 S.

    Args:
        probability: of the raised state.
        a_s, b: of the fit.

    Raises:
        ValueError: b G + a is not below G at 1e-6 S.
    """

    probability: Annotated[float, Field(ge=0, le=1)] = 0.5
    a_s: Annotated[float, Field(ge=0)] = 1.662e-7
    b: Annotated[float, Field(ge=0)] = 0.0015

    LEAST_S: ClassVar[float] = 1e-6
    at: ClassVar[Literal["read"]] = "read"

    @model_validator(mode="after")
    def _formula_has_no_pole(self) -> RandomTelegraph:
        if self.b * self.LEAST_S + self.a_s >= self.LEAST_S:
            raise ValueError(f"with a_s {self.a_s:g} and b {self.b:g}, b G + a is not below G at 1e-6 S")
        return self

    def change_s(self, cell: Cell) -> FloatArray:
        """By how much the raised state conducts better, shape (levels,)."""
        conductance = np.maximum(cell.conductances_s, self.LEAST_S)
        slowed = self.b * conductance + self.a_s
        found: FloatArray = conductance * slowed / (conductance - slowed)
        return found

    def mean_s(self, cell: Cell) -> FloatArray:
        return self.probability * self.change_s(cell)

    def variance_s2(self, cell: Cell) -> FloatArray:
        found: FloatArray = self.probability * (1 - self.probability) * self.change_s(cell) ** 2
        return found


@dataclass(frozen=True, config=STRICT)
class Drift(Effect):
    """Conductance changes with temperature: by ``per_k`` of itself for every kelvin above ``written_at_k``.

    Args:
        per_k: relative change per kelvin. A metallic filament conducts less when it is hot.
        written_at_k: temperature at which cells are written and converters set.
    """

    per_k: Annotated[float, Field(ge=-1, le=1)] = -5e-4
    written_at_k: Annotated[float, Field(gt=0)] = 300.0

    at: ClassVar[Literal["read"]] = "read"

    def mean_s(self, cell: Cell) -> FloatArray:
        change = max(self.per_k * (cell.temperature_k - self.written_at_k), -1.0)  # no conductance is negative
        found: FloatArray = change * cell.conductances_s
        return found

    def variance_s2(self, cell: Cell) -> FloatArray:
        return np.zeros_like(cell.conductances_s)


@plain_dataclass(frozen=True, eq=False)
class Deviations:
    """What all effects do together, in steps between levels; arrays of shape (levels,).

    Args:
        mean: of writes and reads, beyond that of a reference column, half of whose cells are at each of the two levels
            in the middle: what these have in common with all others is not seen.
        written_variance: stays until the next write.
        read_variance: of every read.
    """

    mean: FloatArray
    written_variance: FloatArray
    read_variance: FloatArray


def deviations(cell: Cell, effects: Iterable[Effect]) -> Deviations:
    """Independent effects add up.

    Args:
        cell: in use.
        effects: any.
    """
    mean, variance = np.zeros(2**cell.bits), {at: np.zeros(2**cell.bits) for at in ("read", "write")}
    for effect in effects:
        mean += effect.mean_s(cell) / cell.step_s
        variance[effect.at] += effect.variance_s2(cell) / cell.step_s**2
    around = 2 ** (cell.bits - 1)
    return Deviations(mean - mean[around - 1 : around + 1].mean(), variance["write"], variance["read"])
