"""What a search file names, loaded: simulators with their settings, the workload, and the variables that there are.

What is wrong is noted and set aside, so that one look at a file finds everything. What then stands in for it is
remembered: nothing is said that would only follow from another mistake.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from explorer.assumptions import with_plain_assumptions
from explorer.simulator_problem import Bench
from explorer.spec import Mistake, SearchFileError, SearchSpec, WorkloadSpec, mistake_of
from explorer.yaml_source import Source
from simulators.protocol import (
    NETWORKS,
    InputError,
    Simulator,
    TrainingSimulator,
    Variable,
    Workload,
    load_simulator,
    plugin_names,
)

__all__ = ["PROBLEM", "Collector", "Loaded", "load", "place_of", "with_sections"]

PROBLEM = ("workload", "proxy", "data_dir", "simulators", "variables", "fidelity", "objectives", "constraints", "seed")
"""The sections of a search file that its problem is built from."""


class Collector:
    """Collects mistakes, so that one pass finds them all."""

    def __init__(self, source: Source | None, mistakes: Iterable[Mistake]) -> None:
        self.source = source
        self.mistakes = list(mistakes)
        self.unchecked: dict[str, list[str]] = {}

    def add(self, error: InputError, field: str = "", *, mended: bool = False) -> None:
        """Note an error, below ``field`` if given; ``mended``: the caller goes on with a value that is right."""
        self.mistakes.append(mistake_of(error.under(field) if field else error, self.source, mended=mended))

    def line(self, field: str) -> int | None:
        """The line of a field, where it has one."""
        return self.source.place(field)[0] if self.source else None

    def right(self, *sections: str) -> bool:
        """Whether nothing is known that is wrong in any of these sections of the file, or fields of it."""
        return not self._wrong(sections)

    def given(self, section: str, index: int) -> bool:
        """Whether an item of a list can be looked at: it is no stand-in, and nothing wrong with it is known."""
        return not any(mistake.field == section for mistake in self.mistakes if not mistake.mended) and self.right(
            f"{section}.{index}"
        )

    def skip(self, field: str, *sections: str) -> None:
        """Note that nothing can be said of a field before what is wrong in one of these sections is mended."""
        wrong = self._wrong(sections)
        fields = self.unchecked.setdefault(wrong[0] if wrong else sections[0], [])
        if field not in fields:
            fields.append(field)

    def _wrong(self, sections: Iterable[str]) -> list[str]:
        fields = [mistake.field for mistake in self.mistakes if not mistake.mended]
        return [
            field for section in sections for field in fields if field == section or field.startswith(f"{section}.")
        ]

    def stop(self, name: str) -> None:
        """Tell all mistakes, if there is one.

        Raises:
            SearchFileError: there is.
        """
        if self.mistakes:
            raise SearchFileError(self.mistakes, name, unchecked=self.unchecked)


@dataclass(frozen=True)
class Loaded:
    """What could be loaded.

    Args:
        bench: the simulators, and the workload or what stands in for a wrong one.
        complete: no simulator is missing.
        guessed: simulators that cannot be had with the file's settings and stand here with their defaults.
        workload_known: nothing is wrong with the workload.
        variables: by simulator and name.
        uncertain: while the network is not known, the variables that depend on it by name: all that each may be.
        optional: variables and fields that a simulator would have with other settings, by name: which simulator.
    """

    bench: Bench
    complete: bool
    guessed: frozenset[str]
    workload_known: bool
    variables: Mapping[str, Mapping[str, Variable]]
    uncertain: Mapping[str, Sequence[Variable]]
    optional: Mapping[str, str]

    def lacks(self, name: str, field: str, found: Collector) -> bool:
        """Whether a name is one that only other settings bring; that is noted, unless it follows from a mistake."""
        simulator = self.optional.get(name)
        if simulator is None:
            return False
        if found.right(place := f"simulators.{simulator}"):
            settings = self.bench.simulators[simulator].optional[name]
            example = f"simulators: {{{simulator}: {{{settings}}}}}"
            found.add(InputError(f"{simulator} has {name} only with settings such as `{example}`"), field)
        else:
            found.skip(field, place)
        return True


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
        simulator = _configured(kind, with_sections(kind, settings, spec, folder), name, spec, found)
        if simulator is None:
            guessed.add(name)
        simulators[name] = simulator or kind()
    if not any(isinstance(simulator, TrainingSimulator) for simulator in simulators.values()):
        for section in ("proxy", "data_dir"):
            if getattr(spec, section) is not None and not found.right("simulators"):
                found.skip(section, "simulators")
    written = Workload(
        spec.workload.network, spec.workload.dataset, spec.workload.mode, spec.workload.input_size,
        spec.workload.classes, tuple(sorted(spec.workload.options.items())),
    )  # fmt: skip
    try:
        written = written.with_source(folder)
    except InputError as error:
        found.add(error)
        written = _without(written, "network")
    workload = _usable(written, simulators.values(), found)
    network_known = workload.network == spec.workload.network
    variables: dict[str, Mapping[str, Variable]] = {}
    uncertain: dict[str, Sequence[Variable]] = {}
    for name, simulator in simulators.items():
        variables[name], doubtful = _variables(simulator, workload, network_known)
        uncertain |= doubtful
    return Loaded(
        Bench(simulators, workload), len(simulators) == len(spec.simulators) > 0, frozenset(guessed),
        found.right("workload"), variables, uncertain, _optional(simulators, variables),
    )  # fmt: skip


def _optional(simulators: Mapping[str, Simulator], variables: Mapping[str, Mapping[str, Variable]]) -> dict[str, str]:
    """Names that a simulator would have with other settings, and nobody has with these."""
    there = {name for offered in variables.values() for name in offered}
    there |= {name for simulator in simulators.values() for name in simulator.fields}
    return {name: key for key, simulator in simulators.items() for name in simulator.optional if name not in there}


# -- simulators --------------------------------------------------------------------------------------------------------


def place_of(error: InputError, simulator: str, spec: SearchSpec) -> str:
    """What to put before the field of a simulator's complaint: nothing if the file has that field at the top."""
    head = error.field.partition(".")[0]
    at_top = head in SearchSpec.model_fields and head not in spec.simulators[simulator]
    return "" if at_top else f"simulators.{simulator}"


def with_sections(kind: type[Simulator], settings: Mapping[str, Any], spec: SearchSpec, folder: Path) -> dict[str, Any]:
    """A simulator's settings with those of the file's sections that are for training simulators; paths start at the
    file's folder, and assumptions are numbers."""
    own = with_plain_assumptions(kind, settings)
    if issubclass(kind, TrainingSimulator):
        if spec.proxy is not None:
            own.setdefault("proxy", spec.proxy)
        if spec.data_dir is not None:
            own.setdefault("data_dir", spec.data_dir)
    for name in kind.paths & own.keys():
        if isinstance(own[name], str):
            own[name] = str(folder / os.path.expanduser(own[name]))
    return copy.deepcopy(own)


def _configured(
    kind: type[Simulator], settings: dict[str, Any], name: str, spec: SearchSpec, found: Collector
) -> Simulator | None:
    """A simulator without its wrong settings; None if what is wrong cannot be set aside."""
    aside = set[str]()
    while True:
        try:
            return kind(settings)
        except InputError as error:
            if error.field not in aside:  # what is now missing was wrong
                found.add(error, place_of(error, name, spec))
            if not (removed := _removed(settings, error.field)):
                return None
            aside.add(removed)


def _removed(settings: Any, path: str) -> str:
    """What was removed of settings because of the field at a dotted path: itself, or, where it is not there, what is
    around it; empty if there is nothing.
    """
    steps = path.split(".")
    inside = [settings]
    for step in steps[:-1]:
        inside.append(inside[-1].get(step) if isinstance(inside[-1], dict) else None)
    for depth in range(len(steps), 0, -1):
        around = inside[depth - 1]
        if isinstance(around, dict) and steps[depth - 1] in around:
            del around[steps[depth - 1]]
            return ".".join(steps[:depth])
    return ""


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
) -> tuple[dict[str, Variable], dict[str, list[Variable]]]:
    """A simulator's variables by name, and those that another network would change, with all that they may be."""
    try:
        variables = {variable.name: variable for variable in simulator.variables(workload)}
    except InputError:  # told with the workload
        return {}, {}
    versions: dict[str, list[Variable]] = {}
    networks = [] if network_known else plugin_names(NETWORKS)
    for network in networks:
        with suppress(InputError):  # a network that does not go with the data set: there are others
            for variable in simulator.variables(replace(workload, network=network)):
                versions.setdefault(variable.name, []).append(variable)
    often = max(map(len, versions.values()), default=0)
    uncertain = {name: found for name, found in versions.items() if len(found) < often or found.count(found[0]) < often}
    return {name: found[0] for name, found in versions.items()} | variables, uncertain
