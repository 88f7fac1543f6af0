"""The semidefinite relaxation of a binary quadratic program (Goemans and Williamson, 1995), with a certified bound.

With spins s = 2 x - 1 and a homogenising spin s_0 = 1, the objective is <Q, S> for S = (1, s)(1, s)'. The relaxation
keeps S positive semidefinite with a unit diagonal, and each linear equality also multiplied with every spin. Whatever
accuracy a solver stops at, weak duality and one eigenvalue make a number that no feasible x can beat.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.solvers.program import BinaryQuadraticProgram

__all__ = ["SDP_VARIABLES", "Relaxation", "relax"]

Array = NDArray[np.float64]

SDP_VARIABLES = 250
"""Beyond, a semidefinite program takes minutes and gigabytes."""
MIXING_SWEEPS = 2000  # most programs take a hundred
MIXING_ACCURACY = 1e-5  # of the bound
CERTIFIED_EVERY = 20  # sweeps: a certificate costs an eigenvalue decomposition


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A semidefinite relaxation, solved.

    Args:
        bound: no feasible x is below it.
        factor: rows l_i with S_ij = l_i . l_j, (n + 1) x rank; row 0 is the homogenising spin.
        solver: who solved it.
        ignores_constraints: whether the linear constraints were left out.
    """

    bound: float
    factor: Array
    solver: str
    ignores_constraints: bool = False


def relax(
    program: BinaryQuadraticProgram,
    rng: np.random.Generator,
    solver: Literal["auto", "sdp", "low-rank"] = "auto",
) -> Relaxation:
    """Solve the relaxation.

    Args:
        program: what is to be minimised.
        rng: of the start of the low-rank solver.
        solver: ``low-rank`` finds the same bound as ``sdp`` in a fraction of the time
            (``tests/benchmarks/relaxations.py``) but knows no constraints; ``auto`` takes it for programs without
            constraints, and for those of more than ``SDP_VARIABLES`` variables.
    """
    if solver == "auto":
        solver = "sdp" if program.constraints and program.variables <= SDP_VARIABLES else "low-rank"
    return _semidefinite(program) if solver == "sdp" else _low_rank(program, rng)


def _spin_rows(program: BinaryQuadraticProgram) -> tuple[Array, Array]:
    """The constraints over (1, s): rows r with r . (1, s) = 0, and rows with r . (1, s) <= 0."""

    def lifted(matrix: Array, right: Array) -> Array:
        # a . x = a . (1 + s) / 2; scaled, as the solver's accuracy is absolute
        found = np.column_stack([0.5 * matrix.sum(axis=1) - right, 0.5 * matrix])
        largest = np.abs(found).max(axis=1, keepdims=True)
        return found / np.where(largest > 0, largest, 1.0)

    rows = program.constraints
    return lifted(rows.equal, rows.equal_to), lifted(rows.at_most, rows.at_most_to)


@lru_cache(maxsize=16)
def _compiled(size: int, equal: bytes, at_most: bytes) -> Any:
    """The semidefinite program of one size and one set of constraints, compiled once; only Q changes."""
    cvxpy: Any = import_module("cvxpy")  # untyped, and half a second to import
    equal_rows = np.frombuffer(equal).reshape(-1, size)
    at_most_rows = np.frombuffer(at_most).reshape(-1, size)
    matrix = cvxpy.Variable((size, size), PSD=True)
    cost = cvxpy.Parameter((size, size), symmetric=True)
    constraints = [cvxpy.diag(matrix) == 1]
    if len(equal_rows):
        constraints.append(equal_rows @ matrix == 0)  # r . (1, s) = 0, multiplied with every spin
    if len(at_most_rows):
        constraints.append(at_most_rows @ matrix[:, 0] <= 0)
    return cvxpy.Problem(cvxpy.Minimize(cvxpy.sum(cvxpy.multiply(cost, matrix))), constraints), cost, matrix


def _semidefinite(program: BinaryQuadraticProgram) -> Relaxation:
    lifted = program.lifted()
    size = len(lifted)
    equal, at_most = _spin_rows(program)
    scale = float(np.abs(lifted).max()) or 1.0
    problem, cost, matrix = _compiled(size, equal.tobytes(), at_most.tobytes())
    cost.value = lifted / scale
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "may be inaccurate": the bound is certified below
        # a cold start: what was solved before must not change what is found now
        problem.solve(solver="SCS", eps_abs=1e-4, eps_rel=1e-4, max_iters=2500, warm_start=False)
    if matrix.value is None:  # infeasible, or stopped without a point: round from nothing, with a trivial bound
        return Relaxation(_certified_bound(lifted, np.zeros(size)), np.eye(size), "none", ignores_constraints=True)
    diagonal, *duals = (np.asarray(constraint.dual_value) for constraint in problem.constraints)
    shift = np.zeros((size, size))
    if len(equal):
        shift += equal.T @ duals[0].reshape(len(equal), size)
    if len(at_most):
        shift[:, 0] += at_most.T @ np.maximum(duals[-1], 0.0)
    shift = 0.5 * (shift + shift.T)
    # cvxpy's Lagrangian adds the duals: Q + shift + Diag(diagonal) is psd at the optimum
    bound = scale * _certified_bound(lifted / scale + shift, -diagonal)
    values, vectors = np.linalg.eigh(matrix.value)
    return Relaxation(bound, vectors * np.sqrt(np.maximum(values, 0.0)), "SDP (SCS)")


def _certified_bound(cost: Array, diagonal: Array) -> float:
    """A lower bound of <cost, S> over psd S with unit diagonal: sum(y) + size min(0, eigenvalue of cost - Diag(y))."""
    smallest = float(np.linalg.eigvalsh(cost - np.diag(diagonal))[0])
    return float(diagonal.sum() + len(cost) * min(0.0, smallest))


def _low_rank(program: BinaryQuadraticProgram, rng: np.random.Generator) -> Relaxation:
    """The relaxation without its linear constraints by the mixing method (Wang, Chang and Kolter, 2017).

    S = V V' with rows of unit length; one row after the other moves to its optimum. A rank above sqrt(2 size) has no
    spurious local optima. It stops when the bound that it can prove is as good as its value.
    """
    lifted = program.lifted()
    size = len(lifted)
    off_diagonal = lifted - np.diag(np.diag(lifted))
    rows = rng.standard_normal((size, int(np.ceil(np.sqrt(2 * size))) + 1))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    bound = -np.inf
    for sweep in range(MIXING_SWEEPS):
        for index in range(size):
            pull = off_diagonal[index] @ rows
            length = float(np.sqrt(pull @ pull))
            if length > 0:
                rows[index] = pull / -length
        if sweep % CERTIFIED_EVERY == CERTIFIED_EVERY - 1:
            diagonal = ((lifted @ rows) * rows).sum(axis=1)  # y_i = (Q V)_i . v_i: stationarity of row i
            bound = max(bound, _certified_bound(lifted, diagonal))
            if diagonal.sum() - bound <= MIXING_ACCURACY * abs(bound):
                break
    return Relaxation(bound, rows, "low-rank (mixing method)", ignores_constraints=True)
