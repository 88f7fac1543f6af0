from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from explorer.solvers.bqp import minimise
from explorer.solvers.polishing import polish
from explorer.solvers.program import BinaryQuadraticProgram, LinearConstraints
from tests.explorer.solvers.programs import program, seeds


def test_a_needle_in_a_haystack_is_found() -> None:
    """One point of 2^30: its bits are the binary digits of a number."""
    n, number = 30, 701_408_733
    digits = 2.0 ** np.arange(n)
    rows = LinearConstraints(digits[None], np.array([float(number)]), np.zeros((0, n)), np.zeros(0))
    solution = minimise(program(np.random.default_rng(0), n, rows), np.random.default_rng(0))
    assert int(solution.x @ digits) == number


def test_small_coefficients_are_constraints_too() -> None:
    """A violation of a millionth must not be bought with any gain."""
    n = 8
    rows = LinearConstraints(np.zeros((0, n)), np.zeros(0), 1e-6 * np.ones((1, n)), np.array([3e-6]))
    found = BinaryQuadraticProgram.of(np.zeros((n, n)), -1e3 * np.arange(1.0, n + 1), 0.0, rows)
    solution = minimise(found, np.random.default_rng(0))
    assert found.feasible(solution.pool).all()
    assert np.flatnonzero(solution.x).tolist() == [5, 6, 7]


@hypothesis_settings(max_examples=60)
@given(seeds, st.integers(1, 9), st.booleans())
def test_polishing_never_worsens_nor_leaves_feasible_points(seed: int, n: int, constrained: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = LinearConstraints(
        rng.integers(0, 2, (1, n)).astype(float), np.array([1.0]), rng.normal(size=(2, n)), rng.normal(size=2) + 1
    )
    found = program(rng, n, rows if constrained else None)
    start = rng.integers(0, 2, (12, n)).astype(np.int8)
    before = start.copy()
    end = polish(found, start)
    assert np.array_equal(start, before)
    was, now = (found.constraints.violation(x.astype(float)) for x in (start, end))
    assert (now <= np.maximum(was, 1e-9)).all()
    same = was <= 1e-9
    assert found.feasible(end[same]).all()
    assert (found.value(end)[same] <= found.value(start)[same] + 1e-9).all()
    assert np.array_equal(polish(found, end), end)


def test_no_single_flip_improves_a_polished_point() -> None:
    rng = np.random.default_rng(0)
    found = program(rng, 15)
    end = polish(found, rng.integers(0, 2, (40, 15)).astype(np.int8))
    for point in end:
        neighbours = point ^ np.eye(15, dtype=np.int8)
        assert (found.value(neighbours) >= found.value(point[None]) - 1e-8).all()
