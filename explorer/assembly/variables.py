"""The variables that are searched and the fidelity, as a search file wants them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from explorer.assembly.loading import Collector, Loaded
from explorer.space import allowed_values, read_value
from explorer.spec import SearchSpec
from simulators.protocol import (
    BinaryVector,
    Bits,
    Categorical,
    Domain,
    Fidelity,
    InputError,
    Integer,
    TrainingSimulator,
    Variable,
    suggestion,
)

__all__ = ["right_for_some", "search_fidelity", "search_variables", "unsplit"]


def search_variables(
    loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector
) -> tuple[dict[str, Variable], list[Variable]]:
    """The variables that the needed simulators have: all of them, and those searched, as the search file wants them."""
    offered: dict[str, Variable] = {}
    elsewhere: dict[str, str] = {}
    for key, variables in loaded.variables.items():
        for name, variable in variables.items():
            if key in needed or not loaded.complete:
                try:
                    offered[name] = offered[name].shared_with(variable) if name in offered else variable
                except InputError as error:
                    found.add(error, f"variables.{name}")
            else:
                elsewhere[name] = key
    wanted = unsplit(spec.variables, offered, "variables", found)
    for name in wanted:
        if name in offered:
            continue
        if not loaded.complete:
            found.skip(f"variables.{name}", "simulators")
            continue
        if loaded.lacks(name, f"variables.{name}", found):
            continue
        if name in elsewhere:
            message = (
                f"only {elsewhere[name]} reads it, and no objective or constraint reads {elsewhere[name]}; remove it "
                "or add an objective"
            )
        else:
            message = f"unknown variable{suggestion(name, offered)}"
        found.add(InputError(message, f"variables.{name}"))
    chosen: list[Variable] = []
    for name, variable in offered.items():
        if name in loaded.uncertain and (name in wanted or variable.searched):
            if not right_for_some(loaded.uncertain[name], _chosen, wanted.get(name)):
                found.skip(f"variables.{name}", "workload")
            chosen.append(variable)
        elif name in wanted:
            try:
                chosen.append(_chosen(variable, wanted[name]))
            except InputError as error:
                found.add(error, f"variables.{name}")
                chosen.append(variable)  # so that what else is said of it can be looked at
        elif variable.searched:
            chosen.append(variable)
    if not chosen and offered and loaded.complete and found.right("variables"):
        example = f"variables: {{{next(iter(offered))}: search}}"
        found.add(InputError(f"nothing to search: choose among {', '.join(offered)}, such as `{example}`", "variables"))
    return offered, chosen


def right_for_some(versions: Iterable[Variable], read: Callable[[Variable, Any], object], value: Any) -> bool:
    """Whether a value can be read whichever of its versions a variable turns out to be."""
    for variable in versions:
        try:
            read(variable, value)
        except InputError:
            return False
    return True


def _chosen(variable: Variable, wanted: Any) -> Variable:
    """A variable restricted to what the search file says."""
    domain = variable.domain
    if wanted is None or wanted == "search":
        return variable
    restricted: Domain
    if isinstance(wanted, Mapping):
        if not isinstance(domain, Integer):
            raise InputError(f"{{low, high}} is for integers; {variable.name} is {allowed_values(variable)}")
        unknown = set(wanted) - {"low", "high"}
        if unknown:
            raise InputError(f"unknown {sorted(map(str, unknown))}; write {{low: {domain.low}, high: {domain.high}}}")
        low, high = (
            domain.parse(read_value(variable, wanted.get(end, getattr(domain, end)))) for end in ("low", "high")
        )
        restricted = Integer(low, high)
    else:
        values = [read_value(variable, value) for value in (wanted if isinstance(wanted, list) else [wanted])]
        if not values:
            raise InputError(f"the list is empty; choose {allowed_values(variable)}")
        bits = tuple(value for value in values if isinstance(value, Bits))
        restricted = replace(domain, choices=bits) if isinstance(domain, BinaryVector) else Categorical(values)
    try:
        default = restricted.parse(variable.default)
    except InputError:  # the simulator's default is not among the chosen values: the first of them then
        default = restricted.value(restricted.at(np.zeros(1, dtype=np.int64))[0])
    return replace(variable, domain=restricted, default=default)


def search_fidelity(loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector) -> Fidelity | None:
    """The range of the training simulator's fidelity, as the search file wants it; None without training."""
    simulators = {key: simulator for key, simulator in loaded.bench.simulators.items() if key in needed}
    training = [simulator for simulator in simulators.values() if isinstance(simulator, TrainingSimulator)]
    if loaded.guessed & set(simulators) or (not training and not loaded.complete):
        if spec.fidelity:
            found.skip("fidelity", "simulators")
        return None
    if not training:
        if spec.fidelity and found.right("objectives", "constraints"):
            found.add(InputError("no objective reads a training simulator, so there is none", "fidelity"))
        elif spec.fidelity:
            found.skip("fidelity", "objectives", "constraints")
        return None
    try:
        offered = training[0].fidelity()
    except InputError as error:
        found.add(error.under(f"simulators.{training[0].name}"))
        return None
    if not spec.fidelity:
        return offered
    try:
        if set(spec.fidelity) != {offered.name}:
            raise InputError(f"write {{{offered.name}: N}} or {{{offered.name}: {{low: 1, high: N}}}}", "fidelity")
        wanted = spec.fidelity[offered.name]
        limits = wanted if isinstance(wanted, Mapping) else {"low": wanted, "high": wanted}
        if not set(limits) <= {"low", "high"}:
            raise InputError(f"write N or {{low: 1, high: N}}, not {dict(limits)}", f"fidelity.{offered.name}")
        low, high = limits.get("low", offered.low), limits.get("high", offered.high)
        try:
            return Fidelity(offered.name, offered.parse(low), offered.parse(high))
        except InputError as error:
            raise InputError(error.message, f"fidelity.{offered.name}") from None
    except InputError as error:
        found.add(error)
        return None


def unsplit(given: Mapping[str, Any], known: Container[str], field: str, found: Collector) -> dict[str, Any]:
    """Values by variable in which YAML's ``{bn: C5,C7}``, two fields, is one value again; it is noted."""
    whole: dict[str, Any] = {}
    split: dict[str, None] = {}  # the names, in their order
    last = ""
    for name, value in given.items():
        beside = found.line(f"{field}.{name}") == found.line(f"{field}.{last}")
        if value is None and name not in known and isinstance(whole.get(last), str) and beside:
            whole[last] = f"{whole[last]},{name}"
            split[last] = None
        else:
            whole[name], last = value, name
    for name in split:
        message = f"a comma ends a value within {{...}}: quote it: {{{name}: '{whole[name]}'}}"
        found.add(InputError(message), f"{field}.{name}", mended=True)
    return whole
