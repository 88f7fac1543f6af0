from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.running_front import WAITING, RunningFront


def brute_force(values: np.ndarray, groups: np.ndarray) -> dict[tuple[int, ...], tuple[int, int]]:
    """Per row of a front, with its group before it: the least number of equal rows, and how many there are."""
    found: dict[tuple[int, ...], list[int]] = {}
    for row, group in enumerate(groups):
        own = values[groups == group]
        if not ((own <= values[row]).all(axis=1) & (own < values[row]).any(axis=1)).any():
            found.setdefault((int(group), *values[row].tolist()), []).append(row)
    return {key: (min(rows), len(rows)) for key, rows in found.items()}


def told(front: RunningFront) -> dict[tuple[int, ...], tuple[int, int]]:
    rows = zip(front.groups.tolist(), front.values.tolist(), front.index.tolist(), front.equals.tolist(), strict=True)
    return {(group, *values): (index, equals) for group, values, index, equals in rows}


@given(
    seed=st.integers(0, 10**6), count=st.integers(1, 60), columns=st.integers(1, 4), levels=st.integers(1, 6),
    spread=st.sampled_from([1, 3, 10**9]), batch=st.integers(1, 60),
)  # fmt: skip
def test_the_front_of_a_stream_is_that_of_all_rows_however_it_is_cut_and_ordered(
    seed: int, count: int, columns: int, levels: int, spread: int, batch: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, levels, (count, columns)).astype(float)
    groups = rng.integers(0, 3, count) * spread - 1
    front = RunningFront(columns)
    order = rng.permutation(count)
    for start in range(0, count, batch):
        rows = order[start : start + batch]
        front.add(values[rows].T, rows, groups[rows])
        if rng.random() < 0.2:
            assert len(front.index) > 0  # asking in between changes nothing
    assert told(front) == brute_force(values, groups)
    keys = [(group, *row) for group, row in zip(front.groups.tolist(), front.values.tolist(), strict=True)]
    assert keys == sorted(keys)


def test_many_equal_rows_become_one_that_counts_them() -> None:
    front = RunningFront(2)
    for start in range(0, 4 * WAITING, WAITING):
        rows = np.arange(start, start + WAITING)
        front.add(np.ones((2, WAITING)), rows, np.zeros(WAITING, dtype=np.int64))
    assert front.index.tolist() == [0]
    assert front.equals.tolist() == [4 * WAITING]


def test_nothing_has_an_empty_front() -> None:
    front = RunningFront(3)
    front.add(np.zeros((3, 0)), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert front.values.shape == (0, 3)
    assert len(front.index) == len(front.groups) == len(front.equals) == 0
