"""Gaussian processes of one objective over designs and a continuous fidelity.

    y(x, z) = centre(z) + spread(z) (constant + trend(z) + f(x, z) + noise)
    cov f = k(x, x') (s + t k_z(z, z')) + l(x, x') (u + v k_z(z, z'))

Centres and spreads are those of :class:`FidelityScaling`. k is a product over the coordinates of the unit cube: a
Gaussian for each bit (which, on zeros and ones, is any product kernel there is) and a Matern kernel for numbers; l is
what each coordinate adds by itself (:class:`MainEffects`). z is 1 at full fidelity. What all designs gain by a higher
fidelity is the trend's; what tells one design from another is f's: s and u of it at whatever fidelity, t and v of it
alike at near ones only (early epochs of a training are noisy and yet tell of the last ones). BoTorch fits the constants
of the kernels; with them everything asked of the posterior is a few matrix products.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.sampling.pathwise import GeneralizedLinearPath, draw_kernel_feature_paths, draw_matheron_paths
from gpytorch.constraints import GreaterThan
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import LogNormalPrior
from numpy.typing import NDArray
from torch import Tensor

from explorer.surrogates import kernel_features
from explorer.surrogates.fidelity_kernel import FidelityKernel
from explorer.surrogates.fidelity_scaling import FidelityScaling
from explorer.surrogates.likelihood_gradient import likelihood_closure
from explorer.surrogates.outliers import raised_outliers

__all__ = ["FidelityGP", "FidelityPosterior", "Pair"]

Array = NDArray[np.float64]

kernel_features.register()
logger = logging.getLogger(__name__)

COLD_STEPS, WARM_STEPS = 200, 40  # of L-BFGS
AT_LEAST = 3  # observations: with fewer the priors' modes are as good
GROWTH = 1.1  # of the observations, before the constants of the kernels are fitted again
JITTER = 1e-8
LARGEST = 1e60  # value that is told from larger ones: their variances could not be multiplied


@dataclass(frozen=True, eq=False)
class Pair:
    """What is known of designs at some fidelity and at full fidelity.

    Args:
        mean, variance: of f at the fidelity, shape (count,).
        noise: variance of an observation's noise there.
        full_mean, full_variance: of f at full fidelity.
        covariance: of the two.
    """

    mean: Array
    variance: Array
    noise: float
    full_mean: Array
    full_variance: Array
    covariance: Array

    @property
    def correlation(self) -> Array:
        """Of f at full fidelity with an observation at the fidelity."""
        spread = np.sqrt((self.variance + self.noise) * self.full_variance)
        return np.clip(self.covariance / np.where(spread > 0, spread, 1.0), -1.0, 1.0)


@dataclass(frozen=True, eq=False)
class FidelityPosterior:
    """A fitted process; made by :meth:`FidelityGP.fit`. All values in the unit of the objective.

    Args:
        model: the fitted kernels.
        points: what was observed, N x (dimensions + 1), fidelity last (N x dimensions without fidelity).
        targets: scaled, shape (N,).
        scaling: of the targets.
    """

    model: SingleTaskGP
    points: Tensor
    targets: Tensor
    scaling: FidelityScaling
    factor: Tensor
    weights: Tensor

    @property
    def kernel(self) -> FidelityKernel:
        """With the constants that were fitted."""
        kernel: FidelityKernel = self.model.covar_module
        return kernel

    def noise(self, z: float = 1.0) -> float:
        """Variance of the noise at a fidelity."""
        return float(self.model.likelihood.noise.detach()) * self.scaling.spread(z) ** 2

    def distrust(self, z: float) -> float:
        """How little a fidelity tells of the full one before anything is observed, from 0 to 1 (BOCA's xi)."""
        ends = torch.tensor([z, 1.0], dtype=torch.float64)
        of_designs, of_effects, _ = self.kernel.weights(1.0, ends)
        here, full = (of_designs + of_effects).tolist()
        return math.sqrt(max(0.0, 1 - (here / full) ** 2))

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
                (here, centre), (end, usual) = ((self.scaling.spread(at), self.scaling.centre(at)) for at in (z, 1.0))
                pairs.append(Pair(
                    centre + here * self._predict(low).numpy(), here**2 * variance.numpy(), self.noise(z),
                    usual + end * full_mean.numpy(), end**2 * full_variance.numpy(), here * end * covariance.numpy(),
                ))  # fmt: skip
        return pairs

    def _covariances(self, x: Array) -> Callable[[float], tuple[Tensor, Tensor, Tensor]]:
        """Of designs, by their fidelity z: with what was observed (designs x N), with themselves, and with themselves
        at full fidelity (designs)."""
        kernel, designs = self.kernel, self._inputs(x, 1.0)
        alike, effects = (part(designs, self.points).to_dense() for part in (kernel.designs, kernel.effects))
        own_effects: Tensor = kernel.effects(designs, diag=True)

        def with_itself(z: float, other: float) -> Tensor:
            of_designs, of_effects, trend = kernel.weights(z, torch.tensor(other, dtype=torch.float64))
            found: Tensor = of_designs + of_effects * own_effects + trend
            return found

        def at(z: float) -> tuple[Tensor, Tensor, Tensor]:
            of_designs, of_effects, trend = kernel.weights(z, self.points[:, -1])
            return alike * of_designs + effects * of_effects + trend, with_itself(z, z), with_itself(z, 1.0)

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
        return self._unscaled(found)

    def paths(self, count: int, rng: np.random.Generator) -> Callable[[Array], Array]:
        """Approximate draws of f at full fidelity as functions: x (designs x dimensions) to count x designs.

        Matheron's rule with random Fourier features (Wilson et al., 2020); costs nothing but their evaluation.
        """
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(int(rng.integers(2**31)))
            found: Any = draw_matheron_paths(self.model, torch.Size([count]), prior_sampler=_prior_paths)
        prior, update = found["prior_paths"], found["update_paths"]

        def evaluate(x: Array) -> Array:
            inputs = self._inputs(x, 1.0)
            with torch.no_grad():  # as found(inputs), all draws by one product
                values = prior.weight @ prior.feature_map(inputs).mT + prior.bias_module(inputs)
                return self._unscaled(values + update.weight @ self._covariances(x)(1.0)[0].mT)

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
            self.model, torch.cat([self.points, new]), torch.cat([self.targets, means]), self.scaling
        )

    def _unscaled(self, values: Tensor) -> Array:
        """Values at full fidelity in the objective's unit."""
        return np.asarray(self.scaling.centre(1.0) + self.scaling.spread(1.0) * values.numpy())

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
        fidelities = np.asarray(z, dtype=np.float64) if self._fidelity else np.ones(len(y))
        _, designs = np.unique(x, axis=0, return_inverse=True)
        values = np.clip(np.asarray(y, dtype=np.float64), -LARGEST, LARGEST)
        targets = raised_outliers(values, fidelities, designs.reshape(-1))
        scaling = FidelityScaling.of(np.asarray(x, dtype=np.float64), fidelities, targets)
        points = np.column_stack([x, z]) if self._fidelity else np.asarray(x)
        inputs = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float64))
        scaled = torch.from_numpy(scaling.scaled(fidelities, targets))
        model = self._model(inputs, scaled)
        if len(y) >= max(AT_LEAST, GROWTH * self._fitted) or len(y) < self._fitted:
            self._optimise(model)
            self._fitted = len(y)
        elif self._state is not None:
            model.load_state_dict(self._state)
        model.eval()
        return _solved_posterior(model, inputs, scaled, scaling)

    def _model(self, inputs: Tensor, targets: Tensor) -> SingleTaskGP:
        likelihood = GaussianLikelihood(
            noise_prior=LogNormalPrior(-4.0, 1.0),
            noise_constraint=GreaterThan(1e-6, transform=None, initial_value=0.01),
        )
        kernel = FidelityKernel(self._ordinal, fidelity=self._fidelity)
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
                closure = likelihood_closure(likelihood, model.covar_module.covariances(model.train_inputs[0]))
                fit_gpytorch_mll(likelihood, closure, optimizer_kwargs={"options": {"maxiter": steps}})
        except (ModelFittingError, RuntimeError, ValueError) as error:
            logger.warning("a Gaussian process could not be fitted (%s): it keeps the constants of the last fit", error)
            model.load_state_dict(before)
        self._state = {name: value.clone() for name, value in model.state_dict().items()}


def _solved_posterior(
    model: SingleTaskGP, points: Tensor, targets: Tensor, scaling: FidelityScaling
) -> FidelityPosterior:
    with torch.no_grad():
        covariance = model.covar_module(points).to_dense()
        covariance = covariance + float(model.likelihood.noise.detach()) * torch.eye(
            len(points), dtype=covariance.dtype
        )
        factor = _cholesky(covariance)
        residual = (targets - model.mean_module(points))[:, None]
        weights = torch.cholesky_solve(residual, factor)[:, 0]
    return FidelityPosterior(model, points, targets, scaling, factor, weights)


def _prior_paths(model: SingleTaskGP, sample_shape: torch.Size) -> GeneralizedLinearPath:
    """BoTorch's, but of plain normal weights: Sobol points of thousands of dimensions cost more than all else."""
    return draw_kernel_feature_paths(
        model, sample_shape, weight_generator=lambda shape: torch.randn(shape, dtype=torch.float64)
    )


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
