from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.solvers.program import BinaryQuadraticProgram, LinearConstraints, brute_force
from tests.explorer.solvers.programs import budget, everything, program, seeds


@given(seeds, st.integers(1, 8))
def test_the_lifted_matrix_over_spins_is_the_objective(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(n, n)), rng.normal(size=n), rng.normal()
    found = BinaryQuadraticProgram.of(a, b, c)
    for x in rng.integers(0, 2, (4, n)):
        spins = np.concatenate([[1], 2 * x - 1])
        expected = x @ a @ x + b @ x + c
        assert found.value(x[None])[0] == pytest.approx(expected, abs=1e-9)
        assert np.sum(found.lifted() * np.outer(spins, spins)) == pytest.approx(expected, abs=1e-9)
    assert np.array_equal(found.lifted(), found.lifted().T)


@pytest.mark.parametrize("where", ["quadratic", "linear", "constant", "coefficients", "bounds"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(where: str, wrong: float) -> None:
    numbers = {"quadratic": np.zeros((2, 2)), "linear": np.zeros(2), "coefficients": np.zeros((1, 2)),
               "bounds": np.zeros(1)}  # fmt: skip
    if where != "constant":
        numbers[where].flat[0] = wrong
    rows = LinearConstraints(np.zeros((0, 2)), np.zeros(0), numbers["coefficients"], numbers["bounds"])
    with pytest.raises(ValueError, match="finite"):
        BinaryQuadraticProgram.of(
            numbers["quadratic"], numbers["linear"], wrong if where == "constant" else 0.0, rows
        )  # fmt: skip


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        BinaryQuadraticProgram.of(np.zeros((3, 3)), np.zeros(2))
    with pytest.raises(ValueError, match="do not fit"):
        BinaryQuadraticProgram.of(np.zeros((2, 2)), np.zeros(2), 0.0, LinearConstraints.none(3))
    rows = LinearConstraints(np.zeros((1, 2)), np.zeros(2), np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(ValueError, match="right-hand side"):
        BinaryQuadraticProgram.of(np.zeros((2, 2)), np.zeros(2), 0.0, rows)


@pytest.mark.parametrize("n", [1, 2, 7, 11])
def test_brute_force_is_the_least_over_all_points(n: int) -> None:
    rng = np.random.default_rng(n)
    for rows in (None, budget(rng, n)):
        found = program(rng, n, rows)
        points = everything(n)
        values = found.value(points)[found.feasible(points)]
        best, least = brute_force(found, 5)
        assert least == pytest.approx(np.sort(values)[:5])
        assert found.value(best) == pytest.approx(least)
        assert found.feasible(best).all()
        assert len(np.unique(best, axis=0)) == len(best)


def test_brute_force_refuses_too_many_variables() -> None:
    with pytest.raises(ValueError, match="24 at most"):
        brute_force(program(np.random.default_rng(0), 25))


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e8])
def test_the_unit_of_a_constraint_does_not_matter(unit: float) -> None:
    """An absolute tolerance would let constraints in small units vanish, and refuse large ones for rounding errors."""
    row, nothing = unit * np.ones((1, 12)), np.zeros((0, 12))
    few = LinearConstraints(nothing, np.zeros(0), row, np.array([3 * unit]))
    exactly = LinearConstraints(row, np.nextafter(np.array([3 * unit]), np.inf), nothing, np.zeros(0))
    points = everything(12)
    assert np.array_equal(few.satisfied(points), points.sum(axis=1) <= 3)
    assert np.array_equal(exactly.satisfied(points), points.sum(axis=1) == 3)


def test_a_program_without_variables_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one variable"):
        BinaryQuadraticProgram.of(np.zeros((0, 0)), np.zeros(0))
