from __future__ import annotations

import pytest
import torch
from torch import nn

from simulators.training.initialisation import METHODS, initialise


@pytest.mark.parametrize(
    ("method", "deviation"),
    [("kaiming", (2 / 288) ** 0.5), ("xavier", (2 / (288 + 576)) ** 0.5), ("normal", 0.01), ("orthogonal", 288**-0.5)],
)
def test_weights_are_spread_as_the_method_says(method: str, deviation: float) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(32, 64, 3), nn.BatchNorm2d(64))
    initialise(network, method)
    weight, bias = network[0].weight, network[0].bias
    assert isinstance(weight, nn.Parameter)
    assert float(weight.detach().std()) == pytest.approx(deviation, rel=0.03)
    assert not bias.any()  # type: ignore[operator]  # a parameter
    assert network[1].weight.tolist() == [1] * 64  # type: ignore[operator,union-attr]  # a parameter


def test_the_default_is_pytorchs_own() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    initialise(layer, "default")
    assert torch.equal(before, layer.weight)
    assert "default" not in METHODS
