"""The kernel over designs and a fidelity: see :mod:`explorer.surrogates.fidelity_gp` for what its terms mean."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import AdditiveKernel, Kernel, MaternKernel, ProductKernel, RBFKernel, ScaleKernel
from gpytorch.priors import GammaPrior, LogNormalPrior
from numpy.typing import NDArray
from torch import Tensor

from explorer.surrogates.kernel_features import factors_of
from explorer.surrogates.main_effects import MainEffects

__all__ = ["FidelityKernel", "covariances_over"]


class FidelityKernel(AdditiveKernel):  # type: ignore[misc]  # GPyTorch has no types
    """k (s + t k_z) + l (u + v k_z) + trend; s k + u l where there is no fidelity.

    Args:
        ordinal: which coordinates are numbers, shape (dimensions,); the others are 0 or 1.
        fidelity: whether the last input is one.
    """

    def __init__(self, ordinal: NDArray[np.bool_], *, fidelity: bool) -> None:
        designs, effects = _over_designs(ordinal), MainEffects(len(ordinal))
        terms: list[Kernel] = [designs, effects]
        if fidelity:
            over = _over_fidelity(len(ordinal))
            terms += [ProductKernel(designs, over), ProductKernel(effects, over), _over_fidelity(len(ordinal))]
        super().__init__(*(ScaleKernel(term, outputscale_prior=GammaPrior(2.0, 2.0)) for term in terms))
        self.fidelity = fidelity

    @property
    def designs(self) -> Kernel:
        """k, of designs."""
        return self.kernels[0].base_kernel

    @property
    def effects(self) -> MainEffects:
        """l, of designs."""
        effects: MainEffects = self.kernels[1].base_kernel
        return effects

    def weights(self, z: float, others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What k and l are multiplied with between a fidelity and others, and what is added: each of their shape.

        Args:
            z: the fidelity.
            others: any shape.
        """
        scales = [kernel.outputscale.detach() * torch.ones_like(others) for kernel in self.kernels]
        if not self.fidelity:
            return scales[0], scales[1], torch.zeros_like(others)
        over, trend = (
            torch.exp(-0.5 * ((z - others) / kernel.lengthscale.detach().squeeze()).square())
            for kernel in (self._near, self.kernels[4].base_kernel)
        )
        return scales[0] + scales[2] * over, scales[1] + scales[3] * over, scales[4] * trend

    def covariances(self, points: Tensor) -> Callable[[], Tensor]:
        """Of points (N x inputs) with one another, N x N, as a function of the constants; what is the same whatever
        they are is computed once."""
        over_designs = [covariances_over(factor, points) for factor in factors_of(self.designs)]
        effects: Tensor = self.effects(points).to_dense()

        def designs() -> Tensor:
            first, *others = (over() for over in over_designs)
            return first * others[0] if others else first

        if not self.fidelity:
            return lambda: designs() * self._scale(0) + effects * self._scale(1)
        near, trend = (covariances_over(kernel, points) for kernel in (self._near, self.kernels[4].base_kernel))

        def covariances() -> Tensor:
            alike = near()
            of_designs = designs() * (self._scale(0) + self._scale(2) * alike)
            return of_designs + effects * (self._scale(1) + self._scale(3) * alike) + self._scale(4) * trend()

        return covariances

    @property
    def _near(self) -> RBFKernel:
        """k_z, of f."""
        near: RBFKernel = self.kernels[2].base_kernel.kernels[-1]
        return near

    def _scale(self, term: int) -> Tensor:
        scale: Tensor = self.kernels[term].outputscale
        return scale


def covariances_over(kernel: RBFKernel | MaternKernel, points: Tensor) -> Callable[[], Tensor]:
    """Such a kernel's covariances of points (N x inputs) with one another, N x N, as a function of its lengthscales."""
    columns = points if kernel.active_dims is None else points[:, kernel.active_dims]
    squares = (columns[:, None] - columns).square()

    def gaussian() -> Tensor:
        return torch.exp(squares @ (-0.5 * kernel.lengthscale.squeeze(0).pow(-2)))

    def matern() -> Tensor:
        distance = (squares @ (5 * kernel.lengthscale.squeeze(0).pow(-2))).clamp_min(1e-15).sqrt()
        found: Tensor = torch.exp(-distance) * (1 + distance + distance.square() / 3)
        return found

    return matern if isinstance(kernel, MaternKernel) else gaussian


def _over_designs(ordinal: NDArray[np.bool_]) -> Kernel:
    factors = []
    matern: dict[str, float] = {"nu": 2.5}
    for kind, dims, options in (
        (RBFKernel, np.flatnonzero(~ordinal), {}),
        (MaternKernel, np.flatnonzero(ordinal), matern),
    ):
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
    return factors[0] if len(factors) == 1 else ProductKernel(*factors)


def _over_fidelity(dimension: int) -> Kernel:
    return RBFKernel(
        # most likely 1: who doubts low fidelities at first never tries them, who trusts them is soon corrected
        active_dims=(dimension,), lengthscale_prior=LogNormalPrior(1.0, 1.0),
        lengthscale_constraint=GreaterThan(0.05, transform=None, initial_value=1.0),
    )  # fmt: skip
