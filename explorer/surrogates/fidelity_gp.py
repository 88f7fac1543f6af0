"""Gaussian processes of one objective over designs and a continuous fidelity.

    y(x, z) = constant + trend(z) + f(x, z) + noise,    cov f = k(x, x') (s + t k_z(z, z'))

k is a product over the coordinates of the unit cube: a Gaussian for each bit (which, on zeros and ones, is any product
kernel there is) and a Matern kernel for numbers. z is 1 at full fidelity. What all designs gain by a higher fidelity is
the trend's; what tells one design from another is f's: s of it at whatever fidelity, t of it alike at near ones only
(early epochs of a training are noisy and yet tell of the last ones). BoTorch fits the constants of the kernels; with
them everything asked of the posterior is a few matrix products.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.sampling.pathwise import draw_matheron_paths
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import AdditiveKernel, Kernel, MaternKernel, ProductKernel, RBFKernel, ScaleKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import GammaPrior, LogNormalPrior
from numpy.typing import NDArray
from torch import Tensor

from explorer.surrogates import kernel_features
from explorer.surrogates.outliers import raised_outliers

__all__ = ["FidelityGP", "FidelityPosterior", "Pair"]

Array = NDArray[np.float64]

kernel_features.register()
logger = logging.getLogger(__name__)

COLD_STEPS, WARM_STEPS = 200, 40  # of L-BFGS
AT_LEAST = 3  # observations: with fewer the priors' modes are as good
GROWTH = 1.1  # of the observations, before the constants of the kernels are fitted again
JITTER = 1e-8


@dataclass(frozen=True, eq=False)
class Pair:
    """What is known of designs at some fidelity and at full fidelity.

    Args:
        mean, variance: of f at the fidelity, shape (count,).
        full_mean, full_variance: of f at full fidelity.
        covariance: of the two.
    """

    mean: Array
    variance: Array
    full_mean: Array
    full_variance: Array
    covariance: Array

    def correlation(self, noise: float = 0.0) -> Array:
        """Of f at full fidelity with an observation at the fidelity whose noise has this variance."""
        spread = np.sqrt((self.variance + noise) * self.full_variance)
        return np.clip(self.covariance / np.where(spread > 0, spread, 1.0), -1.0, 1.0)


@dataclass(frozen=True, eq=False)
class FidelityPosterior:
    """A fitted process; made by :meth:`FidelityGP.fit`. All values in the unit of the objective.

    Args:
        model: the fitted kernels.
        points: what was observed, N x (dimensions + 1), fidelity last (N x dimensions without fidelity).
        targets: standardised, shape (N,).
        centre, scale: of the standardisation.
    """

    model: SingleTaskGP
    points: Tensor
    targets: Tensor
    centre: float
    scale: float
    factor: Tensor
    weights: Tensor

    @property
    def noise(self) -> float:
        """Variance of the noise."""
        return float(self.model.likelihood.noise.detach()) * self.scale**2

    def distrust(self, z: float) -> float:
        """How little a fidelity tells of the full one before anything is observed, from 0 to 1 (BOCA's xi)."""
        kernel = self.model.covar_module
        if not isinstance(kernel, AdditiveKernel):
            return 0.0
        at_all, near = (float(part.outputscale.detach()) for part in kernel.kernels[1:])
        over_fidelity = _factors(kernel.kernels[2])[-1]
        alike = math.exp(-0.5 * ((1 - z) / float(over_fidelity.lengthscale.detach())) ** 2)
        return math.sqrt(max(0.0, 1 - ((at_all + near * alike) / (at_all + near)) ** 2))

    def at(self, x: Array, z: float = 1.0) -> Pair:
        """Both fidelities of designs x (count x dimensions)."""
        return self.levels(x, [z])[0]

    def levels(self, x: Array, levels: Sequence[float]) -> list[Pair]:
        """The same at several fidelities; what they share is computed once."""
        with torch.no_grad():
            covariances = self._covariances(x)
            full, full_prior, _ = covariances(1.0)
            full_rest, full_mean = self._solve(full), self._predict(full)
            full_variance = (full_prior - full_rest.square().sum(0)).clamp_min(1e-12)
            pairs = []
            for z in levels:
                low, prior, shared = covariances(z)
                rest = self._solve(low)
                variance = (prior - rest.square().sum(0)).clamp_min(1e-12)
                covariance = shared - (rest * full_rest).sum(0)
                means = (self.centre + self.scale * values.numpy() for values in (self._predict(low), full_mean))
                spreads = (self.scale**2 * values.numpy() for values in (variance, full_variance, covariance))
                (low_mean, high_mean), (low_variance, high_variance, both) = means, spreads
                pairs.append(Pair(low_mean, low_variance, high_mean, high_variance, both))
        return pairs

    def _covariances(self, x: Array) -> Callable[[float], tuple[Tensor, float, float]]:
        """Of designs, by their fidelity z: with what was observed (designs x N), with themselves, and with themselves
        at full fidelity. Kernels are stationary: the last two are those of any design."""
        kernel, designs = self.model.covar_module, self._inputs(x, 1.0)
        if not isinstance(kernel, AdditiveKernel):
            same, prior = self._kernel(designs, self.points), float(kernel.outputscale)
            return lambda _: (same, prior, prior)
        trend, at_all, near = kernel.kernels
        alike = at_all.base_kernel(designs, self.points).to_dense()
        end = designs[:1]

        def at(z: float) -> tuple[Tensor, float, float]:
            here = self._inputs(x[:1], z)
            over = _factors(near)[-1]
            observed = at_all.outputscale + near.outputscale * over(here, self.points).to_dense()
            found = alike * observed + trend(here, self.points).to_dense()
            prior = float(trend.outputscale + at_all.outputscale + near.outputscale)
            shared = trend(here, end).to_dense() + at_all.outputscale + near.outputscale * over(here, end).to_dense()
            return found, prior, float(shared)

        return at

    def draws(self, x: Array, count: int, rng: np.random.Generator) -> Array:
        """Exact joint draws of f at full fidelity: count x designs. Costs the cube of the number of designs."""
        points = self._inputs(x, 1.0)
        with torch.no_grad():
            observed = self._kernel(points, self.points)
            rest = self._solve(observed)
            covariance = self._kernel(points, points) - rest.T @ rest
            factor = _cholesky(covariance)
            normals = torch.from_numpy(rng.standard_normal((len(points), count)))
            found = (self._predict(observed)[:, None] + factor @ normals).T
        return np.asarray(self.centre + self.scale * found.numpy())

    def paths(self, count: int, rng: np.random.Generator) -> Callable[[Array], Array]:
        """Approximate draws of f at full fidelity as functions: x (designs x dimensions) to count x designs.

        Matheron's rule with random Fourier features (Wilson et al., 2020); costs nothing but their evaluation.
        """
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(int(rng.integers(2**31)))
            found = draw_matheron_paths(self.model, torch.Size([count]))

        def evaluate(x: Array) -> Array:
            with torch.no_grad():
                return np.asarray(self.centre + self.scale * found(self._inputs(x, 1.0)).numpy())

        return evaluate

    def with_pending(self, x: Array, z: Array) -> FidelityPosterior:
        """The posterior as if designs x at fidelities z had been observed at their means: variances shrink, means stay.

        Args:
            x: count x dimensions.
            z: shape (count,).
        """
        if len(x) == 0:
            return self
        new = torch.cat([self._inputs(x[[i]], float(z[i])) for i in range(len(x))])
        with torch.no_grad():
            means = self._predict(self._kernel(new, self.points))
        return _solved_posterior(
            self.model, torch.cat([self.points, new]), torch.cat([self.targets, means]), self.centre, self.scale
        )

    def _inputs(self, x: Array, z: float) -> Tensor:
        points = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float64))
        if points.shape[1] == self.points.shape[1]:
            return points
        return torch.cat([points, torch.full((len(points), 1), z, dtype=torch.float64)], dim=1)

    def _kernel(self, left: Tensor, right: Tensor) -> Tensor:
        covariances: Tensor = self.model.covar_module(left, right).to_dense()
        return covariances

    def _solve(self, covariances: Tensor) -> Tensor:
        """What of designs' covariances with what was observed (designs x N) the observations explain, N x designs."""
        solved: Tensor = torch.linalg.solve_triangular(self.factor, covariances.T, upper=False)
        return solved

    def _predict(self, covariances: Tensor) -> Tensor:
        mean: Tensor = self.model.mean_module.constant + covariances @ self.weights
        return mean


class FidelityGP:
    """Fits :class:`FidelityPosterior`, warm from one fit to the next.

    Args:
        ordinal: which coordinates are numbers, shape (dimensions,); the others are 0 or 1.
        fidelity: whether there is a fidelity to choose.
    """

    def __init__(self, ordinal: NDArray[np.bool_], *, fidelity: bool = True) -> None:
        self._ordinal = np.asarray(ordinal, dtype=bool)
        self._fidelity = fidelity
        self._state: dict[str, Tensor] | None = None
        self._fitted = 0  # observations, when the constants were last fitted

    def fit(self, x: Array, z: Array, y: Array) -> FidelityPosterior:
        """The posterior after observations.

        Args:
            x: N x dimensions.
            z: fidelities from 0 to 1, shape (N,).
            y: what was observed, to be made large; at least one, all finite.

        Raises:
            ValueError: nothing was observed, or numbers are not finite.
        """
        if len(y) == 0 or not (np.isfinite(y).all() and np.isfinite(x).all() and np.isfinite(z).all()):
            raise ValueError("a Gaussian process needs at least one observation, and finite ones only")
        targets = raised_outliers(np.asarray(y, dtype=np.float64), np.asarray(z, dtype=np.float64))
        centre = float(targets.mean())
        scale = float(targets.std())
        if not scale > 1e-12 * max(1.0, abs(centre)):
            scale = max(abs(centre), 1.0) * 1e-3  # a constant: any unit will do
        points = np.column_stack([x, z]) if self._fidelity else np.asarray(x)
        inputs = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float64))
        standardised = torch.from_numpy((targets - centre) / scale)
        model = self._model(inputs, standardised)
        if len(y) >= max(AT_LEAST, GROWTH * self._fitted) or len(y) < self._fitted:
            self._optimise(model)
            self._fitted = len(y)
        elif self._state is not None:
            model.load_state_dict(self._state)
        model.eval()
        return _solved_posterior(model, inputs, standardised, centre, scale)

    def _model(self, inputs: Tensor, targets: Tensor) -> SingleTaskGP:
        likelihood = GaussianLikelihood(
            noise_prior=LogNormalPrior(-4.0, 1.0),
            noise_constraint=GreaterThan(1e-6, transform=None, initial_value=0.01),
        )
        kernel = _kernel(self._ordinal, self._fidelity)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # standardised by us: a single fidelity may have any mean
            model = SingleTaskGP(
                inputs, targets[:, None], likelihood=likelihood, covar_module=kernel, outcome_transform=None
            )
        return model.to(torch.float64)

    def _optimise(self, model: SingleTaskGP) -> None:
        """Fit the kernels' constants; those of the last fit stay where this one fails."""
        steps = COLD_STEPS
        if self._state is not None:
            model.load_state_dict(self._state)
            steps = WARM_STEPS
        before = {name: value.clone() for name, value in model.state_dict().items()}
        likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
        try:
            with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
                warnings.simplefilter("ignore")  # the step limit is ours
                torch.manual_seed(0)  # of restarts after a failure
                fit_gpytorch_mll(likelihood, optimizer_kwargs={"options": {"maxiter": steps}})
        except (ModelFittingError, RuntimeError, ValueError) as error:
            logger.warning("a Gaussian process could not be fitted (%s): it keeps the constants of the last fit", error)
            model.load_state_dict(before)
        self._state = {name: value.clone() for name, value in model.state_dict().items()}


def _kernel(ordinal: NDArray[np.bool_], fidelity: bool) -> Kernel:
    bits, numbers = np.flatnonzero(~ordinal), np.flatnonzero(ordinal)
    factors: list[Kernel] = []
    for kind, dims, options in ((RBFKernel, bits, {}), (MaternKernel, numbers, {"nu": 2.5})):
        if len(dims):
            # lengthscales grow with the square root of the number of coordinates (Hvarfner et al., ICML 2024)
            prior = LogNormalPrior(math.sqrt(2) + 0.5 * math.log(len(ordinal)), math.sqrt(3))
            bound = GreaterThan(0.025, transform=None, initial_value=float(prior.mode))
            factors.append(
                kind(
                    ard_num_dims=len(dims), active_dims=tuple(int(dim) for dim in dims), lengthscale_prior=prior,
                    lengthscale_constraint=bound, **options,
                )
            )  # fmt: skip
    if not fidelity:
        return ScaleKernel(_product(factors), outputscale_prior=GammaPrior(2.0, 2.0))
    over_fidelity = _over_fidelity(len(ordinal))
    terms = [_over_fidelity(len(ordinal)), _product(factors), _product([*factors, over_fidelity])]
    return AdditiveKernel(*(ScaleKernel(term, outputscale_prior=GammaPrior(2.0, 2.0)) for term in terms))


def _over_fidelity(dimension: int) -> Kernel:
    return RBFKernel(
        # most likely 1: who doubts low fidelities at first never tries them, who trusts them is soon corrected
        active_dims=(dimension,), lengthscale_prior=LogNormalPrior(1.0, 1.0),
        lengthscale_constraint=GreaterThan(0.05, transform=None, initial_value=1.0),
    )  # fmt: skip


def _product(factors: list[Kernel]) -> Kernel:
    return factors[0] if len(factors) == 1 else ProductKernel(*factors)


def _factors(kernel: Kernel) -> list[Kernel]:
    """Of a scaled product."""
    return list(kernel.base_kernel.kernels)


def _solved_posterior(
    model: SingleTaskGP, points: Tensor, targets: Tensor, centre: float, scale: float
) -> FidelityPosterior:
    with torch.no_grad():
        covariance = model.covar_module(points).to_dense()
        covariance = covariance + float(model.likelihood.noise.detach()) * torch.eye(
            len(points), dtype=covariance.dtype
        )
        factor = _cholesky(covariance)
        residual = (targets - model.mean_module(points))[:, None]
        weights = torch.cholesky_solve(residual, factor)[:, 0]
    return FidelityPosterior(model, points, targets, centre, scale, factor, weights)


def _cholesky(matrix: Tensor) -> Tensor:
    """A lower factor, with as little added to the diagonal as it takes."""
    size = float(matrix.diagonal().mean().clamp_min(1e-300))
    jitter = JITTER
    while True:
        found, info = torch.linalg.cholesky_ex(matrix + jitter * size * torch.eye(len(matrix), dtype=matrix.dtype))
        if int(info) == 0:
            factor: Tensor = found
            return factor
        jitter *= 10
