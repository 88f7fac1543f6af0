from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest

from explorer.domination import Scale
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import front
from explorer.strategies import make_strategy
from simulators.protocol import Bits, Design, Fidelity
from tests.explorer.problems import accuracy, all_designs, area, family_problem, latency
from tests.explorer.strategies.conformance import StrategyConformance

QUICK: Mapping[str, object] = {"initial": 4, "samples": 2, "fidelities": 3}


class TestCFMesmo(StrategyConformance):
    name = "cf-mesmo"
    options: ClassVar[Mapping[str, object]] = QUICK
    count = 6


class TestMesmo(StrategyConformance):
    name = "mesmo"
    options: ClassVar[Mapping[str, object]] = QUICK
    count = 6


def test_a_single_fidelity_is_told_and_searched(caplog: pytest.LogCaptureFixture) -> None:
    problem = family_problem(fidelity=Fidelity("epochs", 20, 20))
    strategy = make_strategy("cf-mesmo", problem, 0, QUICK)
    assert "give it a range" in caplog.text
    assert {e.fidelity for e in StrategyConformance().drive(strategy, 6)} == {20}


def test_short_evaluations_come_first_and_are_gone_on_with() -> None:
    """The search pays for several families a part of a whole evaluation, and goes on with the better ones."""
    problem = family_problem(continues=True)
    found = StrategyConformance().drive(make_strategy("cf-mesmo", problem, 0, {"samples": 4}), 12)
    short = {e.family for e in found if e.fidelity != 20}
    assert len(short) >= 2
    gone_on = [e for e in found if e.fidelity == 20 and e.cost < 20]
    assert {e.family for e in gone_on} & short


def test_first_families_tell_how_fidelities_are_related() -> None:
    """Every third is trained a part of the way and then to the end."""
    found = StrategyConformance().drive(
        make_strategy("cf-mesmo", family_problem(continues=True), 0, {**QUICK, "initial": 4}), 6
    )
    by_family = [(e.family, e.fidelity) for e in found]
    families = list(dict.fromkeys(family for family, _ in by_family))
    few = found[0].fidelity
    assert few == 4
    assert by_family == [
        (families[0], few), (families[0], 20), (families[1], few), (families[2], few), (families[3], few),
        (families[3], 20),
    ]  # fmt: skip


def test_a_share_of_the_cost_goes_to_whole_evaluations_at_least() -> None:
    def paid(confirm: float) -> float:
        problem = family_problem(continues=True, reads={})
        found = StrategyConformance().drive(
            make_strategy("cf-mesmo", problem, 0, {**QUICK, "confirm": confirm, "initial": 2}), 14
        )
        return sum(e.cost for e in found if e.fidelity == 20) / sum(e.cost for e in found)

    assert paid(0.9) >= 0.8 > paid(0.0)


def test_a_search_ends_once_nothing_is_expected_any_more(caplog: pytest.LogCaptureFixture) -> None:
    problem = family_problem(continues=True)
    strategy = make_strategy("cf-mesmo", problem, 0, {**QUICK, "samples": 4, "converged": 0.01})
    found: list[Evaluation] = []
    while proposals := strategy.suggest(1):
        found.append(problem.evaluate(proposals[0]))
        strategy.update(found[-1:], [])
    assert len(found) < 24  # there are 8 families at 3 fidelities
    assert "the search ends" in caplog.text
    everything = [problem.evaluate(Proposal(design, 20)) for design in all_designs(problem)]
    scale = Scale.of(problem, everything)
    whole, reached = (scale.hypervolume(front(problem, rows).matrix) for rows in (everything, found))
    assert reached >= 0.97 * whole


@pytest.mark.parametrize("name", ["cf-mesmo", "mesmo"])
def test_a_batch_trains_no_family_twice(name: str) -> None:
    problem = family_problem(continues=True)
    strategy = make_strategy(name, problem, 0, {**QUICK, "initial": 2})
    strategy.update([problem.evaluate(proposal) for proposal in strategy.suggest(3)], [])
    batch = strategy.suggest(5)
    assert len({problem.family(proposal.design) for proposal in batch}) == len(batch) == 5


def test_mesmo_pays_for_whole_evaluations_only() -> None:
    found = StrategyConformance().drive(make_strategy("mesmo", family_problem(), 0, QUICK), 8)
    assert {e.fidelity for e in found} == {20}


def test_a_family_whose_evaluation_failed_is_left_alone() -> None:
    def broken(design: Design, fidelity: int) -> float:
        if design["bn"] == Bits("110"):
            raise RuntimeError("it burns")
        return accuracy(design, fidelity)

    problem = family_problem(functions={"accuracy": broken, "latency": latency, "area": area})
    found = StrategyConformance().drive(make_strategy("cf-mesmo", problem, 0, QUICK), 14)
    assert len([e for e in found if e.failed]) <= 1


@pytest.mark.parametrize("cost", [lambda _: 0.0, lambda fidelity: 1e-9 * fidelity])
def test_evaluations_that_cost_nothing_are_no_error(cost: Callable[[int], float]) -> None:
    found = StrategyConformance().drive(make_strategy("cf-mesmo", family_problem(cost=cost), 0, QUICK), 8)
    assert len(found) == 8


def test_a_constant_objective_is_no_error() -> None:
    problem = family_problem(functions={"accuracy": lambda _: 0.5, "latency": latency, "area": area})
    assert len(StrategyConformance().drive(make_strategy("cf-mesmo", problem, 0, QUICK), 10)) == 10
