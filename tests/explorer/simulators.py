"""A training simulator that computes a formula, and simulators that count how often they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from explorer.simulator_problem import Bench, SimulatorProblem
from explorer.space import Space
from objectives import Objective, find_objective
from simulators.protocol import (
    BinaryVector,
    Bits,
    Categorical,
    Design,
    Designs,
    Fidelity,
    Field,
    Folder,
    HardwareSimulator,
    Integer,
    Report,
    Simulator,
    TrainingSimulator,
    Variable,
    Workload,
    load_simulator,
)

WORKLOAD = Workload("vgg11", "cifar10")
DeepTrain = load_simulator("deeptrain")


class FormulaTraining(TrainingSimulator):
    """Accuracy by a formula of the placement, the fidelity and the seed."""

    name = "formula"
    meaning = "accuracy by a formula"
    fields: ClassVar[Mapping[str, Field]] = {
        "accuracy": Field("fraction", "of a formula"),
        "test_accuracy": Field("fraction", "of a formula"),
        "effort": Field("J", "energy of the training itself"),
        "loss": Field("nat", "not a number where every bit is off"),
    }

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        self.settings = dict(settings or {})
        self.asked: list[Design] = []

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        return (Variable("bn", BinaryVector(8, "C"), Bits([1] * 8)),)

    def fidelity(self) -> Fidelity:
        return Fidelity("epochs", 1, 10)

    def simulate(
        self, design: Design, workload: Workload, *, fidelity: int, seed: int = 0, checkpoints: Folder | None = None
    ) -> Report:
        self.asked.append(design)
        bits = np.array(design["bn"], dtype=float)
        accuracy = 0.4 + bits @ np.arange(8) / 70 - 0.3 / fidelity + (seed % 97) / 97 * 0.01
        totals = {
            "accuracy": accuracy,
            "test_accuracy": accuracy - 0.01,
            "effort": 1.0 + bits.sum(),
            "loss": -np.log(accuracy) if bits.any() else np.nan,
            "paid": float(fidelity),
        }
        curve = np.linspace(0.1, accuracy, fidelity)
        return Report({name: np.array([value]) for name, value in totals.items()}, series={"accuracy": curve})


class PaidTraining(FormulaTraining):
    """The same; reports what it paid, too."""

    fields: ClassVar[Mapping[str, Field]] = {**FormulaTraining.fields, "paid": Field("", "epochs trained")}

    def simulate(
        self, design: Design, workload: Workload, *, fidelity: int, seed: int = 0, checkpoints: Folder | None = None
    ) -> Report:
        found = super().simulate(design, workload, fidelity=fidelity, seed=seed)
        return Report(found.totals, series={**found.series, "paid_time_s": np.ones(fidelity)})


class Counting(HardwareSimulator):
    """A small chip that counts how many designs it was asked about."""

    name = "counting"
    meaning = "counts"
    fields: ClassVar[Mapping[str, Field]] = {
        "latency_s": Field("s", "time"),
        "area_mm2": Field("mm2", "silicon"),
    }

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        self.calls = 0

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        return (Variable("tiles", Integer(1, 4), 1), Variable("size", Categorical([64, 128]), 64))

    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        self.calls += 1
        tiles, size = designs["tiles"].astype(float), designs["size"].astype(float)
        ones = np.ones(len(designs))
        return Report(
            {"latency_s": ones * 1e-6 * 128 / tiles / size, "area_mm2": ones * tiles * size},
            infeasible={"{area_mm2:.0f} mm2 do not fit": ones * tiles * size > 400},
        )


def objectives(*found: str | Objective) -> list[Objective]:
    return [find_objective(name) if isinstance(name, str) else name for name in found]


def bench_problem(
    simulators: Mapping[str, Simulator], wanted: list[Objective], space: Space | None = None, **options: Any
) -> SimulatorProblem:
    """A problem over all variables of the simulators."""
    if space is None:
        variables = {v.name: v for simulator in simulators.values() for v in simulator.variables(WORKLOAD)}
        space = Space(variables.values())
    return SimulatorProblem(Bench(simulators, WORKLOAD), space, wanted, **options)
