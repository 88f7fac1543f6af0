"""Binary quadratic programs: minimise x'Ax + b'x + c over {0, 1}^n under linear constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BinaryQuadraticProgram", "InfeasibleError", "LinearConstraints", "brute_force"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

BRUTE_FORCE_VARIABLES = 24
ROUNDING = 1e-14
"""What constraints may be violated by, as a share of the sum of a row's absolute numbers: rounding errors."""
CHUNK = 1 << 16  # points that are tried at a time


class InfeasibleError(ValueError):
    """No x satisfies the linear constraints."""


@dataclass(frozen=True, eq=False)
class LinearConstraints:
    """E x = e and G x <= g; each row is kept divided by about the sum of its absolute numbers.

    Args:
        equal, equal_to: E (rows x n) and e (rows,).
        at_most, at_most_to: G (rows x n) and g (rows,).
    """

    equal: Array
    equal_to: Array
    at_most: Array
    at_most_to: Array

    def __post_init__(self) -> None:
        for left, right in (("equal", "equal_to"), ("at_most", "at_most_to")):
            rows, bounds = (np.asarray(getattr(self, name), dtype=np.float64) for name in (left, right))
            if len(rows) == len(bounds):
                total = np.abs(rows).sum(axis=1) + np.abs(bounds)
                # a power of two: integers stay exact
                scale = np.exp2(np.floor(np.log2(np.where((total > 0) & np.isfinite(total), total, 1.0))))
                object.__setattr__(self, left, rows / scale[:, None])
                object.__setattr__(self, right, bounds / scale)

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
        return np.asarray(self.violation(np.asarray(x, dtype=np.float64)) <= ROUNDING)

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
        if len(b) == 0:
            raise ValueError("a binary quadratic program needs at least one variable")
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


def brute_force(program: BinaryQuadraticProgram, count: int = 1) -> tuple[Binaries, Array]:
    """The best points by trying everything, for up to 24 variables.

    Args:
        program: what to minimise.
        count: how many points; fewer if fewer are feasible.

    Returns:
        The points, best first, count x n, and the objective there.

    Raises:
        InfeasibleError: no x satisfies the constraints.
        ValueError: too many variables.
    """
    n = program.variables
    if n > BRUTE_FORCE_VARIABLES:
        raise ValueError(f"{n} variables are too many to try everything; {BRUTE_FORCE_VARIABLES} at most")
    best, best_values = np.zeros((0, n), dtype=np.int8), np.zeros(0)
    for start in range(0, 2**n, CHUNK):
        index = np.arange(start, min(start + CHUNK, 2**n))
        x = ((index[:, None] >> np.arange(n)) & 1).astype(np.int8)
        x = x[program.feasible(x)]
        points, values = np.concatenate([best, x]), np.concatenate([best_values, program.value(x)])
        order = np.argsort(values, kind="stable")[:count]
        best, best_values = points[order], values[order]
    if len(best) == 0:
        raise InfeasibleError("no zeros and ones satisfy the linear constraints")
    return best, best_values
