"""What a search file names, loaded: simulators with their settings, the workload, and the variables that there are.

What is wrong is noted and set aside, so that one look at a file finds everything. What then stands in for it is
remembered: nothing is said that would only follow from another mistake.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.simulator_problem import Bench
from explorer.spec import Mistake, SearchFileError, SearchSpec, WorkloadSpec, mistake_of
from explorer.yaml_source import Source
from simulators.protocol import (
    NETWORKS,
    SIMULATORS,
    InputError,
    Simulator,
    TrainingSimulator,
    Variable,
    Workload,
    load_simulator,
    plugin_names,
    suggestion,
)

__all__ = ["Collector", "Loaded", "load", "place_of"]


class Collector:
    """Collects mistakes, so that one pass finds them all."""

    def __init__(self, source: Source | None, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = list(mistakes)

    def add(self, error: InputError, field: str = "") -> None:
        """Note an error, below ``field`` if that is given."""
        self.mistakes.append(mistake_of(error.under(field) if field else error, self.source))

    def right(self, *sections: str) -> bool:
        """Whether nothing wrong was found in any of these sections of the file, or fields of it."""
        return not any(
            mistake.field == section or mistake.field.startswith(f"{section}.")
            for mistake in self.mistakes
            for section in sections
        )

    def stop(self, name: str) -> None:
        """Tell all mistakes, if there is one.

        Raises:
            SearchFileError: there is.
        """
        if self.mistakes:
            raise SearchFileError(self.mistakes, name)


@dataclass(frozen=True)
class Loaded:
    """What could be loaded.

    Args:
        bench: the simulators, and the workload or what stands in for a wrong one.
        complete: no simulator is missing.
        guessed: simulators that cannot be had with the file's settings and stand here with their defaults.
        workload_known: nothing is wrong with the workload.
        variables: by simulator and name.
        uncertain: names of variables that depend on the network while that is not known.
    """

    bench: Bench
    complete: bool
    guessed: frozenset[str]
    workload_known: bool
    variables: Mapping[str, Mapping[str, Variable]]
    uncertain: frozenset[str]


def load(spec: SearchSpec, folder: Path, found: Collector) -> Loaded:
    """Load what a search file names.

    Args:
        spec: the search file.
        folder: relative paths in it start here.
        found: receives what is wrong.
    """
    simulators: dict[str, Simulator] = {}
    guessed = set()
    for name, settings in spec.simulators.items():
        try:
            kind = load_simulator(name)
        except InputError as error:
            found.add(error, "simulators")
            continue
        simulator = _configured(kind, _with_sections(kind, settings, spec, folder), name, spec, found)
        if simulator is None:
            guessed.add(name)
        simulators[name] = simulator or kind()
    if not spec.simulators and found.right("simulators"):
        found.add(InputError(f"name at least one{suggestion('', plugin_names(SIMULATORS))}", "simulators"))
    written = Workload(
        spec.workload.network, spec.workload.dataset, spec.workload.mode, spec.workload.input_size,
        spec.workload.classes, tuple(sorted(spec.workload.options.items())),
    )  # fmt: skip
    workload = _usable(written, simulators.values(), found)
    network_known = workload.network == written.network
    variables: dict[str, Mapping[str, Variable]] = {}
    uncertain: set[str] = set()
    for name, simulator in simulators.items():
        variables[name], doubtful = _variables(simulator, workload, network_known)
        uncertain |= doubtful
    return Loaded(
        Bench(simulators, workload), len(simulators) == len(spec.simulators) > 0, frozenset(guessed),
        found.right("workload"), variables, frozenset(uncertain),
    )  # fmt: skip


# -- simulators --------------------------------------------------------------------------------------------------------


def place_of(error: InputError, simulator: str, spec: SearchSpec) -> str:
    """What to put before the field of a simulator's complaint: nothing if the file has that field at the top."""
    head = error.field.partition(".")[0]
    at_top = head in SearchSpec.model_fields and head not in spec.simulators[simulator]
    return "" if at_top else f"simulators.{simulator}"


def _with_sections(
    kind: type[Simulator], settings: Mapping[str, Any], spec: SearchSpec, folder: Path
) -> dict[str, Any]:
    """A simulator's settings with those of the file's sections that are for training simulators."""
    own = dict(settings)
    if issubclass(kind, TrainingSimulator):
        if spec.proxy is not None:
            own.setdefault("proxy", spec.proxy)
        if spec.data_dir is not None:
            own.setdefault("data_dir", str(folder / os.path.expanduser(spec.data_dir)))
    return copy.deepcopy(own)


def _configured(
    kind: type[Simulator], settings: dict[str, Any], name: str, spec: SearchSpec, found: Collector
) -> Simulator | None:
    """A simulator without its wrong settings; None if what is wrong cannot be set aside."""
    while True:
        try:
            return kind(settings)
        except InputError as error:
            found.add(error, place_of(error, name, spec))
            if not _removed(settings, error.field):
                return None


def _removed(settings: Any, path: str) -> bool:
    """Whether the field at a dotted path was there to be removed."""
    *sections, last = path.split(".")
    for section in sections:
        settings = settings.get(section) if isinstance(settings, dict) else None
    if not isinstance(settings, dict) or last not in settings:
        return False
    del settings[last]
    return True


# -- workload ----------------------------------------------------------------------------------------------------------


def _usable(workload: Workload, simulators: Iterable[Simulator], found: Collector) -> Workload:
    """A workload that all simulators know: what is wrong with it is noted and replaced."""
    if not workload.network:  # told already
        workload = _without(workload, "network")
    for simulator in simulators:
        while True:
            try:
                simulator.variables(workload)
                break
            except InputError as error:
                section, _, field = error.field.partition(".")
                repaired = _without(workload, field) if section == "workload" else workload
                found.add(error, "" if section == "workload" else "workload")
                if repaired == workload:
                    return workload
                workload = repaired
    return workload


def _without(workload: Workload, field: str) -> Workload:
    """A workload with its default for a wrong field; some other network for an unknown one."""
    if field == "network":
        return replace(workload, network=plugin_names(NETWORKS)[0], input_size=None, options=())
    if field in WorkloadSpec.model_fields and field != "options":
        return replace(workload, **{field: WorkloadSpec.model_fields[field].default})
    return replace(workload, options=())


def _variables(
    simulator: Simulator, workload: Workload, network_known: bool
) -> tuple[dict[str, Variable], frozenset[str]]:
    """A simulator's variables by name, and the names of those that another network might change."""
    try:
        variables = {variable.name: variable for variable in simulator.variables(workload)}
    except InputError:  # told with the workload
        return {}, frozenset()
    uncertain: set[str] = set()
    for network in () if network_known else plugin_names(NETWORKS):
        with suppress(InputError):  # a network that does not go with the data set: there are others
            others = {variable.name: variable for variable in simulator.variables(replace(workload, network=network))}
            uncertain |= {name for name in {*variables, *others} if variables.get(name) != others.get(name)}
            variables = {**others, **variables}
    return variables, frozenset(uncertain)
