"""Misspelt names that can mean but one thing: noted, and put right so that all other checks go on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from explorer.assembly.loading import Collector
from explorer.spec import SearchSpec
from objectives import objective_names
from simulators.protocol import (
    NETWORKS,
    SIMULATORS,
    STRATEGIES,
    InputError,
    is_in_file,
    load_simulator,
    nearest,
    plugin_names,
    suggestion,
)

__all__ = ["with_near_names"]


def with_near_names(spec: SearchSpec, found: Collector) -> SearchSpec:
    """A search in which names that are nearly right are right; without simulators, those that there are.

    Args:
        spec: the search file.
        found: receives what is wrong.
    """
    changes: dict[str, Any] = {"simulators": _simulators(spec, found)}
    networks = [] if is_in_file(spec.workload.network) else plugin_names(NETWORKS)
    if network := _meant(spec.workload.network, networks, "network", "workload.network", found):
        changes["workload"] = spec.workload.model_copy(update={"network": network})
    if strategy := _meant(spec.strategy.name, plugin_names(STRATEGIES), "strategy", "strategy", found):
        changes["strategy"] = spec.strategy.model_copy(update={"name": strategy})
    changes["objectives"] = [
        name
        if ":" in name  # of a file
        else _meant(name, objective_names(), "objective", f"objectives.{index}", found, besides=spec.objectives) or name
        for index, name in enumerate(spec.objectives)
    ]
    return spec.model_copy(update=changes)


def _meant(
    name: str, known: Iterable[str], what: str, field: str, found: Collector, besides: Iterable[str] = ()
) -> str | None:
    """The one name that a misspelt one can mean; None if it is right, or may mean several or none of them."""
    near = nearest(name, known)
    if len(near) != 1 or near[0] == name or near[0] in besides:
        return None
    message = f"unknown {what} '{name}'{suggestion(name, near)}; the other checks go by that"
    found.add(InputError(message, field), mended=True)
    return near[0]


def _simulators(spec: SearchSpec, found: Collector) -> dict[str, dict[str, Any]]:
    known = plugin_names(SIMULATORS)
    if not spec.simulators:
        return _installed(known, found)
    simulators = {}
    for name, settings in spec.simulators.items():
        meant = _meant(name, known, "simulator", "simulators", found, besides=spec.simulators)
        if meant and found.source:  # what is wrong with its settings is told under its right name
            found.source = found.source.also(f"simulators.{name}", f"simulators.{meant}")
        simulators[meant or name] = settings
    return simulators


def _installed(known: Iterable[str], found: Collector) -> dict[str, dict[str, Any]]:
    """What stands in for simulators that are not named: of every kind the one that is called like it, or the first."""
    if found.right("simulators"):
        found.add(InputError(f"name at least one{suggestion('', known)}", "simulators"))
    kinds: dict[str, list[str]] = {}
    for name in known:
        kinds.setdefault(load_simulator(name).kind, []).append(name)
    assumed = [kind if kind in names else names[0] for kind, names in kinds.items()]
    found.mistakes = [
        replace(mistake, message=f"{mistake.message}; the other checks go by [{', '.join(assumed)}]", mended=True)
        if mistake.field == "simulators" and assumed
        else mistake
        for mistake in found.mistakes
    ]
    return {name: {} for name in assumed}
