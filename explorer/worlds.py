"""Worlds: the problem of a search with one assumption of one hardware simulator at another value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.assumptions import SETTING
from explorer.simulator_problem import SimulatorProblem
from explorer.units import format_quantity
from simulators.protocol import Assumption, HardwareSimulator, InputError

__all__ = ["Shift", "World", "flips_at", "possible_shifts", "world"]

CLOSE = 1e-5  # of the value at which something flips

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Shift:
    """An assumption with the values that it is moved to.

    Args:
        simulator: its name in the search.
        assumption: as declared.
        standing: the value in force, which a setting of the simulator may have replaced.
        ends: the ends of its likely range that are other values.
    """

    simulator: str
    assumption: Assumption
    standing: float
    ends: tuple[float, ...]

    @property
    def name(self) -> str:
        """The assumption's name."""
        return self.assumption.name

    def text(self, value: float) -> str:
        """A value of it with its unit."""
        return format_quantity(value, self.assumption.unit)


@dataclass(frozen=True, eq=False)
class World:
    """A problem in which one assumption has another value.

    Args:
        shift: the assumption.
        value: that it has here.
        problem: with it.
    """

    shift: Shift
    value: float
    problem: SimulatorProblem

    @property
    def text(self) -> str:
        """What is different, such as ``gpu_layer_power_w = 24 W``."""
        return f"{self.shift.name} = {self.shift.text(self.value)}"


def possible_shifts(problem: SimulatorProblem, settings: Settings) -> list[Shift]:
    """Every assumption of the hardware simulators that is not known for certain.

    Args:
        problem: in which they stand as the settings say.
        settings: of each simulator.

    Raises:
        InputError: there is none.
    """
    hardware = {name: s for name, s in problem.simulators.items() if isinstance(s, HardwareSimulator)}
    found = []
    for name, simulator in hardware.items():
        values = {**simulator.in_force(), **(settings.get(name, {}).get(SETTING) or {})}
        for assumption in simulator.assumptions:
            standing = assumption.parse(values[assumption.name])
            ends = tuple(end for end in dict.fromkeys(assumption.likely_around(standing)) if end != standing)
            if ends:
                found.append(Shift(name, assumption, standing, ends))
    if not found:
        names = ", ".join(hardware) or "of which there is none"
        raise InputError(
            f"no hardware simulator of this search ({names}) declares assumptions that may be other values"
        )
    return found


def world(problem: SimulatorProblem, settings: Settings, shift: Shift, value: float) -> World:
    """The world in which an assumption has another value.

    Args:
        problem: of the search.
        settings: of each simulator, as in the search.
        shift: the assumption.
        value: that it takes.

    Raises:
        InputError: the simulator cannot be had with it.
    """
    own = dict(settings.get(shift.simulator, {}))
    own[SETTING] = {**(own.get(SETTING) or {}), shift.name: value}
    simulator = type(problem.simulators[shift.simulator])(own)
    return World(shift, value, problem.with_simulator(shift.simulator, simulator))


def flips_at(same: Callable[[float], bool], shift: Shift, end: float) -> tuple[float, float]:
    """The value of an assumption at which something flips, by bisection.

    Args:
        same: whether all is at a value as it stands; it is not at ``end``.
        shift: the assumption.
        end: of its range.

    Returns:
        A value at which it has not flipped, and one close to it at which it has.
    """
    whole = isinstance(shift.assumption.value, int)
    inside, outside = shift.standing, end
    while abs(outside - inside) > (1 if whole else CLOSE * max(abs(inside), abs(outside))):
        middle = (inside + outside) // 2 if whole else (inside + outside) / 2
        if same(middle):
            inside = middle
        else:
            outside = middle
    return inside, outside
