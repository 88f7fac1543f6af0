"""The first weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from torch import nn

__all__ = ["initialise"]

METHODS: Mapping[str, Callable[..., Any]] = {
    "kaiming": partial(nn.init.kaiming_normal_, nonlinearity="relu"),
    "xavier": nn.init.xavier_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "normal": partial(nn.init.normal_, std=0.01),
}


def initialise(network: nn.Module, method: str) -> None:
    """Draw the weights of all convolutions and fully connected layers anew, and set their biases to 0.

    Args:
        network: changed in place.
        method: see :class:`simulators.training.recipe.Recipe`; ``default`` leaves PyTorch's as they are.
    """
    if method == "default":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            METHODS[method](layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
