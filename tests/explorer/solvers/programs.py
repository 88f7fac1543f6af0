"""Programs that the tests of solvers share."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.solvers.program import BinaryQuadraticProgram, LinearConstraints

seeds = st.integers(0, 2**32 - 1)


def everything(n: int) -> NDArray[np.int8]:
    return np.array(list(itertools.product([0, 1], repeat=n)), dtype=np.int8)


def program(
    rng: np.random.Generator, n: int, constraints: LinearConstraints | None = None, reach: float = 10.0
) -> BinaryQuadraticProgram:
    """Couplings that fade with distance, the usual test instances of binary quadratic programs."""
    index = np.arange(n)
    fade = np.exp(-((index[:, None] - index) ** 2) / reach**2)
    return BinaryQuadraticProgram.of(rng.standard_normal((n, n)) * fade, rng.standard_normal(n), 0.7, constraints)


def groups(n: int, size: int) -> LinearConstraints:
    """Exactly one of every ``size`` variables, and a budget that leaves some of these choices out."""
    rows = np.kron(np.eye(n // size), np.ones(size))
    prices = np.tile(np.arange(size, dtype=float), n // size)
    return LinearConstraints(rows, np.ones(len(rows)), prices[None], np.array([0.6 * (size - 1) * len(rows)]))


def budget(rng: np.random.Generator, n: int) -> LinearConstraints:
    """Inequalities with coefficients of either sign that the zero vector satisfies."""
    return LinearConstraints(np.zeros((0, n)), np.zeros(0), rng.normal(size=(3, n)), rng.uniform(0, 1, 3))
