"""How long a search still takes, against searches whose work is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.time_left import Work, time_left


def test_nothing_tells_it_before_anything_is_paid() -> None:
    assert time_left(3, Work(0.0, 0.0, 0), [Work(1, 5.0)], 2) is None
    assert time_left(3, Work(0.0, 5.0), [], 2) is None  # all that finished was free


@pytest.mark.parametrize(("workers", "seconds"), [(1, 60.0), (2, 30.0), (4, 20.0), (9, 20.0)])
def test_workers_share_what_is_left_as_far_as_it_goes(workers: int, seconds: float) -> None:
    assert time_left(30.0, Work(50.0, 100.0, 5), [], workers) == pytest.approx(seconds)


def test_of_running_evaluations_the_rest_counts() -> None:
    done = Work(15.0, 30.0, 2)
    assert time_left(15.0, done, [Work(12.0, 20.0)], 1) == pytest.approx(4.0 + 6.0)
    assert time_left(12.0, done, [Work(12.0, 99.0)], 1) == 0.0


def test_the_strategy_thinks_again_for_each_that_is_still_to_come() -> None:
    assert time_left(4, Work(2, 20.0, 2), [], 1, thinking_s=6.0) == pytest.approx(4 * (10.0 + 3.0))


@given(st.integers(0, 50), st.integers(1, 8), st.lists(st.floats(0.1, 100.0), min_size=1, max_size=9))
def test_of_a_number_of_evaluations_it_is_that_of_their_mean(left: int, workers: int, times: list[float]) -> None:
    found = time_left(left, Work(len(times), sum(times), len(times)), [], workers)
    assert found == pytest.approx(left * sum(times) / len(times) / max(1, min(workers, left)))
