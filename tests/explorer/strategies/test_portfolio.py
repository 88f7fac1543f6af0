from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest

from explorer.budget import Budget
from explorer.evaluation import Evaluation
from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import make_strategy
from explorer.strategies import portfolio as module
from explorer.strategies.portfolio import Portfolio
from simulators.protocol import BinaryVector, Bits, Design, InputError
from tests.explorer.problems import all_designs, area, evaluate, family_problem, latency
from tests.explorer.runs import Heard
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
    members = ["random", {"name": "nsga2", "options": {"population_size": 2}}]
    strategy = Portfolio(problem, 0, {"members": members, "floor": 0})
    least, low, middle, high = ({"bn": bits} for bits in ("0" * 14, "1" + "0" * 13, "0" * 9 + "1" * 5, "1" * 14))
    strategy.update([evaluate(problem, bits, strategy="initial") for bits in (least, middle)], [])
    assert strategy.shares == {"random": 0.5, "nsga2": 0.5}
    strategy.update([evaluate(problem, low, strategy="random"), evaluate(problem, high, strategy="nsga2")], [])
    asked = Counter(proposal.strategy for proposal in strategy.suggest(40))
    assert asked["nsga2"] == pytest.approx(40 * strategy.shares["nsga2"], abs=1)
    assert asked["nsga2"] > asked["random"]


def test_who_needs_the_least_opens_for_all_and_who_cannot_choose_yet_has_the_floor() -> None:
    """CF-MESMO needs a whole and two short evaluations here, Thompson sampling three whole ones."""
    cf_mesmo = {"name": "cf-mesmo", "options": {"initial": 3, "samples": 2, "fidelities": 4}}
    strategy = make_strategy("portfolio", family_problem(), 0, {"members": [THOMPSON, cf_mesmo], "floor": 0.2})
    assert isinstance(strategy, Portfolio)
    thompson, costs = strategy._members["thompson-bqp"], []
    assert strategy.shares == pytest.approx({"thompson-bqp": 0.1, "cf-mesmo": 0.9})
    found: list[Evaluation] = []
    while thompson.opening_cost:
        costs.append(thompson.opening_cost)
        assert strategy.shares == pytest.approx({"thompson-bqp": 0.1, "cf-mesmo": 0.9})
        found += StrategyConformance().drive(strategy, 1)
    assert sorted(set(costs)) == [20, 40, 60]
    paid = {name: sum(e.cost for e in found if e.strategy == name) for name in strategy.shares}
    assert found[0].strategy == "cf-mesmo"
    assert paid["thompson-bqp"] <= 0.1 * sum(paid.values()) + 10  # half of one
    assert min(strategy.shares.values()) >= 0.1
    assert strategy.shares["thompson-bqp"] > 0.2


def test_who_cannot_choose_yet_is_asked_all_the_same() -> None:
    """Random search's share would never bring the 1000 evaluations that annealing waits for."""
    members = [{"name": "annealing", "options": {"initial": 1000}}, "random"]
    strategy = make_strategy("portfolio", needle(), 0, {"members": members, "floor": 0.5})
    asked = Counter(e.strategy for e in StrategyConformance().drive(strategy, 40))
    assert asked["annealing"] in (9, 10)


def test_random_designs_of_an_opening_are_to_nobodys_credit() -> None:
    problem = needle()
    members = [{"name": name, "options": {"initial": 2}} for name in ("annealing", "amosa")]
    strategy = Portfolio(problem, 0, {"members": members})
    bits = ["1" + "0" * 11, "0" * 8 + "1" * 4, "1" * 12]
    opening = [evaluate(problem, {"bn": each}, strategy="annealing") for each in bits[:2]]
    strategy.update(opening, [])
    assert strategy.shares == {"annealing": 0.5, "amosa": 0.5}
    strategy.update([evaluate(problem, {"bn": "0" * 12}, strategy="amosa")], [])  # in vain
    assert strategy.shares == {"annealing": 0.5, "amosa": 0.5}
    strategy.update([evaluate(problem, {"bn": bits[2]}, strategy="annealing")], [])
    assert strategy.shares["annealing"] > 0.6


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_resumed_portfolio_owes_what_it_owed(every: int) -> None:
    """However often it is resumed, the member with the smallest share is asked."""
    problem = needle()
    options = {"members": [{"name": "annealing", "options": {"initial": 1000}}, "random"], "floor": 0.2}
    found: list[Evaluation] = []
    strategy = Portfolio(problem, 0, options)
    while len(found) < 63:
        found += StrategyConformance().drive(strategy, every)
        resumed = Portfolio(problem, len(found), options)
        resumed.update(found, [])
        assert resumed._due == pytest.approx(strategy._due)
        strategy = resumed
    assert Counter(e.strategy for e in found)["annealing"] in (5, 6)


def test_a_member_is_credited_by_the_name_that_the_portfolio_knows_it_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed strategy may be offered under another name than its class has."""
    monkeypatch.setattr(module, "make_strategy", lambda _, *arguments: make_strategy("random", *arguments))
    strategy = Portfolio(needle(), 0, {"members": ["climb", "hike"]})
    assert {e.strategy for e in StrategyConformance().drive(strategy, 4)} == {"climb", "hike"}


def test_members_know_how_much_of_the_budget_is_left() -> None:
    strategy = Portfolio(family_problem(), 0)
    strategy.budget, strategy.elapsed_s = Budget(wall_time_s=60), 30.0
    strategy.suggest(1)
    assert {(m.budget, m.elapsed_s) for m in strategy._members.values()} == {(strategy.budget, 30.0)}


def test_what_was_gained_long_ago_counts_less() -> None:
    def share(memory: float) -> float:
        problem = needle()
        members = ["random", {"name": "nsga2", "options": {"population_size": 2}}]
        strategy = Portfolio(problem, 0, {"members": members, "memory": memory})
        designs = ["0" * 12, "1" + "0" * 11, "1" * 12, *(f"{number:012b}" for number in range(2, 12))]
        names = ["initial", "initial", "nsga2", *["random"] * 10]
        strategy.update(
            [evaluate(problem, {"bn": b}, strategy=name) for b, name in zip(designs, names, strict=True)], []
        )
        return strategy.shares["nsga2"]

    assert share(0.5) < 0.85 < 0.9 < share(1000)


def test_who_has_nothing_left_to_propose_does_not_stop_the_others() -> None:
    """CF-MESMO that has converged is silent; random search goes on until the space is used up."""
    problem = family_problem(reads={})
    cf_mesmo = {"name": "cf-mesmo", "options": {"initial": 2, "samples": 2, "fidelities": 2, "converged": 0.99}}
    strategy = Portfolio(problem, 0, {"members": [cf_mesmo, "random"], "floor": 1.0})
    found = StrategyConformance().drive(strategy, 24)
    assert {e.strategy for e in found[-10:]} == {"random"}


def test_members_hear_of_all_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what ran before, and of what the others were asked for just now."""
    monkeypatch.setattr(module, "make_strategy", lambda _, *arguments: Heard(*arguments[:2]))
    problem = needle()
    strategy = Portfolio(problem, 0, {"members": ["one", "two"]})
    (before,) = make_strategy("random", problem, 7).suggest(1)
    strategy.update([], [before])
    proposals = strategy.suggest(3)
    assert {proposal.strategy for proposal in proposals} == {"one", "two"}
    for member in strategy._members.values():
        assert isinstance(member, Heard)
        assert member.running[-1] == [before, *proposals]


@pytest.mark.parametrize("fails", [True, False])
def test_what_failed_or_was_repeated_is_not_paid_for_yet(fails: bool) -> None:
    def broken(design: Design) -> float:
        raise ValueError("on purpose")

    problem = family_problem()
    source = family_problem(functions={"accuracy": broken, "latency": latency, "area": area}) if fails else problem
    strategy = Portfolio(problem, 0, {"members": ["random", "amosa"], "floor": 1.0})
    designs = {problem.family(design): design for design in all_designs(problem)}.values()
    known = [evaluate(source, design, strategy="initial", replicate=0 if fails else 1) for design in designs]
    strategy.update(known, [])
    (proposal,) = strategy.suggest(1)
    assert strategy._due[proposal.strategy] == -10


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
        (["random", "thompsn"], r"members\.1: .*thompson-bqp"),
        (["random", "random"], "once"),
        (["portfolio"], "own member"),
        ([{"name": "amosa", "options": {"warm": 1}}], r"members\.0\.options\.warm: amosa has no such option"),
        ([{"nam": "amosa"}], r"members\.0\.name: is missing"),
        (["random", 3], "members: write a strategy's name, or .*, not 3"),
        ("random", r"write a list of strategies, such as \[thompson-bqp, cf-mesmo\], not 'random'"),
    ],
)
def test_members_that_cannot_be_are_told(members: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        make_strategy("portfolio", needle(), 0, {"members": members})


@pytest.mark.parametrize(
    ("continues", "reads"), [(True, {}), (True, {"accuracy": ["bn"]}), (False, {"accuracy": ["bn"]})]
)
def test_each_is_charged_what_its_evaluations_pay(continues: bool, reads: Mapping[str, Sequence[str]]) -> None:
    """Going on with a training costs the rest, members of a family that was trained cost nothing."""
    problem = family_problem(continues=continues, reads=reads)
    options = {"members": [{"name": "cf-mesmo", "options": {"initial": 4, "samples": 2, "fidelities": 3}}, "random"],
               "floor": 1.0}  # fmt: skip
    strategy = make_strategy("portfolio", problem, 0, options)
    found = StrategyConformance().drive(strategy, 30)
    paid = {name: sum(e.cost for e in found if e.strategy == name) for name in ("cf-mesmo", "random")}
    assert any(e.cost < (e.fidelity or 0) for e in found), "some went on"
    assert isinstance(strategy, Portfolio)
    half = sum(paid.values()) / 2
    assert strategy._due == pytest.approx({name: half - cost for name, cost in paid.items()})


def test_where_evaluations_cost_nothing_all_are_asked() -> None:
    members = ["random", {"name": "nsga2", "options": {"population_size": 2}}]
    strategy = Portfolio(family_problem(cost=lambda _: 0.0), 0, {"members": members, "floor": 1.0})
    asked = Counter(e.strategy for e in StrategyConformance().drive(strategy, 7))
    assert set(asked) == {"random", "nsga2"}
    assert strategy._due == {name: 3.5 - asked[name] for name in asked}
