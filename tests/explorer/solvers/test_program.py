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
        x, value = brute_force(found)
        assert value == pytest.approx(values.min())
        assert found.value(x[None])[0] == pytest.approx(value)
        assert found.feasible(x[None])[0]


def test_brute_force_refuses_too_many_variables() -> None:
    with pytest.raises(ValueError, match="24 at most"):
        brute_force(program(np.random.default_rng(0), 25))
