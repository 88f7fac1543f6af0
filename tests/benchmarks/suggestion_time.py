"""What a suggestion of CF-MESMO takes: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.suggestion_time``.

24 variables (20 bits, four numbers), one expensive objective and two cheap ones, a fidelity of 12 steps; observations
are of random designs at random fidelities. Printed are CPU seconds on one thread: of the first suggestion, whose fit
starts cold, of one after another observation, and of a batch of 8.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import Strategy, make_strategy
from simulators.protocol import BinaryVector, Design, Designs, Fidelity, Integer
from tests.benchmarks.runs import positive

BITS, NUMBERS, STEPS = 20, 4, 12
BATCH = 8


def problem(seed: int) -> Problem:
    """Gains of bits and of pairs of them, which the numbers scale; more of anything costs more."""
    rng = np.random.default_rng(seed)
    gains = rng.normal(size=BITS)
    pairs = np.triu(rng.normal(0, 0.3, (BITS, BITS)), 1)

    def value(design: Design, fidelity: int) -> float:
        bits = np.array(design["bn"], dtype=np.float64)
        numbers = np.array([design[f"x{number}"] for number in range(NUMBERS)], dtype=np.float64)
        whole = float(bits @ gains + bits @ pairs @ bits - 0.1 * ((numbers - 3) ** 2).sum())
        return whole - 2.0 * (1 - fidelity / STEPS) * (1 + 0.3 * np.sin(whole))

    def price(designs: Designs) -> NDArray[np.float64]:
        return np.asarray(designs["bn"].sum(axis=1) + designs["x0"], dtype=np.float64)

    def area(designs: Designs) -> NDArray[np.float64]:
        return np.asarray(designs["x1"] * (8.0 - designs["x2"]) + designs["x3"], dtype=np.float64)

    space = Space({"bn": BinaryVector(BITS), **{f"x{number}": Integer(0, 7) for number in range(NUMBERS)}})
    return Problem.from_functions(
        space, {"value": value, "price": price, "area": area},
        directions={"value": "maximize", "price": "minimize", "area": "minimize"}, cheap={"price", "area"},
        fidelity=Fidelity("steps", 1, STEPS), continues=True,
    )  # fmt: skip


def observed(searched: Problem, count: int, seed: int) -> list[Evaluation]:
    """Evaluations of random designs at random fidelities."""
    rng = np.random.default_rng([seed, 1])
    designs = searched.space.unpack(searched.sample(rng, count))
    return [searched.evaluate(Proposal(design, int(rng.choice([1, 2, 4, 8, 12])))) for design in designs]


def measure(name: str, count: int, seed: int) -> tuple[float, float, float]:
    """CPU seconds of the first suggestion, of one more, and of a batch."""
    searched = problem(seed)
    strategy = make_strategy(name, searched, seed)
    strategy.update(observed(searched, count, seed), [])
    cold, proposals = _timed(strategy, 1)
    strategy.update([searched.evaluate(proposal) for proposal in proposals], [])
    warm, proposals = _timed(strategy, 1)
    strategy.update([searched.evaluate(proposal) for proposal in proposals], [])
    batch, _ = _timed(strategy, BATCH)
    return cold, warm, batch


def _timed(strategy: Strategy, count: int) -> tuple[float, list[Proposal]]:
    began = time.process_time()
    proposals = strategy.suggest(count)
    return time.process_time() - began, proposals


def main(arguments: Iterable[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="CPU seconds that suggestions take.")
    parser.add_argument("--strategies", nargs="+", default=["cf-mesmo", "mesmo"], choices=["cf-mesmo", "mesmo"])
    parser.add_argument("--observations", nargs="+", type=positive, default=[50, 100, 200, 400])
    parser.add_argument("--seeds", type=positive, default=3)
    options = parser.parse_args(None if arguments is None else list(arguments))
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: CPU seconds are those of one thread")
    print(f"{BITS + NUMBERS} variables; CPU seconds, medians of {options.seeds}")
    print(f"{'':<12}{'observations':>14}{'cold':>8}{'warm':>8}{f'batch of {BATCH}':>12}")
    for name in options.strategies:
        for count in options.observations:
            found = np.median([measure(name, count, seed) for seed in range(options.seeds)], axis=0)
            print(f"{name:<12}{count:>14}" + f"{found[0]:>8.2f}{found[1]:>8.2f}{found[2]:>12.2f}", flush=True)


if __name__ == "__main__":
    main()
