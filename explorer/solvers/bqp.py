"""Minimise a binary quadratic program: relax, round, polish.

The semidefinite relaxation gives a lower bound and a distribution of good roundings; flips of one and of two variables
polish them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.solvers.polishing import any_feasible, polish
from explorer.solvers.program import BinaryQuadraticProgram, brute_force
from explorer.solvers.relaxation import Relaxation, relax

__all__ = ["Solution", "minimise"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

HYPERPLANES = 100
ENUMERATED = 16  # variables of a program under constraints, of which all points are tried: in milliseconds


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found.

    Args:
        x: the best feasible point, shape (n,).
        value: the objective there.
        bound: no feasible point is below it.
        pool: distinct feasible points, polished and unpolished, best first, count x n.
        values: the objective at the pool.
        solver: who solved the relaxation.
    """

    x: Binaries
    value: float
    bound: float
    pool: Binaries
    values: Array
    solver: str

    @property
    def gap(self) -> float:
        """``value - bound``: how far from the optimum ``x`` can be at most."""
        return self.value - self.bound


def minimise(
    program: BinaryQuadraticProgram,
    rng: np.random.Generator,
    *,
    solver: Literal["auto", "sdp", "low-rank"] = "auto",
    hyperplanes: int = HYPERPLANES,
) -> Solution:
    """Relax, round with random hyperplanes, polish.

    Without constraints, or with one on the number of ones, the optimum of programs of up to 20 variables is all but
    always found (``tests/benchmarks/thompson.py``). Under several equalities with different coefficients flips hardly
    lead from one feasible point to the next, and the optimum may be missed: the gap tells by how much at most. Such
    programs of up to ``ENUMERATED`` variables are enumerated.

    Args:
        program: what to minimise.
        rng: of the hyperplanes.
        solver: of the relaxation, see :func:`explorer.solvers.relaxation.relax`. Constraints that it cannot hold are
            left to the polishing. ``auto`` also enumerates small programs under constraints.
        hyperplanes: number of roundings.

    Raises:
        InfeasibleError: no x satisfies the constraints.
    """
    if solver == "auto" and program.constraints and program.variables <= ENUMERATED:
        pool, values = brute_force(program, hyperplanes)
        return Solution(pool[0], float(values[0]), float(values[0]), pool, values, "enumeration")
    relaxation = relax(program, rng, solver)
    starts = _round(relaxation, rng, hyperplanes)
    if program.constraints and relaxation.ignores_constraints:  # its roundings are few, and far from feasible
        starts = np.concatenate([starts, rng.integers(0, 2, (hyperplanes, program.variables), dtype=np.int8)])
    pool = np.concatenate([polish(program, starts), starts])
    pool = pool[program.feasible(pool)]
    if len(pool) == 0:
        pool = any_feasible(program)[None]
    pool = np.unique(pool, axis=0)
    values = program.value(pool)
    order = np.argsort(values, kind="stable")
    pool, values = pool[order], values[order]
    return Solution(pool[0], float(values[0]), relaxation.bound, pool, values, relaxation.solver)


def _round(relaxation: Relaxation, rng: np.random.Generator, hyperplanes: int) -> Binaries:
    """Distinct roundings: which side of random hyperplanes the spins' vectors lie on, the homogenising spin at +1."""
    normals = rng.standard_normal((relaxation.factor.shape[1], hyperplanes))
    sides = relaxation.factor @ normals
    spins = np.where(sides[1:] * np.where(sides[0] >= 0, 1.0, -1.0) >= 0, 1, 0)
    return np.asarray(np.unique(spins.T.astype(np.int8), axis=0))
