"""Problems of zeros and ones, and chips, that strategies are compared on. All values are computed, none is looked up.

The first three are those of Baptista and Poloczek (ICML 2018); all of them are to be made large here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.domination import nondominated
from explorer.problem import Problem
from explorer.solvers.bqp import minimise
from explorer.solvers.program import BinaryQuadraticProgram
from explorer.space import Space
from simulators.protocol import BinaryVector, Designs, Integer

__all__ = ["PROBLEMS", "Benchmark", "quadratic"]

Array = NDArray[np.float64]
Bits = NDArray[np.int8]


@dataclass(frozen=True)
class Benchmark:
    """One problem.

    Args:
        problem: to be searched.
        reference: the optimum for one objective; for several, the exact front, count x objectives.
        initial: random evaluations before models take over.
        exact: whether the reference is proved; otherwise it is the best that is known.
    """

    problem: Problem
    reference: Array
    initial: int = 20
    exact: bool = True


def _one_objective(variables: int, values: Callable[[Bits], Array], optimum: float, exact: bool = True) -> Benchmark:
    problem = Problem.from_functions(
        Space({"x": BinaryVector(variables)}),
        {"value": lambda design: float(values(np.array([design["x"]], dtype=np.int8))[0])},
        directions={"value": "maximize"},
    )
    return Benchmark(problem, np.array([[optimum]]), exact=exact)


def _everything(variables: int) -> Bits:
    index = np.arange(2**variables)
    return np.asarray(((index[:, None] >> np.arange(variables)) & 1).astype(np.int8))


def quadratic(variables: int, length: float, seed: int) -> Benchmark:
    """x'Qx with Q_ij ~ N(0, 1) exp(-(i - j)^2 / length^2): neighbours matter, or everything does.

    Up to 20 variables the optimum is by brute force; beyond it is the best of 2000 roundings of the relaxation.
    """
    rng = np.random.default_rng([variables, round(10 * length), seed])
    distance = np.subtract.outer(np.arange(variables), np.arange(variables))
    q = rng.normal(size=(variables, variables)) * np.exp(-((distance / length) ** 2))

    def values(x: Bits) -> Array:
        return np.asarray(((x @ q) * x).sum(axis=1))

    if variables <= 20:
        return _one_objective(variables, values, float(values(_everything(variables)).max()))
    found = minimise(BinaryQuadraticProgram.of(-q, np.zeros(variables)), rng, hyperplanes=2000)
    return _one_objective(variables, values, -found.value, exact=found.gap < 1e-6 * abs(found.value))


def ising(seed: int, side: int = 4, penalty: float = 1e-2) -> Benchmark:
    """Sparsification of a zero-field Ising model on a square grid: which of its edges tell the distribution?

    Minimises the Kullback-Leibler divergence of the sparse model from the full one plus ``penalty`` per edge that is
    kept. Interactions have random signs and magnitudes from 0.05 to 5. The optimum of 24 edges is not known: the best
    of many descents stands for it.
    """
    rng = np.random.default_rng([side, seed])
    nodes = np.arange(side * side).reshape(side, side)
    edges = [*zip(nodes[:, :-1].ravel(), nodes[:, 1:].ravel(), strict=True)]
    edges += [*zip(nodes[:-1].ravel(), nodes[1:].ravel(), strict=True)]
    spins = 2.0 * _everything(side * side) - 1.0
    products = np.column_stack([spins[:, i] * spins[:, j] for i, j in edges])
    strength = rng.choice([-1.0, 1.0], len(edges)) * rng.uniform(0.05, 5.0, len(edges))

    def log_sum(kept: Array) -> Array:
        exponents = kept @ products.T
        largest = exponents.max(axis=1, keepdims=True)
        return np.asarray(largest[:, 0] + np.log(np.exp(exponents - largest).sum(axis=1)))

    full = log_sum(strength[None])[0]
    weights = np.exp(products @ strength - full)
    moments = weights @ products

    def values(x: Bits) -> Array:
        divergence = (1 - x) @ (strength * moments) + log_sum(x * strength) - full
        return np.asarray(-(divergence + penalty * x.sum(axis=1)))

    return _one_objective(len(edges), values, _climbed(values, len(edges), rng), exact=False)


def _climbed(values: Callable[[Bits], Array], variables: int, rng: np.random.Generator, starts: int = 20) -> float:
    """The best of many climbs by single flips."""
    best = -np.inf
    for _ in range(starts):
        x = rng.integers(0, 2, variables, dtype=np.int8)
        value = float(values(x[None])[0])
        while True:
            flipped = values(x ^ np.eye(variables, dtype=np.int8))
            if flipped.max() <= value + 1e-12:
                break
            x[int(np.argmax(flipped))] ^= 1
            value = float(flipped.max())
        best = max(best, value)
    return best


def contamination(seed: int, stages: int = 20, scenarios: int = 100, penalty: float = 1e-2) -> Benchmark:
    """Contamination control in a food supply chain: at which stages to prevent?

    Prevention costs 1 a stage and ``penalty``; a stage costs the share of scenarios in which more than a tenth of the
    food is contaminated there. Rates are beta distributed: contamination (1, 17/3), decontamination (1, 3/7), and
    (1, 30) at the start. The optimum is by brute force.
    """
    rng = np.random.default_rng([stages, seed])
    start = rng.beta(1, 30, scenarios)
    spread, restored = rng.beta(1, 17 / 3, (stages, scenarios)), rng.beta(1, 3 / 7, (stages, scenarios))

    def values(x: Bits) -> Array:
        contaminated = np.broadcast_to(start, (len(x), scenarios))
        total = (1.0 + penalty) * x.sum(axis=1)
        for stage in range(stages):
            on = x[:, stage, None].astype(np.float64)
            contaminated = spread[stage] * (1 - on) * (1 - contaminated) + (1 - restored[stage] * on) * contaminated
            total = total + (contaminated > 0.1).mean(axis=1)
        return np.asarray(-total)

    everything = _everything(stages)
    optimum = max(float(values(part).max()) for part in np.array_split(everything, 256))
    return _one_objective(stages, values, optimum)


def chip(seed: int, bits: int = 16) -> Benchmark:
    """Accuracy against latency and area: 16 bits and four integers, of which accuracy reads the bits alone.

    Accuracy is a sparse quadratic function of the bits, squashed as a percentage is. Latency is the slower of a stage
    that the integers speed up and of one that the bits slow down; area pays for both.
    """
    rng = np.random.default_rng([bits, seed, 7])
    gains = rng.exponential(0.6, bits) * (rng.random(bits) < 0.6)
    pairs = np.triu(rng.normal(0, 0.8, (bits, bits)) * (rng.random((bits, bits)) < 0.15), 1)
    work = rng.uniform(0.5, 2.0, bits)
    integers = {
        "reram_layers": Integer(1, 4),
        "gpu_layers": Integer(1, 4),
        "tiles": Integer(1, 4),
        "copies": Integer(1, 4),
    }

    def accuracy(x: Bits) -> Array:
        raw = x @ gains + ((x @ pairs) * x).sum(axis=1)
        return np.asarray(100.0 / (1.0 + np.exp(-0.5 * (raw - 1.0))))

    def latency(designs: Designs) -> Array:
        weights = 40.0 / (designs["reram_layers"] * designs["copies"])
        return np.maximum(weights, designs["bn"] @ work / (0.5 * designs["gpu_layers"])) * (1 + 0.2 / designs["tiles"])

    def area(designs: Designs) -> Array:
        return np.asarray(
            designs["reram_layers"] * (2.0 + designs["copies"] + 0.5 * designs["tiles"]) + 3.0 * designs["gpu_layers"]
        )

    problem = Problem.from_functions(
        Space({"bn": BinaryVector(bits), **integers}),
        {
            "accuracy": lambda design: float(accuracy(np.array([design["bn"]], dtype=np.int8))[0]),
            "latency": latency,
            "area": area,
        },
        directions={"accuracy": "maximize", "latency": "minimize", "area": "minimize"},
        cheap={"latency", "area"},
        reads={"accuracy": ["bn"]},
    )
    return Benchmark(problem, _exact_front(problem, accuracy), initial=10)


def _exact_front(problem: Problem, accuracy: Callable[[Bits], Array]) -> Array:
    """The front of all designs, in the objectives' own units."""
    front = np.zeros((0, len(problem.objectives)))
    for designs in problem.space.enumerate():
        cheap = problem.known(designs).objectives
        columns = designs.expanded()
        table = np.column_stack([accuracy(columns["bn"]), cheap["latency"], cheap["area"]])
        front = np.concatenate([front, table])
        front = front[nondominated(front, problem.objectives)]
    return front


@lru_cache(maxsize=2)
def _made(name: str, seed: int) -> Benchmark:
    return PROBLEMS[name](seed)


PROBLEMS: dict[str, Callable[[int], Benchmark]] = {
    "quadratic-10": lambda seed: quadratic(10, 10.0, seed),
    "quadratic-20": lambda seed: quadratic(20, 10.0, seed),
    "quadratic-40": lambda seed: quadratic(40, 10.0, seed),
    "quadratic-80": lambda seed: quadratic(80, 10.0, seed),
    "ising-24": ising,
    "contamination-20": contamination,
    "chip": chip,
}
"""Problems by name, as functions of the seed of the instance."""
