"""Assumptions as a person writes them: ``ambient_k: 20 C`` is 293.15 of one in K."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from explorer.units import read_quantity
from simulators.protocol import InputError, Simulator

__all__ = ["SETTING", "with_plain_assumptions"]

SETTING = "assumptions"
"""The setting of a simulator that replaces them."""


def with_plain_assumptions(kind: type[Simulator], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A simulator's settings, assumptions with a unit as numbers in the unit of each.

    Args:
        kind: the simulator.
        settings: as read from a file; what is no such quantity stays, and the simulator says what is wrong with it.
    """
    own = dict(settings)
    if not isinstance(own.get(SETTING), Mapping):
        return own
    units = {assumption.name: assumption.unit for assumption in kind.assumptions}
    own[SETTING] = {name: _number(value, units.get(name)) for name, value in own[SETTING].items()}
    return own


def _number(value: object, unit: str | None) -> object:
    if isinstance(value, str) and unit is not None:
        with suppress(InputError):
            number = read_quantity(value, unit)
            return value if number is None else number
    return value
