from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.surrogates.outliers import raised_outliers

numbers = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30).map(lambda found: np.array(found) / 64.0)


def test_what_does_not_learn_is_raised_to_five_spreads_below_the_usual() -> None:
    values = np.array([0.10, 0.86, 0.87, 0.88, 0.85, 0.89, 0.10])
    found = raised_outliers(values)
    spread = np.sqrt((0.01**2 + 0.02**2 + 0.03**2) / 3)
    assert found[[0, 6]] == pytest.approx(0.86 - 5 * spread)
    assert np.array_equal(found[1:6], values[1:6])


def test_each_fidelity_has_its_own_usual() -> None:
    levels = np.repeat([1.0, 12.0], 5)
    values = np.array([0.70, 0.71, 0.72, 0.73, 0.10, 0.86, 0.87, 0.88, 0.89, 0.70])
    found = raised_outliers(values, levels)
    assert found[4] > 0.6
    assert found[9] > 0.75
    assert np.array_equal(found[:4], values[:4])


def test_few_and_bad_at_a_high_fidelity_are_measured_by_the_lower_one() -> None:
    values, levels = np.array([0.70, 0.71, 0.72, 0.73, 0.10, 0.10]), np.array([1.0, 1.0, 1.0, 1.0, 1.0, 12.0])
    found = raised_outliers(values, levels, np.array([0, 1, 2, 3, 4, 4]))
    assert found[4] > 0.6
    assert found[5] > 0.6


@given(numbers)
def test_order_is_kept_and_nothing_is_lowered(values: np.ndarray) -> None:
    found = raised_outliers(values)
    assert (found >= values).all()
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert (found[values >= np.median(values)] == values[values >= np.median(values)]).all()


@given(numbers, st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_units_do_not_matter(values: np.ndarray, scale: float, shift: float) -> None:
    left, right = raised_outliers(scale * values + shift), scale * raised_outliers(values) + shift
    assert left == pytest.approx(right, rel=1e-6, abs=1e-6 * scale * (1 + np.abs(values).max()))


def test_without_a_better_half_values_stay_what_they_are() -> None:
    for values in (np.zeros(0), np.array([3.0]), np.full(5, 2.0), np.array([1.0, 2.0])):
        assert np.array_equal(raised_outliers(values), values)
    assert np.isfinite(raised_outliers(np.array([-1e308, 1e300, 2e300, 3e300, 1e300]))).all()


def test_what_all_designs_lose_at_a_high_fidelity_makes_none_of_them_an_outlier() -> None:
    values = np.array([100.0, 101.0, 99.0, 102.0, 98.0, 100.5, 50.0, 51.0, 49.0])
    levels, designs = np.repeat([0.0, 1.0], [6, 3]), np.array([0, 1, 2, 3, 4, 5, 0, 1, 2])
    assert np.array_equal(raised_outliers(values, levels, designs), values)
    alone = raised_outliers(values, levels)  # nothing tells that they are the same designs: nor is anything supposed
    assert np.array_equal(alone, values)
