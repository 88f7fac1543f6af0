"""A problem made from simulators and objectives: the way a search file is searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.expressions import parse
from explorer.outline import HELD_OUT, ObjectiveInfo
from explorer.problem import Known, Measured, ObjectiveError, Problem
from explorer.space import Space, limit_to
from explorer.units import counted
from objectives.objective import DESIGNS, Objective
from simulators.protocol import (
    Design,
    Designs,
    Fidelity,
    Folder,
    HardwareSimulator,
    InputError,
    LazyColumns,
    Report,
    Simulator,
    TrainingSimulator,
    Workload,
    suggestion,
)

__all__ = ["Bench", "SimulatorProblem", "needed_simulators"]

PAID_TIME = "paid_time_s"
"""The curve of what each unit of a training took, where it was paid for by this evaluation."""


@dataclass(frozen=True)
class Bench:
    """The simulators of a search by name, and how objectives and expressions refer to them.

    Args:
        simulators: by name, in the order of the search file.
        workload: the full-size network and its data set.
    """

    simulators: Mapping[str, Simulator]
    workload: Workload

    def resolve(self, name: str) -> str:
        """The simulator that an objective's parameter means: a simulator's name, or its kind if it is the only one.

        Raises:
            InputError: there is none, or more than one of that kind.
        """
        if name in self.simulators:
            return name
        of_kind = [key for key, simulator in self.simulators.items() if simulator.kind == name]
        if len(of_kind) == 1:
            return of_kind[0]
        if of_kind:
            raise InputError(f"'{name}' could be {' or '.join(of_kind)}: name the parameter after one of them")
        known = [*self.simulators, *(simulator.kind for simulator in self.simulators.values()), DESIGNS]
        raise InputError(f"no report is called '{name}' in this search{suggestion(name, known)}")

    @cached_property
    def _shared(self) -> frozenset[str]:
        """Fields that more than one simulator reports."""
        counts = Counter(field for simulator in self.simulators.values() for field in simulator.fields)
        return frozenset(field for field, count in counts.items() if count > 1)

    def field_names(self, simulator: str) -> dict[str, str]:
        """Field to the name that expressions use: the field, with the simulator's name before it if two share it."""
        fields = self.simulators[simulator].fields
        return {field: f"{simulator}_{field}" if field in self._shared else field for field in fields}

    def units(self, simulators: Iterable[str]) -> dict[str, str]:
        """Unit of every report field of some simulators, by the name that expressions use."""
        return {
            name: self.simulators[key].fields[field].unit
            for key in simulators
            for field, name in self.field_names(key).items()
        }


class SimulatorProblem(Problem):
    """Simulators, objectives over their reports, and a space of the simulators' variables.

    Only simulators that an objective or a constraint reads are kept and run.

    Args:
        bench: the simulators.
        space: the variables that are searched.
        objectives: what is optimised.
        constraints: expressions (see :class:`Problem`).
        fidelity: range of the training simulator's fidelity; None takes the simulator's own.
        seed: of the study.
        checkpoints: folder shared by all workers; None keeps nothing.

    Raises:
        InputError: an objective reads a report that there is not, or a constraint cannot be read.
    """

    def __init__(
        self,
        bench: Bench,
        space: Space,
        objectives: Sequence[Objective],
        *,
        constraints: Sequence[str] = (),
        fidelity: Fidelity | None = None,
        seed: int = 0,
        checkpoints: Folder | None = None,
    ) -> None:
        self._reads = {o.name: {p: bench.resolve(p) for p in o.reads if p != DESIGNS} for o in objectives}
        read = needed_simulators(bench, objectives, constraints)
        self.bench = bench
        self.simulators = {key: simulator for key, simulator in bench.simulators.items() if key in read}
        self.checkpoints = checkpoints
        self._functions = {objective.name: objective for objective in objectives}
        training = self._of_kind(TrainingSimulator)
        if training and fidelity is None:
            fidelity = training[next(iter(training))].fidelity()
        super().__init__(
            space,
            [self._info(objective) for objective in objectives],
            constraints=constraints,
            fidelity=fidelity if training else None,
            reads=[name for simulator in training.values() for name in simulator.reads(bench.workload)],
            seed=seed,
            units=bench.units(self.simulators),
            cheap_names=[
                name for key in self._of_kind(HardwareSimulator) for name in self.bench.field_names(key).values()
            ],
            continues=checkpoints is not None,
        )
        self.outline = replace(self.outline, workload=self._workload())

    def with_simulator(self, name: str, simulator: Simulator) -> SimulatorProblem:
        """The same problem with another simulator, one of the same fields and variables, in the place of one.

        Designs with a value that the other one does not offer stay in the space and cannot be built.
        """
        constraints = [*self.space.constraints, *self.cheap_constraints, *self.outcome_constraints]
        return SimulatorProblem(
            Bench({**self.bench.simulators, name: simulator}, self.bench.workload),
            Space(self.space.variables.values()),
            list(self._functions.values()),
            constraints=[*(c.text for c in constraints), *self._limits(self.bench.simulators[name], simulator)],
            fidelity=self.fidelity,
            seed=self.seed,
            checkpoints=self.checkpoints,
        )

    def _limits(self, standing: Simulator, other: Simulator) -> list[str]:
        """What variables may not be where a simulator offers other values than the one that stands."""
        before, after = (
            {variable.name: variable.domain for variable in simulator.variables(self.bench.workload)}
            for simulator in (standing, other)
        )
        variables = self.space.variables
        changed = [name for name in variables if name in after and before.get(name) != after[name]]
        return [limit for name in changed if (limit := limit_to(variables[name], after[name]))]

    def _workload(self) -> str:
        """The workload and what is really trained, in words."""
        workload = self.bench.workload
        trained = [simulator.trained(workload) for simulator in self._of_kind(TrainingSimulator).values()]
        if not trained:
            return f"{workload}; nothing is trained"
        epochs = counted(self.full_fidelity or 0, self.outline.fidelity_name)
        return f"{workload}; hardware: the full network; trained: {', '.join(trained)}, {epochs}"

    def _info(self, objective: Objective) -> ObjectiveInfo:
        kinds = {self.simulators[key].kind for key in self._reads[objective.name].values()}
        cheap = "training" not in kinds
        shared = kinds == {"training"} and DESIGNS not in objective.reads
        return ObjectiveInfo(
            objective.name, objective.direction, objective.unit, cheap, objective.bounds, shared,
            objective.systematic_error, objective.random_error,
        )  # fmt: skip

    def _of_kind(self, kind: type[Any]) -> dict[str, Any]:
        return {key: simulator for key, simulator in self.simulators.items() if isinstance(simulator, kind)}

    def _hardware_reports(self, designs: Designs) -> dict[str, Report]:
        hardware = self._of_kind(HardwareSimulator)
        return {key: simulator.simulate(designs, self.bench.workload) for key, simulator in hardware.items()}

    def _objective(self, name: str, reports: Mapping[str, Report], designs: Designs) -> NDArray[np.float64]:
        injected: dict[str, Report | Designs] = {p: _seen(reports[key]) for p, key in self._reads[name].items()}
        injected[DESIGNS] = designs
        return self._functions[name].evaluate(injected, len(designs))

    def quantities(self, designs: Designs) -> Known:
        reports = self._hardware_reports(designs)
        fields, feasible = {}, np.ones(len(designs), dtype=bool)
        for key, report in reports.items():
            fields.update({name: (report.totals, field) for field, name in self.bench.field_names(key).items()})
            feasible &= report.feasible

        def total(name: str) -> NDArray[np.float64]:
            totals, field = fields[name]
            return totals[field]

        return Known(
            {o.name: self._objective(o.name, reports, designs) for o in self.objectives if o.cheap},
            LazyColumns(fields, total),
            feasible,
            lambda index: "; ".join(filter(None, (report.reason(index) for report in reports.values()))),
        )

    def measure(self, design: Design, fidelity: int | None, seed: int) -> Measured:
        designs = self.space.designs([design])
        reports = self._hardware_reports(designs)
        fields: dict[str, float] = {}
        series: dict[str, list[float]] = {}
        provenance: dict[str, str] = {}
        paid = 0.0
        for key, simulator in self._of_kind(TrainingSimulator).items():
            report = simulator.simulate(
                design, self.bench.workload, fidelity=fidelity, seed=seed, checkpoints=self.checkpoints
            )
            reports[key] = report
            row = report.row()
            paid += row["paid"]
            fields.update({name: row[field] for field, name in self.bench.field_names(key).items()})
            series.update({name: [float(value) for value in values] for name, values in report.series.items()})
            provenance.update({f"{key}.{name}": text for name, text in report.provenance.items()})
        try:
            values = {o.name: float(self._objective(o.name, reports, designs)[0]) for o in self.expensive}
        except Exception as error:
            raise ObjectiveError(Measured({}, fields, paid, series, provenance)) from error
        return Measured(values, fields, paid, series, provenance)

    def derive(self, designs: Designs, known: Known, evaluation: Evaluation) -> dict[str, NDArray[np.float64]]:
        values = super().derive(designs, known, evaluation)
        mixed = [objective.name for objective in self.expensive if not objective.shared]
        if mixed:  # an objective over training *and* hardware differs between members: compute it from both reports
            reports = self._hardware_reports(designs)
            for key in self._of_kind(TrainingSimulator):
                names = self.bench.field_names(key)
                totals = {f: np.full(len(designs), evaluation.quantities.get(n, np.nan)) for f, n in names.items()}
                reports[key] = Report(totals)
            values.update({name: self._objective(name, reports, designs) for name in mixed})
        return values

    def answer(self, design: Design, evaluation: Evaluation) -> Evaluation | None:
        """See :meth:`Problem.answer`; that nothing was paid stands in the training reports, too."""
        found = super().answer(design, evaluation)
        if found is None:
            return None
        names = [self.bench.field_names(key).get("paid", "") for key in self._of_kind(TrainingSimulator)]
        paid = {name: 0.0 for name in names if name in found.quantities}
        series = {n: [0.0] * len(v) if n == PAID_TIME else v for n, v in found.series.items()}
        return replace(found, quantities={**found.quantities, **paid}, series=series)

    @property
    def varying(self) -> frozenset[str]:
        """See :meth:`Problem.varying`: fields that say so of themselves, and objectives that read them."""
        measured = {(key, field) for key, simulator in self.simulators.items()
                    for field, about in simulator.fields.items() if not about.repeats}  # fmt: skip
        fields = {field for _, field in measured}
        read = {name for name, objective in self._functions.items() if objective.mentions & fields}
        return frozenset({self.bench.field_names(key)[field] for key, field in measured} | read | {PAID_TIME})

    def check(self) -> None:
        """Look at what an evaluation needs: data, devices.

        Raises:
            InputError: something is missing.
        """
        for simulator in self.simulators.values():
            simulator.check(self.bench.workload)

    def provenance(self) -> dict[str, str]:
        """What results depend on beside the search file, by simulator."""
        found = {}
        for key, simulator in self.simulators.items():
            for name, value in simulator.provenance(self.bench.workload).items():
                found[f"{key}.{name}"] = value
        return found


def _seen(report: Report) -> Report:
    """A report as an objective sees it: without what is held out for the final report."""
    shown = [field for field in report.totals if not field.startswith(HELD_OUT)]
    totals = LazyColumns(shown, report.totals.__getitem__)
    series = {field: values for field, values in report.series.items() if not field.startswith(HELD_OUT)}
    return replace(report, totals=totals, series=series)


def needed_simulators(bench: Bench, objectives: Iterable[Objective], constraints: Iterable[str]) -> set[str]:
    """The simulators whose reports some objective reads or whose fields some constraint names.

    Raises:
        InputError: an objective reads a report that there is not, or a constraint cannot be read.
    """
    needed = {bench.resolve(name) for objective in objectives for name in objective.reads if name != DESIGNS}
    named = {name for text in constraints for name in parse(text).names}
    return needed | {key for key in bench.simulators if named & set(bench.field_names(key).values())}
