from __future__ import annotations

import logging
import math
from functools import lru_cache

import numpy as np
import pytest
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.sampling.pathwise import draw_matheron_paths
from numpy.typing import NDArray

from explorer.surrogates import fidelity_gp
from explorer.surrogates.fidelity_gp import FidelityGP, FidelityPosterior

Array = NDArray[np.float64]

ORDINAL = np.array([False] * 5 + [True, True])


def truth(x: Array, z: Array) -> Array:
    """Gains of bits and numbers that grow with the fidelity, and what all gain alike."""
    bits = x[:, :5] @ np.array([1.0, -0.5, 0.8, 0.0, 0.0]) + 1.2 * x[:, 0] * x[:, 1]
    return np.asarray((bits + np.sin(3 * x[:, 5])) * (0.4 + 0.6 * z) + 4.0 * z)


def points(count: int, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = np.concatenate([rng.integers(0, 2, (count, 5)), rng.integers(0, 6, (count, 2)) / 5], axis=1)
    return x, rng.choice([0.0, 0.3, 0.6, 1.0], count)


@lru_cache
def fitted(count: int = 60, noise: float = 0.02, seed: int = 0) -> FidelityPosterior:
    x, z = points(count, seed)
    y = truth(x, z) + noise * np.random.default_rng(seed).normal(size=count)
    return FidelityGP(ORDINAL).fit(x, z, y)


def test_values_at_full_fidelity_are_predicted_from_all_fidelities() -> None:
    posterior = fitted()
    x, _ = points(300, 1)
    found, true = posterior.at(x), truth(x, np.ones(300))
    assert np.corrcoef(found.full_mean, true)[0, 1] > 0.98
    inside = np.abs(found.full_mean - true) < 1.645 * np.sqrt(found.full_variance + posterior.noise())
    assert 0.75 < inside.mean() <= 1.0


def test_the_noise_is_learned() -> None:
    noises = [math.sqrt(fitted(120, noise).noise()) for noise in (0.02, 0.3)]
    assert noises[0] < 0.1
    assert 0.2 < noises[1] < 0.4


def test_at_full_fidelity_both_of_a_pair_are_the_same() -> None:
    posterior = fitted()
    x, _ = points(20, 2)
    pair = posterior.at(x, 1.0)
    assert pair.mean == pytest.approx(pair.full_mean)
    assert pair.covariance == pytest.approx(pair.full_variance, rel=1e-6)
    expected = np.sqrt(pair.full_variance / (pair.full_variance + posterior.noise()))
    assert pair.correlation == pytest.approx(expected, rel=1e-6)


def test_the_moments_are_those_that_botorch_gives() -> None:
    posterior = fitted()
    x, _ = points(10, 3)
    pair = posterior.at(x, 0.3)
    for row in range(10):
        both = torch.from_numpy(np.array([[*x[row], 0.3], [*x[row], 1.0]]))
        with torch.no_grad():
            known = posterior.model.posterior(both)
        centres, spreads = (np.array([of(0.3), of(1.0)]) for of in (posterior.scaling.centre, posterior.scaling.spread))
        mean = centres + spreads * known.mean[:, 0].numpy()
        covariance = np.outer(spreads, spreads) * known.distribution.covariance_matrix.numpy()
        assert [pair.mean[row], pair.full_mean[row]] == pytest.approx(mean, rel=1e-5)
        mine = [pair.variance[row], pair.covariance[row], pair.full_variance[row]]
        assert mine == pytest.approx(covariance[[0, 0, 1], [0, 1, 1]], rel=1e-3, abs=1e-6)


def test_what_differs_more_at_low_fidelity_is_not_expected_to_at_full_one() -> None:
    """Learning curves: early values lie five times as far apart, and few designs are known at the end."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (40, 7)).astype(np.float64)
    lead = x @ rng.normal(size=7)
    low, high = 0.05 * lead + 0.6, 0.01 * lead + 0.85
    chosen = np.argsort(-lead)[:6]  # those that looked good
    posterior = FidelityGP(ORDINAL).fit(
        np.concatenate([x, x[chosen]]), np.concatenate([np.zeros(40), np.ones(6)]), np.concatenate([low, high[chosen]])
    )
    others = np.delete(np.arange(40), chosen)
    found = posterior.at(x[others])
    assert np.abs(found.full_mean - high[others]).max() < high.std()
    assert np.sqrt(found.full_variance).mean() < high.std()


def test_a_few_observations_tell_what_each_coordinate_adds() -> None:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2, (200, 12)).astype(np.float64)
    y = x @ rng.normal(size=12)
    posterior = FidelityGP(np.zeros(12, dtype=bool), fidelity=False).fit(x[:20], np.ones(20), y[:20])
    assert np.corrcoef(posterior.at(x[20:]).full_mean, y[20:])[0, 1] > 0.95


def test_a_nearer_fidelity_tells_more_of_the_full_one() -> None:
    posterior = fitted(20)
    x, _ = points(50, 4)
    correlations = [posterior.at(x, z).correlation.mean() for z in (0.0, 0.3, 0.6, 1.0)]
    assert correlations == sorted(correlations)


@pytest.mark.parametrize("exact", [True, False])
def test_draws_have_the_moments_of_the_posterior(exact: bool) -> None:
    posterior = fitted(25)
    x, _ = points(40, 5)
    x = np.unique(x, axis=0)
    pair, rng = posterior.at(x), np.random.default_rng(0)
    draws = posterior.draws(x, 4000, rng) if exact else posterior.paths(4000, rng)(x)
    deviation = np.sqrt(pair.full_variance)
    tolerance = 0.1 if exact else 0.4  # paths are of random features
    assert np.abs(draws.mean(axis=0) - pair.full_mean).max() < tolerance * deviation.mean()
    assert np.abs(draws.std(axis=0) / deviation - 1).mean() < tolerance
    assert draws.shape == (4000, len(x))


def test_paths_are_functions_and_follow_from_the_seed() -> None:
    posterior = fitted(25)
    x, _ = points(30, 6)
    path = posterior.paths(3, np.random.default_rng(7))
    assert path(x) == pytest.approx(path(x))
    assert path(x)[:, 10:12] == pytest.approx(path(x[10:12]))
    assert path(x) == pytest.approx(posterior.paths(3, np.random.default_rng(7))(x))
    assert not np.allclose(path(x), posterior.paths(3, np.random.default_rng(8))(x))


@pytest.mark.parametrize("fidelity", [True, False])
def test_paths_are_those_that_botorch_draws(fidelity: bool) -> None:
    x, z = points(25, 0)
    posterior = FidelityGP(ORDINAL, fidelity=fidelity).fit(x, z, truth(x, z))
    new, _ = points(30, 6)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(int(np.random.default_rng(7).integers(2**31)))
        theirs = draw_matheron_paths(posterior.model, torch.Size([3]), prior_sampler=fidelity_gp._prior_paths)
        expected = posterior._unscaled(theirs(posterior._inputs(new, 1.0)))
    assert posterior.paths(3, np.random.default_rng(7))(new) == pytest.approx(expected, abs=1e-8)


def test_what_runs_shrinks_variances_and_leaves_means() -> None:
    posterior = fitted(25)
    x, _ = points(30, 7)
    pending = posterior.with_pending(x[:3], np.array([1.0, 1.0, 0.3]))
    before, after = posterior.at(x), pending.at(x)
    assert after.full_mean == pytest.approx(before.full_mean, abs=1e-6)
    assert (after.full_variance <= before.full_variance * (1 + 1e-6)).all()
    assert (after.full_variance[:2] < 0.3 * before.full_variance[:2]).all()
    assert posterior.with_pending(x[:0], np.zeros(0)) is posterior


def test_one_failed_training_does_not_hide_what_tells_the_others_apart() -> None:
    """A placement that does not learn at all is 40 deviations below the rest."""
    x, z = points(60, 8)
    y = truth(x, z)
    broken = y.copy()
    broken[10] = -40.0
    gp = FidelityGP(ORDINAL).fit(x, z, broken)
    others = np.delete(np.arange(60), 10)
    found = gp.at(x[others]).full_mean
    assert np.corrcoef(found, truth(x[others], np.ones(59)))[0, 1] > 0.95


def test_the_unit_of_the_values_does_not_matter() -> None:
    x, z = points(30, 9)
    one, other = (FidelityGP(ORDINAL).fit(x, z, scale * (truth(x, z) + 3)) for scale in (1.0, 1e9))
    assert np.corrcoef(one.at(x).full_mean, other.at(x).full_mean)[0, 1] > 0.999
    assert other.at(x).full_mean == pytest.approx(1e9 * one.at(x).full_mean, rel=0.01)


def test_the_same_data_give_the_same_posterior() -> None:
    again = fitted.__wrapped__()
    assert np.array_equal(fitted().at(points(9, 0)[0]).full_mean, again.at(points(9, 0)[0]).full_mean)


def test_a_fit_goes_on_from_the_last_one() -> None:
    x, z = points(61, 0)
    y = truth(x, z)
    warm, cold = FidelityGP(ORDINAL), FidelityGP(ORDINAL)
    warm.fit(x[:60], z[:60], y[:60])
    near, far = warm.fit(x, z, y).at(x).full_mean, cold.fit(x, z, y).at(x).full_mean
    assert np.corrcoef(near, far)[0, 1] > 0.99


def test_levels_at_once_are_those_one_by_one_and_the_kernel_s_own() -> None:
    x, z = points(30, 0)
    found = FidelityGP(ORDINAL).fit(x, z, truth(x, z))
    new, _ = points(7, 1)
    for level, pair in zip((0.0, 0.4, 1.0), found.levels(new, (0.0, 0.4, 1.0)), strict=True):
        inputs = torch.from_numpy(np.column_stack([new, np.full(7, level)]))
        own = found.model.posterior(inputs)
        centre, spread = found.scaling.centre(level), found.scaling.spread(level)
        assert pair.mean == pytest.approx(centre + spread * own.mean[:, 0].detach().numpy(), abs=1e-6)
        assert pair.variance == pytest.approx(spread**2 * own.variance[:, 0].detach().numpy(), rel=1e-3)
        alone = found.at(new, level)
        assert np.array_equal(pair.covariance, alone.covariance)
        assert np.array_equal(pair.full_variance, alone.full_variance)


def test_constants_are_fitted_again_once_there_is_a_tenth_more() -> None:
    x, z = points(44, 0)
    y = truth(x, z)
    process = FidelityGP(ORDINAL)
    found = [process.fit(x[:count], z[:count], y[:count]) for count in (40, 43, 44)]
    first, same, other = (posterior.distrust(0.0) for posterior in found)
    assert first == same != other
    assert [len(posterior.targets) for posterior in found] == [40, 43, 44]  # what is new counts at once


def test_a_fit_that_fails_keeps_the_last_constants(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    x, z = points(40, 0)
    y = truth(x, z)
    process = FidelityGP(ORDINAL)
    before = process.fit(x[:30], z[:30], y[:30])

    def fail(*_: object, **__: object) -> None:
        raise ModelFittingError("all attempts to fit the model have failed")

    monkeypatch.setattr(fidelity_gp, "fit_gpytorch_mll", fail)
    with caplog.at_level(logging.WARNING):
        after = process.fit(x, z, y)
    assert after.distrust(0.0) == before.distrust(0.0)
    assert len(after.targets) == 40
    assert "keeps the constants of the last fit" in caplog.text
    fresh = FidelityGP(ORDINAL).fit(x, z, y)  # and without a last one those of the priors
    assert np.isfinite(fresh.at(x).full_mean).all()


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("value", [0.0, 7.0, -1e9])
def test_few_and_constant_values_are_no_error(count: int, value: float) -> None:
    x, z = points(count, 0)
    posterior = FidelityGP(ORDINAL).fit(x, z, np.full(count, value))
    pair = posterior.at(points(20, 1)[0], 0.3)
    assert all(np.isfinite(part).all() for part in vars(pair).values())
    assert np.allclose(pair.full_mean, value, atol=1e-2 * max(1.0, abs(value)))


def test_all_at_one_fidelity_and_no_fidelity_at_all() -> None:
    x, _ = points(40, 0)
    y = truth(x, np.ones(40))
    low = FidelityGP(ORDINAL).fit(x, np.full(40, 0.3), y)
    assert np.isfinite(low.at(x).full_mean).all()
    assert (low.at(x).full_variance > low.at(x, 0.3).variance).all()
    none = FidelityGP(ORDINAL, fidelity=False).fit(x, np.ones(40), y)
    assert none.distrust(0.0) == 0.0
    assert np.corrcoef(none.at(x).full_mean, y)[0, 1] > 0.99
    assert none.paths(2, np.random.default_rng(0))(x).shape == (2, 40)


def test_duplicates_with_different_values_are_noise() -> None:
    x, z = points(30, 0)
    y = truth(x, z)
    posterior = FidelityGP(ORDINAL).fit(np.tile(x, (2, 1)), np.tile(z, 2), np.concatenate([y - 0.5, y + 0.5]))
    assert 0.3 < math.sqrt(posterior.noise()) < 0.8


def test_values_may_fall_with_the_fidelity() -> None:
    x, _ = points(20, 0)
    y = np.concatenate([x[:, 0] + 50.0, x[:3, 0]])
    found = FidelityGP(ORDINAL).fit(np.concatenate([x, x[:3]]), np.repeat([0.0, 1.0], [20, 3]), y)
    assert np.abs(found.at(x).full_mean - x[:, 0]).max() < 1.0


@pytest.mark.parametrize("penalty", [1e160, 1e200, 1e308])
def test_penalties_of_any_size_are_no_error(penalty: float) -> None:
    x, z = points(20, 0)
    y = np.where(np.arange(20) % 2 == 0, -penalty, truth(x, z))
    pair = FidelityGP(ORDINAL).fit(x, z, y).at(x, 0.3)
    assert all(np.isfinite(part).all() for part in (*vars(pair).values(), pair.correlation))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(wrong: float) -> None:
    x, z = points(4, 0)
    with pytest.raises(ValueError, match="finite ones only"):
        FidelityGP(ORDINAL).fit(x, z, np.array([1.0, wrong, 2.0, 3.0]))
    with pytest.raises(ValueError, match="at least one observation"):
        FidelityGP(ORDINAL).fit(x[:0], z[:0], np.zeros(0))
