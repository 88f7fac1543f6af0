from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.budget import Budget
from explorer.clock import SimulatedPool
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import front
from explorer.problem import Problem
from explorer.search import Progress, Search
from explorer.space import Space
from explorer.strategies import make_strategy
from objectives import objective
from simulators.protocol import BinaryVector, Design, Designs, Fidelity, InputError, Report
from tests.explorer.problems import SPACE, all_designs, area, family_problem, latency
from tests.explorer.runs import Heard, Run, every_training
from tests.explorer.simulators import Counting, FormulaTraining, bench_problem, objectives

# -- budgets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2, 7, 64])
@pytest.mark.parametrize("ahead", [None, 0, 3, 100])
def test_a_budget_of_evaluations_is_met_exactly(workers: int, ahead: int | None) -> None:
    run = Run(every_training(), 20, workers, ahead=ahead)
    assert len(run.evaluations) == len(run.search.finished) == 20
    assert len({evaluation.key for evaluation in run.evaluations}) == 20
    assert sum(run.strategy.asked) == 20


@pytest.mark.parametrize("budget", [0, -3])
def test_a_budget_of_nothing_does_nothing(budget: int) -> None:
    run = Run(every_training(), budget, initial=[Proposal(SPACE.design({}), 20)])
    assert run.saved == []
    assert run.strategy.asked == []
    assert len(run.progress) == 1


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_a_budget_of_cost_starts_nothing_once_it_is_reached(workers: int) -> None:
    run = Run(every_training(), Budget(cost=200.0), workers)
    paid = sum(evaluation.cost for evaluation in run.evaluations)
    assert paid == 200.0  # ten evaluations of 20 epochs
    run = Run(every_training(), Budget(cost=205.0), workers)
    assert sum(evaluation.cost for evaluation in run.evaluations) == 220.0


def test_members_of_trained_families_do_not_count_towards_a_budget_of_cost() -> None:
    run = Run(family_problem(), Budget(cost=100.0), 1)
    assert sum(evaluation.cost for evaluation in run.evaluations) == 100.0
    assert len({evaluation.family for evaluation in run.evaluations}) == 5 < len(run.evaluations)


def test_a_budget_of_cost_counts_what_was_really_paid() -> None:
    problem = every_training()
    half = every_training(cost=lambda fidelity: fidelity / 2)
    problem.measure = half.measure  # type: ignore[method-assign]  # continued from checkpoints at half the price
    run = Run(problem, Budget(cost=100.0), 4)
    assert sum(evaluation.cost for evaluation in run.evaluations) >= 100.0
    assert len(run.evaluations) >= 10


def test_a_budget_of_time_starts_nothing_after_it_and_loses_nothing_that_runs() -> None:
    run = Run(every_training(), Budget(wall_time_s=10.0), 3, duration_s=lambda _: 4.0)
    assert len(run.evaluations) == 9
    assert max(evaluation.started_at for evaluation in run.evaluations) < 10.0
    assert run.pool.now() == 12.0


def test_the_first_limit_that_is_reached_ends_a_search() -> None:
    assert len(Run(every_training(), Budget(5, cost=1e9, wall_time_s=1e9)).evaluations) == 5
    assert len(Run(every_training(), Budget(40, cost=60.0, wall_time_s=1e9)).evaluations) == 3
    assert len(Run(every_training(), Budget(40, cost=1e9, wall_time_s=2.5), duration_s=lambda _: 1.0).evaluations) == 3


@pytest.mark.parametrize("workers", [1, 5, 60])
@pytest.mark.parametrize("budget", [Budget(1000), Budget(), Budget(cost=1e9)])
def test_a_search_ends_when_every_feasible_design_was_evaluated(workers: int, budget: Budget) -> None:
    run = Run(every_training(), budget, workers)
    assert len(run.evaluations) == 46
    assert {evaluation.design for evaluation in run.evaluations} == set(all_designs(every_training()))


# -- order ----------------------------------------------------------------------------------------------------------

INITIAL = [Proposal(SPACE.design({"bn": bits}), 20, strategy="initial") for bits in ("111", "000", "111", "101")]


@pytest.mark.parametrize("workers", [1, 2, 10])
def test_initial_designs_come_first_and_each_once(workers: int) -> None:
    run = Run(every_training(), 8, workers, initial=INITIAL)
    assert len(run.evaluations) == 8
    first = [evaluation for evaluation in run.evaluations if evaluation.strategy == "initial"]
    others = [evaluation for evaluation in run.evaluations if evaluation.strategy == "heard"]
    assert {str(evaluation.design["bn"]) for evaluation in first} == {"111", "000", "101"}
    assert (len(first), len(others)) == (3, 5)
    assert max(e.started_at for e in first) <= min(e.started_at for e in others)
    if workers == 1:
        assert [str(evaluation.design["bn"]) for evaluation in run.evaluations[:3]] == ["111", "000", "101"]


def test_more_initial_designs_than_the_budget_are_cut() -> None:
    run = Run(every_training(), 2, 5, initial=INITIAL)
    assert [str(evaluation.design["bn"]) for evaluation in run.evaluations] in (["111", "000"], ["000", "111"])
    assert run.strategy.asked == []


def test_a_strategy_hears_of_everything_once_after_it_was_saved() -> None:
    run = Run(every_training(), 30, 4, initial=INITIAL)
    heard = [evaluation.key for evaluation in run.strategy.finished]
    saved = [evaluation.key for evaluation in run.evaluations]
    assert len(set(heard)) == len(heard)
    assert heard == saved[: len(heard)]  # the last ones came when nothing more was asked
    assert len(saved) == len(set(saved)) == 30


def test_with_one_worker_each_suggestion_sees_every_result() -> None:
    run = Run(every_training(), 10, 1)
    assert run.strategy.asked == [1] * 10
    assert [len(running) for running in run.strategy.running] == [0] * 10
    assert len(run.strategy.finished) == 9


def test_a_strategy_is_told_of_all_that_runs_and_waits() -> None:
    run = Run(every_training(), 40, 8, ahead=2)
    told = [[proposal.key for proposal in running] for running in run.strategy.running]
    assert all(len(set(keys)) == len(keys) for keys in told)
    assert max(len(keys) for keys in told) >= 8
    running_now = [p.running for p in run.progress]
    assert max(running_now) == 8


def test_derived_members_are_saved_with_the_evaluation_that_they_follow_from() -> None:
    run = Run(family_problem(), 5, 3)
    keys: set[str] = set()
    for evaluation in run.saved:
        if evaluation.derived_from:
            assert evaluation.derived_from in keys
        keys.add(evaluation.key)
    assert any(evaluation.derived_from for evaluation in run.saved)
    found = front(family_problem(), run.evaluations)
    assert {point.design for point in run.search.archive.front} == {point.design for point in found}


def test_nothing_is_lost_when_saving_fails() -> None:
    problem, kept = every_training(), []

    def save(batch: Sequence[Evaluation]) -> None:
        if len(kept) == 2:
            raise OSError("the disk is full")
        kept.append(batch)

    strategy = Heard(problem)
    search = Search(problem, strategy, SimulatedPool(problem, 1), Budget(10), save=save)
    with pytest.raises(OSError, match="full"):
        search.run()
    assert len(strategy.finished) == len(kept) == 2


# -- failures -------------------------------------------------------------------------------------------------------


def test_failures_are_recorded_with_their_reason_and_the_search_goes_on() -> None:
    def fails_often(design: Design) -> Any:
        bits = "".join(map(str, design["bn"]))  # type: ignore[arg-type]  # Bits
        return results[bits] if bits in results else 0.5 / int(bits[2])

    results = {"000": float("nan"), "111": float("inf"), "101": None, "110": "high"}
    problem = every_training(functions={"accuracy": fails_often, "latency": latency, "area": area})
    for name in ("random", "nsga2", "tpe"):
        run = Run(problem, 46, 4, strategy=make_strategy(name, problem))
        failed = [evaluation for evaluation in run.evaluations if evaluation.failed]
        assert len(run.evaluations) == 46
        assert {str(e.design["bn"]) for e in run.evaluations if not e.failed} == {"011", "001"}
        reasons = {str(e.design["bn"]): e.failure.partition(":")[0] for e in failed}
        assert reasons["000"] == reasons["111"] == "not finite"
        assert reasons["110"] == "ValueError"
        assert reasons["010"] == "ZeroDivisionError"
        assert run.progress[-1].failed == len(failed)
        assert run.progress[-1].finished == 46


def test_a_search_where_everything_fails_ends() -> None:
    problem = every_training(functions={"accuracy": lambda _: 1 / 0, "latency": latency, "area": area})
    run = Run(problem, 100, 3)
    assert len(run.evaluations) == 46
    assert all(evaluation.failed for evaluation in run.evaluations)
    assert len(run.search.archive.front) == 0
    assert run.progress[-1].hypervolume == 0.0


@pytest.mark.parametrize("strategy", ["random", "cf-mesmo"])
def test_a_budget_of_cost_that_failures_do_not_use_up_ends_all_the_same(
    strategy: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The designs of a space of 12 bits are too many to fail one by one."""
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(12)}), {"accuracy": lambda _: 1 / 0}, directions={"accuracy": "maximize"},
        fidelity=Fidelity("epochs", 1, 20), cost=float,
    )  # fmt: skip
    run = Run(problem, Budget(cost=100.0), 3, strategy=make_strategy(strategy, problem))
    assert 100 <= len(run.evaluations) <= 103
    assert "100 evaluations in a row failed, the last one by: ZeroDivisionError" in caplog.text


def test_what_an_objective_fails_on_is_paid_for() -> None:
    """The training ran, and its reports are kept."""

    def broken(training: Report) -> float:
        raise ValueError(f"{training.accuracy} is too odd")

    simulators = {"counting": Counting(), "training": FormulaTraining()}
    problem = bench_problem(simulators, objectives("latency", objective(direction="maximize")(broken)))
    evaluation = problem.evaluate(Proposal(all_designs(problem)[0], problem.full_fidelity))
    assert "raised ValueError" in evaluation.failure
    assert "is too odd" in evaluation.failure
    assert evaluation.cost == problem.full_fidelity
    assert "training.accuracy" in evaluation.quantities or "accuracy" in evaluation.quantities
    assert "too odd" in evaluation.traceback


def test_a_search_without_a_feasible_design_says_so() -> None:
    with pytest.raises(InputError, match="no design satisfies"):
        Run(every_training(constraints=["latency < 0"]), 5)


# -- resume ---------------------------------------------------------------------------------------------------------


@given(
    cut=st.integers(0, 20),
    workers=st.integers(1, 5),
    seed=st.integers(0, 9),
    name=st.sampled_from(["random", "nsga2", "tpe"]),
)
@settings(max_examples=12)
def test_a_resumed_search_does_nothing_twice_and_ends_with_what_was_asked_for(
    cut: int, workers: int, seed: int, name: str
) -> None:
    problem = every_training()
    whole = Run(problem, 20, workers, initial=INITIAL, strategy=make_strategy(name, problem, seed))
    earlier = [evaluation for batch in whole.batches[:cut] for evaluation in batch]  # a batch is saved as a whole
    again = Run(problem, 25, workers, initial=INITIAL, strategy=make_strategy(name, problem, seed), earlier=earlier)
    before = [evaluation for evaluation in earlier if not evaluation.derived_from]
    keys = [evaluation.key for evaluation in (*before, *again.evaluations)]
    assert len(keys) == len(set(keys)) == 25
    assert again.progress[-1].finished == 25
    assert {p.key for p in INITIAL} <= set(keys)
    assert again.progress[-1].cost == sum(evaluation.cost for evaluation in (*before, *again.evaluations))
    rows = {(point.design, *point.values.values()) for point in front(problem, [*before, *again.evaluations])}
    found = again.search.archive.front
    assert {row[1:] for row in rows} == {tuple(point.values.values()) for point in found}


def test_a_finished_search_that_is_resumed_does_nothing() -> None:
    problem = every_training()
    whole = Run(problem, 20, 2, initial=INITIAL)
    again = Run(problem, 20, 2, initial=INITIAL, earlier=whole.saved)
    assert again.saved == []
    assert again.strategy.asked == []
    assert len(again.progress) == 1


def test_failures_of_an_earlier_run_count_and_are_not_tried_again() -> None:
    problem = every_training(functions={"accuracy": lambda _: 1 / 0, "latency": latency, "area": area})
    whole = Run(problem, 10)
    again = Run(problem, 15, earlier=whole.saved)
    assert len(again.evaluations) == 5
    assert again.progress[-1].failed == 15


# -- confirmation ---------------------------------------------------------------------------------------------------


def noisy_problem() -> Problem:
    simulators = {"counting": Counting(), "training": FormulaTraining()}
    return bench_problem(simulators, objectives("accuracy", "latency", "area"))


def replicates(run: Run, count: int) -> list[Proposal]:
    return [replace(Proposal(e.design, e.fidelity), replicate=r) for r in (1, 2) for e in run.search.finished[:count]]


@pytest.mark.parametrize("workers", [1, 3])
def test_confirmation_is_outside_the_budget_and_brings_means_and_spreads(workers: int) -> None:
    run = Run(noisy_problem(), 6, workers)
    run.search.repeat(replicates(run, 4))
    assert len(run.search.finished) == 6
    assert len(run.evaluations) == 6 + 8
    assert {e.replicate for e in run.evaluations[6:]} == {1, 2}
    last = run.progress[-1]
    assert (last.finished, last.phase, last.cost) == (6, "confirming", 140.0)
    confirmed = {e.family for e in run.search.finished[:4]}
    for point in run.search.archive.front:
        assert point.replicates == (3 if point.family in confirmed else 1)
    run.search.repeat(replicates(run, 4))
    assert len(run.evaluations) == 14  # nothing twice


def test_confirmation_uses_up_none_of_the_budget_of_a_resumed_search() -> None:
    run = Run(noisy_problem(), Budget(cost=60.0))
    run.search.repeat(replicates(run, 3))
    assert run.progress[-1].cost == 120.0
    again = Run(noisy_problem(), Budget(cost=100.0), earlier=run.saved)
    assert sum(evaluation.cost for evaluation in again.evaluations) == 40.0
    assert again.progress[-1].cost == 160.0


def test_a_replicate_that_fails_is_no_failure_of_the_search() -> None:
    run = Run(noisy_problem(), 4)
    before = {point.design: point.values for point in run.search.archive.front}

    def broken(*_: Any) -> Any:
        raise RuntimeError("the disk is full")

    run.search.problem.measure = broken  # type: ignore[method-assign]  # from now on
    run.search.repeat(replicates(run, 2))
    assert sum(evaluation.failed for evaluation in run.evaluations) == 4
    assert (run.progress[-1].finished, run.progress[-1].failed) == (4, 0)
    assert {point.design: point.values for point in run.search.archive.front} == before


def test_an_interrupted_confirmation_goes_on() -> None:
    run = Run(noisy_problem(), 6)
    run.search.repeat(replicates(run, 2))
    cut = [e for e in run.saved if not (e.replicate == 2 and not e.derived_from)]
    again = Run(noisy_problem(), 6, earlier=cut)
    assert again.evaluations == []
    again.search.repeat(replicates(run, 2))
    assert sorted(e.key for e in again.evaluations) == sorted(e.key for e in run.evaluations if e.replicate == 2)


# -- progress -------------------------------------------------------------------------------------------------------


def test_progress_tells_how_the_search_stands() -> None:
    run = Run(every_training(), 20, 4, initial=INITIAL)
    told = [p for p in run.progress if p.latest]
    assert [p.finished for p in told] == sorted({p.finished for p in told})
    assert told[-1].finished == told[-1].wanted == 20
    assert [p.hypervolume for p in told][-1] > 0
    assert all(0 <= p.hypervolume <= 1 for p in told)
    assert told[-1].front_size == len(run.search.archive.front)
    assert told[-1].running == 0
    assert max(p.running for p in told) <= 4
    assert all(p.remaining_s is not None and p.remaining_s >= 0 for p in told)
    assert told[-1].remaining_s == 0.0
    assert told[-1].elapsed_s == run.pool.now()


def test_every_evaluation_is_told_once_also_if_several_finish_together() -> None:
    run = Run(every_training(), 12, 4, duration_s=lambda _: 1.0)
    assert [p.latest.key for p in run.progress if p.latest] == [e.key for e in run.evaluations]
    assert len(run.batches) == 3
    assert [p.finished for p in run.progress if p.latest] == list(range(1, 13))


def test_confirmation_is_counted_beside_the_budget() -> None:
    run = Run(noisy_problem(), 6)
    assert {(p.confirmed, p.to_confirm) for p in run.progress} == {(0, 0)}
    before = len(run.progress)
    run.search.repeat(replicates(run, 4))
    told = [p for p in run.progress[before:] if p.latest]
    assert [p.confirmed for p in told] == list(range(1, 9))
    assert {(p.finished, p.to_confirm) for p in told} == {(6, 8)}
    cut = [e for e in run.saved if e.derived_from or e.replicate < 2]
    again = Run(noisy_problem(), 6, earlier=cut)
    again.search.repeat(replicates(run, 4))
    assert [p.confirmed for p in again.progress if p.latest] == [5, 6, 7, 8]


class SlowStart(SimulatedPool):
    """Workers that take a while to start, as those on Ray do."""

    def __init__(self, problem: Problem, workers: int, duration_s: float, start_s: float) -> None:
        super().__init__(problem, workers, lambda _: duration_s)
        self._start_s = start_s

    def submit(self, proposal: Proposal) -> None:
        if not self._count:
            self._now += self._start_s
        super().submit(proposal)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_time_left_is_that_of_the_work_left_however_long_workers_take_to_start(workers: int) -> None:
    problem, told = every_training(), list[Progress]()
    pool = SlowStart(problem, workers, duration_s=10.0, start_s=500.0)
    Search(problem, Heard(problem), pool, Budget(20), listener=told.append).run()
    finish = pool.now()
    known = [(finish - p.elapsed_s, p.remaining_s) for p in told if p.remaining_s is not None]
    assert len(known) > 30
    for really, estimate in known:
        assert estimate == pytest.approx(really, abs=10.0)


def test_a_budget_of_cost_tells_its_time_too() -> None:
    told = Run(every_training(), Budget(cost=100.0), 2, duration_s=lambda _: 10.0).progress
    assert {p.wanted_cost for p in told} == {100.0}
    assert [p.spent for p in told] == sorted(p.spent for p in told)
    assert told[-1].spent >= 100.0
    finish = told[-1].elapsed_s
    known = [(finish - p.elapsed_s, p.remaining_s) for p in told if p.remaining_s is not None]
    assert len(known) > 5
    for really, estimate in known:
        assert estimate == pytest.approx(really, abs=10.0)


def test_the_time_left_of_a_confirmation_is_its_own() -> None:
    run = Run(noisy_problem(), Budget(4, wall_time_s=3000.0), duration_s=lambda _: 10.0)
    before = len(run.progress)
    run.search.repeat(replicates(run, 3))
    finish = run.pool.now()
    known = [(finish - p.elapsed_s, p.remaining_s) for p in run.progress[before:] if p.remaining_s is not None]
    assert known
    for really, estimate in known:
        assert estimate == pytest.approx(really, abs=1.0)


def test_a_listener_hears_of_the_time_passing_while_nothing_finishes() -> None:
    run = Run(every_training(), 2, duration_s=lambda _: 60.0)
    quiet = [p.elapsed_s for p in run.progress if p.latest is None]
    assert len(quiet) > 200
    assert max(np.diff(quiet)) <= 1.0


# -- effort ---------------------------------------------------------------------------------------------------------


def test_using_up_a_space_looks_at_each_design_a_few_times_only() -> None:
    looked_at = 0

    def width(designs: Designs) -> Any:
        nonlocal looked_at
        looked_at += len(designs)
        return designs["bn"][:, 0]

    problem = Problem.from_functions(
        Space({"bn": BinaryVector(10)}), {"x": lambda design: float(sum(design["bn"])), "width": width},
        directions={"x": "maximize", "width": "minimize"}, cheap={"width"},
    )  # fmt: skip
    run = Run(problem, 5000, 8)
    assert len(run.evaluations) == 1024
    assert looked_at < 80 * 1024
