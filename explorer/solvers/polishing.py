"""Points of a binary quadratic program made better by flips of one variable and of two, and made feasible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from explorer.solvers.program import ROUNDING, BinaryQuadraticProgram, InfeasibleError

__all__ = ["any_feasible", "polish"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

TOLERANCE = 1e-9
"""The least that counts as better; less is rounding errors."""
PAIRS_POLISHED = 24  # points of which pairs of variables are flipped too,
PAIRS = 2_000_000  # or under constraints, which single flips can hardly move along, as many as have so many pairs
MILP_TIME_S = 60.0


def polish(program: BinaryQuadraticProgram, x: Binaries) -> Binaries:
    """Flip one variable at a time, then pairs, as long as that violates the constraints less, or as little and lowers
    the objective.

    Args:
        program: what to minimise.
        x: zeros and ones, count x n.

    Returns:
        As many points; pairs are flipped in the best few only, more of them under constraints.
    """
    x = _descend(program, x, pairs=False)
    few = max(PAIRS_POLISHED, PAIRS // program.variables**2) if program.constraints else PAIRS_POLISHED
    best = np.lexsort([program.value(x), program.constraints.violation(x)])[:few]
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
    less = (before > ROUNDING) & (after < before - ROUNDING)
    more = after > np.maximum(before, ROUNDING)
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
        InfeasibleError: there is none, or none was found within ``MILP_TIME_S``.
    """
    rows, n = program.constraints, program.variables
    constraints = []
    for left, low, high in (
        (rows.equal, rows.equal_to, rows.equal_to),
        (rows.at_most, np.full(len(rows.at_most), -np.inf), rows.at_most_to),
    ):
        if len(left):  # HiGHS satisfies rows to 1e-6 only: their smallest coefficients are made 1
            size = np.abs(left)
            unit = np.where(size > 0, size, np.inf).min(axis=1)
            unit = np.where(np.isfinite(unit), unit, 1.0)
            constraints.append(LinearConstraint(left / unit[:, None], low / unit, high / unit))
    found = milp(
        program.linear,
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=constraints,
        options={"time_limit": MILP_TIME_S},
    )
    x: Binaries = np.zeros((0, n), np.int8) if found.x is None else np.round(found.x).astype(np.int8)[None]
    x = polish(program, x)
    if not program.feasible(x).any():
        raise InfeasibleError("no zeros and ones satisfy the linear constraints")
    return np.asarray(x[0])
