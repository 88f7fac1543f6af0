"""What an evaluation tells about the best value there is: the acquisition of max-value entropy searches.

The value at full fidelity is f* ~ N(mu*, sigma*^2), what is evaluated at a lower fidelity correlates with it by rho. A
sample of the optimum says f* <= y*; gamma = (y* - mu*) / sigma*. The gain is the entropy that this knowledge takes from
the evaluation (Wang and Jegelka, ICML 2017, equation 6 at full fidelity; Takeno et al., ICML 2020, below it).

With u the standardised evaluation, knowing f* <= y* leaves u the density p(u) = phi(u) Phi(w(u)) / Phi(gamma),
w(u) = (gamma - rho u) / s, s = sqrt(1 - rho^2), and

    gain = rho^2 gamma phi(gamma) / (2 Phi(gamma)) - ln Phi(gamma) + E_p[ln Phi(w(u))].

The expectation is integrated over w instead of u: there ln Phi changes over a width of one whatever rho is, and p is a
product of a normal density and Phi.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

__all__ = ["information_gain", "information_gain_at_full_fidelity"]

Array = NDArray[np.float64]

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
BLOCK = 2048  # gains at a time: their nodes stay in the cache
REACH = 9.0  # standard deviations: beyond them lies less than 1e-18 of a normal distribution
SMALLEST_CORRELATION = 1e-4  # the gain below it is less than rho^2: nothing
LARGEST_CORRELATION = 1 - 1e-9  # the quadrature's s = sqrt(1 - rho^2) needs digits; the gain is continuous there
GAMMA = 35.0  # beyond, Phi is 1 or its logarithm a parabola


def information_gain(gamma: ArrayLike, rho: ArrayLike) -> Array:
    """The gain of evaluations at any fidelity, in nats; never below 0.

    Args:
        gamma: (y* - mu*) / sigma* at full fidelity; any real number.
        rho: correlation of what is evaluated with the value at full fidelity, -1 to 1.

    Returns:
        An array of the shape that ``gamma`` and ``rho`` broadcast to. It tends to
        :func:`information_gain_at_full_fidelity` as rho tends to 1 and to 0 as rho tends to 0.

    Raises:
        ValueError: a correlation outside -1 to 1, or numbers that are NaN.
    """
    gamma, rho = np.broadcast_arrays(np.asarray(gamma, dtype=np.float64), np.abs(np.asarray(rho, dtype=np.float64)))
    if not ((rho <= 1 + 1e-9).all() and not np.isnan(gamma).any()):
        raise ValueError("correlations lie between -1 and 1, and gamma is a number")
    gain = information_gain_at_full_fidelity(gamma)
    below = (rho < LARGEST_CORRELATION) & (np.abs(gamma) < GAMMA)
    flat = gamma[below], np.maximum(rho[below], SMALLEST_CORRELATION)
    parts = [_below_full_fidelity(*(values[start : start + BLOCK] for values in flat))
             for start in range(0, len(flat[0]), BLOCK)]  # fmt: skip
    gain[below] = np.concatenate(parts) if parts else 0.0
    far = (rho < LARGEST_CORRELATION) & (gamma <= -GAMMA)  # f* is y*, all but certainly: u keeps the rest of its spread
    gain[far] = -0.5 * np.log1p(-(rho[far] ** 2))
    gain[rho <= SMALLEST_CORRELATION] = 0.0
    return np.maximum(gain, 0.0)


def information_gain_at_full_fidelity(gamma: ArrayLike) -> Array:
    """The gain of noise-free evaluations at full fidelity: gamma phi / (2 Phi) - ln Phi, in nats."""
    gamma = np.asarray(gamma, dtype=np.float64)
    log_mass = log_ndtr(gamma)
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = np.exp(-0.5 * gamma**2 - LOG_SQRT_2PI - log_mass)
        gain = 0.5 * gamma * ratio - log_mass
    return np.where(np.isposinf(gamma), 0.0, np.maximum(gain, 0.0))


def _below_full_fidelity(gamma: Array, rho: Array) -> Array:
    """For flat arrays of rho strictly between 0 and 1."""
    log_mass = log_ndtr(gamma)
    ratio = np.exp(-0.5 * gamma**2 - LOG_SQRT_2PI - log_mass)
    rest = np.sqrt((1 - rho) * (1 + rho))
    # the mass of p: moments of the extended skew-normal distribution (Takeno et al., appendix), in units of w
    mean = (gamma + rho**2 * ratio) / rest
    deviation = rho / rest * np.sqrt(np.maximum(1 - rho**2 * ratio * (gamma + ratio), 0.0))
    # left of 0 Phi(w) falls like a normal density: p is there a normal density around gamma s of deviation rho
    low = np.maximum(mean - REACH * deviation, np.minimum(0.0, gamma * rest) - REACH)
    high = np.maximum(np.minimum(mean + REACH * deviation, REACH), low)
    half = 0.5 * (high - low)
    w = 0.5 * (high + low)[:, None] + half[:, None] * NODES
    log_cdf = log_ndtr(w)
    u = (gamma[:, None] - rest[:, None] * w) / rho[:, None]
    log_density = np.log(rest / rho)[:, None] - 0.5 * u**2 - LOG_SQRT_2PI + log_cdf - log_mass[:, None]
    expected = half * ((np.exp(log_density) * log_cdf) @ WEIGHTS)
    return np.asarray(0.5 * rho**2 * gamma * ratio - log_mass + expected)
