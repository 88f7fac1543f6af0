"""Whether the low-rank relaxation finds the bound of the semidefinite program, and how fast each is:
``OMP_NUM_THREADS=1 python -m tests.benchmarks.relaxations``.

Programs with normal random coefficients, as posterior draws are. The reference is the semidefinite program solved by
Clarabel, an interior-point method, to 1e-8. Bounds are given relative to it: 0 is the same bound, below 0 a looser one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import cvxpy
import numpy as np

from explorer.solvers.bqp import minimise
from explorer.solvers.program import BinaryQuadraticProgram, brute_force
from explorer.solvers.relaxation import Relaxation, relax

SIZES = {10: 10, 20: 10, 40: 5, 60: 2}  # variables: instances; Clarabel takes minutes beyond


def program_of(variables: int, seed: int) -> BinaryQuadraticProgram:
    """A dense random program."""
    rng = np.random.default_rng([variables, seed])
    return BinaryQuadraticProgram.of(rng.normal(size=(variables, variables)), rng.normal(size=variables))


def reference_bound(program: BinaryQuadraticProgram) -> float:
    """The relaxation's value by an interior-point method."""
    lifted = program.lifted()
    spins: Any = cvxpy.Variable(lifted.shape, PSD=True)
    problem = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(cvxpy.multiply(lifted, spins))), [cvxpy.diag(spins) == 1])
    return float(problem.solve(solver="CLARABEL"))


def timed(work: Callable[[], Relaxation]) -> tuple[Relaxation, float]:
    """What a call returns and its CPU seconds."""
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def main() -> None:
    """Print a table: per size and solver the worst deviation of the bound, the CPU time, and what rounding misses."""
    argparse.ArgumentParser(
        description="Whether the low-rank relaxation finds the bound of the semidefinite program, and how fast each is."
    ).parse_args()
    print(f"{'n':>3} {'solver':>9} {'bound, worst':>13} {'CPU s':>7}  {'rounding above optimum, worst':>29}")
    for variables, instances in SIZES.items():
        programs = [program_of(variables, seed) for seed in range(instances)]
        references = [reference_bound(program) for program in programs]
        for solver in ("sdp", "low-rank"):
            relax(programs[0], np.random.default_rng(0), solver)
            deviations, seconds, missed = [], [], []
            for program, reference in zip(programs, references, strict=True):
                found, spent = timed(lambda p=program, by=solver: relax(p, np.random.default_rng(0), by))
                deviations.append((found.bound - reference) / abs(reference))
                seconds.append(spent)
                if variables <= 20:
                    optimum = float(brute_force(program)[1][0])
                    value = minimise(program, np.random.default_rng(0), solver=solver).value
                    missed.append((value - optimum) / abs(optimum))
            worst = max(deviations, key=abs)
            rounding = f"{max(missed):.2%}" if missed else "-"
            print(f"{variables:>3} {solver:>9} {worst:>13.1e} {np.mean(seconds):>7.3f}  {rounding:>29}")


if __name__ == "__main__":
    main()
