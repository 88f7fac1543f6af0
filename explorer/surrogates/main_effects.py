"""A kernel of functions that are a sum over the coordinates: what each adds by itself.

What a bit does to an accuracy is mostly its own doing, so that a few observations tell much of all designs; a Gaussian
kernel that must find this out takes several times as many.
"""

from __future__ import annotations

from gpytorch.kernels import Kernel
from torch import Tensor

__all__ = ["MainEffects"]


class MainEffects(Kernel):  # type: ignore[misc]  # GPyTorch has no types
    """k(x, x') = (2x - 1) . (2x' - 1) / d on the unit cube of d coordinates; 1 where all of them are 0 or 1.

    Args:
        dimensions: d: the first ones of the inputs count.
    """

    has_lengthscale = False

    def __init__(self, dimensions: int) -> None:
        super().__init__(active_dims=tuple(range(dimensions)))
        self.dimensions = dimensions

    def features(self, x: Tensor) -> Tensor:
        """Whose inner products the kernel is; x has the d coordinates."""
        found: Tensor = (2 * x - 1) / self.dimensions**0.5
        return found

    def forward(self, x1: Tensor, x2: Tensor, diag: bool = False, **_: object) -> Tensor:
        """The covariances of rows; of each with the same row of the other for ``diag``."""
        left, right = self.features(x1), self.features(x2)
        found: Tensor = (left * right).sum(-1) if diag else left @ right.transpose(-1, -2)
        return found
