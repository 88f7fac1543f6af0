"""The closed forms and the quadrature against entropies that are integrated numerically from their definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.acquisition.max_value_entropy_search import qMultiFidelityMaxValueEntropy
from botorch.models import SingleTaskMultiFidelityGP
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr

from explorer.strategies.information_gain import information_gain, information_gain_at_full_fidelity

GAMMAS = [-30.0, -8.0, -3.0, -2.0, -0.5, 0.0, 0.3, 1.0, 3.0, 6.0]


def entropies(gamma: float, rho: float) -> float:
    """The entropy of a standard normal less that of p, by the trapezoidal rule over a grid that follows the mass."""
    rest = np.sqrt((1 - rho) * (1 + rho))
    ratio = np.exp(-0.5 * gamma**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(gamma))
    mean, deviation = -rho * ratio, np.sqrt(1 - rho**2 * ratio * (gamma + ratio))
    edge, width = gamma / rho, rest / rho
    low, high = mean - 60 * deviation, mean + 12 * deviation
    near = np.clip(np.linspace(edge - 40 * width, edge + 40 * width, 40_001), low, high)
    u = np.unique(np.concatenate([np.linspace(low, high, 80_001), near]))
    log_p = -0.5 * u**2 - 0.5 * np.log(2 * np.pi) + log_ndtr((gamma - rho * u) / rest) - log_ndtr(gamma)
    return float(0.5 * np.log(2 * np.pi * np.e) + np.trapezoid(np.exp(log_p) * log_p, u))


@pytest.mark.parametrize("rho", [0.05, 0.3, 0.5, 0.8, 0.95, 0.99, 0.999, 0.99999])
@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_gain_is_the_entropy_that_knowing_the_limit_takes(gamma: float, rho: float) -> None:
    assert information_gain(gamma, rho) == pytest.approx(entropies(gamma, rho), abs=2e-7, rel=2e-6)


def test_a_value_worked_out_by_hand() -> None:
    """rho = 0.8, gamma = 0.3: 0.23031, above the lower bound -0.5 ln(1 - rho^2 r (gamma + r)), 0.2250."""
    assert float(information_gain(0.3, 0.8)) == pytest.approx(0.23031, abs=5e-6)
    ratio = np.exp(-0.045 - 0.5 * np.log(2 * np.pi) - log_ndtr(0.3))
    assert -0.5 * np.log(1 - 0.64 * ratio * (0.3 + ratio)) == pytest.approx(0.2250, abs=5e-5)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_it_tends_to_the_gain_at_full_fidelity_and_to_nothing(gamma: float) -> None:
    full = float(information_gain_at_full_fidelity(gamma))
    assert float(information_gain(gamma, 1.0)) == full
    for distance in (1e-6, 1e-8, 1e-10):  # the distance to the limit is of the order of sqrt(1 - rho)
        assert float(information_gain(gamma, 1 - distance)) == pytest.approx(full, abs=40 * np.sqrt(distance))
    assert float(information_gain(gamma, 0.0)) == 0.0
    for rho in (1e-2, 1e-3, 1e-5):
        assert 0 <= float(information_gain(gamma, rho)) <= 1.01 * rho**2


@given(st.floats(-60, 60), st.floats(0, 1), st.floats(0, 1))
def test_a_better_correlation_never_tells_less(gamma: float, one: float, other: float) -> None:
    low, high = information_gain(gamma, np.array(sorted([one, other])))
    assert np.isfinite([low, high]).all()
    assert 0 <= low <= high + 1e-9 + 1e-6 * high


@given(st.floats(-60, 60), st.floats(0, 1))
def test_the_sign_of_a_correlation_does_not_matter(gamma: float, rho: float) -> None:
    assert information_gain(gamma, -rho) == information_gain(gamma, rho)


@given(st.floats(-35, 35), st.floats(0.01, 0.999))
def test_a_limit_that_is_farther_away_tells_less(gamma: float, rho: float) -> None:
    near, far = information_gain(np.array([gamma, gamma + 0.5]), rho)
    assert far <= near + 1e-9


def test_limits_that_say_nothing_or_everything() -> None:
    assert float(information_gain(np.inf, 0.5)) == 0.0
    assert float(information_gain(np.inf, 1.0)) == 0.0
    assert float(information_gain(-1e6, 0.5)) == pytest.approx(-0.5 * np.log(0.75))
    far = information_gain(np.array([-34.9, -35.1]), 0.5)
    assert far[0] == pytest.approx(far[1], rel=1e-3)


def test_arrays_are_broadcast() -> None:
    found = information_gain(np.zeros((3, 1)), np.array([0.1, 0.5, 0.9, 1.0]))
    assert found.shape == (3, 4)
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize(("gamma", "rho"), [(np.nan, 0.5), (0.0, np.nan), (0.0, 1.1)])
def test_what_is_no_correlation_is_refused(gamma: float, rho: float) -> None:
    with pytest.raises(ValueError, match="between -1 and 1"):
        information_gain(gamma, rho)


@pytest.mark.parametrize("fidelity", [0.0, 0.4, 0.8, 1.0])
def test_it_agrees_with_botorch_for_one_objective(fidelity: float) -> None:
    """BoTorch's multi-fidelity max-value entropy search with noise, for given values of the maximum (Monte Carlo)."""
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.random((12, 2)))
    targets = torch.sin(6 * inputs[:, :1]) * (0.5 + 0.5 * inputs[:, 1:])
    model = SingleTaskMultiFidelityGP(inputs, targets, data_fidelities=[1], outcome_transform=None)
    model.likelihood.noise = 0.02
    model.eval()
    acquisition = qMultiFidelityMaxValueEntropy(
        model, candidate_set=torch.from_numpy(rng.random((50, 2))), num_y_samples=8192,
        project=lambda x: torch.cat([x[..., :1], torch.ones_like(x[..., 1:])], dim=-1),
    )  # fmt: skip
    limits = np.array([0.3, 0.8, 1.5])
    acquisition.posterior_max_values = torch.from_numpy(limits)[:, None]
    points = np.column_stack([np.linspace(0.05, 0.95, 7), np.full(7, fidelity)])
    with torch.no_grad():
        theirs = acquisition(torch.from_numpy(points)[:, None]).numpy() * (0.01 + fidelity)  # per its default cost
        mine = []
        for point in points:
            both = model.posterior(torch.from_numpy(np.array([point, [point[0], 1.0]])))
            (_, mean), covariance = both.mean[:, 0].numpy(), both.distribution.covariance_matrix.numpy()
            rho = covariance[0, 1] / np.sqrt((covariance[0, 0] + 0.02) * covariance[1, 1])
            mine.append(information_gain((limits - mean) / np.sqrt(covariance[1, 1]), rho).mean())
    assert mine == pytest.approx(theirs, rel=0.03, abs=2e-3)
