from __future__ import annotations

import numpy as np
import pytest

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.families import Families
from explorer.problem import Problem
from simulators.protocol import Design, Designs
from tests.explorer.problems import accuracy, all_designs, evaluate, family_problem

SCALE_LOW, SCALE_HIGH = (0.0, 0.0, 0.0), (1.0, 5.0, 500.0)


def families_of(problem: Problem) -> Families:
    space = problem.space.subspace(problem.reads)
    assert space is not None
    return Families.of(problem, space.at(range(space.size)), np.random.default_rng(0))


def rows_of(problem: Problem, texts: list[str]) -> Designs:
    """The variables that training reads, for some bit vectors."""
    domain = problem.space.variables["bn"].domain
    return Designs({"bn": domain.column([domain.parse(text) for text in texts])}, len(texts))


def designs_of(families: Families) -> list[Design]:
    return families.problem.space.unpack(families.members)


@pytest.mark.parametrize("constraints", [[], ["latency <= 2", "area < 340"], ["accuracy >= 0.5"]])
def test_members_are_those_that_no_other_of_the_family_beats(constraints: list[str]) -> None:
    problem = family_problem(constraints=constraints)
    families = families_of(problem)
    designs = designs_of(families)
    for family in range(len(families)):
        own = families.own.take(np.array([family]))
        everyone = problem.space.at(range(problem.space.size))
        everyone = everyone.take((everyone["bn"] == own["bn"]).all(axis=1))
        known = problem.known(everyone)
        values = -np.column_stack([known.objectives["latency"], known.objectives["area"]])[known.feasible]
        best = {tuple(row) for row in values if not any((v >= row).all() and (v > row).any() for v in values)}
        rows = families.rows(family)
        assert {tuple(row) for row in families.cheap[rows]} == best
        assert (families.family[rows] == family).all()
        for row in rows:
            assert problem.why_infeasible(designs[row]) == ""
            assert problem.family(designs[row]) == problem.family(designs[rows[0]])


def test_all_members_count_where_a_constraint_on_outcomes_tells_them_apart() -> None:
    """A member that is beaten in every cheap objective may be the one that satisfies it."""
    problem = family_problem(constraints=["accuracy >= 0.2 * layers"])
    families = families_of(problem)
    everyone = problem.space.at(range(problem.space.size))
    assert len(families.members) == problem.known(everyone).feasible.sum()
    supposed = {"accuracy": np.full(8, 0.5)}
    assert {design["layers"] for design, good in zip(designs_of(families), families.satisfied(supposed), strict=True)
            if good} == {1, 2}  # fmt: skip


def test_families_without_a_feasible_member_are_left_out() -> None:
    families = families_of(family_problem(constraints=["latency < 0.6"]))
    assert 0 < len(families) < 8
    assert set(families.family) == set(range(len(families)))


def test_none_is_left_where_nothing_can_be_built() -> None:
    problem = family_problem(constraints=["latency <= 0.4"])  # only without bits on three layers
    assert len(Families.of(problem, rows_of(problem, ["111", "110"]), np.random.default_rng(0))) == 0


def test_tables_are_joined_one_after_the_other() -> None:
    problem = family_problem(constraints=["accuracy >= 0.55"])
    space = problem.space.subspace(problem.reads)
    assert space is not None
    whole = families_of(problem)
    rng = np.random.default_rng(0)
    left, right = (Families.of(problem, space.at(part), rng) for part in (range(3), range(3, 8)))
    both = left.joined(right)
    assert np.array_equal(both.family, whole.family)
    assert np.array_equal(both.cheap, whole.cheap)
    assert designs_of(both) == designs_of(whole)


def test_objectives_are_in_their_own_direction() -> None:
    problem = family_problem()
    families = families_of(problem)
    supposed = {"accuracy": np.linspace(0.1, 0.8, len(families))}
    rows = np.arange(len(families.family))
    found = families.objectives(rows, supposed)
    known = problem.known(families.members)
    assert np.array_equal(found[:, 0], supposed["accuracy"][families.family])
    assert np.array_equal(found[:, 1:], np.column_stack([known.objectives["latency"], known.objectives["area"]]))


def test_eligible_members_add_to_a_front_what_completing_it_over_the_family_does() -> None:
    problem = family_problem(constraints=["accuracy >= 0.44"])
    archive = Archive(problem)
    archive.add(evaluate(problem, {"bn": "010", "layers": 1, "size": 64}))
    texts = ["000", "001", "100", "110", "111"]
    families = Families.of(problem, rows_of(problem, texts), np.random.default_rng(0))
    designs = designs_of(families)
    truth = {"accuracy": np.array([accuracy(designs[families.rows(n)[0]]) for n in range(len(texts))])}
    satisfied = families.satisfied(truth)
    scale, front = Scale(problem.objectives, SCALE_LOW, SCALE_HIGH), archive.front.matrix
    for number, text in enumerate(texts):
        after = Archive(problem, archive.evaluations)
        after.add(evaluate(problem, next(design for design in all_designs(problem) if str(design["bn"]) == text)))
        rows = families.eligible(number, satisfied)
        if satisfied[rows].any():
            with_it = scale.hypervolume(np.concatenate([front, families.objectives(rows, truth)]))
            assert with_it == pytest.approx(scale.hypervolume(after.front.matrix), abs=1e-12)
        else:
            assert after.front.matrix.tolist() == archive.front.matrix.tolist()
            assert rows.tolist() == families.rows(number).tolist()
    assert [bool(satisfied[families.rows(n)].any()) for n in range(len(texts))] == [True, False, True, True, True]


@pytest.mark.parametrize("front", [np.zeros((0, 3)), np.array([[0.9, 3.0, 200.0]])])
def test_the_member_that_adds_most_by_itself_is_named(front: np.ndarray) -> None:
    problem = family_problem()
    families = Families.of(problem, rows_of(problem, ["110"]), np.random.default_rng(0))
    scale = Scale(problem.objectives, SCALE_LOW, SCALE_HIGH)
    named = families.most_adding(families.rows(0), {"accuracy": np.array([0.8])}, scale, front)
    designs = [design for design in all_designs(problem) if str(design["bn"]) == "110"]
    known = problem.known(problem.space.designs(designs))
    single = [
        scale.hypervolume(
            np.vstack([front, [0.8, known.objectives["latency"][row], known.objectives["area"][row]]])
        ) if known.feasible[row] else -1.0
        for row in range(len(designs))
    ]  # fmt: skip
    assert single[designs.index(named)] == max(single)


def test_of_very_many_members_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.families.MEMBERS", 2)
    families = families_of(family_problem())
    assert len(families) == 8
    assert all(1 <= len(families.rows(family)) <= 2 for family in range(8))
