from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.solvers.bqp import (
    BinaryQuadraticProgram,
    InfeasibleError,
    LinearConstraints,
    any_feasible,
    brute_force,
    minimise,
    polish,
    relax,
)

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


# -- the objective ----------------------------------------------------------------------------------------------------


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


# -- the optimum ------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("solver", ["sdp", "low-rank"])
def test_the_optimum_of_programs_without_constraints_is_found(solver: str) -> None:
    exact = 0
    cases = [(n, reach) for n in (1, 2, 5, 12, 16) for reach in (1.0, 10.0, 100.0)]
    for seed, (n, reach) in enumerate(cases):
        rng = np.random.default_rng(seed)
        found = program(rng, n, reach=reach)
        _, optimum = brute_force(found)
        solution = minimise(found, rng, solver=solver)  # type: ignore[arg-type]  # a literal, by the parameters above
        assert solution.bound <= optimum + 1e-9 * (1 + abs(optimum))
        assert solution.value >= optimum - 1e-9
        assert solution.value <= optimum + 0.002 * abs(optimum)
        assert solution.value == pytest.approx(found.value(solution.x[None])[0])
        assert solution.gap == pytest.approx(solution.value - solution.bound)
        exact += solution.value <= optimum + 1e-9
    assert exact >= len(cases) - 1


@pytest.mark.parametrize("solver", ["sdp", "low-rank"])
def test_the_optimum_under_constraints_is_found(solver: str) -> None:
    worst = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        for rows, n in ((groups(15, 3), 15), (groups(16, 4), 16), (budget(rng, 12), 12)):
            found = program(rng, n, rows)
            _, optimum = brute_force(found)
            solution = minimise(found, rng, solver=solver)  # type: ignore[arg-type]  # a literal, as above
            assert found.feasible(solution.pool).all()
            assert solution.bound <= optimum + 1e-9 * (1 + abs(optimum))
            worst.append((solution.value - optimum) / abs(optimum))
    assert min(worst) >= -1e-9
    assert max(worst) < 0.05
    assert np.mean(np.array(worst) < 1e-9) >= 0.9


def test_the_pool_is_distinct_and_best_first() -> None:
    rng = np.random.default_rng(3)
    solution = minimise(program(rng, 20, groups(20, 5)), rng)
    assert len(np.unique(solution.pool, axis=0)) == len(solution.pool) > 1
    assert np.all(np.diff(solution.values) >= 0)
    assert np.array_equal(solution.pool[0], solution.x)


def test_a_program_of_nothing_but_a_constant_is_solved() -> None:
    solution = minimise(BinaryQuadraticProgram.of(np.zeros((3, 3)), np.zeros(3), 2.5), np.random.default_rng(0))
    assert solution.value == 2.5
    assert solution.bound == pytest.approx(2.5, abs=1e-3)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_unit_of_the_objective_does_not_matter(scale: float) -> None:
    plain = program(np.random.default_rng(5), 12)
    scaled = BinaryQuadraticProgram.of(scale * plain.quadratic, scale * plain.linear, scale * plain.constant)
    one, other = (minimise(p, np.random.default_rng(0)) for p in (plain, scaled))
    assert other.value == pytest.approx(scale * one.value, rel=1e-6)
    assert other.bound == pytest.approx(scale * one.bound, rel=1e-3)


@pytest.mark.parametrize("solver", ["sdp", "low-rank"])
def test_the_same_seed_gives_the_same_pool_whatever_was_solved_before(solver: str) -> None:
    found = program(np.random.default_rng(1), 14)
    first = minimise(found, np.random.default_rng(0), solver=solver)  # type: ignore[arg-type]  # a literal, as above
    for seed in range(3):
        minimise(program(np.random.default_rng(seed), 14), np.random.default_rng(0))
    again = minimise(found, np.random.default_rng(0), solver=solver)  # type: ignore[arg-type]  # a literal, as above
    assert np.array_equal(first.pool, again.pool)
    assert first.bound == again.bound


# -- the bound --------------------------------------------------------------------------------------------------------


def test_both_solvers_agree_on_the_bound_without_constraints() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = program(rng, 18)
        sdp, low_rank = relax(found, rng, "sdp").bound, relax(found, rng, "low-rank").bound
        assert sdp == pytest.approx(low_rank, rel=0.01)


def test_the_bound_under_constraints_is_tighter_than_without() -> None:
    """The relaxation multiplies equalities with every spin; weak duality alone would hold with any multipliers."""
    gains = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = program(rng, 16, groups(16, 4))
        _, optimum = brute_force(found)
        tight, loose = relax(found, rng, "sdp").bound, relax(found, rng, "low-rank").bound
        gains.append((tight - loose) / (optimum - loose))
    assert min(gains) > 0.5


def test_the_factor_is_a_point_of_the_relaxation() -> None:
    found = program(np.random.default_rng(2), 10)
    for solver in ("sdp", "low-rank"):
        factor = relax(found, np.random.default_rng(0), solver).factor  # type: ignore[arg-type]  # literals
        assert np.sum(factor**2, axis=1) == pytest.approx(np.ones(11), abs=5e-3)
        relaxed = np.sum(found.lifted() * (factor @ factor.T))
        assert relaxed == pytest.approx(relax(found, np.random.default_rng(0), solver).bound, rel=0.02)  # type: ignore[arg-type]  # literals


# -- feasibility ------------------------------------------------------------------------------------------------------


def test_programs_without_a_feasible_point_are_refused() -> None:
    n = 6
    impossible = LinearConstraints(np.ones((1, n)), np.array([2.5]), np.zeros((0, n)), np.zeros(0))
    contradiction = LinearConstraints(np.ones((1, n)), np.array([4.0]), np.ones((1, n)), np.array([3.0]))
    for rows in (impossible, contradiction):
        found = program(np.random.default_rng(0), n, rows)
        with pytest.raises(InfeasibleError):
            minimise(found, np.random.default_rng(0))
        with pytest.raises(InfeasibleError):
            brute_force(found)
        with pytest.raises(InfeasibleError):
            any_feasible(found)


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
