from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from explorer.evaluation import Proposal
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


def test_who_gains_more_for_its_cost_is_asked_more() -> None:
    strategy = make_strategy("portfolio", needle(), 0, {"members": ["random", "tpe"], "floor": 0.2})
    assert isinstance(strategy, Portfolio)
    assert strategy.shares == {"random": 0.5, "tpe": 0.5}
    account = strategy._accounts
    account["random"].gained, account["random"].paid = 0.1, 10.0
    account["tpe"].gained, account["tpe"].paid = 0.3, 10.0
    assert strategy.shares == pytest.approx({"random": 0.1 + 0.8 * 0.25, "tpe": 0.1 + 0.8 * 0.75})
    account["tpe"].paid = 30.0  # as much for three times the cost
    assert strategy.shares == pytest.approx({"random": 0.5, "tpe": 0.5})


def test_proposals_follow_the_shares() -> None:
    strategy = make_strategy("portfolio", needle(14), 0, {"members": ["random", "nsga2"], "memory": 1.0, "floor": 0})
    assert isinstance(strategy, Portfolio)
    for name, gained in (("random", 0.3), ("nsga2", 0.1)):
        strategy._accounts[name].gained, strategy._accounts[name].paid = gained, 1.0
    asked = Counter(proposal.strategy for proposal in strategy.suggest(40))
    assert asked["random"] == pytest.approx(30, abs=2)


def test_gains_are_credited_to_who_proposed() -> None:
    problem = family_problem()
    strategy = Portfolio(problem, 0, {"members": ["random", "nsga2"], "memory": 0.5})
    strategy.update([evaluate(problem, {"bn": "001"}, strategy="initial")], [])
    first = Proposal(problem.space.design({"bn": "110"}), 20, strategy="nsga2")
    strategy.update([problem.evaluate(first)], [])
    account = strategy._accounts["nsga2"]
    assert account.gained > 0
    assert account.paid == 20.0
    gained = account.gained
    strategy.update([evaluate(problem, {"bn": "111"}, strategy="initial")], [])
    assert account.gained == gained  # someone else's
    again = problem.evaluate(first)
    strategy.update([again], [])  # nothing new on the front: it fades
    assert account.gained == pytest.approx(gained / 2)


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
