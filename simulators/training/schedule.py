"""The learning rate of every step: a climb, then what the recipe's schedule says.

No schedule knows how many epochs a training will have: going on from 4 to 12 epochs is the same as training 12.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulators.training.recipe import Recipe

__all__ = ["learning_rate"]

STEP = 0.1
"""What a schedule of steps multiplies by, as in ResNet's recipe (He et al., CVPR 2016, section 4.2)."""


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step.

    Args:
        recipe: of the training.
        step: number of the step, from 0 at the start of training.
        steps_per_epoch: batches of an epoch.
    """
    warmup_steps = recipe.warmup_epochs * steps_per_epoch
    if step < warmup_steps:
        return recipe.learning_rate * (step + 1) / warmup_steps
    periods = (step - warmup_steps) / (recipe.schedule_epochs * steps_per_epoch)
    if recipe.schedule == "step":
        return recipe.learning_rate * STEP ** math.floor(periods)
    if recipe.schedule == "cosine":  # with warm restarts: Loshchilov and Hutter, ICLR 2017, equation 5
        return recipe.learning_rate * (1 + math.cos(math.pi * (periods % 1))) / 2
    return recipe.learning_rate
