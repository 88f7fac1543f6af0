from __future__ import annotations

import numpy as np
import pytest

from explorer.cheap_fronts import CheapFronts, maximal
from explorer.problem import Problem
from explorer.strategies.drawn_fronts import limits, on_front
from tests.explorer.problems import family_problem

CONSTRAINTS: list[list[str]] = [[], ["latency <= 2", "area < 340"], ["accuracy >= 0.55"], ["accuracy >= 2"]]


def table_of(problem: Problem) -> CheapFronts:
    space = problem.space.subspace(problem.reads)
    assert space is not None
    return CheapFronts.of(problem, space.at(range(space.size)), np.random.default_rng(0))


@pytest.mark.parametrize("constraints", CONSTRAINTS[:2])
def test_members_are_those_that_no_other_of_the_family_beats(constraints: list[str]) -> None:
    problem = family_problem(constraints=constraints)
    table = table_of(problem)
    for family in range(len(table)):
        own = table.own.take(np.array([family]))
        everyone = problem.space.at(range(problem.space.size))
        everyone = everyone.take((everyone["bn"] == own["bn"]).all(axis=1))
        known = problem.known(everyone)
        values = -np.column_stack([known.objectives["latency"], known.objectives["area"]])[known.feasible]
        best = {tuple(row) for row in values if not any((v >= row).all() and (v > row).any() for v in values)}
        rows = table.rows(family)
        assert {tuple(row) for row in table.cheap[rows]} == best
        assert (table.family[rows] == family).all()
        for row in rows:
            assert problem.why_infeasible(table.member(row)) == ""
            assert problem.family(table.member(row)) == problem.family(table.member(rows[0]))


def test_families_without_a_feasible_member_are_left_out() -> None:
    table = table_of(family_problem(constraints=["latency < 0.6"]))
    assert 0 < len(table) < 8
    assert set(table.family) == set(range(len(table)))


def test_tables_are_joined_one_after_the_other() -> None:
    problem = family_problem(constraints=["accuracy >= 0.55"])
    space = problem.space.subspace(problem.reads)
    assert space is not None
    whole = table_of(problem)
    rng = np.random.default_rng(0)
    left, right = (CheapFronts.of(problem, space.at(part), rng) for part in (range(3), range(3, 8)))
    both = left.joined(right)
    assert np.array_equal(both.family, whole.family)
    assert np.array_equal(both.cheap, whole.cheap)
    assert [both.member(row) for row in range(len(both.family))] == [whole.member(r) for r in range(len(both.family))]


def test_objectives_are_in_their_own_direction() -> None:
    problem = family_problem()
    table = table_of(problem)
    supposed = {"accuracy": np.linspace(0.1, 0.8, len(table))}
    rows = np.arange(len(table.family))
    found = table.objectives(rows, supposed)
    known = problem.known(table.members)
    assert np.array_equal(found[:, 0], supposed["accuracy"][table.family])
    assert np.array_equal(found[:, 1:], np.column_stack([known.objectives["latency"], known.objectives["area"]]))


@pytest.mark.parametrize("constraints", CONSTRAINTS)
def test_a_family_is_on_the_front_exactly_where_it_reaches_its_limit(constraints: list[str]) -> None:
    problem = family_problem(constraints=constraints)
    table = table_of(problem)
    for seed in range(20):
        values = np.random.default_rng(seed).normal(0.6, 0.2, (1, len(table)))
        front = set(table.family[on_front(table, values)].tolist())
        reached = set(np.flatnonzero(values[0] >= limits(table, values)[0]).tolist())
        assert front <= reached
        if not problem.outcome_constraints:
            assert front == reached


def test_just_above_its_limit_a_family_comes_to_the_front_and_just_below_it_does_not() -> None:
    problem = family_problem()
    table = table_of(problem)
    rng = np.random.default_rng(1)
    for _ in range(10):
        values = rng.normal(0.6, 0.2, (1, len(table)))
        bounds = limits(table, values)[0]
        for family in np.flatnonzero(values[0] < bounds):
            for step, there in ((1e-9, True), (-1e-9, False)):
                changed = values.copy()
                changed[0, family] = bounds[family] + step
                assert (family in table.family[on_front(table, changed)]) == there


def test_without_cheap_objectives_the_greatest_value_on_the_front_limits_all() -> None:
    problem = family_problem(cheap=set(), reads={name: ["bn"] for name in ("accuracy", "latency", "area")})
    table = table_of(problem)
    values = np.random.default_rng(0).normal(size=(3, len(table)))
    front = values[:, table.family[on_front(table, values)]]
    assert np.array_equal(limits(table, values), np.tile(front.max(axis=1, keepdims=True), len(table)))


def test_maximal_rows() -> None:
    assert maximal(np.array([[1.0, 0], [0, 1], [0, 0], [1, 0]])).tolist() == [True, True, False, True]
    assert maximal(np.zeros((3, 0))).all()
    assert len(maximal(np.zeros((0, 2)))) == 0
