"""What Thompson sampling promises: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.thompson``.

Random quadratics of 20 bits, 20 random evaluations first: in how many of 20 instances the optimum (by brute force) was
evaluated in time. Then CPU seconds per suggestion with 100 evaluations, and the process's largest memory, up to 200
bits (20 101 coefficients). Last, how far roundings are from the optimum of the program at most.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from explorer.problem import Problem
from explorer.solvers.bqp import minimise
from explorer.solvers.program import BinaryQuadraticProgram, brute_force
from explorer.space import Space
from explorer.strategies import make_strategy
from simulators.protocol import BinaryVector
from tests.benchmarks.binary_problems import quadratic

PROMISED = {1.0: (60, 0.80), 10.0: (80, 0.70), 100.0: (80, 0.70)}  # length: evaluations, share of the instances
ALLOWED_CPU_S = {20: 0.1, 40: 0.5, 80: 1.5, 200: 30.0}


def evaluations_to_optimum(length: float, seed: int, limit: int = 120) -> int:
    """Evaluations until the optimum of an instance was among them; ``limit + 1`` if it never was."""
    benchmark = quadratic(20, length, seed)
    problem, optimum = benchmark.problem, benchmark.reference[0, 0]
    strategy = make_strategy("thompson-bqp", problem, seed, {"initial": 20})
    news = []
    for count in range(1, limit + 1):
        strategy.update(news, [])
        news = [problem.evaluate(proposal) for proposal in strategy.suggest(1)]
        if news[0].values["value"] >= optimum - 1e-9:
            return count
    return limit + 1


def suggestion_seconds(bits: int, repeats: int = 5) -> float:
    """CPU seconds of a suggestion with 100 evaluations and a warm chain, the mean of some."""
    rng = np.random.default_rng(bits)
    effects = rng.normal(size=bits)
    problem = Problem.from_functions(
        Space({"x": BinaryVector(bits)}),
        {"value": lambda design: float(np.dot(design["x"], effects))},
        directions={"value": "maximize"},
    )
    strategy = make_strategy("thompson-bqp", problem, 0, {"initial": 98})
    strategy.update([problem.evaluate(proposal) for proposal in strategy.suggest(98)], [])
    strategy.update([problem.evaluate(proposal) for proposal in strategy.suggest(2)], [])  # the chain is cold here
    spent = 0.0
    for _ in range(repeats):
        began = time.process_time()
        (proposal,) = strategy.suggest(1)
        spent += time.process_time() - began
        strategy.update([problem.evaluate(proposal)], [])
    return spent / repeats


def worst_rounding(bits: int, instances: int = 50) -> float:
    """How far roundings are above the optimum at most, as a share of it."""
    rng = np.random.default_rng(bits)
    missed = []
    for _ in range(instances):
        program = BinaryQuadraticProgram.of(rng.normal(size=(bits, bits)), rng.normal(size=bits))
        optimum = float(brute_force(program)[1][0])
        missed.append((minimise(program, rng).value - optimum) / abs(optimum))
    return max(missed)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What Thompson sampling promises, and what it does.")
    parser.add_argument("--instances", type=int, default=20, help="of random quadratics, per length")
    parser.add_argument("--processes", type=int, default=1, help="that share the instances")
    options = parser.parse_args()
    for bits, allowed in ALLOWED_CPU_S.items():
        seconds = suggestion_seconds(bits)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{bits:>3} bits: {seconds:.3f} CPU s a suggestion (promised: {allowed}), {memory:.2f} GiB", flush=True)
    for bits in (10, 20):
        worst = worst_rounding(bits)
        print(f"rounding, {bits} bits: {worst:.3%} above the optimum at most (promised: 0.2 %)", flush=True)
    seeds = range(options.instances)
    with ProcessPoolExecutor(options.processes) as pool:
        for length, (limit, share) in PROMISED.items():
            needed = np.array(list(pool.map(evaluations_to_optimum, [length] * len(seeds), seeds)))
            counts = ", ".join(f"{(needed <= n).mean():.0%} by {n}" for n in (40, 60, 80, 120))
            print(f"L = {length:g}: optimum {counts} (promised: {share:.0%} by {limit})", flush=True)


if __name__ == "__main__":
    main()
