"""From a search file to a problem: simulators, space, objectives, constraints and initial designs put together.

All that is wrong is collected first and reported together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from explorer.evaluation import Proposal
from explorer.expressions import parse
from explorer.loading import Collector, Loaded, load, place_of
from explorer.outline import HELD_OUT
from explorer.problem import Problem
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space, allowed_values, condition, read_value
from explorer.spec import Mistake, SearchFileError, SearchSpec, parse_spec
from explorer.strategies import Strategy, make_strategy
from explorer.yaml_source import Source
from objectives import Objective, find_objective, objective_names
from simulators.protocol import (
    STRATEGIES,
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Domain,
    Fidelity,
    InputError,
    Integer,
    TrainingSimulator,
    Variable,
    find_plugin,
    suggestion,
)

__all__ = ["Assembly", "assemble", "assemble_source"]

PROBLEM = ("workload", "proxy", "data_dir", "simulators", "variables", "fidelity", "objectives", "constraints", "seed")
"""The sections of a search file that its problem is built from."""


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
    found = Collector(source, mistakes)
    loaded = load(spec, folder, found)
    objectives = _objectives(spec, folder, found)
    needed = _needed(loaded, objectives, spec, found)
    offered, variables = _variables(loaded, needed, spec, found)
    fidelity = _fidelity(loaded, needed, spec, found)
    _check_constraints(loaded, objectives, offered, variables, spec, found)
    if check_run:
        _check_simulators(loaded, needed, spec, found)
    problem, initial = None, tuple[Proposal, ...]()
    if variables and found.right(*PROBLEM):
        problem = _problem(loaded.bench, Space(variables), objectives, fidelity, spec, checkpoints, found)
    designs = _designs(Space(variables), offered, loaded, spec, found) if variables else []
    if problem is not None:
        initial = _feasible(problem, designs, found, check_run)
    _check_strategy(problem, spec, found, suggest=check_run and not found.mistakes)
    found.stop(name)
    if problem is None:
        raise AssertionError("a problem that cannot be built has a mistake")
    return Assembly(spec, problem, initial)


def _check_simulators(loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector) -> None:
    """Look at what a run needs: data, devices."""
    for key, simulator in loaded.bench.simulators.items():
        if key in needed - loaded.guessed and found.right("workload.dataset"):
            try:
                simulator.check(loaded.bench.workload)
            except InputError as error:
                if loaded.workload_known or not error.field.startswith("workload"):
                    found.add(error, place_of(error, key, spec))


def _objectives(spec: SearchSpec, folder: Path, found: Collector) -> list[Objective]:
    objectives: list[Objective] = []
    for index, name in enumerate(spec.objectives if found.right("objectives") else ()):
        try:
            objective = find_objective(name, folder)
        except InputError as error:
            found.add(error, f"objectives.{index}")
            continue
        if objective.name in [other.name for other in objectives]:
            found.add(InputError(f"objective '{objective.name}' is named twice", f"objectives.{index}"))
        if held_out := sorted(name for name in objective.mentions if name.startswith(HELD_OUT)):
            found.add(_held_out(held_out[0]), f"objectives.{index}")
        objectives.append(objective)
    return objectives


def _held_out(name: str) -> InputError:
    return InputError(f"no search may look at {name}: it is held out for the final report")


def _needed(loaded: Loaded, objectives: list[Objective], spec: SearchSpec, found: Collector) -> set[str]:
    """The simulators that some objective or constraint reads; all of them while that cannot be told."""
    needed: set[str] = set()
    for index, objective in enumerate(objectives):
        try:
            needed |= needed_simulators(loaded.bench, [objective], ())
        except InputError as error:
            if loaded.complete:
                found.add(InputError(f"objective '{objective.name}': {error.message}", f"objectives.{index}"))
    try:
        needed |= needed_simulators(loaded.bench, (), spec.constraints)
    except InputError:  # told with the constraints
        return set(loaded.bench.simulators)
    return needed if found.right("objectives", "constraints") else set(loaded.bench.simulators)


def _variables(
    loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector
) -> tuple[dict[str, Variable], list[Variable]]:
    """The variables that the needed simulators have: all of them, and those searched, as the search file wants them."""
    offered: dict[str, Variable] = {}
    elsewhere: dict[str, str] = {}
    for key, variables in loaded.variables.items():
        for name, variable in variables.items():
            if key in needed or not loaded.complete:
                offered.setdefault(name, variable)
            else:
                elsewhere[name] = key
    for name in spec.variables:
        if name in offered or not loaded.complete:
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
                chosen.append(variable if name in loaded.uncertain else _chosen(variable, spec.variables[name]))
            except InputError as error:
                found.add(error, f"variables.{name}")
                chosen.append(variable)  # so that what else is said of it can be looked at
        elif variable.searched:
            chosen.append(variable)
    if not chosen and offered and loaded.complete and found.right("variables"):
        found.add(InputError(f"nothing to search: choose among {', '.join(offered)}", "variables"))
    return offered, chosen


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


def _fidelity(loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector) -> Fidelity | None:
    simulators = {key: simulator for key, simulator in loaded.bench.simulators.items() if key in needed}
    training = [simulator for simulator in simulators.values() if isinstance(simulator, TrainingSimulator)]
    if loaded.guessed & set(simulators):
        return None
    if not training:
        if spec.fidelity and loaded.complete and found.right("objectives", "constraints"):
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


def _check_constraints(
    loaded: Loaded, objectives: list[Objective], offered: Mapping[str, Variable], variables: list[Variable],
    spec: SearchSpec, found: Collector,
) -> None:  # fmt: skip
    """Check every constraint whose names are all known; of the others, those that no other mistake explains."""
    units = {
        **loaded.bench.units(loaded.bench.simulators), **{o.name: o.unit for o in objectives},
        **{variable.name: variable.unit for variable in variables},
    }  # fmt: skip
    lengths = {v.name: v.domain.length for v in variables if isinstance(v.domain, BinaryVector)}
    units = {name: unit for name, unit in units.items() if not name.startswith(HELD_OUT)}
    all_known = loaded.complete and found.right("objectives")
    doubtful = set(loaded.uncertain)
    if loaded.complete and objectives:  # the names that its wrong objectives may stand for
        wrong = [name for index, name in enumerate(spec.objectives) if not found.right(f"objectives.{index}")]
        close = {match for name in wrong for match in get_close_matches(name, objective_names())}
        doubtful |= {*close, *(name.rpartition(":")[2] for name in wrong)} - set(units)
        all_known = True
    if not found.right("variables"):
        doubtful |= set(offered) - set(units)
    for index, text in enumerate(spec.constraints):
        try:
            names = parse(text).names
            if held_out := sorted(name for name in names if name.startswith(HELD_OUT)):
                raise _held_out(held_out[0])
            if not names & doubtful and (all_known or names <= set(units)):
                condition(text, units, lengths)
        except InputError as error:
            found.add(error, f"constraints.{index}")


def _problem(
    bench: Bench, space: Space, objectives: list[Objective], fidelity: Fidelity | None, spec: SearchSpec,
    checkpoints: Path | None, found: Collector,
) -> SimulatorProblem | None:  # fmt: skip
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


def _designs(
    space: Space, offered: Iterable[str], loaded: Loaded, spec: SearchSpec, found: Collector
) -> list[tuple[int, Design]]:
    """The initial designs that can be read, with their numbers."""
    designs = []
    for index, written in enumerate(spec.initial):
        values = {name: value for name, value in written.items() if name not in loaded.uncertain}
        while True:  # until the last of its mistakes is told
            try:
                design = space.design(values)
                break
            except InputError as error:
                if error.field in set(offered) - set(space.variables) - set(spec.variables):
                    message = f"{error.field} is not searched; name it under variables too"
                    found.add(InputError(message, error.field), f"initial.{index}")
                elif error.field in space.variables or (loaded.complete and error.field not in spec.variables):
                    found.add(error, f"initial.{index}")
                del values[error.field]
        if values == written:
            designs.append((index, design))
    return designs


def _feasible(
    problem: Problem, designs: Iterable[tuple[int, Design]], found: Collector, check_run: bool
) -> tuple[Proposal, ...]:
    """The initial designs as proposals; notes those that cannot be evaluated, unless no design can."""
    try:
        if check_run:
            problem.check_feasible()
    except InputError as error:
        found.add(error)
        return ()
    proposals = []
    for index, design in designs:
        if problem.known(problem.space.designs([design])).feasible[0]:
            proposals.append(Proposal(design, problem.full_fidelity, strategy="initial"))
        else:
            message = (
                f"{problem.space.describe(design)} cannot be evaluated: {problem.why_infeasible(design)}; give other "
                "values, or name the variables that it leaves to their defaults"
            )
            found.add(InputError(message, f"initial.{index}"))
    return tuple(proposals)


# -- strategy ----------------------------------------------------------------------------------------------------------


def _check_strategy(problem: Problem | None, spec: SearchSpec, found: Collector, *, suggest: bool) -> None:
    """Make the strategy and let it suggest once: many an option is only looked at then."""
    name, options = spec.strategy.name, dict(spec.strategy.options)
    if not found.right("strategy.name", "strategy.options"):
        return
    try:
        find_plugin(STRATEGIES, name, "strategy")
    except InputError as error:
        found.add(error, "strategy")
        return
    if problem is None:
        problem = _stand_in()
        if not _makes(name, problem):
            return  # it asks more of a problem
    while True:  # until the last of its mistakes is told
        try:
            strategy = make_strategy(name, problem, spec.seed, options)
            if suggest:
                strategy.suggest(1)
            return
        except InputError as error:
            found.add(error, "" if error.field else "strategy")
            wrong = error.field.removeprefix("strategy.options.")
            if wrong not in options:
                return
            del options[wrong]
        except (TypeError, ValueError, AttributeError) as error:
            found.add(InputError(f"{name} cannot suggest with {options}: {error}", "strategy.options"))
            return


def _stand_in() -> Problem:
    """A small problem, to look at a strategy's options while the real one cannot be built."""
    functions = {"ones": lambda design: float(sum(design["bits"])), "double": lambda design: 2.0 * design["number"]}
    return Problem.from_functions(
        Space({"bits": BinaryVector(4), "number": Integer(1, 4)}),
        functions,
        directions=dict.fromkeys(functions, "maximize"),
        cheap={"double"},
        reads={"ones": ["bits"]},
        fidelity=Fidelity("epochs", 1, 4),
    )


def _makes(strategy: str, problem: Problem) -> bool:
    try:
        make_strategy(strategy, problem)
    except InputError:
        return False
    return True
