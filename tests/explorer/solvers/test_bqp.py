from __future__ import annotations

import numpy as np
import pytest

from explorer.solvers.bqp import minimise
from explorer.solvers.polishing import any_feasible
from explorer.solvers.program import BinaryQuadraticProgram, InfeasibleError, LinearConstraints, brute_force
from tests.explorer.solvers.programs import budget, groups, program


@pytest.mark.parametrize("solver", ["sdp", "low-rank"])
def test_the_optimum_of_programs_without_constraints_is_found(solver: str) -> None:
    exact = 0
    cases = [(n, reach) for n in (1, 2, 5, 12, 16) for reach in (1.0, 10.0, 100.0)]
    for seed, (n, reach) in enumerate(cases):
        rng = np.random.default_rng(seed)
        found = program(rng, n, reach=reach)
        _, (optimum,) = brute_force(found)
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
            _, (optimum,) = brute_force(found)
            solution = minimise(found, rng, solver=solver)  # type: ignore[arg-type]  # a literal, as above
            assert found.feasible(solution.pool).all()
            assert solution.bound <= optimum + 1e-9 * (1 + abs(optimum))
            worst.append((solution.value - optimum) / abs(optimum))
    assert min(worst) >= -1e-9
    assert max(worst) < 0.05
    assert np.mean(np.array(worst) < 1e-9) >= 0.9


def test_small_programs_under_constraints_are_enumerated() -> None:
    """Two equalities with different coefficients: flips hardly lead from one feasible point to another."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        equal, start = rng.integers(-3, 4, (2, 14)).astype(float), rng.integers(0, 2, 14)
        rows = LinearConstraints(equal, equal @ start, np.zeros((0, 14)), np.zeros(0))
        found = program(rng, 14, rows)
        solution = minimise(found, rng)
        assert solution.value == pytest.approx(brute_force(found)[1][0])
        assert solution.gap == 0.0
        assert found.feasible(solution.pool).all()


def test_the_pool_holds_more_than_the_optimum() -> None:
    """Of a program whose roundings all polish to one point the others are worth trying next."""
    solution = minimise(program(np.random.default_rng(1), 20, reach=1.0), np.random.default_rng(0))
    assert len(solution.pool) > 5


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
