"""Every fitted or guessed number under its own name, with its range and source, and open to be overridden.

A simulator declares its assumptions once, as a tuple of :class:`Assumption`. Its settings may replace any of them::

    simulators: {deeptrain: {assumptions: {bn_lane_instructions_per_element: 50}}}
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from simulators.protocol.discovery import suggestion
from simulators.protocol.errors import InputError

__all__ = ["Assumption", "Assumptions"]


@dataclass(frozen=True)
class Assumption:
    """One number that no table of the paper gives.

    Args:
        name: as written in settings; ends in its SI unit where it has one.
        value: the default; an integer stands for a count and may be replaced by an integer only.
        unit: SI unit, or a plain word (``bit``).
        low, high: the range within which the model makes sense, both included: other replacements are refused.
        source: where the number comes from: a publication, or the statement that it was fitted to.
        meaning: one line.
        likely: where the truth most probably lies, the range that ``rex sweep --assumptions`` moves it over; by
            default half to twice the value, as far as that makes sense. Two equal ends: it is known.
        counts_if: when it changes something at all, if not always: a setting with its value (``link_time: counted``),
            or words (``in inference``).
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    meaning: str
    likely: tuple[float, float] = (math.nan, math.nan)
    counts_if: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.likely[0]):
            half, twice = sorted(
                (-(-self.value // 2) if isinstance(self.value, int) else self.value / 2, self.value * 2)
            )
            object.__setattr__(self, "likely", (max(half, self.low), min(twice, self.high)))
        for what, low, high in (("allowed", self.low, self.high), ("likely", *self.likely)):
            if not low <= self.value <= high:
                raise ValueError(f"{self.name} = {self.value} lies outside its own {what} range {low} to {high}")
        if self.likely[0] < self.low or self.likely[1] > self.high:
            raise ValueError(f"{self.name}: what is likely, {self.likely}, goes beyond {self.low} to {self.high}")

    def parse(self, value: object) -> float:
        """``value`` as a replacement of the default.

        Raises:
            InputError: it is not a number of the right kind, or outside the range.
        """
        kind = "an integer" if isinstance(self.value, int) else "a number"
        if isinstance(value, str):  # YAML reads 40e-12 as text
            try:
                value = float(value)
            except ValueError:
                raise InputError(f"{value!r} is not {kind}; choose {self._range}", self.name) from None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{value!r} is not {kind}; choose {self._range}", self.name)
        if isinstance(self.value, int):
            if value != int(value):
                raise InputError(f"{value!r} is not an integer; choose {self._range}", self.name)
            value = int(value)
        if not self.low <= value <= self.high:
            raise InputError(f"{value!r} is outside the range of this model; choose {self._range}", self.name)
        return value

    def likely_around(self, standing: float) -> tuple[float, float]:
        """Where the truth most probably lies if another value stands: one outside what is likely moves that with it.

        Args:
            standing: the value in force.

        Returns:
            The likely range; in proportion to ``standing`` if that lies outside, as far as the model makes sense.
        """
        low, high = self.likely
        if low == high or low <= standing <= high or not (self.value and standing):
            return self.likely
        ends = sorted(end * standing / self.value for end in self.likely)
        if isinstance(self.value, int):
            ends = [round(end) for end in ends]
        return max(ends[0], self.low), min(ends[1], self.high)

    @property
    def _range(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()


class Assumptions(Mapping[str, float]):
    """The values in force: the declared ones, some of them replaced. Read as ``assumed["name"]``; never changes.

    Args:
        declared: a simulator's assumptions, names unique.
        replaced: new values by name, as read from a settings file.

    Raises:
        InputError: ``replaced`` names something that is not declared, or a value outside its range.
    """

    def __init__(self, declared: Iterable[Assumption], replaced: Mapping[str, object] | None = None) -> None:
        self.declared = {assumption.name: assumption for assumption in declared}
        self._values = {name: assumption.value for name, assumption in self.declared.items()}
        for name, value in (replaced or {}).items():
            if name not in self.declared:
                raise InputError(f"there is no such assumption{suggestion(str(name), self.declared)}", str(name))
            self._values[name] = self.declared[name].parse(value)

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def replaced(self) -> dict[str, float]:
        """Those that differ from what is declared."""
        return {name: value for name, value in self.items() if value != self.declared[name].value}
