"""A Bayesian second-order model of binary variables with the horseshoe prior.

    y = theta_0 + sum_i theta_i x_i + sum_{i<j} theta_ij x_i x_j + noise

The horseshoe (Carvalho, Polson and Scott, 2010) shrinks most coefficients to nothing and leaves the few large ones
alone. Its Gibbs sampler is that of Makalic and Schmidt (2016), with an intercept that is not shrunk; with more
coefficients than data a draw of them costs a solve of N x N (Bhattacharya, Chakraborty and Mallick, 2016). The chain is
kept between suggestions: new data move the posterior a little, and a warm chain needs a few hundred sweeps where a
cold one needs a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

__all__ = ["Horseshoe", "Posterior", "Quadratic", "mean_of", "second_order_features", "spread"]

Array = NDArray[np.float64]

SMALLEST, LARGEST = 1e-10, 1e10  # bounds of every variance: the horseshoe's tails reach beyond what doubles can add


@lru_cache(maxsize=32)
def _pairs(variables: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    left, right = np.triu_indices(variables, 1)
    return left, right


def spread(values: NDArray[Any]) -> float:
    """The standard deviation of any finite numbers, also of those whose squares are none."""
    largest = float(np.abs(values).max(initial=0.0))
    return float(np.std(values / largest)) * largest if largest > 0 else 0.0


def second_order_features(x: NDArray[Any]) -> Array:
    """Main effects and products of pairs, without intercept.

    Args:
        x: zeros and ones, count x n.

    Returns:
        count x (n + n (n - 1) / 2): first the n variables, then x_i x_j for i < j in the order of ``np.triu_indices``.
    """
    values = np.asarray(x, dtype=np.float64)
    left, right = _pairs(values.shape[1])
    return np.concatenate([values, values[:, left] * values[:, right]], axis=1)


@dataclass(frozen=True, eq=False)
class Quadratic:
    """One function of the model: ``constant + linear . x + sum_{i<j} pairs_ij x_i x_j``.

    Args:
        constant: theta_0.
        linear: theta_i, shape (n,).
        pairs: theta_ij, n x n, zero on and below the diagonal.
    """

    constant: float
    linear: Array
    pairs: Array

    def __call__(self, x: NDArray[Any]) -> Array:
        """Values at count x n zeros and ones, shape (count,)."""
        values = np.asarray(x, dtype=np.float64)
        return np.asarray(self.constant + values @ self.linear + ((values @ self.pairs) * values).sum(axis=1))


def mean_of(functions: Sequence[Quadratic]) -> Quadratic:
    """The mean of functions."""
    return Quadratic(
        float(np.mean([function.constant for function in functions])),
        np.mean([function.linear for function in functions], axis=0),
        np.mean([function.pairs for function in functions], axis=0),
    )


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the coefficients.

    Args:
        constants: theta_0, shape (draws,).
        coefficients: draws x (n + n (n - 1) / 2), in the order of :func:`second_order_features`.
        noise: standard deviations of the noise, shape (draws,).
    """

    constants: Array
    coefficients: Array
    noise: Array

    def predict(self, x: NDArray[Any]) -> Array:
        """Values of every draw at count x n zeros and ones, without noise: draws x count."""
        return np.asarray(self.constants[:, None] + self.coefficients @ second_order_features(x).T)


@dataclass(frozen=True, eq=False)
class _Data:
    """Standardised data: features centred, targets centred and scaled."""

    features: Array  # N x p
    targets: Array  # N
    centre: Array  # p: means of the features
    mean: float
    scale: float
    gram: Array | None  # X'X where there are more data than coefficients
    moment: Array  # X'y

    @classmethod
    def of(cls, x: NDArray[Any], y: Array) -> _Data:
        raw = second_order_features(x)
        centre = raw.mean(axis=0)
        features = np.ascontiguousarray(raw - centre)
        mean, deviation = float(np.mean(y)), spread(y)
        scale = deviation if deviation > 1e-12 * max(1.0, abs(mean)) else 1.0  # constant targets: nothing to scale by
        targets = (np.asarray(y, dtype=np.float64) - mean) / scale
        count, coefficients = features.shape
        gram = features.T @ features if coefficients <= count else None
        return cls(features, targets, centre, mean, scale, gram, features.T @ targets)


class Horseshoe:
    """The model with its Gibbs chain.

    Args:
        variables: n, number of binary variables, at least 1.
        rng: everything random follows from it.
    """

    def __init__(self, variables: int, rng: np.random.Generator) -> None:
        self.variables = variables
        self._rng = rng
        p = variables + variables * (variables - 1) // 2
        self._beta = np.zeros(p)
        self._noise = 1.0  # sigma^2
        self._local = np.ones(p)  # lambda_j^2
        self._global = 1.0 / p  # tau^2: a cold chain starts sparse
        self._local_mix = np.ones(p)  # nu_j
        self._global_mix = 1.0  # xi
        self._data: _Data | None = None

    def fit(self, x: NDArray[Any], y: Array, sweeps: int) -> None:
        """Run the chain on data; it goes on from where the last call left it.

        Args:
            x: zeros and ones, count x n, count >= 1.
            y: finite, shape (count,); constant targets are allowed.
            sweeps: Gibbs sweeps.
        """
        before = self._data
        self._data = _Data.of(x, y)
        if before is not None:  # the chain lives in units of the targets' spread, which new data change
            ratio = before.scale / self._data.scale
            self._noise = _clip(self._noise * ratio * ratio)
        for _ in range(sweeps):
            self._sweep(self._data)

    def draw(self, sweeps: int = 0) -> Quadratic:
        """The chain's function after ``sweeps`` more sweeps, in the units of the targets: a draw from the posterior."""
        constant, coefficients, _ = self._step(sweeps)
        n = self.variables
        pairs = np.zeros((n, n))
        pairs[_pairs(n)] = coefficients[n:]
        return Quadratic(constant, coefficients[:n], pairs)

    def sample(self, draws: int, thin: int = 5) -> Posterior:
        """``draws`` draws, ``thin`` sweeps apart."""
        constants, coefficients, noise = zip(*(self._step(thin) for _ in range(draws)), strict=True)
        return Posterior(np.array(constants), np.array(coefficients), np.array(noise))

    def _step(self, sweeps: int) -> tuple[float, Array, float]:
        if self._data is None:
            raise RuntimeError("fit the model before drawing from it")
        for _ in range(sweeps):
            self._sweep(self._data)
        data = self._data
        coefficients = self._beta * data.scale
        noise = data.scale * float(np.sqrt(self._noise))
        deviation = noise / np.sqrt(len(data.targets)) * self._rng.standard_normal()
        return float(data.mean - data.centre @ coefficients + deviation), coefficients, noise

    def _sweep(self, data: _Data) -> None:
        """One Gibbs sweep: coefficients, noise, local and global scales, and the latter's mixing variables."""
        rng, count, p = self._rng, len(data.targets), len(self._beta)
        prior = np.clip(self._global * self._local, SMALLEST, LARGEST)  # variance of beta_j in units of sigma^2
        self._beta = beta = self._coefficients(data, prior)
        squares = beta * beta
        residual = data.targets - data.features @ beta
        rate = 0.5 * float(residual @ residual + np.sum(squares / prior))
        # count - 1: the intercept, integrated out by centring, takes one
        self._noise = noise = _clip(rate / rng.standard_gamma(0.5 * (count - 1 + p)))
        # IG(1, rate) is rate / Exp(1)
        local_rate = 1.0 / self._local_mix + squares / (2.0 * self._global * noise)
        self._local = np.clip(local_rate / rng.standard_exponential(p), SMALLEST, LARGEST)
        global_rate = 1.0 / self._global_mix + np.sum(squares / self._local) / (2.0 * noise)
        self._global = _clip(global_rate / rng.standard_gamma(0.5 * (p + 1)))
        self._local_mix = (1.0 + 1.0 / self._local) / rng.standard_exponential(p)
        self._global_mix = (1.0 + 1.0 / self._global) / rng.standard_exponential()

    def _coefficients(self, data: _Data, prior: Array) -> Array:
        """A draw from N(A^-1 X'y, sigma^2 A^-1), A = X'X + diag(1 / prior)."""
        rng, deviation = self._rng, np.sqrt(self._noise)
        if data.gram is not None:
            precision = data.gram.copy()
            precision[np.diag_indices_from(precision)] += 1.0 / prior
            factor = cho_factor(precision, lower=True, overwrite_a=True, check_finite=False)
            mean = cho_solve(factor, data.moment, check_finite=False)
            noise = solve_triangular(
                factor[0], rng.standard_normal(len(prior)), lower=True, trans="T", check_finite=False
            )
            return np.asarray(mean + deviation * noise)
        root = np.sqrt(prior)
        start = root * rng.standard_normal(len(prior))  # from the prior, then corrected by the data
        scaled = data.features * root
        inner = scaled @ scaled.T
        inner[np.diag_indices_from(inner)] += 1.0
        seen = data.features @ start + rng.standard_normal(len(data.targets))
        factor = cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
        correction = cho_solve(factor, data.targets / deviation - seen, check_finite=False)
        return np.asarray(deviation * (start + root * (correction @ scaled)))


def _clip(value: float) -> float:
    return float(min(max(value, SMALLEST), LARGEST))
