from __future__ import annotations

import numpy as np
import pytest

from explorer.cheap_fronts import CheapFronts
from explorer.problem import Problem
from tests.explorer.problems import family_problem


def table_of(problem: Problem) -> CheapFronts:
    space = problem.space.subspace(problem.reads)
    assert space is not None
    return CheapFronts.of(problem, space.at(range(space.size)), np.random.default_rng(0))


@pytest.mark.parametrize("constraints", [[], ["latency <= 2", "area < 340"]])
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
