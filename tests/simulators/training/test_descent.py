from __future__ import annotations

import pytest
import torch
from torch import nn

from simulators.training.descent import Descent
from simulators.training.recipe import Recipe


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_it_is_pytorchs_own_and_goes_on_from_its_state_bit_for_bit(momentum: float) -> None:
    recipe = Recipe(momentum=momentum, weight_decay=0.01)
    torch.manual_seed(0)
    start = [torch.randn(3, 4), torch.randn(5)]
    gradients = [[torch.randn_like(value) for value in start] for _ in range(4)]
    ours, theirs = ([nn.Parameter(value.clone()) for value in start] for _ in range(2))
    descent = Descent(ours, recipe)
    reference = torch.optim.SGD(theirs, lr=0.1, momentum=momentum, weight_decay=0.01, fused=True)
    for number, of_step in enumerate(gradients):
        for parameters in (ours, theirs):
            for parameter, gradient in zip(parameters, of_step, strict=True):
                parameter.grad = gradient.clone()
        rate = 0.1 / (1 + number)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        descent.step(rate)
        kept = descent.state()
        descent = Descent(ours, recipe)
        descent.load(kept)
        assert all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True))
    descent.clear()
    assert all(parameter.grad is None for parameter in ours)
