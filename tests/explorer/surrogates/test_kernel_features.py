from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.sampling.pathwise.features.generators import gen_kernel_features
from gpytorch.kernels import AdditiveKernel, Kernel, LinearKernel, MaternKernel, ProductKernel, RBFKernel, ScaleKernel

from explorer.surrogates import kernel_features
from explorer.surrogates.fidelity_kernel import FidelityKernel
from explorer.surrogates.main_effects import MainEffects

kernel_features.register()


def lengths(kernel: Kernel, value: float) -> Kernel:
    kernel.lengthscale = value
    return kernel.to(torch.float64)


def product() -> Kernel:
    bits, numbers = lengths(RBFKernel(active_dims=(0, 1)), 0.9), lengths(MaternKernel(nu=2.5, active_dims=(2,)), 0.6)
    return ProductKernel(bits, ProductKernel(numbers, lengths(RBFKernel(active_dims=(3,)), 1.2)))


def scaled(kernel: Kernel, value: float) -> Kernel:
    found = ScaleKernel(kernel).to(torch.float64)
    found.outputscale = value
    return found


def effects() -> Kernel:
    return ProductKernel(MainEffects(3), lengths(RBFKernel(active_dims=(3,)), 0.8)).to(torch.float64)


KERNELS = {
    "main effects": lambda: MainEffects(3),
    "products with main effects": effects,
    "products of main effects": lambda: ProductKernel(MainEffects(3), effects()),
    "all terms of a process": lambda: FidelityKernel(np.array([False, False, True]), fidelity=True).to(torch.float64),
    "product": product,
    "sum": lambda: AdditiveKernel(scaled(lengths(RBFKernel(active_dims=(3,)), 0.8), 2.0), scaled(product(), 0.5)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_products_of_features_are_the_kernel(name: str) -> None:
    kernel = KERNELS[name]()
    torch.manual_seed(0)
    x = torch.rand(30, 4, dtype=torch.float64)
    with torch.no_grad():
        features = gen_kernel_features(kernel, num_inputs=4, num_outputs=8192)(x)
        exact = kernel(x).to_dense()
    assert features.shape[0] == 30
    assert (features @ features.T - exact).abs().max() < 0.06 * exact.max()


def test_kernels_without_frequencies_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="LinearKernel"):
        gen_kernel_features(ProductKernel(RBFKernel(), LinearKernel()), num_inputs=2, num_outputs=8)
