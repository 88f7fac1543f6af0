"""Problems with a fidelity whose true front is known, for comparing strategies by what their searches cost.

All have designs that can be enumerated. What counts of a search is the hypervolume of what it evaluated at full
fidelity, completed over families in ``bn-bench``, as a share of the true front's.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from botorch.test_functions.multi_objective_multi_fidelity import MOMFBraninCurrin, MOMFPark
from numpy.typing import NDArray

from explorer.domination import nondominated
from explorer.evaluation import Evaluation
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import BinaryVector, Design, Fidelity, Folder, Integer
from tests.benchmarks.bn_bench import Truth, bn_bench
from tests.benchmarks.runs import hypervolume

__all__ = ["PROBLEMS", "FidelityBenchmark"]

Array = NDArray[np.float64]

LEVELS = 10  # fidelities of the functions


@dataclass(frozen=True, eq=False)
class FidelityBenchmark:
    """A problem with its truth.

    Args:
        problem: to be searched.
        shares: of the true hypervolume after each of some evaluations.
        budget: trainings at full fidelity that a search may pay for.
    """

    problem: Problem
    shares: Callable[[Sequence[Evaluation]], Array]
    budget: float


def tabulated(seed: int) -> FidelityBenchmark:
    """``bn-bench``: real accuracies."""
    return _tabulated(seed, average=False)


def averaged(seed: int) -> FidelityBenchmark:
    """The same where evaluations give means over trainings: what is left of the comparison once no seed is lucky."""
    return _tabulated(seed, average=True)


def _tabulated(seed: int, *, average: bool) -> FidelityBenchmark:
    paid = Folder(tempfile.mkdtemp(prefix="bn-bench-"))
    return FidelityBenchmark(bn_bench(seed, average=average, checkpoints=paid), _truth().shares, budget=60)


@lru_cache(maxsize=1)
def _truth() -> Truth:
    return Truth.of()


def branin_currin(seed: int) -> FidelityBenchmark:  # nothing about it is random
    """BoTorch's two objectives over two variables (Irshad et al., 2021), on a grid; a hundredth of the cost at the
    lowest fidelity, as in the paper."""
    return _of_botorch(MOMFBraninCurrin(), steps=32, budget=40)


def park(seed: int) -> FidelityBenchmark:
    """The same of four variables."""
    return _of_botorch(MOMFPark(), steps=8, budget=60)


def _of_botorch(function: MOMFBraninCurrin | MOMFPark, steps: int, budget: float) -> FidelityBenchmark:
    names = [f"x{number}" for number in range(function.dim - 1)]
    space = Space({name: Integer(0, steps - 1) for name in names})

    def values(x: Array, fidelity: int) -> Array:
        scaled = np.column_stack([x / (steps - 1), np.full(len(x), fidelity / LEVELS)])
        return np.asarray(function(torch.from_numpy(scaled)).numpy())

    def objective(number: int) -> Callable[[Design, int], float]:
        def value(design: Design, fidelity: int) -> float:
            return float(values(np.array([[design[name] for name in names]], dtype=np.float64), fidelity)[0, number])

        return value

    everything = np.stack(np.meshgrid(*[np.arange(steps)] * len(names)), axis=-1).reshape(-1, len(names))
    problem = Problem.from_functions(
        space, {"one": objective(0), "two": objective(1)}, directions={"one": "maximize", "two": "maximize"},
        fidelity=Fidelity("steps", 1, LEVELS), cost=lambda fidelity: math.exp(4.8 * (fidelity / LEVELS - 1)),
    )  # fmt: skip
    return FidelityBenchmark(problem, _shares(problem, values(everything.astype(np.float64), LEVELS)), budget)


def mixed(seed: int, bits: int = 8) -> FidelityBenchmark:
    """Like ZDT1, of 8 bits and two integers, the first objective cheap: at low fidelity the second is biased, by more
    the more bits are on. Evaluations go on from earlier ones."""
    rng = np.random.default_rng([seed, bits])
    weights = rng.dirichlet(np.full(bits, 2.0))
    pairs = np.triu(rng.normal(0, 0.4 / bits, (bits, bits)), 1)
    phase = rng.uniform(0, np.pi, bits)

    def front_position(designs: object) -> Array:
        return np.asarray(designs["x"] / 20 * 0.9 + 0.1 * designs["y"] / 4)  # type: ignore[index]  # a batch

    def second(x: Array, position: Array, fidelity: int) -> Array:
        distance = 1 + 9 * np.clip(1 - x @ weights + np.einsum("ni,ij,nj->n", x, pairs, x), 0, None)
        bias = (1 - fidelity / LEVELS) * (0.5 + 0.5 * np.sin(x @ phase))
        return np.asarray(distance * (1 - np.sqrt(np.clip(position / distance, 0, 1))) + bias)

    def loss(design: Design, fidelity: int) -> float:
        position = front_position({name: np.array([design[name]]) for name in ("x", "y")})
        return float(second(np.array([design["bn"]], dtype=np.float64), position, fidelity)[0])

    space = Space({"bn": BinaryVector(bits), "x": Integer(0, 20), "y": Integer(0, 4)})
    problem = Problem.from_functions(
        space, {"loss": loss, "position": front_position}, directions={"loss": "minimize", "position": "minimize"},
        cheap={"position"}, fidelity=Fidelity("steps", 1, LEVELS), cost=lambda fidelity: fidelity / LEVELS,
        continues=True,
    )  # fmt: skip
    (designs,) = space.enumerate()
    columns = designs.expanded()
    position = front_position(columns)
    table = np.column_stack([second(columns["bn"].astype(np.float64), position, LEVELS), position])
    return FidelityBenchmark(problem, _shares(problem, table), budget=60)


def _shares(problem: Problem, everything: Array) -> Callable[[Sequence[Evaluation]], Array]:
    """The share of the hypervolume of the front of ``everything`` (designs x objectives) after each evaluation."""
    objectives = problem.objectives
    front = everything[nondominated(everything, objectives)]
    whole = hypervolume(front, front, objectives)

    def shares(evaluations: Sequence[Evaluation]) -> Array:
        found, known, share = [], front[:0], 0.0
        for evaluation in evaluations:
            if not evaluation.failed and evaluation.fidelity == problem.full_fidelity:
                known = np.vstack([known, [evaluation.values[objective.name] for objective in objectives]])
                known = known[nondominated(known, objectives)]
                share = hypervolume(known, front, objectives) / whole
            found.append(share)
        return np.array(found)

    return shares


PROBLEMS: dict[str, Callable[[int], FidelityBenchmark]] = {
    "bn-bench": tabulated,
    "bn-bench-mean": averaged,
    "branin-currin": branin_currin,
    "park": park,
    "mixed": mixed,
}
