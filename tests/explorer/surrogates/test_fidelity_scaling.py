from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.surrogates.fidelity_scaling import FidelityScaling

Array = NDArray[np.float64]

LEVELS = np.array([0.0, 0.4, 0.7, 1.0])


def curves(count: int, steepness: float, seed: int = 0) -> tuple[Array, Array]:
    """Designs and their values at all levels: a lead that shrinks."""
    rng = np.random.default_rng(seed)
    x = rng.random((count, 3))
    lead = rng.normal(size=count)
    return x, 0.6 + 0.3 * LEVELS + 0.01 * np.exp(steepness * (1 - LEVELS)) * lead[:, None]


def scaling(x: Array, values: Array, known: NDArray[np.bool_] | None = None) -> FidelityScaling:
    rows, columns = np.nonzero(np.ones(values.shape, dtype=bool) if known is None else known)
    return FidelityScaling.of(x[rows], LEVELS[columns], values[rows, columns])


@pytest.mark.parametrize("steepness", [-1.0, 0.0, 1.5, 3.0])
def test_spreads_and_centres_are_found(steepness: float) -> None:
    x, values = curves(200, steepness)
    found = scaling(x, values)
    assert found.steepness == pytest.approx(steepness, rel=0.05, abs=1e-9)
    assert found.spread(1.0) == pytest.approx(0.01, rel=0.2)
    assert found.centre(0.4) == pytest.approx(0.72, abs=0.01 * np.exp(0.6 * steepness))
    scaled = found.scaled(np.tile(LEVELS, 200), values.ravel()).reshape(200, -1)
    assert scaled.std(axis=0) == pytest.approx(np.ones(4), rel=0.2)
    assert scaled[:, 0] == pytest.approx(scaled[:, 3], abs=0.15)


def test_that_only_the_best_go_on_does_not_matter() -> None:
    x, values = curves(200, 2.0)
    known = np.ones(values.shape, dtype=bool)
    known[np.argsort(-values[:, 0])[20:], 1:] = False
    all_of_them, some = scaling(x, values), scaling(x, values, known)
    for z in LEVELS:
        assert some.centre(z) == pytest.approx(all_of_them.centre(z), abs=0.3 * all_of_them.spread(z))
    assert some.steepness == pytest.approx(2.0, rel=0.2)


def test_a_few_designs_do_not_say_that_spreads_differ() -> None:
    x, values = curves(2, 3.0)
    assert scaling(x, values).steepness == 0.0
    assert 1.0 < scaling(*curves(4, 3.0)).steepness < 2.9


def test_between_what_was_observed_values_are_interpolated() -> None:
    x, values = curves(50, 1.0)
    found = scaling(x, values)
    assert found.centre(0.2) == pytest.approx((found.centre(0.0) + found.centre(0.4)) / 2)
    assert found.spread(1.0) < found.spread(0.9) < found.spread(0.0)


@pytest.mark.parametrize("value", [0.0, -3e12, 1e-9])
def test_a_constant_has_some_unit(value: float) -> None:
    found = FidelityScaling.of(np.zeros((3, 1)), np.array([0.0, 1.0, 1.0]), np.full(3, value))
    assert found.unit > 0
    assert found.scaled(np.array([0.0]), np.array([value])) == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize("factor", [1e-6, 1e9])
def test_units_do_not_matter(factor: float) -> None:
    x, values = curves(30, 1.0)
    one, other = scaling(x, values), scaling(x, factor * values)
    z = np.tile(LEVELS, 30)
    assert other.scaled(z, factor * values.ravel()) == pytest.approx(one.scaled(z, values.ravel()), rel=1e-6, abs=1e-6)
