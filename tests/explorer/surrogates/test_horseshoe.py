from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad

from explorer.surrogates.horseshoe import Horseshoe, Posterior, _Data, second_order_features

Array = NDArray[np.float64]


def bits(rng: np.random.Generator, count: int, n: int) -> NDArray[np.int64]:
    return rng.integers(0, 2, (count, n))


def sparse_truth(rng: np.random.Generator, n: int, large: int = 4) -> Array:
    """Coefficients, all zero but a few of 2 or -3."""
    coefficients = np.zeros(n + n * (n - 1) // 2)
    chosen = rng.choice(len(coefficients), large, replace=False)
    coefficients[chosen] = rng.choice([2.0, -3.0], large)
    return coefficients


def exact_mean(x: Array, y: Array) -> float:
    """The posterior mean of one coefficient with the horseshoe prior, by quadrature.

    beta ~ N(0, sigma^2 u^2), u the product of two half-Cauchy scales: density 4 / pi^2 ln(u) / (u^2 - 1). The
    intercept is flat, p(sigma^2) = 1 / sigma^2; both are integrated out in closed form.
    """
    x, y = x - x.mean(), y - y.mean()
    xx, xy, yy, count = x @ x, x @ y, y @ y, len(y)

    def weight(u: float) -> float:
        shrunk = 1 + u * u * xx
        scales = 4 / np.pi**2 * (np.log(u) / (u * u - 1) if u != 1 else 0.5)
        return float(scales * shrunk**-0.5 * (yy - u * u * xy**2 / shrunk) ** (-0.5 * (count - 1)))

    def mean(u: float) -> float:
        return float(u * u * xy / (1 + u * u * xx))

    # over ln u, where everything is smooth
    total = quad(lambda t: weight(np.exp(t)) * np.exp(t), -25, 25, limit=400)[0]
    return float(quad(lambda t: mean(np.exp(t)) * weight(np.exp(t)) * np.exp(t), -25, 25, limit=400)[0] / total)


# -- the features -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1), st.integers(1, 7))
def test_a_drawn_function_is_the_model_at_its_coefficients(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = bits(rng, 6, n), rng.normal(size=6)
    chain = Horseshoe(n, np.random.default_rng(seed))
    chain.fit(x, y, 3)
    function = chain.draw()
    point = bits(rng, 1, n)[0]
    expected = function.constant + sum(function.linear[i] * point[i] for i in range(n))
    expected += sum(function.pairs[i, j] * point[i] * point[j] for i in range(n) for j in range(i + 1, n))
    assert function(point[None])[0] == pytest.approx(expected)
    assert not np.tril(function.pairs).any()
    coefficients = np.concatenate([function.linear, function.pairs[np.triu_indices(n, 1)]])
    posterior = Posterior(np.array([function.constant]), coefficients[None], np.ones(1))
    assert posterior.predict(point[None])[0, 0] == pytest.approx(expected)


# -- the posterior ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wide", [False, True])
def test_coefficients_are_drawn_from_their_normal_distribution(wide: bool) -> None:
    """Both ways of drawing them, with more coefficients than data and with fewer, against its mean and covariance."""
    rng = np.random.default_rng(0)
    data = _Data.of(bits(rng, 12, 3), rng.normal(size=12))
    chain = Horseshoe(3, np.random.default_rng(1))
    chain._noise = 0.3
    prior = np.array([0.01, 0.5, 2.0, 10.0, 0.2, 1.0])
    precision = data.features.T @ data.features + np.diag(1 / prior)
    mean, covariance = np.linalg.solve(precision, data.moment), 0.3 * np.linalg.inv(precision)
    assert data.gram is not None
    drawn = np.array([chain._coefficients(replace(data, gram=None) if wide else data, prior) for _ in range(20_000)])
    error = np.sqrt(np.diag(covariance) / len(drawn))
    assert (np.abs(drawn.mean(axis=0) - mean) < 4.5 * error).all()
    deviations = np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    assert (np.abs(np.cov(drawn.T) - covariance) / deviations < 0.05).all()


@pytest.mark.parametrize("effect", [0.0, 1.0, 6.0])
def test_the_mean_of_a_single_coefficient_is_the_exact_one(effect: float) -> None:
    rng = np.random.default_rng(7)
    x = np.array([0, 1, 0, 1, 1, 0, 1])
    y = 100 + effect * x + rng.normal(size=7)
    chain = Horseshoe(1, np.random.default_rng(0))
    chain.fit(x[:, None], y, 200)
    drawn = chain.sample(8_000, thin=2).coefficients[:, 0]
    batches = drawn.reshape(40, -1).mean(axis=1)  # neighbours are correlated: the error is that of batches
    error = batches.std(ddof=1) / np.sqrt(len(batches))
    assert abs(drawn.mean() - exact_mean(x.astype(float), y)) < 4 * error
    assert error < 0.1


def test_a_few_large_effects_among_many_are_found_and_the_others_shrunk() -> None:
    covered, found = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        truth = sparse_truth(rng, 12)  # 78 coefficients
        x = bits(rng, 60, 12)
        y = 5 + second_order_features(x) @ truth + 0.2 * rng.normal(size=60)
        chain = Horseshoe(12, np.random.default_rng(seed))
        chain.fit(x, y, 600)
        posterior = chain.sample(300, thin=3)
        low, high = np.quantile(posterior.coefficients, [0.05, 0.95], axis=0)
        zeros = truth == 0
        covered += list((low[zeros] <= 0) & (high[zeros] >= 0))
        found += list(np.abs(np.median(posterior.coefficients, axis=0)[~zeros] - truth[~zeros]) < 0.5)
        assert np.abs(np.median(posterior.coefficients[:, zeros], axis=0)).max() < 0.3
    assert np.mean(covered) > 0.9
    assert np.mean(found) > 0.9


def test_predictions_are_in_the_units_of_the_targets() -> None:
    rng = np.random.default_rng(0)
    truth, x, new = sparse_truth(rng, 8), bits(rng, 50, 8), bits(rng, 50, 8)
    y = 0.1 * rng.normal(size=50) + second_order_features(x) @ truth

    def mean(scale: float, shift: float) -> Array:
        chain = Horseshoe(8, np.random.default_rng(0))
        chain.fit(x, scale * y + shift, 400)
        return np.asarray(chain.sample(100).predict(new).mean(axis=0))

    expected = second_order_features(new) @ truth
    assert mean(1.0, 0.0) == pytest.approx(expected, abs=0.4)
    assert mean(1e6, -3e7) == pytest.approx(1e6 * mean(1.0, 0.0) - 3e7, rel=1e-6)
    assert mean(1e-9, 0.0) == pytest.approx(1e-9 * mean(1.0, 0.0), rel=1e-6)


def test_the_spread_of_predictions_at_a_repeated_point_is_that_of_its_mean() -> None:
    """Two different values at every point: the noise is learnt, and drawn functions do not contain it."""
    rng = np.random.default_rng(0)
    x = np.repeat([[0], [1]], 40, axis=0)
    y = np.where(x[:, 0] == 1, 10.0, 0.0) + rng.normal(size=80)
    chain = Horseshoe(1, np.random.default_rng(0))
    chain.fit(x, y, 300)
    predicted = chain.sample(3000, thin=2).predict(np.array([[0], [1]]))
    assert predicted.mean(axis=0) == pytest.approx([y[:40].mean(), y[40:].mean()], abs=0.06)
    assert predicted.std(axis=0) == pytest.approx([1 / np.sqrt(40)] * 2, rel=0.2)


# -- the chain --------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    x, y = bits(rng, 10, 6), rng.normal(size=10)

    def draws(seed: int) -> Array:
        chain = Horseshoe(6, np.random.default_rng(seed))
        chain.fit(x, y, 20)
        return chain.sample(5).coefficients

    assert np.array_equal(draws(1), draws(1))
    assert not np.array_equal(draws(1), draws(2))


def test_a_warm_chain_agrees_with_a_cold_one_on_new_data() -> None:
    """Also when the new data change the spread of the targets, in whose units the chain lives, a hundredfold."""
    rng = np.random.default_rng(0)
    truth, x = sparse_truth(rng, 8), bits(rng, 60, 8)
    y = second_order_features(x) @ truth + 0.2 * rng.normal(size=60)
    warm = Horseshoe(8, np.random.default_rng(1))
    warm.fit(x[:30], 0.01 * y[:30], 500)
    warm.fit(x, y, 150)
    cold = Horseshoe(8, np.random.default_rng(2))
    cold.fit(x, y, 1000)
    one, other = warm.sample(200).coefficients, cold.sample(200).coefficients
    assert one.mean(axis=0) == pytest.approx(other.mean(axis=0), abs=0.1)


def test_new_data_continue_the_chain_in_the_new_units() -> None:
    rng = np.random.default_rng(0)
    x, y = bits(rng, 20, 4), rng.normal(size=20)
    chain = Horseshoe(4, np.random.default_rng(1))
    chain.fit(x, y, 50)
    before = chain._noise
    chain.fit(x, 4 * y, 0)
    assert chain._noise == pytest.approx(before / 16)


def test_nothing_is_drawn_before_there_are_data() -> None:
    with pytest.raises(RuntimeError, match="fit the model"):
        Horseshoe(3, np.random.default_rng(0)).draw()


CASES = {
    "one point": (np.array([[1, 0, 1]]), np.array([3.0])),
    "constant targets": (np.eye(3, dtype=int), np.full(3, 0.7)),
    "constant and large": (np.eye(3, dtype=int), np.full(3, 1e12)),
    "the same point, different values": (np.ones((4, 3), dtype=int), np.array([1.0, 2.0, 3.0, 9.0])),
    "one variable": (np.array([[0], [1], [1]]), np.array([1.0, 5.0, 6.0])),
    "exact": (bits(np.random.default_rng(0), 30, 3), bits(np.random.default_rng(0), 30, 3).sum(axis=1).astype(float)),
    "an outlier": (bits(np.random.default_rng(0), 12, 3), np.array([1e9, *range(11)], dtype=float)),
    "more coefficients than data": (bits(np.random.default_rng(0), 5, 12), np.array([1.0, 2, 3, 4, 5])),
}


@pytest.mark.parametrize("case", CASES)
def test_every_draw_is_finite_however_long_the_chain(case: str) -> None:
    x, y = CASES[case]
    chain = Horseshoe(x.shape[1], np.random.default_rng(0))
    chain.fit(x, y, 2000)
    posterior = chain.sample(20)
    assert np.isfinite(posterior.coefficients).all()
    assert np.isfinite(posterior.constants).all()
    assert np.isfinite(posterior.predict(x)).all()
    if case in ("constant targets", "constant and large", "exact"):
        assert posterior.predict(x).mean(axis=0) == pytest.approx(y, rel=0.01, abs=0.01)


def test_a_chain_recovers_from_data_that_said_nothing() -> None:
    """After a single point the noise may be anything; data that say something bring it back."""
    rng = np.random.default_rng(0)
    truth, x = sparse_truth(rng, 6), bits(rng, 40, 6)
    y = second_order_features(x) @ truth + 0.1 * rng.normal(size=40)
    chain = Horseshoe(6, np.random.default_rng(0))
    chain.fit(x[:1], y[:1], 2000)
    chain.fit(x, y, 400)
    assert chain.sample(100).predict(x).mean(axis=0) == pytest.approx(y, abs=0.5)


def test_intervals_cover_the_coefficients_of_sparse_functions_and_the_zeros_are_shrunk() -> None:
    """Over many random functions of which 5 of 55 coefficients are not zero: 90 % intervals hold the truth as often."""
    covered, found, errors, spreads = [], [], [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = np.zeros(55)
        active = rng.choice(55, 5, replace=False)
        truth[active] = rng.choice([-1, 1], 5) * rng.uniform(1.0, 3.0, 5)
        x = rng.integers(0, 2, (80, 10))
        y = second_order_features(x) @ truth + rng.normal(0, 0.5, 80)
        chain = Horseshoe(10, rng)
        chain.fit(x, y, 500)
        posterior = chain.sample(300)
        low, high = np.quantile(posterior.coefficients, [0.05, 0.95], axis=0)
        covered.append((low <= truth) & (truth <= high))
        found.append(((low > 0) | (high < 0))[active].mean())
        zeros = np.delete(np.arange(55), active)
        errors.append(np.abs(posterior.coefficients.mean(axis=0)[zeros]).mean())
        spreads.append(posterior.noise.mean())
    assert np.mean(covered) >= 0.88
    assert np.mean(found) >= 0.8
    assert np.mean(errors) < 0.1  # least squares errs by 0.5 on average here
    assert np.mean(spreads) == pytest.approx(0.5, rel=0.2)
