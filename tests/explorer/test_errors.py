from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import FEWEST, standard_error, usual_variance

NUMBERS = st.floats(0, 1, allow_subnormal=False)


def test_the_error_covers_the_truth_as_often_as_it_should() -> None:
    rng = np.random.default_rng(0)
    images, seeds, families, repeats = 0.008, 0.005, 40, 3
    inside = []
    for _ in range(200):
        common = rng.normal(0, images)  # the same images for all
        samples = rng.normal(0.9 + common, seeds, size=(families, repeats))
        usual = usual_variance(samples.tolist())
        errors = [standard_error(sample, usual, images) for sample in samples.tolist()]
        inside.append(np.abs(samples.mean(axis=1) - 0.9) < errors)
    assert np.mean(inside) == pytest.approx(0.683, abs=0.05)


def test_repeats_lower_what_seeds_add_and_not_what_images_do() -> None:
    sample = [0.8, 0.9]
    assert standard_error(sample * 50, systematic=0.03) == pytest.approx(np.hypot(0.03, 0.05 / np.sqrt(99)))
    assert standard_error([0.8], systematic=0.03, random=0.04) == pytest.approx(0.05)
    assert standard_error([0.8], usual=0.03**2, random=0.04) == pytest.approx(0.04), "random is part of the usual"
    assert standard_error([0.8]) == 0.0


def test_a_family_that_sometimes_does_not_learn_says_nothing_of_the_others() -> None:
    samples = [[0.88, 0.885, 0.89], [0.87, 0.88, 0.875], [0.1, 0.88, 0.1]]
    usual = usual_variance(samples)
    assert usual is not None
    assert np.sqrt(usual) == pytest.approx(0.005 * np.sqrt(2 / 1.386), rel=0.01)
    assert standard_error(samples[2], usual) > 0.1
    assert usual_variance(samples[: FEWEST - 1]) is None
    assert usual_variance([[0.1]] * 5) is None


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.none() | NUMBERS, NUMBERS, NUMBERS)
def test_an_error_is_at_least_what_all_have_in_common(
    sample: list[float], usual: float | None, systematic: float, random: float
) -> None:
    found = standard_error(sample, usual, systematic, random)
    assert np.isfinite(found)
    assert found >= systematic * (1 - 1e-12) - 1e-150, "squares of the smallest numbers are 0"
    assert found >= random / np.sqrt(len(sample)) * (1 - 1e-12) - 1e-150
