from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.training.recipe import Recipe
from simulators.training.schedule import learning_rate


def rates(recipe: Recipe, epochs: int, steps: int = 4) -> list[float]:
    return [learning_rate(recipe, step, steps) for step in range(epochs * steps)]


def test_the_rate_climbs_and_stays() -> None:
    found = rates(Recipe(learning_rate=0.4, warmup_epochs=2), 4)
    assert found[:8] == pytest.approx([0.05 * step for step in range(1, 9)])
    assert found[8:] == [0.4] * 8
    assert rates(Recipe(learning_rate=0.4, warmup_epochs=0), 1) == [0.4] * 4


def test_steps_take_nine_tenths_each() -> None:
    found = rates(Recipe(learning_rate=1.0, warmup_epochs=1, schedule="step", schedule_epochs=2), 7)
    assert found[4:12] == [1.0] * 8
    assert found[12:20] == pytest.approx([0.1] * 8)
    assert found[20:] == pytest.approx([0.01] * 8)


def test_a_cosine_falls_to_nothing_and_begins_again() -> None:
    found = rates(Recipe(learning_rate=1.0, warmup_epochs=0, schedule="cosine", schedule_epochs=2), 4)
    assert found[0] == found[8] == 1.0
    assert found[4] == pytest.approx(0.5)
    assert found[:8] == sorted(found[:8], reverse=True)
    assert found[7] < 0.04


@given(st.sampled_from(["constant", "step", "cosine"]), st.integers(0, 3), st.integers(1, 5), st.integers(0, 100))
def test_a_rate_is_never_above_the_recipes(schedule: str, warmup: int, period: int, step: int) -> None:
    recipe = Recipe(warmup_epochs=warmup, schedule=schedule, schedule_epochs=period)  # type: ignore[arg-type]  # one of the three
    assert 0 < learning_rate(recipe, step, 7) <= recipe.learning_rate
