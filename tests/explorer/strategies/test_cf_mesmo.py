from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

import pytest

from explorer.budget import Budget
from explorer.domination import Scale
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import front
from explorer.strategies import make_strategy
from explorer.strategies.cf_mesmo import CFMesmo
from simulators.protocol import Bits, Design, Fidelity
from tests.explorer.problems import accuracy, all_designs, area, family_problem, latency
from tests.explorer.simulators import Counting, FormulaTraining, bench_problem, objectives
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
    def paid(share: float) -> float:
        problem = family_problem(continues=True, reads={})
        found = StrategyConformance().drive(
            make_strategy("cf-mesmo", problem, 0, {**QUICK, "full_share": share, "initial": 2}), 14
        )
        return sum(e.cost for e in found if e.fidelity == 20) / sum(e.cost for e in found)

    assert paid(0.9) >= 0.8 > paid(0.0)


def test_what_others_train_to_the_end_and_the_first_families_do_not_count_as_its_share() -> None:
    problem = family_problem(continues=True, reads={})
    strategy = make_strategy("cf-mesmo", problem, 0, {**QUICK, "full_share": 0.5, "initial": 2})
    others = [Proposal(design, 20, strategy="thompson-bqp") for design in all_designs(problem)[:3]]
    firsts = strategy.suggest(2)
    assert [proposal.fidelity for proposal in firsts] == [4, 20]
    strategy.update([problem.evaluate(proposal) for proposal in (*firsts, *others)], [])
    own: list[Evaluation] = []
    paid = full = 0.0
    while len(own) < 8:
        own.append(problem.evaluate(strategy.suggest(1)[0]))
        strategy.update(own[-1:], [])
        assert own[-1].fidelity == 20 or full >= 0.5 * paid
        paid += own[-1].cost
        full += own[-1].cost * (own[-1].fidelity == 20)
    assert {e.fidelity for e in own} > {20}


def test_the_last_part_of_a_budget_goes_to_full_fidelity_alone() -> None:
    problem = family_problem(continues=True, reads={})
    strategy = make_strategy("cf-mesmo", problem, 0, {**QUICK, "full_share": 0.25, "initial": 2})
    strategy.budget = Budget(cost=200.0)
    found: list[Evaluation] = []
    before: list[float] = []
    while (paid := sum(e.cost for e in found)) < 200.0:
        before.append(paid)
        found.append(problem.evaluate(strategy.suggest(1)[0]))
        repeats = [replace(found[0], replicate=number + 1, cost=20.0) for number in range(8 * (len(found) == 1))]
        strategy.update([found[-1], *repeats], [])  # repeats are outside the budget
    late = {e.fidelity for e, paid in zip(found, before, strict=True) if paid > 150.0}
    assert late == {20}
    assert {e.fidelity for e in found[4:]} > {20}  # the first two families take three or four


def test_the_last_part_of_a_time_goes_to_full_fidelity_alone() -> None:
    strategy = make_strategy("cf-mesmo", family_problem(reads={}), 0, {**QUICK, "full_share": 0.25, "initial": 2})
    strategy.budget = Budget(wall_time_s=100.0)
    StrategyConformance().drive(strategy, 4)
    assert {e.fidelity for e in StrategyConformance().drive(strategy, 6)} > {20}
    strategy.elapsed_s = 80.0
    assert {e.fidelity for e in StrategyConformance().drive(strategy, 6)} == {20}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_resumed_search_knows_what_it_began_with_and_what_it_paid(cut: int) -> None:
    def fresh() -> CFMesmo:
        return CFMesmo(family_problem(continues=True, reads={}), 0, {**QUICK, "initial": 5})

    live, resumed = fresh(), fresh()
    found = StrategyConformance().drive(live, cut)
    resumed.update(found, [])
    assert resumed._firsts == live._firsts
    assert resumed._paid == live._paid
    assert resumed.opening_cost == live.opening_cost
    if live.opening_cost and live._unfinished():  # what was begun is finished, and nothing else instead
        assert resumed.suggest(1) == live.suggest(1)


@pytest.mark.parametrize("continues", [True, False])
@pytest.mark.parametrize("given", range(5))
def test_it_tells_what_its_opening_costs(continues: bool, given: int) -> None:
    problem = family_problem(continues=continues, reads={})
    strategy = make_strategy("cf-mesmo", problem, 0, {**QUICK, "initial": 6})
    strategy.update([problem.evaluate(Proposal(design, 20)) for design in all_designs(problem)[:given]], [])
    told, paid = strategy.opening_cost, 0.0
    while strategy.opening_cost:
        paid += sum(e.cost for e in StrategyConformance().drive(strategy, 1))
    assert paid == pytest.approx(told)


def test_a_search_ends_once_nothing_is_expected_any_more(caplog: pytest.LogCaptureFixture) -> None:
    problem = family_problem(continues=True)
    strategy = make_strategy("cf-mesmo", problem, 0, {**QUICK, "samples": 4, "converged": 0.01})
    found: list[Evaluation] = []
    while proposals := strategy.suggest(1):
        found.append(problem.evaluate(proposals[0]))
        strategy.update(found[-1:], [])
    assert len(found) < 24  # there are 8 families at 3 fidelities
    assert "it proposes nothing more" in caplog.text
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


def test_it_says_so_where_only_constraints_are_trained_for(caplog: pytest.LogCaptureFixture) -> None:
    simulators = {"counting": Counting(), "training": FormulaTraining()}
    for names, told in ((["accuracy", "latency"], False), (["latency", "area"], True)):
        problem = bench_problem(simulators, objectives(*names), constraints=["accuracy >= 50 %"])
        make_strategy("cf-mesmo", problem, 0, QUICK)
        assert ("no objective has to be trained for" in caplog.text) is told


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


@pytest.mark.parametrize("name", ["cf-mesmo", "mesmo"])
@pytest.mark.parametrize(("count", "fidelity"), [(1, 1), (1, 20), (5, 1), (5, 8), (5, 20)])
def test_one_observation_and_one_fidelity_are_enough(name: str, count: int, fidelity: int) -> None:
    problem = family_problem(continues=True)
    strategy = make_strategy(name, problem, 0, {**QUICK, "initial": 1})
    families = {problem.family(design): design for design in all_designs(problem)}
    known = [problem.evaluate(Proposal(design, fidelity)) for design in list(families.values())[:count]]
    strategy.update(known, [])
    for _ in range(3):
        proposals = strategy.suggest(1)
        assert proposals
        strategy.update([problem.evaluate(proposals[0])], [])


def test_values_that_are_not_finite_are_failures_and_do_not_stop_it() -> None:
    def wild(design: Design, fidelity: int) -> float:
        return {0: float("nan"), 1: float("inf")}.get(sum(design["bn"]), accuracy(design, fidelity))

    problem = family_problem(functions={"accuracy": wild, "latency": latency, "area": area})
    found = StrategyConformance().drive(make_strategy("cf-mesmo", problem, 0, {**QUICK, "initial": 2}), 14)
    assert {sum(e.design["bn"]) for e in found if e.failed} <= {0, 1}
    assert any(e.failed for e in found)
    assert sum(not e.failed for e in found) >= 8


@pytest.mark.parametrize("penalty", [1e31, 1e100, 1e200, 1e308])
def test_huge_penalties_do_not_stop_it(penalty: float) -> None:
    def value(design: Design, fidelity: int) -> float:
        return -penalty if design["bn"][0] else accuracy(design, fidelity)

    problem = family_problem(functions={"accuracy": value, "latency": latency, "area": area})
    assert len(StrategyConformance().drive(make_strategy("cf-mesmo", problem, 0, {**QUICK, "initial": 3}), 10)) == 10


def test_while_something_runs_nothing_has_converged_for_good(caplog: pytest.LogCaptureFixture) -> None:
    problem, options = family_problem(continues=True), {**QUICK, "samples": 4, "converged": 0.9}
    strategy = make_strategy("cf-mesmo", problem, 0, options)
    found: list[Evaluation] = []
    while proposals := strategy.suggest(1):
        found.append(problem.evaluate(proposals[0]))
        strategy.update(found[-1:], [])
    caplog.clear()
    known = {evaluation.family for evaluation in found}
    last = Proposal(next(design for design in all_designs(problem) if problem.family(design) not in known), 20)
    resumed = make_strategy("cf-mesmo", problem, 0, options)
    resumed.update(found, [last])
    assert resumed.suggest(1) == []
    assert caplog.text == "", "it waits for what runs"
    resumed.update([problem.evaluate(last)], [])
    assert resumed.suggest(1) == resumed.suggest(1) == []
    assert caplog.text.count("it proposes nothing more") == 1
