from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import pytest

from explorer.strategies import make_strategy
from simulators.protocol import Bits, Design, Fidelity
from tests.explorer.problems import accuracy, area, family_problem, latency
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
