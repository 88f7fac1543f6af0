"""How well does a design learn? Accuracy by really training on real images.

Importing this package does not import torch: a driver that only plans, and workers that only count circuits, stay
small. Torch is imported where training begins (:mod:`simulators.training.trainer`).
"""

from simulators.training.recipe import Proxy, Recipe, TrainingSettings
from simulators.training.simulator import ImageTraining

__all__ = ["ImageTraining", "Proxy", "Recipe", "TrainingSettings"]
