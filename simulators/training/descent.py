"""Stochastic gradient descent with momentum: PyTorch's function for it, and what it has to remember.

``torch.optim.SGD``, a class around the same function, loads PyTorch's compiler, which nothing here uses and which takes
longer than short trainings.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from simulators.training.recipe import Recipe

__all__ = ["Descent"]


class Descent:
    """Steps down the gradients of parameters.

    Args:
        parameters: which change.
        recipe: says momentum and weight decay.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], recipe: Recipe) -> None:
        self._parameters, self._recipe = list(parameters), recipe
        self._momenta: list[Tensor | None] = [None] * len(self._parameters)

    def clear(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change all parameters, each of which has a gradient."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        sgd(
            [*self._parameters], gradients, self._momenta, lr=learning_rate, momentum=self._recipe.momentum,
            weight_decay=self._recipe.weight_decay, dampening=0.0, nesterov=False, maximize=False, fused=True,
        )  # fmt: skip

    def state(self) -> list[Tensor | None]:
        """The momentum of each parameter; None before the first step, and without momentum."""
        return [*self._momenta]

    def load(self, momenta: Sequence[Tensor | None]) -> None:
        """Take up a state."""
        self._momenta = [
            None if momentum is None else momentum.to(parameter.device, copy=True)
            for parameter, momentum in zip(self._parameters, momenta, strict=True)
        ]
