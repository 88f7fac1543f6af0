from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.surrogates.fidelity_kernel import FidelityKernel

KINDS = {"bits": [False, False], "numbers": [True], "both": [False, True, True]}


def fitted(ordinal: list[bool], *, fidelity: bool) -> FidelityKernel:
    """With constants that all differ."""
    kernel = FidelityKernel(np.array(ordinal), fidelity=fidelity).to(torch.float64)
    for number, term in enumerate(kernel.kernels):
        term.outputscale = 0.3 + 0.2 * number
    if fidelity:
        kernel.kernels[2].base_kernel.kernels[-1].lengthscale = 0.7
        kernel.kernels[4].base_kernel.lengthscale = 1.6
    return kernel


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("fidelity", [True, False])
def test_the_weights_of_its_parts_make_the_kernel(name: str, fidelity: bool) -> None:
    kernel = fitted(KINDS[name], fidelity=fidelity)
    torch.manual_seed(0)
    left, right = (torch.rand(count, len(KINDS[name]) + fidelity, dtype=torch.float64) for count in (1, 6))
    z = float(left[0, -1]) if fidelity else 1.0
    with torch.no_grad():
        designs, effects = kernel.designs(left, right).to_dense(), kernel.effects(left, right).to_dense()
        of_designs, of_effects, trend = kernel.weights(z, right[:, -1])
        assert torch.allclose(designs * of_designs + effects * of_effects + trend, kernel(left, right).to_dense())


def test_far_fidelities_share_less() -> None:
    kernel = fitted([False, False], fidelity=True)
    for weights in kernel.weights(1.0, torch.linspace(0, 1, 5, dtype=torch.float64)):
        assert (weights.diff() > 0).all()
