"""From a search file to a problem: simulators, space, objectives, constraints and initial designs put together.

All that is wrong is collected first and reported together: :mod:`.loading` loads what a file names, :mod:`.variables`,
:mod:`.constraints`, :mod:`.designs` and :mod:`.strategies` look at its sections, :mod:`.near_names` at misspelt names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.assembly.constraints import check_constraints, reads_held_out, with_full_names
from explorer.assembly.designs import feasible_designs, initial_designs
from explorer.assembly.loading import PROBLEM, Collector, Loaded, load, place_of
from explorer.assembly.near_names import with_near_names
from explorer.assembly.strategies import check_strategy
from explorer.assembly.variables import search_fidelity, search_variables
from explorer.evaluation import Proposal
from explorer.outline import HELD_OUT
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space
from explorer.spec import Mistake, SearchFileError, SearchSpec, parse_spec
from explorer.store import RESULTS, check_place
from explorer.strategies import Strategy, make_strategy
from explorer.yaml_source import Source
from objectives import Objective, find_objective
from objectives.objective import DESIGNS
from simulators.protocol import Fidelity, Folder, InputError, Report, TrainingSimulator, check_writable

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


def assemble_source(source: Source, folder: Path, name: str = "search", *, check_run: bool = True) -> Assembly:
    """Put a search together from plain data.

    Args:
        source: of the search.
        folder: relative paths in it start here.
        name: of the file, for messages.
        check_run: also check what a run needs (data, a feasible design); computing without training does not.

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
    return assemble(spec, folder, source=source, check_run=check_run, name=name, mistakes=mistakes)


def assemble(
    spec: SearchSpec,
    folder: Path,
    *,
    source: Source | None = None,
    checkpoints: Folder | None = None,
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
    spec = with_full_names(spec, loaded, objectives)
    needed = _needed(loaded, numbered, spec, found)
    offered, variables = search_variables(loaded, needed, spec, found)
    fidelity = search_fidelity(loaded, needed, spec, found)
    check_constraints(loaded, objectives, offered, variables, spec, found)
    if check_run:
        _check_simulators(loaded, needed, spec, found)
        _check_places(spec, folder, found)
    problem, initial = None, tuple[Proposal, ...]()
    if variables and found.right(*PROBLEM):
        problem = _problem(loaded.bench, Space(variables), objectives, fidelity, spec, checkpoints, found)
    designs = initial_designs(Space(variables), offered, loaded, spec, found) if variables else []
    if problem is not None:
        initial = feasible_designs(problem, designs, found, check_run)
    check_strategy(problem, spec, found, suggest=check_run and not found.mistakes)
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
    """Look at where a run would write; a remote folder of checkpoints is tried."""
    try:
        if spec.store is not None:
            check_place(spec.store)
        elif found.right("store"):
            check_writable(RESULTS, "store")
    except InputError as error:
        found.add(InputError(error.message), "store")
    try:
        if spec.checkpoints is not None:
            Folder(spec.checkpoints, folder).check()
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
            found.add(reads_held_out(held_out[0]), f"objectives.{index}")
        objectives[index] = objective
    return objectives


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
            continue
        if lacking := _lacking(objective, loaded.bench):
            field, message = lacking
            if not loaded.lacks(field, f"objectives.{index}", found):
                found.add(InputError(message), f"objectives.{index}")
    try:
        needed |= needed_simulators(loaded.bench, (), spec.constraints)
    except InputError:  # told with the constraints
        return set(loaded.bench.simulators)
    return needed if found.right("objectives", "constraints") else set(loaded.bench.simulators)


def _lacking(objective: Objective, bench: Bench) -> tuple[str, str] | None:
    """Which field an objective asks a training report for that has it not, and how to say so; None if there is none.

    Fields hang on settings: without a chip nothing has a lifetime. What hardware reports lack is known by itself, since
    it is simulated before anything is trained.
    """
    for name, asked in objective.asks.items():
        simulator = None if name == DESIGNS else bench.simulators[bench.resolve(name)]
        if isinstance(simulator, TrainingSimulator):
            report = Report(dict.fromkeys(simulator.fields, np.ones(1)))
            for field in sorted(asked):
                try:
                    getattr(report, field)
                except AttributeError as error:
                    told = f"objective '{objective.name}': {error}; the settings of a simulator decide what it reports"
                    return field, told
    return None


def _problem(
    bench: Bench, space: Space, objectives: list[Objective], fidelity: Fidelity | None, spec: SearchSpec,
    checkpoints: Folder | None, found: Collector,
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
