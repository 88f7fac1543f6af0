"""Random features of sums and products of kernels, which BoTorch's pathwise sampling lacks.

:func:`register` makes BoTorch know them, so that its ``draw_matheron_paths`` takes models with such kernels. A product
of stationary kernels is stationary, and a random frequency of it is a random frequency of each factor beside one
another (their spectral measures are independent); features of a sum are those of its terms side by side. Main effects
have features of their own, and those of a product with them are all products of two.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from botorch.sampling.pathwise.features.generators import GenKernelFeatures, gen_kernel_features
from botorch.sampling.pathwise.features.maps import FeatureMap, KernelFeatureMap
from botorch.sampling.pathwise.utils import SineCosineTransform
from gpytorch.kernels import AdditiveKernel, Kernel, MaternKernel, ProductKernel, RBFKernel
from torch import Tensor

from explorer.surrogates.main_effects import MainEffects

__all__ = ["factors_of", "register"]

FEWEST = 64  # random features of what main effects are multiplied with


class _SideBySide(FeatureMap):
    """Features of several maps of the same inputs, one after the other."""

    def __init__(self, maps: list[Any]) -> None:
        super().__init__()
        self.maps = torch.nn.ModuleList(maps)
        self.input_transform = None
        self.output_transform = None
        self.num_outputs = sum(features.num_outputs for features in maps)
        self.batch_shape = torch.Size()

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([features(x) for features in self.maps], dim=-1)


class _Inputs(torch.nn.Module):
    """What each factor sees of the inputs, one after the other."""

    def __init__(self, transforms: list[Any]) -> None:
        super().__init__()
        self.transforms = torch.nn.ModuleList(transforms)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([transform(x) for transform in self.transforms], dim=-1)


class _Effects(FeatureMap):
    """The features of main effects, exactly."""

    def __init__(self, kernel: MainEffects) -> None:
        super().__init__()
        self.kernel = kernel
        self.input_transform = None
        self.output_transform = torch.nn.Identity()
        self.num_outputs = kernel.dimensions
        self.batch_shape = torch.Size()

    def forward(self, x: Tensor) -> Tensor:
        return self.kernel.features(x[..., list(self.kernel.active_dims)])


class _Products(FeatureMap):
    """All products of a feature of one map and one of another."""

    def __init__(self, left: FeatureMap, right: FeatureMap) -> None:
        super().__init__()
        self.left, self.right = left, right
        self.input_transform = None
        self.output_transform = torch.nn.Identity()
        self.num_outputs = left.num_outputs * right.num_outputs
        self.batch_shape = torch.Size()

    def forward(self, x: Tensor) -> Tensor:
        return (self.left(x)[..., :, None] * self.right(x)[..., None, :]).flatten(-2)


def _effects_features(kernel: MainEffects, **_: Any) -> FeatureMap:
    return _Effects(kernel)


def _sum_features(kernel: AdditiveKernel, *, num_inputs: int, num_outputs: int, **options: Any) -> FeatureMap:
    return _SideBySide([
        gen_kernel_features(term, num_inputs=num_inputs, num_outputs=num_outputs, **options) for term in kernel.kernels
    ])  # fmt: skip


def _product_features(kernel: ProductKernel, *, num_inputs: int, num_outputs: int, **options: Any) -> FeatureMap:
    factors = list(factors_of(kernel))
    effects = [factor for factor in factors if isinstance(factor, MainEffects)]
    if effects and len(effects) < len(factors):
        rest = ProductKernel(*(factor for factor in factors if factor not in effects))
        each = 2 * max(FEWEST // 2, num_outputs // (2 * effects[0].dimensions))
        own: FeatureMap = _Effects(effects[0])
        for other in effects[1:]:
            own = _Products(own, _Effects(other))
        return _Products(own, _product_features(rest, num_inputs=num_inputs, num_outputs=each, **options))
    wrong = {type(factor).__name__ for factor in factors if not isinstance(factor, RBFKernel | MaternKernel)}
    if wrong:
        raise NotImplementedError(f"no random features of a product with {', '.join(sorted(wrong))}")
    maps = [gen_kernel_features(f, num_inputs=num_inputs, num_outputs=num_outputs, **options) for f in factors]
    # frequencies of Sobol points: shuffled, so that those of one factor tell nothing about those of the next
    weights = [features.weight[torch.randperm(features.weight.shape[-2])] for features in maps]
    scale = torch.tensor(math.sqrt(2 / num_outputs), dtype=weights[0].dtype, device=weights[0].device)
    return KernelFeatureMap(
        kernel=kernel,
        weight=torch.cat(weights, dim=-1),
        input_transform=_Inputs([features.input_transform for features in maps]),
        output_transform=SineCosineTransform(scale),
    )


def factors_of(kernel: Kernel) -> list[Kernel]:
    """Of a product, those of products in it included; the kernel itself where it is none."""
    if isinstance(kernel, ProductKernel):
        return [factor for part in kernel.kernels for factor in factors_of(part)]
    return [kernel]


def register() -> None:
    """Make BoTorch know these features; harmless when repeated."""
    GenKernelFeatures.register(AdditiveKernel)(_sum_features)
    GenKernelFeatures.register(ProductKernel)(_product_features)
    GenKernelFeatures.register(MainEffects)(_effects_features)
