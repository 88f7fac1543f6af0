"""Random features of sums and products of kernels, which BoTorch's pathwise sampling lacks.

:func:`register` makes BoTorch know them, so that its ``draw_matheron_paths`` takes models with such kernels. A product
of stationary kernels is stationary, and a random frequency of it is a random frequency of each factor beside one
another (their spectral measures are independent); features of a sum are those of its terms side by side.
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

__all__ = ["register"]


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


def _sum_features(kernel: AdditiveKernel, *, num_inputs: int, num_outputs: int, **options: Any) -> FeatureMap:
    return _SideBySide([
        gen_kernel_features(term, num_inputs=num_inputs, num_outputs=num_outputs, **options) for term in kernel.kernels
    ])  # fmt: skip


def _product_features(kernel: ProductKernel, *, num_inputs: int, num_outputs: int, **options: Any) -> KernelFeatureMap:
    factors = list(_factors(kernel))
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


def _factors(kernel: Kernel) -> list[Kernel]:
    """Products of products as one."""
    if isinstance(kernel, ProductKernel):
        return [factor for part in kernel.kernels for factor in _factors(part)]
    return [kernel]


def register() -> None:
    """Make BoTorch know these features; harmless when repeated."""
    GenKernelFeatures.register(AdditiveKernel)(_sum_features)
    GenKernelFeatures.register(ProductKernel)(_product_features)
