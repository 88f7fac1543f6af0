from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.budget import Budget
from tests.explorer.problems import evaluate, family_problem
from tests.explorer.runs import Run, every_training

PROBLEM = family_problem()


def test_a_budget_is_used_up_by_its_number_of_evaluations_or_by_their_cost() -> None:
    evaluations = Run(every_training(), 3).evaluations
    assert Budget(3).used_up(evaluations)
    assert not Budget(4).used_up(evaluations)
    assert Budget(9, cost=60).used_up(evaluations)
    assert not Budget(9, cost=61).used_up(evaluations)
    assert not Budget(wall_time_s=0.1).used_up(evaluations), "every run has its own"


@pytest.mark.parametrize(
    ("budget", "used"),
    [
        (Budget(), 0.0), (Budget(wall_time_s=1.0), 0.0), (Budget(10), 0.3), (Budget(cost=240.0), 0.25),
        (Budget(10, 100.0), 0.6), (Budget(2), 1.5), (Budget(0), 1.0), (Budget(-3), 1.0), (Budget(cost=0.0), 1.0),
    ],
)  # fmt: skip
def test_the_share_that_is_used_is_that_of_the_limit_that_is_nearest(budget: Budget, used: float) -> None:
    assert budget.used(3, 60.0) == used


@given(st.integers(1, 20), st.floats(1, 400), st.integers(0, 30))
def test_a_budget_is_used_up_once_all_of_it_is_used(most: int, cost: float, count: int) -> None:
    evaluations = [replace(evaluate(PROBLEM, {"bn": "110"}), cost=20.0)] * count
    budget = Budget(most, cost)
    assert budget.used_up(evaluations) == (count >= most or 20.0 * count >= cost)
