"""What an evaluation tells about a whole front of several objectives that all have to be evaluated.

If a sampled front is the front, the values of any design lie below it: in the region that it dominates. The greatest
value of each objective on the front, which limits it in MESMO, says little about that: it draws a search to the ends of
the front. Here the variance that the region leaves to each objective counts, so that

    gain = -1/2 sum_j ln(1 - rho_j^2 (1 - v_j)),   v_j = Var(f_j | f below the front) / Var(f_j)

is a lower bound of the information, exact moments taken (Tu et al., NeurIPS 2022, for full fidelity; with one objective
it is the bound -1/2 ln(1 - rho^2 r (gamma + r)), r = phi / Phi, of the truncated normal distribution).
"""

from __future__ import annotations

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.dominated import DominatedPartitioning
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["dominated_boxes", "front_information"]

Array = NDArray[np.float64]

LEAST_MASS = 1e-12  # of the region below a front: less is a design that beats it for sure
CERTAIN = 1 - 1e-6  # the largest correlation: exact knowledge of a value would be worth infinitely much


def dominated_boxes(front: Array) -> tuple[Array, Array]:
    """Disjoint boxes that make up what a front dominates.

    Args:
        front: values to be made large, points x objectives, at least two objectives.

    Returns:
        Lower and upper corners, boxes x objectives each; lower ones may be -infinity.
    """
    floor = front.min(axis=0) - 1.0
    found = DominatedPartitioning(ref_point=torch.from_numpy(floor), Y=torch.from_numpy(front)).get_hypercell_bounds()
    lower, upper = found.numpy()
    return np.where(lower <= floor, -np.inf, lower), upper


def front_information(means: Array, deviations: Array, correlations: Array, boxes: tuple[Array, Array]) -> Array:
    """The gain, in nats.

    Args:
        means, deviations: of the objectives at full fidelity, objectives x designs.
        correlations: of what is evaluated with them, same shape.
        boxes: what the front dominates (:func:`dominated_boxes`).

    Returns:
        One for each design.
    """
    lower, upper = ((bounds[:, :, None] - means) / deviations for bounds in boxes)  # boxes x objectives x designs
    mass = ndtr(upper) - ndtr(lower)
    low, high = _density(lower), _density(upper)
    first = low - high
    second = mass + _finite(lower) * low - _finite(upper) * high
    total = np.prod(mass, axis=1).sum(axis=0)
    gain = np.zeros(means.shape[1])
    for number in range(len(means)):
        others = np.prod(np.delete(mass, number, axis=1), axis=1)
        safe = np.maximum(total, LEAST_MASS)
        mean, square = (others * first[:, number]).sum(axis=0) / safe, (others * second[:, number]).sum(axis=0) / safe
        left = np.where(total > LEAST_MASS, np.clip(square - mean**2, 0.0, None), 0.0)
        rho = np.minimum(np.abs(correlations[number]), CERTAIN)
        # below a front of several points the spread of one objective may even grow: that tells nothing of it
        gain -= 0.5 * np.log1p(-(rho**2) * np.clip(1 - left, 0.0, 1.0))
    return gain


def _density(x: Array) -> Array:
    return np.asarray(np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi))


def _finite(x: Array) -> Array:
    """Infinite bounds as 0: their density is."""
    return np.where(np.isfinite(x), x, 0.0)
