"""Binary quadratic programs: minimise x'Ax + b'x + c over {0, 1}^n under linear constraints.

The semidefinite relaxation (Goemans and Williamson, 1995) gives a lower bound and a distribution of good roundings;
flips of one and of two variables polish them. The bound is certified: whatever accuracy the solver stopped at, weak
duality and one eigenvalue make a number that no feasible x can beat.

With spins s = 2 x - 1 and a homogenising spin s_0 = 1, the objective is <Q, S> for S = (1, s)(1, s)'. The relaxation
keeps S positive semidefinite with a unit diagonal, and each linear equality also multiplied with every spin.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

__all__ = [
    "SDP_VARIABLES",
    "BinaryQuadraticProgram",
    "InfeasibleError",
    "LinearConstraints",
    "Relaxation",
    "Solution",
    "any_feasible",
    "brute_force",
    "minimise",
    "polish",
    "relax",
]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

HYPERPLANES = 100
PAIRS_POLISHED = 24  # roundings of which pairs of variables are flipped too: n^2 / 2 pairs each
BRUTE_FORCE_VARIABLES = 24
SDP_VARIABLES = 250
"""Beyond, a semidefinite program takes minutes and gigabytes."""
TOLERANCE = 1e-9
MIXING_SWEEPS = 2000  # most programs take a hundred
MIXING_ACCURACY = 1e-5  # of the bound
CERTIFIED_EVERY = 20  # sweeps: a certificate costs an eigenvalue decomposition


class InfeasibleError(ValueError):
    """No x satisfies the linear constraints."""


@dataclass(frozen=True, eq=False)
class LinearConstraints:
    """E x = e and G x <= g.

    Args:
        equal, equal_to: E (rows x n) and e (rows,).
        at_most, at_most_to: G (rows x n) and g (rows,).
    """

    equal: Array
    equal_to: Array
    at_most: Array
    at_most_to: Array

    @classmethod
    def none(cls, variables: int) -> LinearConstraints:
        """No constraints on ``variables`` variables."""
        return cls(np.zeros((0, variables)), np.zeros(0), np.zeros((0, variables)), np.zeros(0))

    def __bool__(self) -> bool:
        return len(self.equal_to) + len(self.at_most_to) > 0

    def violation(self, x: NDArray[Any]) -> Array:
        """Sum of what each row misses, for count x n zeros and ones: shape (count,)."""
        return self.excess(x @ self.equal.T - self.equal_to, x @ self.at_most.T - self.at_most_to)

    def satisfied(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of count x n zeros and ones satisfy every row, but for rounding errors: shape (count,)."""
        return np.asarray(self.violation(np.asarray(x, dtype=np.float64)) <= TOLERANCE)

    @staticmethod
    def excess(equal: Array, at_most: Array) -> Array:
        """The same from residuals, whose last dimension is the rows."""
        return np.asarray(np.abs(equal).sum(axis=-1) + np.maximum(at_most, 0.0).sum(axis=-1))


@dataclass(frozen=True, eq=False)
class BinaryQuadraticProgram:
    """Minimise x'Ax + b'x + c over {0, 1}^n under linear constraints.

    Args:
        quadratic: A, n x n; only its symmetric part matters.
        linear: b, shape (n,).
        constant: c.
        constraints: None for none.

    Raises:
        ValueError: shapes that do not fit, or numbers that are not finite.
    """

    quadratic: Array
    linear: Array
    constant: float
    constraints: LinearConstraints

    @classmethod
    def of(
        cls, quadratic: Array, linear: Array, constant: float = 0.0, constraints: LinearConstraints | None = None
    ) -> BinaryQuadraticProgram:
        """A checked program."""
        a, b = np.asarray(quadratic, dtype=np.float64), np.asarray(linear, dtype=np.float64)
        rows = LinearConstraints.none(len(b)) if constraints is None else constraints
        if a.shape != (len(b), len(b)) or rows.equal.shape[1] != len(b) or rows.at_most.shape[1] != len(b):
            raise ValueError(
                f"{len(b)} linear terms do not fit a quadratic part of {a.shape} and constraints on "
                f"{rows.equal.shape[1]} variables"
            )
        if len(rows.equal) != len(rows.equal_to) or len(rows.at_most) != len(rows.at_most_to):
            raise ValueError("every constraint needs one right-hand side")
        if not all(np.isfinite(numbers).all() for numbers in (a, b, constant, *vars(rows).values())):
            raise ValueError("a binary quadratic program needs finite numbers")
        return cls(0.5 * (a + a.T), b, float(constant), rows)

    @property
    def variables(self) -> int:
        """n."""
        return len(self.linear)

    def value(self, x: NDArray[Any]) -> Array:
        """The objective at count x n zeros and ones, shape (count,)."""
        values = np.asarray(x, dtype=np.float64)
        return np.asarray(((values @ self.quadratic) * values).sum(axis=1) + values @ self.linear + self.constant)

    def feasible(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Which rows of ``x`` satisfy the constraints."""
        return self.constraints.satisfied(x)

    def lifted(self) -> Array:
        """Q, (n + 1) x (n + 1), index 0 the homogenising spin: the objective is <Q, S>."""
        n = self.variables
        lifted = np.zeros((n + 1, n + 1))
        lifted[1:, 1:] = 0.25 * self.quadratic
        # x'Ax has 2 * 1/4 * 1'A s, b'x has b's / 2; a symmetric Q holds half of each on either side
        lifted[0, 1:] = lifted[1:, 0] = 0.25 * (self.quadratic.sum(axis=1) + self.linear)
        lifted[0, 0] = 0.25 * self.quadratic.sum() + 0.5 * self.linear.sum() + self.constant
        return lifted


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


@dataclass(frozen=True, eq=False)
class Solution:
    """What was found.

    Args:
        x: the best feasible point, shape (n,).
        value: the objective there.
        bound: no feasible point is below it.
        pool: distinct feasible points, best first, count x n.
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

    Args:
        program: what to minimise.
        rng: of the hyperplanes.
        solver: of the relaxation. ``low-rank`` finds the same bound as ``sdp`` in a fraction of the time
            (``tests/benchmarks/relaxations.py``) but knows no constraints; ``auto`` takes it for programs without
            constraints, and for those of more than ``SDP_VARIABLES`` variables, where the semidefinite program takes
            minutes and gigabytes: there the constraints are left to the polishing.
        hyperplanes: number of roundings.

    Raises:
        InfeasibleError: no x satisfies the constraints.
    """
    relaxation = relax(program, rng, solver)
    starts = _round(relaxation, rng, hyperplanes)
    if program.constraints and relaxation.ignores_constraints:  # its roundings are few, and far from feasible
        starts = np.concatenate([starts, rng.integers(0, 2, (hyperplanes, program.variables), dtype=np.int8)])
    pool = polish(program, starts)
    pool = pool[program.feasible(pool)]
    if len(pool) == 0:
        pool = any_feasible(program)[None]
    pool = np.unique(pool, axis=0)
    values = program.value(pool)
    order = np.argsort(values, kind="stable")
    pool, values = pool[order], values[order]
    return Solution(pool[0], float(values[0]), relaxation.bound, pool, values, relaxation.solver)


def relax(
    program: BinaryQuadraticProgram,
    rng: np.random.Generator,
    solver: Literal["auto", "sdp", "low-rank"] = "auto",
) -> Relaxation:
    """Solve the relaxation; see :func:`minimise`."""
    if solver == "auto":
        solver = "sdp" if program.constraints and program.variables <= SDP_VARIABLES else "low-rank"
    return _semidefinite(program) if solver == "sdp" else _low_rank(program, rng)


# -- the relaxation ---------------------------------------------------------------------------------------------------


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
    diagonal, *rest = (np.asarray(constraint.dual_value) for constraint in problem.constraints)
    shift = np.zeros((size, size))
    duals = list(rest)
    if len(equal):
        shift += equal.T @ duals.pop(0).reshape(len(equal), size)
    if len(at_most):
        column = at_most.T @ np.maximum(duals.pop(0), 0.0)
        shift[:, 0] += column
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


# -- rounding and polishing -------------------------------------------------------------------------------------------


def _round(relaxation: Relaxation, rng: np.random.Generator, hyperplanes: int) -> Binaries:
    """Distinct roundings: which side of random hyperplanes the spins' vectors lie on, the homogenising spin at +1."""
    normals = rng.standard_normal((relaxation.factor.shape[1], hyperplanes))
    sides = relaxation.factor @ normals
    spins = np.where(sides[1:] * np.where(sides[0] >= 0, 1.0, -1.0) >= 0, 1, 0)
    return np.asarray(np.unique(spins.T.astype(np.int8), axis=0))


def polish(program: BinaryQuadraticProgram, x: Binaries) -> Binaries:
    """Flip one variable at a time, then pairs, as long as that violates the constraints less, or as little and lowers
    the objective.

    Args:
        program: what to minimise.
        x: zeros and ones, count x n.

    Returns:
        As many points; pairs are flipped in the best few only, unless there are constraints (which single flips can
        hardly move along).
    """
    x = _descend(program, x, pairs=False)
    best = np.argsort(program.value(x), kind="stable")[: None if program.constraints else PAIRS_POLISHED]
    x[best] = _descend(program, x[best], pairs=True)
    return x


def _preference(program: BinaryQuadraticProgram, change: Array, before: Array, after: Array) -> Array:
    """What flips are compared by: ``change`` of the objective, but any violation less counts for more than all of it.

    Args:
        program: what is minimised.
        change: of the objective.
        before, after: violations.
    """
    most = 2.0 * (1.0 + float(np.abs(program.quadratic).sum() + np.abs(program.linear).sum()))
    less = (before > TOLERANCE) & (after < before - TOLERANCE)
    more = after > np.maximum(before, TOLERANCE)
    return np.where(less, change - most * (1.0 + before - after), np.where(more, np.inf, change))


def _descend(program: BinaryQuadraticProgram, x: Binaries, *, pairs: bool) -> Binaries:
    x = x.copy()
    active = np.arange(len(x))
    for _ in range(10 * program.variables + 10):
        if len(active) == 0:
            break
        gains, first, second = _best_flips(program, x[active], pairs)
        better = gains < -TOLERANCE
        active, first, second = active[better], first[better], second[better]
        x[active, first] ^= 1
        other = second != first
        x[active[other], second[other]] ^= 1
    return x


def _best_flips(
    program: BinaryQuadraticProgram, x: Binaries, pairs: bool
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64]]:
    """Per point the change of the best flip and which variables it flips (twice the same: a single one)."""
    values = x.astype(np.float64)
    direction = 1.0 - 2.0 * values
    a, rows = program.quadratic, program.constraints
    single = direction * (2.0 * values @ a + program.linear) + np.diag(a)
    if rows:
        equal, at_most = values @ rows.equal.T - rows.equal_to, values @ rows.at_most.T - rows.at_most_to
        now = rows.excess(equal, at_most)[:, None]
        equal_one = equal[:, None] + direction[:, :, None] * rows.equal.T
        at_most_one = at_most[:, None] + direction[:, :, None] * rows.at_most.T
        preference = _preference(program, single, now, rows.excess(equal_one, at_most_one))
    else:
        preference = single
    first = np.argmin(preference, axis=1)
    gains = np.take_along_axis(preference, first[:, None], axis=1)[:, 0]
    second = first.copy()
    if not pairs:
        return gains, first, second
    for point in range(len(x)):
        change = single[point][:, None] + single[point] + 2.0 * a * np.outer(direction[point], direction[point])
        if rows:
            steps = direction[point][:, None]
            step_equal, step_at_most = steps * rows.equal.T, steps * rows.at_most.T
            after = rows.excess(
                equal[point] + step_equal[:, None] + step_equal, at_most[point] + step_at_most[:, None] + step_at_most
            )
            change = _preference(program, change, now[point], after)
        np.fill_diagonal(change, np.inf)
        best = int(np.argmin(change))
        if change.flat[best] < gains[point] - TOLERANCE:
            gains[point] = change.flat[best]
            first[point], second[point] = divmod(best, program.variables)
    return gains, first, second


def any_feasible(program: BinaryQuadraticProgram) -> Binaries:
    """A feasible point, by integer linear programming over the linear terms.

    Raises:
        InfeasibleError: there is none.
    """
    rows = program.constraints
    constraints = [
        LinearConstraint(rows.equal, rows.equal_to, rows.equal_to),
        LinearConstraint(rows.at_most, -np.inf, rows.at_most_to),
    ]
    n = program.variables
    found = milp(  # HiGHS satisfies rows to 1e-6 only: what it finds is checked
        program.linear,
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=[constraint for constraint in constraints if len(constraint.A)],
    )
    x: Binaries = np.zeros((0, n), np.int8) if found.x is None else np.round(found.x).astype(np.int8)[None]
    x = polish(program, x)
    if not program.feasible(x).any():
        raise InfeasibleError("no zeros and ones satisfy the linear constraints")
    return np.asarray(x[0])


def brute_force(program: BinaryQuadraticProgram) -> tuple[Binaries, float]:
    """The optimum by trying everything, for up to 24 variables.

    Raises:
        InfeasibleError: no x satisfies the constraints.
        ValueError: too many variables.
    """
    n = program.variables
    if n > BRUTE_FORCE_VARIABLES:
        raise ValueError(f"{n} variables are too many to try everything; {BRUTE_FORCE_VARIABLES} at most")
    best, best_value = None, np.inf
    shifts = np.arange(n)
    for start in range(0, 2**n, 1 << 16):
        index = np.arange(start, min(start + (1 << 16), 2**n))
        x = ((index[:, None] >> shifts) & 1).astype(np.int8)
        values = np.where(program.feasible(x), program.value(x), np.inf)
        if values.min() < best_value:
            best, best_value = x[np.argmin(values)], float(values.min())
    if best is None:
        raise InfeasibleError("no zeros and ones satisfy the linear constraints")
    return best, best_value
