"""Members of families: what needs no worker, what is waited for, what a budget counts."""

from __future__ import annotations

import pytest

from explorer.answers import without_answered
from explorer.evaluation import Proposal
from explorer.problem import Problem
from tests.explorer.problems import SPACE, family_problem
from tests.explorer.runs import Listed, Run
from tests.explorer.simulators import Counting, PaidTraining, bench_problem, objectives


def member(bn: str, layers: int, fidelity: int = 20, size: int = 64) -> Proposal:
    return Proposal(SPACE.design({"bn": bn, "layers": layers, "size": size}), fidelity)


def test_a_member_of_a_trained_family_is_answered_without_a_worker_and_is_not_counted() -> None:
    listed = [member("010", 1), member("010", 2), member("110", 1), member("010", 3), member("001", 1)]
    run = Run(family_problem(), 3, strategy=Listed(family_problem(), listed))
    assert [evaluation.design for evaluation in run.evaluations] == [proposal.design for proposal in listed]
    assert [evaluation.cost for evaluation in run.evaluations] == [20, 0, 20, 0, 20]
    assert [bool(evaluation.worker) for evaluation in run.evaluations] == [True, False, True, False, True]
    assert run.progress[-1].finished == 3
    assert [e.values for e in run.evaluations] == [family_problem().evaluate(proposal).values for proposal in listed]
    assert [e.key for e in run.strategy.finished] == [proposal.key for proposal in listed[: len(run.strategy.finished)]]


def test_a_member_of_a_family_that_is_being_trained_waits_for_it() -> None:
    listed = [member("010", 1), member("010", 2), member("110", 1), member("001", 1)]
    run = Run(family_problem(), 3, 2, strategy=Listed(family_problem(), listed), duration_s=lambda _: 10.0)
    assert sum(evaluation.cost for evaluation in run.evaluations) == 60.0
    assert run.pool.now() == 20.0  # the second worker did not wait: 010 and 110 side by side, then 001
    assert len(run.evaluations) == 4
    assert any(listed[1] in running for running in run.strategy.running)  # the strategy knows of it


def test_what_goes_on_with_a_training_waits_for_it_and_pays_the_difference() -> None:
    listed = [member("010", 1, 5), member("010", 1, 20), member("110", 1, 20)]

    def run(problem: Problem) -> Run:
        return Run(problem, 3, 2, strategy=Listed(problem, listed), duration_s=lambda e: float(e.fidelity or 0))

    goes_on = run(family_problem(continues=True))
    assert {(str(e.design["bn"]), e.fidelity): e.cost for e in goes_on.evaluations} == {
        ("010", 5): 5.0, ("010", 20): 15.0, ("110", 20): 20.0,
    }  # fmt: skip
    assert run(family_problem()).pool.now() == 25.0  # where nothing goes on, nothing waits


def test_a_resumed_search_counts_what_was_run() -> None:
    problem, other = family_problem(), member("010", 2, size=128)
    first = Run(problem, 1, strategy=Listed(problem, [member("010", 1), other, member("110", 1)]))
    assert len(first.evaluations) == 1
    second = Run(problem, 2, strategy=Listed(problem, [other, member("110", 1)]), earlier=first.saved)
    assert [evaluation.cost for evaluation in second.evaluations] == [0, 20]
    rows = [*first.saved, *second.saved]
    assert [e.cost for e in without_answered(problem.outline, rows)] == [20, 20]
    third = Run(problem, 2, strategy=Listed(problem, [member("010", 3)]), earlier=rows)
    assert third.evaluations == []


def test_a_strategy_that_finds_nothing_to_train_any_more_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.search.MOST_ANSWERED", 5)
    run = Run(family_problem(), 30)
    assert run.progress[-1].finished <= 8  # there are no more families
    assert [evaluation.cost for evaluation in run.evaluations[-5:]] == [0] * 5


def test_answers_of_simulators_say_that_nothing_was_paid() -> None:
    problem = bench_problem({"t": PaidTraining(), "c": Counting()}, objectives("accuracy", "latency"))
    source = problem.evaluate(Proposal(problem.space.design({"bn": "11110000", "tiles": 1}), 10))
    assert (source.quantities["paid"], sum(source.series["paid_time_s"])) == (10, 10)
    design = problem.space.design({"bn": "11110000", "tiles": 2})
    answer, own = problem.answer(design, source), problem.evaluate(Proposal(design, 10))
    assert answer
    assert (answer.cost, answer.quantities["paid"], answer.series["paid_time_s"]) == (0, 0, [0.0] * 10)
    assert answer.values == own.values
    assert {**answer.quantities, "paid": 10} == own.quantities
    too_large = problem.space.design({"bn": "11110000", "tiles": 4, "size": 128})
    assert problem.answer(too_large, source) is None
