"""From a search file to a problem: simulators, space, objectives, constraints and initial designs put together.

All that is wrong is collected first and reported together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.evaluation import Proposal
from explorer.expressions import parse
from explorer.problem import Problem
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space, condition
from explorer.spec import Mistake, SearchFileError, SearchSpec, mistake_of
from explorer.strategies import Strategy, make_strategy
from explorer.yaml_source import Source
from objectives import Objective, find_objective
from simulators.protocol import (
    BinaryVector,
    Bits,
    Categorical,
    Domain,
    Fidelity,
    InputError,
    Integer,
    Simulator,
    TrainingSimulator,
    Variable,
    Workload,
    load_simulator,
    suggestion,
)

__all__ = ["Assembly", "assemble"]


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

    def __init__(self, source: Source | None) -> None:
        self.source = source
        self.mistakes: list[Mistake] = []

    def add(self, error: InputError, field: str = "") -> None:
        if isinstance(error, SearchFileError):
            self.mistakes += error.mistakes
            return
        self.mistakes.append(mistake_of(error.under(field) if field else error, self.source))

    def stop(self, name: str) -> None:
        if self.mistakes:
            raise SearchFileError(list(dict.fromkeys(self.mistakes)), name)


def assemble(
    spec: SearchSpec,
    folder: Path,
    *,
    source: Source | None = None,
    checkpoints: Path | None = None,
    check_run: bool = True,
    name: str = "search",
) -> Assembly:
    """Put a search together.

    Args:
        spec: the search file.
        folder: relative paths in it start here.
        source: for line numbers.
        checkpoints: folder shared by all workers; None keeps nothing.
        check_run: also check what a run needs (data, a feasible design); reading a study does not.
        name: of the file, for messages.

    Raises:
        SearchFileError: everything that is wrong.
    """
    found = _Collector(source)
    workload = Workload(
        spec.workload.network, spec.workload.dataset, spec.workload.mode, spec.workload.input_size,
        spec.workload.classes, tuple(sorted(spec.workload.options.items())),
    )  # fmt: skip
    bench = Bench(_simulators(spec, folder, found), workload)
    objectives = _objectives(spec, folder, found)
    if found.mistakes:
        found.stop(name)
    needed = _needed(bench, objectives, spec, found)
    variables = _variables(bench, needed, spec, found)
    found.stop(name)
    space = Space(variables)
    fidelity = _fidelity(bench, needed, spec, found)
    problem = _problem(bench, space, objectives, fidelity, spec, checkpoints, found)
    if problem is None:
        found.stop(name)
        raise AssertionError("a problem that cannot be built has a mistake")
    initial = _initial(problem, spec, found)
    try:
        make_strategy(spec.strategy.name, problem, spec.seed, spec.strategy.options)
    except InputError as error:
        found.add(error, "" if error.field else "strategy")
    if check_run:
        for key, simulator in problem.simulators.items():
            try:
                simulator.check(workload)
            except InputError as error:
                found.add(error, "" if error.field else f"simulators.{key}")
        try:
            problem.check_feasible()
        except InputError as error:
            found.add(error)
    found.stop(name)
    return Assembly(spec, problem, initial)


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
                settings.setdefault("data_dir", str(folder / Path(spec.data_dir).expanduser()))
        try:
            simulators[name] = kind(settings)
        except InputError as error:
            head = error.field.partition(".")[0]
            at_top = head in ("proxy", "data_dir") and head not in spec.simulators[name]
            found.add(error, "" if at_top else f"simulators.{name}")
    if not spec.simulators:
        found.add(InputError(f"name at least one{suggestion('', ())}, such as deeptrain", "simulators"))
    return simulators


def _objectives(spec: SearchSpec, folder: Path, found: _Collector) -> list[Objective]:
    objectives: list[Objective] = []
    for index, name in enumerate(spec.objectives):
        try:
            objective = find_objective(name, folder)
        except InputError as error:
            found.add(error, f"objectives.{index}")
            continue
        if objective.name in [other.name for other in objectives]:
            found.add(InputError(f"objective '{objective.name}' is named twice", f"objectives.{index}"))
        objectives.append(objective)
    return objectives


def _needed(bench: Bench, objectives: list[Objective], spec: SearchSpec, found: _Collector) -> set[str]:
    """The simulators that some objective or constraint reads."""
    needed: set[str] = set()
    for index, objective in enumerate(objectives):
        try:
            needed |= needed_simulators(bench, [objective], ())
        except InputError as error:
            found.add(InputError(f"objective '{objective.name}': {error.message}", f"objectives.{index}"))
    for index, text in enumerate(spec.constraints):
        try:
            parse(text)
            needed |= needed_simulators(bench, (), [text])
        except InputError as error:
            found.add(error, f"constraints.{index}")
    return needed


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
        try:
            if name in spec.variables:
                chosen.append(_chosen(variable, spec.variables[name]))
            elif variable.searched:
                chosen.append(variable)
        except InputError as error:
            found.add(error, f"variables.{name}")
    if not chosen and not found.mistakes:
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
        if spec.fidelity:
            found.add(InputError("no objective reads a training simulator, so there is none", "fidelity"))
        return None
    offered = training[0].fidelity()
    if not spec.fidelity:
        return offered
    try:
        if set(spec.fidelity) != {offered.name}:
            raise InputError(f"write {{{offered.name}: N}} or {{{offered.name}: {{low: 1, high: N}}}}", "fidelity")
        wanted = spec.fidelity[offered.name]
        low, high = wanted, wanted
        if isinstance(wanted, Mapping):
            low, high = wanted.get("low", 1), wanted.get("high", offered.high)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in (low, high)):
            raise InputError(f"{wanted!r} is not a whole number of {offered.name}", f"fidelity.{offered.name}")
        return Fidelity(offered.name, low, high)
    except InputError as error:
        found.add(error)
        return None


def _problem(
    bench: Bench, space: Space, objectives: list[Objective], fidelity: Fidelity | None, spec: SearchSpec,
    checkpoints: Path | None, found: _Collector,
) -> SimulatorProblem | None:  # fmt: skip
    constraints = []
    units = {**bench.units(bench.simulators), **{o.name: o.unit for o in objectives}, **space.units}
    for index, text in enumerate(spec.constraints):
        try:
            condition(text, units, space.lengths, f"constraints.{index}")
            constraints.append(text)
        except InputError as error:
            found.add(error)
    if found.mistakes:
        return None
    try:
        return SimulatorProblem(
            bench,
            space,
            objectives,
            constraints=constraints,
            fidelity=fidelity,
            seed=spec.seed,
            checkpoints=checkpoints,
        )
    except InputError as error:
        found.add(error)
        return None


def _initial(problem: Problem, spec: SearchSpec, found: _Collector) -> tuple[Proposal, ...]:
    proposals = []
    for index, values in enumerate(spec.initial):
        try:
            design = problem.space.design(values)
            known = problem.known(problem.space.designs([design]))
            if not known.feasible[0]:
                raise InputError(
                    f"{problem.space.describe(design)} cannot be evaluated: {problem.why_infeasible(design)}; "
                    "name more variables"
                )
        except InputError as error:
            found.add(error, f"initial.{index}")
            continue
        proposals.append(Proposal(design, problem.full_fidelity, strategy="initial"))
    return tuple(proposals)
