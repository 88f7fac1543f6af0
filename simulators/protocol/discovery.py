"""Plug-ins by name, through Python entry points."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from simulators.protocol.errors import InputError
from simulators.protocol.simulator import Simulator

__all__ = [
    "NETWORKS",
    "OBJECTIVES",
    "SIMULATORS",
    "STRATEGIES",
    "find_plugin",
    "load_simulator",
    "plugin_names",
    "suggestion",
]

SIMULATORS = "reram_explorer.simulators"
OBJECTIVES = "reram_explorer.objectives"
STRATEGIES = "reram_explorer.strategies"
NETWORKS = "reram_explorer.networks"


@cache
def _group(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def suggestion(word: str, known: Iterable[str]) -> str:
    """A tail for messages: `` (did you mean 'x'?)``, or what there is when nothing is close."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f" (did you mean '{close[0]}'?)"
    return f"; known: {', '.join(names)}" if names else ""


def plugin_names(group: str) -> list[str]:
    """Names registered under an entry-point group, sorted."""
    return sorted(_group(group))


def find_plugin(group: str, name: str, what: str) -> Any:
    """The object registered as ``name``.

    Args:
        group: one of the groups above.
        name: the plug-in's name.
        what: what it is, for messages ('simulator').

    Raises:
        InputError: there is none of that name, or importing it failed.
    """
    points = _group(group)
    if name not in points:
        raise InputError(f"unknown {what} '{name}'{suggestion(name, points)}")
    try:
        return points[name].load()
    except ImportError as error:
        raise InputError(f"{what} '{name}' ({points[name].value}) cannot be imported: {error}") from error


def load_simulator(name: str) -> type[Simulator]:
    """The simulator class registered as ``name``.

    Raises:
        InputError: unknown name, or not a simulator.
    """
    found = find_plugin(SIMULATORS, name, "simulator")
    if not (isinstance(found, type) and issubclass(found, Simulator)):
        raise InputError(f"simulator '{name}' is registered as {found!r}, which is not a subclass of Simulator")
    return found
