from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import make_strategy
from explorer.strategies.portfolio import Portfolio
from simulators.protocol import BinaryVector, Bits, Design, InputError
from tests.explorer.problems import evaluate, family_problem
from tests.explorer.strategies.conformance import StrategyConformance

THOMPSON = {"name": "thompson-bqp", "options": {"cold_sweeps": 100, "sweeps": 40, "initial": 3}}


class TestPortfolio(StrategyConformance):
    name = "portfolio"
    options: ClassVar[Mapping[str, object]] = {"members": [THOMPSON, "amosa", "random"]}
    count = 12


def needle(n: int = 12) -> Problem:
    """Only who learns finds more."""

    def value(design: Design) -> float:
        bits = design["bn"]
        assert isinstance(bits, Bits)
        return float(np.array(bits) @ np.arange(n))

    return Problem.from_functions(Space({"bn": BinaryVector(n)}), {"y": value}, directions={"y": "maximize"})


def test_every_proposal_names_its_strategy_and_all_are_asked() -> None:
    strategy = make_strategy("portfolio", needle(), 0, {"members": [THOMPSON, "random"]})
    found = StrategyConformance().drive(strategy, 30)
    asked = Counter(e.strategy for e in found)
    assert set(asked) == {"thompson-bqp", "random"}
    assert min(asked.values()) >= 3  # the floor


def test_cost_follows_the_shares_and_proposals_follow_the_cost() -> None:
    """CF-MESMO's short evaluations come in larger numbers than random search's whole ones."""
    problem = family_problem(reads={}, continues=True)
    members = ["random", {"name": "cf-mesmo", "options": {"initial": 4, "samples": 2, "fidelities": 3}}]
    strategy = Portfolio(problem, 0, {"members": members, "floor": 1.0})
    found = StrategyConformance().drive(strategy, 16)
    cost = {name: sum(problem.cost(e.fidelity) for e in found if e.strategy == name) for name in ("random", "cf-mesmo")}
    assert cost["random"] == pytest.approx(cost["cf-mesmo"], abs=20)
    asked = Counter(e.strategy for e in found)
    assert asked["cf-mesmo"] > asked["random"]


def test_who_gains_more_for_its_cost_is_asked_more() -> None:
    problem = needle(14)
    strategy = Portfolio(problem, 0, {"members": ["random", "nsga2"], "floor": 0})
    assert strategy.shares == {"random": 0.5, "nsga2": 0.5}
    low, high = ({"bn": bits} for bits in ("1" + "0" * 13, "1" * 14))
    strategy.update([evaluate(problem, low, strategy="random"), evaluate(problem, high, strategy="nsga2")], [])
    asked = Counter(proposal.strategy for proposal in strategy.suggest(40))
    assert asked["nsga2"] == pytest.approx(40 * strategy.shares["nsga2"], abs=1)
    assert asked["nsga2"] > asked["random"]


def test_members_learn_from_each_other() -> None:
    """Thompson sampling that hears of 20 random designs finds the optimum with its first few proposals."""
    problem = needle()
    strategy = make_strategy("portfolio", problem, 0, {"members": [THOMPSON]})
    others = StrategyConformance().drive(make_strategy("random", problem, 1), 20)
    strategy.update(others, [])
    found = StrategyConformance().drive(strategy, 6)
    assert max(e.values["y"] for e in found) == 66


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([], "members"),
        (["thompsn"], "thompson-bqp"),
        (["random", "random"], "once"),
        (["portfolio"], "own member"),
        ([{"name": "amosa", "options": {"warm": 1}}], "warm"),
        ([{"nam": "amosa"}], "members"),
        ("random", "members"),
    ],
)
def test_members_that_cannot_be_are_told(members: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make_strategy("portfolio", needle(), 0, {"members": members})
