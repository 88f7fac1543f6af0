"""Worlds: the problem of a search with one assumption, or one setting, of one hardware simulator at another value."""

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
DEFAULT = None  # stands for the default of a setting, which only its simulator knows

Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Shift:
    """An assumption with the values that it is moved to, or a setting with another value.

    Args:
        simulator: its name in the search.
        assumption: as declared; None for a setting.
        standing: the value in force, of an assumption what a setting may have replaced; None: a setting's default.
        ends: the ends of its likely range that are other values; of a setting one alternative.
        setting: its name.
    """

    simulator: str
    assumption: Assumption | None
    standing: Any
    ends: tuple[Any, ...]
    setting: str = ""

    @property
    def name(self) -> str:
        """The assumption's name, or the setting's."""
        return self.assumption.name if self.assumption else self.setting

    @property
    def label(self) -> str:
        """The name in a list of assumptions."""
        return self.name if self.assumption else f"setting {self.setting}"

    @property
    def key(self) -> dict[str, str | None]:
        """What it is, for programs."""
        assumption = self.assumption.name if self.assumption else None
        return {"simulator": self.simulator, "assumption": assumption, "setting": self.setting or None}

    def text(self, value: Any) -> str:
        """A value of it with its unit."""
        if self.assumption is None:
            return "default" if value is DEFAULT else str(value)
        return format_quantity(value, self.assumption.unit)

    def moved(self, settings: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """The simulator's settings with another value of it."""
        if self.assumption is not None:
            return {**settings, SETTING: {**(settings.get(SETTING) or {}), self.name: value}}
        rest = {name: given for name, given in settings.items() if name != self.setting}
        return rest if value is DEFAULT else {**rest, self.setting: value}


@dataclass(frozen=True, eq=False)
class World:
    """A problem in which one assumption or setting has another value.

    Args:
        shift: the assumption or setting.
        value: that it has here.
        problem: with it.
    """

    shift: Shift
    value: Any
    problem: SimulatorProblem

    @property
    def text(self) -> str:
        """What is different, such as ``gpu_layer_power_w = 24 W``."""
        return f"{self.shift.name} = {self.shift.text(self.value)}"


def possible_shifts(problem: SimulatorProblem, settings: Settings) -> list[Shift]:
    """Every assumption of the hardware simulators that is not known for certain, and their alternative settings.

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
        for setting, others in simulator.alternatives.items():
            given = settings.get(name, {}).get(setting, DEFAULT)
            found += [Shift(name, None, given, (other,), setting) for other in others if other != given]
            if given is not DEFAULT:
                found.append(Shift(name, None, given, (DEFAULT,), setting))
    if not found:
        names = ", ".join(hardware) or "of which there is none"
        raise InputError(
            f"no hardware simulator of this search ({names}) declares assumptions that may be other values"
        )
    return found


def world(problem: SimulatorProblem, settings: Settings, shift: Shift, value: Any) -> World:
    """The world in which an assumption or a setting has another value.

    Args:
        problem: of the search.
        settings: of each simulator, as in the search.
        shift: the assumption or setting.
        value: that it takes.

    Raises:
        InputError: the simulator cannot be had with it.
    """
    own = shift.moved(settings.get(shift.simulator, {}), value)
    simulator = type(problem.simulators[shift.simulator])(own)
    return World(shift, value, problem.with_simulator(shift.simulator, simulator))


def flips_at(same: Callable[[float], bool], shift: Shift, end: Any) -> tuple[Any, Any]:
    """The value at which something flips: of an assumption by bisection, of a setting the other value.

    Args:
        same: whether all is at a value as it stands; it is not at ``end``.
        shift: the assumption or setting.
        end: of its range.

    Returns:
        A value at which it has not flipped, and one close to it at which it has.
    """
    inside, outside = shift.standing, end
    if shift.assumption is None:
        return inside, outside
    whole = isinstance(shift.assumption.value, int)
    while abs(outside - inside) > (1 if whole else CLOSE * max(abs(inside), abs(outside))):
        middle = (inside + outside) // 2 if whole else (inside + outside) / 2
        if same(middle):
            inside = middle
        else:
            outside = middle
    return inside, outside
