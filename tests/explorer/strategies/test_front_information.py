from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr

from explorer.strategies import front_information as module
from explorer.strategies.front_information import dominated_boxes, front_information, variances_left
from explorer.strategies.information_gain import information_gain

FRONT = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, -1.0]])


@given(st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_boxes_are_disjoint_and_hold_exactly_what_is_dominated(seed: int, objectives: int) -> None:
    rng = np.random.default_rng(seed)
    front = rng.normal(size=(5, objectives))
    lower, upper = dominated_boxes(front)
    points = rng.normal(size=(200, objectives))
    inside = ((points[:, None] > lower) & (points[:, None] <= upper)).all(axis=2).sum(axis=1)
    dominated = (points[:, None] <= front).all(axis=2).any(axis=1)
    assert np.array_equal(inside, dominated.astype(int))


def test_of_a_large_front_a_few_points_tell_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    front = np.abs(rng.normal(size=(150, 4)))
    front /= np.linalg.norm(front, axis=1, keepdims=True)  # none beats another
    means, deviations = rng.uniform(0, 0.6, (4, 300)), rng.uniform(0.1, 0.4, (4, 300))
    few = dominated_boxes(front)
    points = rng.uniform(size=(500, 4))
    inside = ((points[:, None] > few[0]) & (points[:, None] <= few[1])).all(axis=2).any(axis=1)
    assert (points[inside][:, None] <= front).all(axis=2).any(axis=1).all(), "only what is dominated"
    monkeypatch.setattr(module, "MOST_POINTS", len(front))
    whole = dominated_boxes(front)
    assert len(few[0]) < len(whole[0]) / 2
    rho = np.full((4, 300), 0.9)
    of_few, of_whole = (front_information(variances_left(means, deviations, boxes), rho) for boxes in (few, whole))
    assert np.corrcoef(of_few, of_whole)[0, 1] > 0.99


def test_what_is_left_of_variances_agrees_with_sampling() -> None:
    means, deviations = np.array([[0.5, -1.0, 1.5], [0.5, 0.0, 1.0]]), np.array([[1.0, 0.7, 0.4], [0.8, 1.0, 0.5]])
    rho = np.full((2, 3), 0.9)
    found = front_information(variances_left(means, deviations, dominated_boxes(FRONT)), rho)
    rng = np.random.default_rng(0)
    for design in range(3):
        values = means[:, design] + deviations[:, design] * rng.standard_normal((400_000, 2))
        below = values[(values[:, None] <= FRONT).all(axis=2).any(axis=1)]
        left = np.minimum(below.var(axis=0) / deviations[:, design] ** 2, 1.0)
        assert found[design] == pytest.approx(-0.5 * np.log(1 - 0.81 * (1 - left)).sum(), rel=0.06, abs=2e-3)


@given(st.floats(-3, 3), st.floats(0.1, 0.99))
def test_with_one_objective_it_is_the_bound_of_the_truncated_normal_distribution(gamma: float, rho: float) -> None:
    boxes = (np.array([[-np.inf]]), np.array([[gamma]]))
    found = front_information(variances_left(np.zeros((1, 1)), np.ones((1, 1)), boxes), np.full((1, 1), rho))
    ratio = np.exp(-0.5 * gamma**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(gamma))
    assert found[0] == pytest.approx(-0.5 * np.log(1 - rho**2 * ratio * (gamma + ratio)), rel=1e-6, abs=1e-9)
    assert found[0] <= information_gain(gamma, rho) + 1e-9


def test_designs_that_are_far_below_the_front_tell_nothing_and_those_at_its_middle_do() -> None:
    means = np.array([[-9.0, 1.0, 0.5], [-9.0, 1.0, 1.5]])
    left = variances_left(means, np.full((2, 3), 0.5), dominated_boxes(FRONT))
    gains = front_information(left, np.full((2, 3), 0.9))
    assert gains[0] < 1e-6
    assert gains[1:].min() > 0.05


def test_designs_that_beat_the_front_for_sure_are_no_error() -> None:
    left = variances_left(np.full((2, 1), 50.0), np.ones((2, 1)), dominated_boxes(FRONT))
    gains = front_information(left, np.ones((2, 1)))
    assert np.isfinite(gains).all()
    assert gains[0] > 1
