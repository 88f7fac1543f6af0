"""The standard problem ``bn-bench``: which batch normalisations of VGG-11, on which ReRAM/GPU stack?

Accuracy is that of real trainings, replayed from the table that ``examples/bn_table.py`` makes; latency, energy and
area are those of the full-size network. Every design is known, so the true front is, too: any strategy can be scored
against it in seconds. ``python -m tests.benchmarks.bn_bench`` prints the facts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from explorer.domination import nondominated
from explorer.evaluation import Evaluation
from explorer.outline import ObjectiveInfo
from explorer.simulator_problem import Bench, SimulatorProblem
from explorer.space import Space
from objectives import find_objective
from simulators.accelerators.deeptrain import DeepTrain
from simulators.protocol import Categorical, Domain, Folder, InputError, Integer, Workload
from simulators.training.table import SHIPPED, TrainingTable, quality, read_table
from simulators.training.tabulated import TabulatedTraining
from tests.benchmarks.runs import hypervolume

__all__ = ["Truth", "bn_bench"]

Array = NDArray[np.float64]

WORKLOAD = Workload("vgg11", "fashion-mnist")
OBJECTIVES = ("accuracy", "latency", "energy", "area")
LEAST_ACCURACY = 0.75
BEST = 0.25  # of the placements: what short trainings tell of these is what a search for the front lives on
CONSTRAINTS = (
    "reram_layers + gpu_layers <= 4",
    "peak_temperature_k <= 100 C",
    f"accuracy >= {LEAST_ACCURACY}",
)
DOMAINS: Mapping[str, Domain] = {
    "reram_layers": Integer(1, 3),
    "gpu_layers": Integer(1, 3),
    "crossbar_size": Categorical((64, 128, 256)),
    "cell_bits": Categorical((1, 2, 4)),
}


def bn_bench(
    seed: int = 0, *, table: Path = SHIPPED, average: bool = False, checkpoints: Folder | None = None
) -> SimulatorProblem:
    """The problem.

    Args:
        seed: of the study: it picks which of a placement's trainings an evaluation replays.
        table: the trainings.
        average: replay means over trainings: no noise.
        checkpoints: folder that remembers what was paid for, one for each run; None: every evaluation pays in full.

    Raises:
        InputError: there is no such table.
    """
    hardware, training = DeepTrain(), TabulatedTraining({"table": table, "average": average})
    offered = {variable.name: variable for variable in hardware.variables(WORKLOAD)}
    variables = [offered["bn"], *(replace(offered[name], domain=domain) for name, domain in DOMAINS.items())]
    training.check(WORKLOAD)
    return SimulatorProblem(
        Bench({hardware.name: hardware, training.name: training}, WORKLOAD),
        Space(variables),
        [find_objective(name) for name in OBJECTIVES],
        constraints=CONSTRAINTS,
        seed=seed,
        checkpoints=checkpoints,
    )


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of every design: accuracy is the mean over a placement's trainings at the last epoch.

    Args:
        objectives: of the problem, accuracy first.
        epochs: the full fidelity.
        designs: number of designs that can be built, whatever their accuracy.
        accuracy: per placement (a bit string).
        hardware: per placement the other objectives of its members that no other member dominates, members x 3.
        front: the true front, points x objectives.
    """

    objectives: tuple[ObjectiveInfo, ...]
    epochs: int
    designs: int
    accuracy: Mapping[str, float]
    hardware: Mapping[str, Array]
    front: Array

    @classmethod
    def of(cls, table: Path = SHIPPED) -> Truth:
        """Look at every design, all at once.

        Raises:
            InputError: the table lacks placements.
        """
        problem = bn_bench(table=table, average=True)
        accuracy = {bn: float(curve.measures[-1, 0]) for bn, curve in read_table(table).means.items()}
        if missing := 2 ** len(next(iter(accuracy))) - len(accuracy):
            raise InputError(
                f"{table} lacks {missing} placements: there is no true front before it is complete", "table"
            )
        hardware: dict[str, list[Array]] = {}
        for chunk in problem.space.enumerate():
            known = problem.known(chunk)
            values = np.column_stack([known.objectives[name] for name in OBJECTIVES[1:]])
            bits = chunk.expanded()["bn"].astype(np.int64)
            numbers = bits @ (1 << np.arange(bits.shape[1])[::-1])
            for number in np.unique(numbers):
                members = values[(numbers == number) & known.feasible]
                hardware.setdefault(f"{number:0{bits.shape[1]}b}", []).append(members)
        whole = {bn: np.concatenate(parts) for bn, parts in hardware.items()}
        cheap = problem.objectives[1:]
        best = {bn: members[nondominated(members, cheap)] for bn, members in whole.items()}
        designs, epochs = sum(map(len, whole.values())), read_table(table).settings.epochs
        truth = cls(problem.objectives, epochs, designs, accuracy, best, np.zeros((0, len(OBJECTIVES))))
        return replace(truth, front=truth.front_of(accuracy))

    def front_of(self, accuracy: Mapping[str, float]) -> Array:
        """The front of some placements with all their members, points x objectives.

        Args:
            accuracy: per placement what is supposed of it.
        """
        parts = [
            np.column_stack([np.full(len(self.hardware[bn]), value), self.hardware[bn]])
            for bn, value in accuracy.items()
            if value >= LEAST_ACCURACY
        ]
        points = np.concatenate([np.zeros((0, len(OBJECTIVES))), *parts])
        return points[nondominated(points, self.objectives)]

    def hypervolume(self, points: Array) -> float:
        """Of points x objectives, in units of the true front's box, a tenth of it added at the worst corner.

        Points beyond the true front, which luck can measure, count for what they are.
        """
        return hypervolume(points, self.front, self.objectives)

    def share(self, evaluations: Iterable[Evaluation]) -> float:
        """The share of the true hypervolume that the families of full-fidelity evaluations really have."""
        found = {bn: self.accuracy[bn] for bn in self._measured(evaluations)}
        return self.hypervolume(self.front_of(found)) / self.hypervolume(self.front)

    def measured_share(self, evaluations: Iterable[Evaluation]) -> float:
        """The same with the accuracies that were measured (means over replicates): what a search believes to have."""
        found = {bn: float(np.mean(values)) for bn, values in self._measured(evaluations).items()}
        return self.hypervolume(self.front_of(found)) / self.hypervolume(self.front)

    def shares(self, evaluations: Iterable[Evaluation]) -> Array:
        """:meth:`share` after each evaluation, shape (evaluations,)."""
        whole, values, known, front = self.hypervolume(self.front), [], set[str](), self.front[:0]
        share = 0.0
        for evaluation in evaluations:
            for bn in self._measured([evaluation]).keys() - known:
                known.add(bn)
                points = np.concatenate([front, self.front_of({bn: self.accuracy[bn]})])
                front = points[nondominated(points, self.objectives)]
                share = self.hypervolume(front) / whole
            values.append(share)
        return np.array(values)

    def _measured(self, evaluations: Iterable[Evaluation]) -> dict[str, list[float]]:
        """Accuracies of finished evaluations at full fidelity, by placement."""
        found: dict[str, list[float]] = {}
        for evaluation in evaluations:
            if not evaluation.failed and evaluation.fidelity == self.epochs:
                found.setdefault(str(evaluation.design["bn"]), []).append(evaluation.values["accuracy"])
        return found


def repeatability(truth: Truth, table: TrainingTable) -> list[float]:
    """What is left of the front by one training of every placement when the other trainings judge it, for each of them.

    Args:
        truth: of the table.
        table: of which only as many trainings count as every placement has.

    Returns:
        shares of the hypervolume of the front by the others: who knew all accuracies, each from one training, would
        have no more. None where placements were trained once only.
    """
    accuracy = {bn: np.array([curve.measures[-1, 0] for curve in curves]) for bn, curves in table.curves.items()}
    found = []
    seeds = np.arange(min(map(len, accuracy.values())))
    for seed in seeds if len(seeds) > 1 else []:
        one, others = (
            {bn: float(values[seeds][chosen].mean()) for bn, values in accuracy.items()}
            for chosen in (seeds == seed, seeds != seed)
        )
        by_one, judged = truth.front_of(one), truth.front_of(others)
        kept = {bn: others[bn] for bn in one if one[bn] in set(by_one[:, 0])}
        found.append(truth.hypervolume(truth.front_of(kept)) / truth.hypervolume(judged))
    return found


def facts(truth: Truth, table: TrainingTable) -> str:
    """The problem in numbers."""
    learning = quality(table, LEAST_ACCURACY)
    ranks = " ".join(f"{rank:.2f}" for rank in learning.rank_correlations)
    surely = [min(curve.measures[-1, 0] for curve in curves) for curves in table.curves.values()]
    best = quality(table, float(np.quantile(surely, 1 - BEST)))
    best_ranks = " ".join(f"{rank:.2f}" for rank in best.rank_correlations)
    able = sum(value >= LEAST_ACCURACY for value in truth.accuracy.values())
    on_front = {value for value in truth.accuracy.values() if value in set(truth.front[:, 0])}
    ends = [
        f"{objective.name} {truth.front[:, index].min():.4g} to {truth.front[:, index].max():.4g}"
        for index, objective in enumerate(truth.objectives)
    ]
    return "\n".join([
        f"bn-bench: {truth.designs} designs that can be built, of {len(truth.accuracy)} placements",
        f"{able} placements reach {LEAST_ACCURACY:.0%}",
        f"true front: {len(truth.front)} designs of {len(on_front)} accuracies; {', '.join(ends)}",
        f"its hypervolume: {truth.hypervolume(truth.front):.4f} (its box, a tenth more at the worst corner: 1.4641)",
        "those that do so with every seed:",
        f"seed noise {100 * learning.noise:.2f} points, {learning.ratio:.2f} of the 10-90 % range of "
        f"{100 * learning.spread:.2f} points",
        f"rank correlation of each epoch with the last: {ranks}",
        f"the same of the {BEST:.0%} whose worst training is best: {best_ranks}",
        "the front by one training of every placement, judged by the others: "
        + " ".join(f"{share:.1%}" for share in repeatability(truth, table)),
    ])  # fmt: skip


def main() -> None:
    """Print the facts."""
    parser = argparse.ArgumentParser(description="The facts of bn-bench.")
    parser.add_argument("--table", type=Path, default=SHIPPED)
    options = parser.parse_args()
    try:
        print(facts(Truth.of(options.table), read_table(options.table)))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
