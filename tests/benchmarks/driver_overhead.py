"""What the driver itself costs: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.driver_overhead``.

CPU time per evaluation of the loop with random search on a simulated clock, of the archive alone, and of an expression
over a million rows. Nothing is trained and nothing is stored.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from explorer.archive import Archive
from explorer.budget import Budget
from explorer.clock import SimulatedPool
from explorer.evaluation import Proposal
from explorer.expressions import parse
from explorer.problem import Problem
from explorer.search import Search
from explorer.space import Space
from explorer.strategies import make_strategy
from simulators.protocol import BinaryVector, Integer


def three_objectives(families: bool) -> Problem:
    """16 bits and two integers; accuracy is expensive, latency and area are cheap."""
    weights = np.random.default_rng(0).normal(size=16)
    return Problem.from_functions(
        Space({"bn": BinaryVector(16), "x": Integer(1, 8), "y": Integer(1, 8)}, ["x + sum(bn) <= 18"]),
        {
            "accuracy": lambda design: float(np.dot(weights, design["bn"])),
            "latency": lambda designs: designs["x"] * designs["y"] + designs["bn"].sum(axis=1),
            "area": lambda designs: 100 / designs["x"] + designs["y"] + np.abs(weights) @ designs["bn"].T,
        },
        directions={"accuracy": "maximize", "latency": "minimize", "area": "minimize"},
        cheap={"latency", "area"},
        reads={"accuracy": ["bn"]} if families else None,
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of a call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print the figures."""
    argparse.ArgumentParser(
        description="What the driver itself costs: CPU time of the search loop, of the archive and of an expression."
    ).parse_args()
    for families in (False, True):
        problem, count = three_objectives(families), 10_000
        search = Search(
            problem, make_strategy("random", problem, 0), SimulatedPool(problem, 8), Budget(evaluations=count)
        )
        title = "families of 64 members" if families else "every design a family of its own"
        print(f"search, {title}: {1e3 * cpu_seconds(search.run) / count:.2f} ms an evaluation ({count} evaluations)")
        designs = problem.space.unpack(problem.sample(np.random.default_rng(1), 3000))
        evaluations = [problem.evaluate(Proposal(design)) for design in dict.fromkeys(designs)]
        archive = Archive(problem)

        def add_all(archive: Archive = archive, evaluations: list = evaluations) -> None:  # type: ignore[type-arg]  # a script
            for evaluation in evaluations:
                archive.add(evaluation)

        print(f"archive, {title}: {1e3 * cpu_seconds(add_all) / len(evaluations):.2f} ms an evaluation")
    rng = np.random.default_rng(0)
    rows = {"latency_s": rng.random(1_000_000) * 2e-5, "area_mm2": rng.random(1_000_000) * 400}
    expression = parse("latency_s < 1e-5 and area_mm2 < 200")
    best = min(cpu_seconds(lambda: expression.evaluate(rows)) for _ in range(7))
    print(f"expression {expression.text!r} over 1e6 rows: {1e3 * best:.1f} ms")


if __name__ == "__main__":
    main()
