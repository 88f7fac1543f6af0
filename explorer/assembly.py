"""From a search file to a problem: simulators, space, objectives, constraints and initial designs put together.

All that is wrong is collected first and reported together.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.evaluation import Proposal
from explorer.expressions import parse
from explorer.outline import HELD_OUT
from explorer.problem import Problem
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space, condition
from explorer.spec import Mistake, SearchFileError, SearchSpec, mistake_of, parse_spec
from explorer.strategies import Strategy, make_strategy
from explorer.yaml_source import Source
from objectives import Objective, find_objective
from simulators.protocol import (
    SIMULATORS,
    STRATEGIES,
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Domain,
    Fidelity,
    InputError,
    Integer,
    Simulator,
    TrainingSimulator,
    Variable,
    Workload,
    find_plugin,
    load_simulator,
    plugin_names,
    suggestion,
)

__all__ = ["Assembly", "assemble", "assemble_source"]


@dataclass(frozen=True)
class Assembly:
    """A search, ready to run.

    Args:
        spec: the search file.
        problem: what is searched.
        initial: designs that are evaluated first.
    """

    spec: SearchSpec
    problem: SimulatorProblem
    initial: tuple[Proposal, ...]

    def strategy(self) -> Strategy:
        """The strategy, new."""
        return make_strategy(self.spec.strategy.name, self.problem, self.spec.seed, self.spec.strategy.options)


class _Collector:
    """Collects mistakes, so that one pass finds them all."""

    def __init__(self, source: Source | None, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = list(mistakes)

    def add(self, error: InputError, field: str = "") -> None:
        self.mistakes.append(mistake_of(error.under(field) if field else error, self.source))

    def right(self, *sections: str) -> bool:
        """Whether nothing wrong was found in any of these sections of the file."""
        return not any(mistake.field.partition(".")[0] in sections for mistake in self.mistakes)

    def stop(self, name: str) -> None:
        if self.mistakes:
            raise SearchFileError(self.mistakes, name)


def assemble_source(source: Source, folder: Path, name: str = "search") -> Assembly:
    """Put a search together from plain data.

    Args:
        source: of the search.
        folder: relative paths in it start here.
        name: of the file, for messages.

    Raises:
        SearchFileError: everything that is wrong, of fields and of what they mean together.
    """
    mistakes: tuple[Mistake, ...] = ()
    try:
        spec = parse_spec(source)
    except SearchFileError as error:
        if error.rest is None:
            raise
        spec, mistakes = error.rest, error.mistakes
    return assemble(spec, folder, source=source, name=name, mistakes=mistakes)


def assemble(
    spec: SearchSpec,
    folder: Path,
    *,
    source: Source | None = None,
    checkpoints: Path | None = None,
    check_run: bool = True,
    name: str = "search",
    mistakes: Sequence[Mistake] = (),
) -> Assembly:
    """Put a search together.

    Args:
        spec: the search file.
        folder: relative paths in it start here.
        source: for line numbers.
        checkpoints: folder shared by all workers; None keeps nothing.
        check_run: also check what a run needs (data, a feasible design); reading a study does not.
        name: of the file, for messages.
        mistakes: found before; ``spec`` then lacks the sections that have them.

    Raises:
        SearchFileError: everything that is wrong. What only follows from another mistake is not told.
    """
    found = _Collector(source, mistakes)
    workload = Workload(
        spec.workload.network, spec.workload.dataset, spec.workload.mode, spec.workload.input_size,
        spec.workload.classes, tuple(sorted(spec.workload.options.items())),
    )  # fmt: skip
    bench = Bench(_simulators(spec, folder, found), workload)
    objectives = _objectives(spec, folder, found)
    _check_names(spec, found)
    if len(bench.simulators) < len(spec.simulators) or not found.right("simulators", "workload"):
        if found.right("workload"):  # the simulators that there are know whether it can be had
            _check_workload(bench, found)
        found.stop(name)
    needed = _needed(bench, objectives, spec, found)
    variables = _variables(bench, needed, spec, found)
    fidelity = _fidelity(bench, needed, spec, found)
    if check_run:
        _check_simulators(bench, needed, spec, found)
    if not variables:
        found.stop(name)
    space = Space(variables)
    problem = _problem(bench, space, objectives, fidelity, spec, checkpoints, found)
    if problem is None:
        _designs(space, spec, found)
        found.stop(name)
        raise AssertionError("a problem that cannot be built has a mistake")
    initial = _initial(problem, spec, found)
    if check_run:
        try:
            problem.check_feasible()
        except InputError as error:
            found.add(error)
    if found.right("strategy"):
        _check_strategy(problem, spec, found, suggest=check_run and not found.mistakes)
    found.stop(name)
    return Assembly(spec, problem, initial)


def _check_workload(bench: Bench, found: _Collector) -> None:
    for simulator in bench.simulators.values():
        try:
            simulator.variables(bench.workload)
        except InputError as error:
            found.add(error)


def _place(error: InputError, simulator: str, spec: SearchSpec) -> str:
    """What to put before the field of a simulator's complaint: nothing if the file has that field at the top."""
    head = error.field.partition(".")[0]
    at_top = head in SearchSpec.model_fields and head not in spec.simulators[simulator]
    return "" if at_top else f"simulators.{simulator}"


def _simulators(spec: SearchSpec, folder: Path, found: _Collector) -> dict[str, Simulator]:
    simulators: dict[str, Simulator] = {}
    for name, settings in spec.simulators.items():
        try:
            kind = load_simulator(name)
        except InputError as error:
            found.add(error, "simulators")
            continue
        if issubclass(kind, TrainingSimulator):
            settings = dict(settings)
            if spec.proxy is not None:
                settings.setdefault("proxy", spec.proxy)
            if spec.data_dir is not None:
                settings.setdefault("data_dir", str(folder / os.path.expanduser(spec.data_dir)))
        try:
            simulators[name] = kind(settings)
        except InputError as error:
            found.add(error, _place(error, name, spec))
    if not spec.simulators and found.right("simulators"):
        found.add(InputError(f"name at least one{suggestion('', plugin_names(SIMULATORS))}", "simulators"))
    return simulators


def _check_simulators(bench: Bench, needed: set[str], spec: SearchSpec, found: _Collector) -> None:
    """Look at what a run needs: data, devices."""
    for key, simulator in bench.simulators.items():
        if key in needed:
            try:
                simulator.check(bench.workload)
            except InputError as error:
                found.add(error, _place(error, key, spec))


def _objectives(spec: SearchSpec, folder: Path, found: _Collector) -> list[Objective]:
    objectives: list[Objective] = []
    for index, name in enumerate(spec.objectives if found.right("objectives") else ()):
        try:
            objective = find_objective(name, folder)
        except InputError as error:
            found.add(error, f"objectives.{index}")
            continue
        if objective.name in [other.name for other in objectives]:
            found.add(InputError(f"objective '{objective.name}' is named twice", f"objectives.{index}"))
        objectives.append(objective)
    return objectives


def _check_names(spec: SearchSpec, found: _Collector) -> None:
    """What can be said of constraints and of the strategy by themselves."""
    for index, text in enumerate(spec.constraints):
        try:
            parse(text)
        except InputError as error:
            found.add(error, f"constraints.{index}")
    try:
        find_plugin(STRATEGIES, spec.strategy.name, "strategy")
    except InputError as error:
        found.add(error, "strategy")


def _check_strategy(problem: Problem, spec: SearchSpec, found: _Collector, *, suggest: bool) -> None:
    """Make the strategy and let it suggest once: many an option is only looked at then."""
    options = spec.strategy.options
    try:
        strategy = make_strategy(spec.strategy.name, problem, spec.seed, options)
        if suggest:
            strategy.suggest(1)
    except InputError as error:
        found.add(error, "" if error.field else "strategy")
    except (TypeError, ValueError, AttributeError) as error:
        found.add(InputError(f"{spec.strategy.name} cannot suggest with {options}: {error}", "strategy.options"))


def _needed(bench: Bench, objectives: list[Objective], spec: SearchSpec, found: _Collector) -> set[str]:
    """The simulators that some objective or constraint reads; all of them while that cannot be told."""
    needed: set[str] = set()
    for index, objective in enumerate(objectives):
        try:
            needed |= needed_simulators(bench, [objective], ())
        except InputError as error:
            found.add(InputError(f"objective '{objective.name}': {error.message}", f"objectives.{index}"))
    if not found.right("objectives", "constraints"):
        return set(bench.simulators)
    return needed | needed_simulators(bench, (), spec.constraints)


def _variables(bench: Bench, needed: set[str], spec: SearchSpec, found: _Collector) -> list[Variable]:
    """The variables that the needed simulators have, as the search file wants them."""
    offered: dict[str, Variable] = {}
    elsewhere: dict[str, str] = {}
    for key, simulator in bench.simulators.items():
        try:
            for variable in simulator.variables(bench.workload):
                if key in needed:
                    offered.setdefault(variable.name, variable)
                else:
                    elsewhere[variable.name] = key
        except InputError as error:
            found.add(error)
    if not found.right("workload"):
        return []
    for name in spec.variables:
        if name in offered:
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
        if name in spec.variables:
            try:
                chosen.append(_chosen(variable, spec.variables[name]))
            except InputError as error:
                found.add(error, f"variables.{name}")
                chosen.append(variable)  # so that what else is said of it can be looked at
        elif variable.searched:
            chosen.append(variable)
    if not chosen and found.right("variables"):
        found.add(InputError(f"nothing to search: choose among {', '.join(offered)}", "variables"))
    return chosen


def _chosen(variable: Variable, wanted: Any) -> Variable:
    """A variable restricted to what the search file says."""
    domain = variable.domain
    if wanted is None or wanted == "search":
        return variable
    restricted: Domain
    if isinstance(wanted, Mapping):
        if not isinstance(domain, Integer):
            raise InputError(f"{{low, high}} is for integers; {variable.name} is {domain.allowed}")
        unknown = set(wanted) - {"low", "high"}
        if unknown:
            raise InputError(f"unknown {sorted(map(str, unknown))}; write {{low: {domain.low}, high: {domain.high}}}")
        low, high = domain.parse(wanted.get("low", domain.low)), domain.parse(wanted.get("high", domain.high))
        restricted = Integer(low, high)
    else:
        values = [domain.parse(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
        if not values:
            raise InputError(f"the list is empty; choose {domain.allowed}")
        bits = tuple(value for value in values if isinstance(value, Bits))
        restricted = replace(domain, choices=bits) if isinstance(domain, BinaryVector) else Categorical(values)
    try:
        default = restricted.parse(variable.default)
    except InputError:  # the simulator's default is not among the chosen values: the first of them then
        default = restricted.value(restricted.at(np.zeros(1, dtype=np.int64))[0])
    return replace(variable, domain=restricted, default=default)


def _fidelity(bench: Bench, needed: set[str], spec: SearchSpec, found: _Collector) -> Fidelity | None:
    training = [s for key, s in bench.simulators.items() if key in needed and isinstance(s, TrainingSimulator)]
    if not training:
        if spec.fidelity and found.right("objectives", "constraints"):
            found.add(InputError("no objective reads a training simulator, so there is none", "fidelity"))
        return None
    offered = training[0].fidelity()
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


def _problem(
    bench: Bench, space: Space, objectives: list[Objective], fidelity: Fidelity | None, spec: SearchSpec,
    checkpoints: Path | None, found: _Collector,
) -> SimulatorProblem | None:  # fmt: skip
    if found.right("objectives", "variables"):  # else names would be missing
        units = {**bench.units(bench.simulators), **{o.name: o.unit for o in objectives}, **space.units}
        for index, text in enumerate(spec.constraints if found.right("constraints") else ()):
            try:
                parsed = condition(text, units, space.lengths, f"constraints.{index}")
                if held_out := sorted(name for name in parsed.names if name.startswith(HELD_OUT)):
                    message = f"no search may look at {held_out[0]}: it is held out for the final report"
                    raise InputError(message, f"constraints.{index}")
            except InputError as error:
                found.add(error)
    if found.mistakes:
        return None
    try:
        return SimulatorProblem(
            bench,
            space,
            objectives,
            constraints=spec.constraints,
            fidelity=fidelity,
            seed=spec.seed,
            checkpoints=checkpoints,
        )
    except InputError as error:
        found.add(error)
        return None


def _designs(space: Space, spec: SearchSpec, found: _Collector) -> list[tuple[int, Design]]:
    """The initial designs that can be read, with their numbers."""
    designs = []
    for index, values in enumerate(spec.initial):
        try:
            designs.append((index, space.design(values)))
        except InputError as error:
            unknown = error.field not in space.variables
            if not unknown or found.right("variables"):
                found.add(error, f"initial.{index}")
    return designs


def _initial(problem: Problem, spec: SearchSpec, found: _Collector) -> tuple[Proposal, ...]:
    proposals = []
    for index, design in _designs(problem.space, spec, found):
        if problem.known(problem.space.designs([design])).feasible[0]:
            proposals.append(Proposal(design, problem.full_fidelity, strategy="initial"))
        else:
            message = (
                f"{problem.space.describe(design)} cannot be evaluated: {problem.why_infeasible(design)}; give other "
                "values, or name the variables that it leaves to their defaults"
            )
            found.add(InputError(message, f"initial.{index}"))
    return tuple(proposals)
