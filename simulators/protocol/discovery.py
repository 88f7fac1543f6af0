"""Plug-ins by name, through Python entry points."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
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
    "also_known",
    "find_plugin",
    "load_simulator",
    "nearest",
    "plugin_names",
    "plugins",
    "suggestion",
]

SIMULATORS = "reram_explorer.simulators"
OBJECTIVES = "reram_explorer.objectives"
STRATEGIES = "reram_explorer.strategies"
NETWORKS = "reram_explorer.networks"

ALIKE = 0.6  # from here on a name is taken for a misspelt one: the cutoff of difflib.get_close_matches
MANY = 12  # names that a message still lists
SHOWN = 5  # of more


@cache
def _group(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def plugins() -> dict[str, dict[str, str]]:
    """Of every group the names with what they stand for, such as ``package.module:Class``."""
    groups = (SIMULATORS, OBJECTIVES, STRATEGIES, NETWORKS)
    return {group: {name: point.value for name, point in _group(group).items()} for group in groups}


def also_known(elsewhere: Mapping[str, Mapping[str, str]]) -> None:
    """Take over names from another process: code that came without being installed has none of its own.

    Args:
        elsewhere: what :func:`plugins` gave there.
    """
    for group, names in elsewhere.items():
        for name, value in names.items():
            _group(group).setdefault(name, EntryPoint(name, value, group))


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """The names that a misspelt one may mean: the most alike, several where they are equally so; none where none is."""
    ranked = _ranked(word, known)
    return sorted(name for likeness, name in ranked if likeness >= ALIKE and likeness == ranked[0][0])[:SHOWN]


def suggestion(word: str, known: Iterable[str], listing: str = "") -> str:
    """A tail for messages: `` (did you mean 'x'?)``, or what there is when nothing is close.

    Args:
        word: as written.
        known: the names that there are; of many, only those most like ``word`` are shown.
        listing: the command that lists all of them.
    """
    names = sorted({str(name) for name in known})
    if close := [f"'{name}'" for name in nearest(word, names)]:
        either = f"{', '.join(close[:-1])} or {close[-1]}" if len(close) > 1 else close[0]
        return f" (did you mean {either}?)"
    if len(names) > MANY:
        names = [name for _, name in _ranked(word, names)[:SHOWN]]
        return f"; the nearest: {', '.join(names)}" + (f" ({listing} shows all)" if listing else "")
    return f"; known: {', '.join(names)}" if names else ""


def _ranked(word: str, known: Iterable[str]) -> list[tuple[float, str]]:
    """Names with how much they are like a word (0 to 1), the most alike first."""
    matcher = difflib.SequenceMatcher(b=word)
    ranked = []
    for name in map(str, known):
        matcher.set_seq1(name)
        ranked.append((matcher.ratio(), name))
    return sorted(ranked, key=lambda pair: (-pair[0], pair[1]))


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
    except (ImportError, AttributeError) as error:  # no such module, or nothing of that name in it
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
