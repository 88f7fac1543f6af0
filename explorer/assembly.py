"""From a search file to a problem: simulators, space, objectives, constraints and initial designs put together.

All that is wrong is collected first and reported together.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from explorer.evaluation import Proposal
from explorer.expressions import parse
from explorer.loading import Collector, Loaded, load, place_of
from explorer.near_names import with_near_names
from explorer.outline import HELD_OUT
from explorer.problem import Problem
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space, allowed_values, condition, read_value
from explorer.spec import Mistake, SearchFileError, SearchSpec, parse_spec
from explorer.store import RESULTS, check_place, check_writable
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
        mistakes: found before; ``spec`` then lacks what has them.

    Raises:
        SearchFileError: everything that is wrong. What only follows from another mistake is not told; what cannot be
            checked before another mistake is mended is named.
    """
    found = Collector(source, mistakes)
    spec = with_near_names(spec, found)
    loaded = load(spec, folder, found)
    numbered = _objectives(spec, folder, found)
    objectives = list(numbered.values())
    needed = _needed(loaded, numbered, spec, found)
    offered, variables = _variables(loaded, needed, spec, found)
    fidelity = _fidelity(loaded, needed, spec, found)
    _check_constraints(loaded, objectives, offered, variables, spec, found)
    if check_run:
        _check_simulators(loaded, needed, spec, found)
        _check_places(spec, folder, found)
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
    dataset_known = found.right("workload.dataset") and spec.workload.network  # without, no workload is given at all
    for key, simulator in loaded.bench.simulators.items():
        if key in needed - loaded.guessed and dataset_known:
            try:
                simulator.check(loaded.bench.workload)
            except InputError as error:
                if loaded.workload_known or not error.field.startswith("workload"):
                    found.add(error, place_of(error, key, spec))
    if spec.data_dir is not None and not dataset_known:
        found.skip("data_dir", "workload")


def _check_places(spec: SearchSpec, folder: Path, found: Collector) -> None:
    """Look at where a run would write."""
    try:
        if spec.store is not None:
            check_place(spec.store)
        elif found.right("store"):
            check_writable(RESULTS, "store")
    except InputError as error:
        found.add(InputError(error.message), "store")
    try:
        if spec.checkpoints is not None:
            check_writable(folder / spec.checkpoints, "checkpoints")
    except InputError as error:
        found.add(error)


def _objectives(spec: SearchSpec, folder: Path, found: Collector) -> dict[int, Objective]:
    """The objectives that can be had, by their number in the file."""
    objectives: dict[int, Objective] = {}
    for index, name in enumerate(spec.objectives):
        if not found.given("objectives", index):
            continue
        try:
            objective = find_objective(name, folder)
        except InputError as error:
            found.add(error, f"objectives.{index}")
            continue
        if objective.name in [other.name for other in objectives.values()]:
            found.add(InputError(f"objective '{objective.name}' is named twice", f"objectives.{index}"))
        if held_out := sorted(name for name in objective.mentions if name.startswith(HELD_OUT)):
            found.add(_held_out(held_out[0]), f"objectives.{index}")
        objectives[index] = objective
    return objectives


def _held_out(name: str) -> InputError:
    return InputError(f"no search may look at {name}: it is held out for the final report")


def _needed(loaded: Loaded, objectives: Mapping[int, Objective], spec: SearchSpec, found: Collector) -> set[str]:
    """The simulators that some objective or constraint reads; all of them while that cannot be told."""
    needed: set[str] = set()
    for index, objective in objectives.items():
        try:
            needed |= needed_simulators(loaded.bench, [objective], ())
        except InputError as error:
            if loaded.complete:
                found.add(InputError(f"objective '{objective.name}': {error.message}", f"objectives.{index}"))
            else:
                found.skip(f"objectives.{index}", "simulators")
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
    wanted = _unsplit(spec.variables, offered, "variables", found)
    for name in wanted:
        if name in offered:
            continue
        if not loaded.complete:
            found.skip(f"variables.{name}", "simulators")
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
            if not _whatever(loaded.uncertain[name], _chosen, wanted.get(name)):
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


def _whatever(versions: Iterable[Variable], read: Callable[[Variable, Any], object], value: Any) -> bool:
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


def _fidelity(loaded: Loaded, needed: set[str], spec: SearchSpec, found: Collector) -> Fidelity | None:
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
    outside = _objectives_outside(units)
    doubts = dict.fromkeys(loaded.uncertain, "workload")  # names that say nothing yet, with what has to be mended
    if loaded.complete and objectives:  # the names that its wrong objectives may stand for
        wrong = [name for index, name in enumerate(spec.objectives) if not found.given("objectives", index)]
        close = {match for name in wrong for match in get_close_matches(name, objective_names())}
        maybe = {*close, *(name.rpartition(":")[2] for name in wrong)} - set(units)
        doubts |= dict.fromkeys(maybe, "objectives")
    if not found.right("variables"):
        doubts |= dict.fromkeys(set(offered) - set(units), "variables")
    unknown = "simulators" if not loaded.complete else "" if objectives else "objectives"
    for index, text in enumerate(spec.constraints):
        field = f"constraints.{index}"
        if not found.given("constraints", index):
            continue
        try:
            names = parse(text).names
            if held_out := sorted(name for name in names if name.startswith(HELD_OUT)):
                raise _held_out(held_out[0])
            if doubtful := sorted(names & set(doubts)):
                found.skip(field, doubts[doubtful[0]])
            elif unknown and not names <= {*units, *outside}:
                found.skip(field, unknown)
            else:
                for name in sorted(names & set(outside)) if objectives else ():
                    found.add(InputError(_instead_of(name, outside[name], units)), field)
                checked = condition(text, outside | units, lengths)
                if not names:
                    holds = "holds for every design: remove it" if checked.evaluate({}) else "holds for no design"
                    found.add(InputError(f"'{text}' names no variable, field or objective; it {holds}"), field)
        except InputError as error:
            found.add(error, field)


def _objectives_outside(units: Mapping[str, str]) -> dict[str, str]:
    """Unit of each installed objective that a search has not: constraints may mean a report's field by its name."""
    return {name: find_objective(name).unit for name in objective_names() if name not in units}


def _instead_of(objective: str, unit: str, units: Mapping[str, str]) -> str:
    fields = [name for name in units if name.startswith(f"{objective}_") and units[name] == unit]
    instead = f", or write {fields[0]}" if fields else ""
    return f"'{objective}' is an objective that this search has not: name it under objectives{instead}"


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
    for index, given in enumerate(spec.initial):
        if not found.given("initial", index):
            continue
        written = _unsplit(given, space.variables, f"initial.{index}", found)
        values = {name: value for name, value in written.items() if name not in loaded.uncertain}
        for name in written:
            if not _whatever(loaded.uncertain.get(name, ()), read_value, written[name]):
                found.skip(f"initial.{index}.{name}", "workload")
        wrong = space.mistakes(values)
        for error in wrong:
            if error.field in set(offered) - set(space.variables) - set(spec.variables):
                message = f"{error.field} is not searched; name it under variables too"
                found.add(InputError(message, error.field), f"initial.{index}")
            elif error.field in space.variables or (loaded.complete and error.field not in spec.variables):
                found.add(error, f"initial.{index}")
            else:
                found.skip(f"initial.{index}.{error.field}", "variables" if loaded.complete else "simulators")
        if not wrong and values == given:
            designs.append((index, space.design(values)))
    return designs


def _unsplit(given: Mapping[str, Any], known: Container[str], field: str, found: Collector) -> dict[str, Any]:
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
        if options:
            found.skip("strategy.options", "strategy")
        return
    if problem is None:
        problem = _stand_in()
        if not _makes(name, problem):  # it asks more of a problem
            if options:
                found.skip("strategy.options", *PROBLEM)
            return
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
