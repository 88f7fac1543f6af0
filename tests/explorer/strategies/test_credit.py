from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evaluation import Proposal
from explorer.problem import Problem
from explorer.strategies.credit import Credit, Ledger
from tests.explorer.problems import evaluate, family_problem

PROBLEM = family_problem()


def ledger(problem: Problem, floor: float = 0.0, memory: float = 1e9) -> Ledger:
    return Ledger(problem, ["cautious", "bold"], floor, memory)


def test_gains_are_credited_to_who_proposed_and_paid_for_them() -> None:
    problem = family_problem()
    found = ledger(problem)
    found.add(evaluate(problem, {"bn": "001"}, strategy="initial"))
    assert found.credits == {"cautious": Credit(), "bold": Credit()}
    found.add(problem.evaluate(Proposal(problem.space.design({"bn": "110"}), 20, strategy="bold")))
    assert found.credits["cautious"] == Credit()
    assert found.credits["bold"].gained > 0
    assert found.credits["bold"].paid == pytest.approx(1.0)
    found.add(evaluate(problem, {"bn": "110"}, fidelity=5, strategy="cautious"))  # no front is made of it
    assert found.credits["cautious"] == Credit(0.0, 0.25)


def test_a_gain_is_told_in_the_box_that_it_makes_wider() -> None:
    """The best accuracy so far widens the box: the front before fills less of it, and yet something was gained."""
    problem = family_problem()
    found = ledger(problem)
    for bits in ("001", "100"):
        found.add(evaluate(problem, {"bn": bits}, strategy="initial"))
    found.add(evaluate(problem, {"bn": "110"}, strategy="bold"))
    assert found.credits["bold"].gained > 0.1


def test_older_gains_fade_with_what_is_paid() -> None:
    problem = family_problem(reads={})
    found = ledger(problem, memory=2.0)
    found.add(evaluate(problem, {"bn": "001"}, strategy="initial"))
    found.add(evaluate(problem, {"bn": "110"}, strategy="bold"))
    gain = found.credits["bold"].gained
    for layers in (1, 2):  # two whole evaluations of somebody else
        found.add(evaluate(problem, {"bn": "001", "layers": layers, "size": 128}, strategy="initial"))
    assert found.credits["bold"].gained == pytest.approx(gain / 2)
    assert found.credits["bold"].paid == pytest.approx(0.5)


@given(st.floats(0, 1), st.floats(0, 20), st.floats(0, 1), st.floats(0, 20), st.floats(0, 1))
def test_shares_add_up_to_one_and_nobody_is_below_the_floor(
    gained: float, paid: float, other_gained: float, other_paid: float, floor: float
) -> None:
    found = ledger(PROBLEM, floor=floor)
    found.credits = {"cautious": Credit(gained, paid), "bold": Credit(other_gained, other_paid)}
    shares = found.shares
    assert sum(shares.values()) == pytest.approx(1.0)
    assert min(shares.values()) >= floor / 2 - 1e-12


def test_shares_follow_the_gain_for_the_cost() -> None:
    found = ledger(PROBLEM)
    assert found.shares == {"cautious": 0.5, "bold": 0.5}
    found.credits = {"cautious": Credit(1.0, 1000.0), "bold": Credit(2.0, 1000.0)}
    assert found.shares["bold"] == pytest.approx(0.8, rel=0.01)
    found.credits = {"cautious": Credit(1.0, 1000.0), "bold": Credit(2.0, 2000.0)}
    assert found.shares["bold"] == pytest.approx(0.5, rel=0.01)


def test_who_was_hardly_tried_is_judged_as_average() -> None:
    found = ledger(PROBLEM)
    found.credits = {"cautious": Credit(1.0, 10.0), "bold": Credit(0.0, 0.0)}
    assert found.shares["bold"] == pytest.approx(0.5, rel=0.01)
    found.credits = {"cautious": Credit(1.0, 10.0), "bold": Credit(0.0, 0.1)}
    assert 0.4 < found.shares["bold"] < 0.5


def test_a_replay_comes_to_the_same_credit() -> None:
    rows = [evaluate(PROBLEM, {"bn": bits}, strategy=by) for bits, by in (("001", "bold"), ("110", "cautious"))]
    first, second = ledger(PROBLEM, memory=3.0), ledger(PROBLEM, memory=3.0)
    for found in (first, second):
        for row in rows:
            found.add(row)
    assert first.credits == second.credits
    assert first.shares == second.shares
