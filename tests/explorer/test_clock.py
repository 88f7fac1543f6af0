from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.budget import Budget
from explorer.clock import SimulatedPool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.search import Search
from explorer.space import Space
from explorer.strategies import make_strategy
from simulators.protocol import Integer

PROBLEM = Problem.from_functions(
    Space({"x": Integer(0, 99)}), {"y": lambda design: float(design["x"])}, directions={"y": "minimize"}
)


def proposal(x: int) -> Proposal:
    return Proposal(PROBLEM.space.design({"x": x}))


def x_of(evaluation: Evaluation) -> int:
    return int(evaluation.values["y"])


def test_results_arrive_when_their_time_has_come() -> None:
    pool = SimulatedPool(PROBLEM, 3, x_of)
    for x in (5, 2, 9):
        pool.submit(proposal(x))
    assert pool.idle == 0
    assert [p.design["x"] for p in pool.running] == [5, 2, 9]
    assert [x_of(e) for e in pool.wait(100)] == [2]
    assert pool.now() == 2
    assert pool.idle == 1
    pool.submit(proposal(3))  # ends together with the 5
    assert sorted(x_of(e) for e in pool.wait(100)) == [3, 5]
    assert pool.now() == 5
    assert pool.wait(1) == []
    assert pool.now() == 6
    (last,) = pool.wait(100)
    assert (last.started_at, last.duration_s, pool.now()) == (0, 9, 9)
    assert pool.wait(2) == []
    assert pool.now() == 11
    assert pool.busy_s == 5 + 2 + 9 + 3


def test_a_worker_is_named_and_free_again_afterwards() -> None:
    pool = SimulatedPool(PROBLEM, 2, x_of)
    pool.submit(proposal(1))
    pool.submit(proposal(2))
    (first,) = pool.wait(10)
    pool.submit(proposal(3))
    rest = [*pool.wait(10), *pool.wait(10)]
    assert [first.worker, *(e.worker for e in rest)] == ["simulated-0", "simulated-1", "simulated-0"]


def test_by_default_an_evaluation_takes_its_cost_in_seconds() -> None:
    pool = SimulatedPool(PROBLEM, 1)
    pool.submit(proposal(7))
    assert pool.wait(10)[0].duration_s == 1.0


@given(st.lists(st.integers(1, 9), min_size=1, max_size=25), st.integers(1, 6), st.none() | st.integers(0, 3))
def test_a_search_takes_no_longer_than_a_list_of_its_work_needs(
    durations: list[int], workers: int, ahead: int | None
) -> None:
    """Whoever is idle takes the next on the list: the makespan is that of list scheduling, to the second."""
    took = dict(enumerate(durations))
    pool = SimulatedPool(PROBLEM, workers, lambda e: took[x_of(e)])
    arrived: list[Evaluation] = []
    search = Search(
        PROBLEM, make_strategy("random", PROBLEM), pool, Budget(len(durations)),
        initial=[proposal(x) for x in took], save=arrived.extend, ahead=ahead,
    )  # fmt: skip
    search.run()
    free = [0] * workers
    ends = {}
    for x, duration in took.items():
        ends[x] = heapq.heappop(free) + duration
        heapq.heappush(free, ends[x])
    assert pool.now() == max(ends.values())
    assert {x_of(e): e.started_at + e.duration_s for e in arrived} == ends
    moments = [ends[x_of(e)] for e in arrived]
    assert moments == sorted(moments)
    assert pool.busy_s == sum(durations)


@pytest.mark.parametrize("workers", [1, 4, 16])
def test_no_worker_idles_while_there_is_something_to_do(workers: int) -> None:
    pool = SimulatedPool(PROBLEM, workers, lambda e: 1.0 + x_of(e) % 7)
    search = Search(PROBLEM, make_strategy("random", PROBLEM), pool, Budget(80))
    idle: list[int] = []
    collect = pool.wait

    def wait(timeout_s: float) -> list[Evaluation]:
        if search._left() > 0:
            idle.append(pool.idle)
        return collect(timeout_s)

    pool.wait = wait  # type: ignore[method-assign]  # only looks
    search.run()
    assert len(search.finished) == 80
    assert set(idle) == {0}
