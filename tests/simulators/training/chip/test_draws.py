"""A few chips, and what they tell of all."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.training.chip.draws import over_chips


@pytest.mark.parametrize("draws", [2, 3, 10])
def test_however_few_chips_are_drawn_the_worst_tenth_is_where_it_is_on_average_and_as_sure_as_is_told(
    draws: int,
) -> None:
    samples = 0.8 + 0.01 * np.random.default_rng(0).standard_normal((20_000, draws))
    found = [over_chips(list(sample)) for sample in samples]
    worst = np.array([one["accuracy_worst"] for one in found])
    assert worst.mean() == pytest.approx(0.8 - 0.012816, abs=2e-4)
    assert np.sqrt(np.mean([one["accuracy_worst_chips_error"] ** 2 for one in found])) == pytest.approx(
        worst.std(), rel=0.35 if draws == 2 else 0.2
    )
    assert np.sqrt(np.mean([one["accuracy_chips_error"] ** 2 for one in found])) == pytest.approx(
        0.01 / np.sqrt(draws), rel=0.02
    )


def test_of_one_chip_nothing_is_known_of_others() -> None:
    assert over_chips([0.7]) == {"accuracy_chips_error": 0.0, "accuracy_chips_spread": 0.0}
