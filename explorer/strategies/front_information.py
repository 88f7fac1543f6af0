"""What an evaluation tells about a whole front of several objectives that all have to be evaluated.

If a sampled front is the front, the values of any design lie below it: in the region that it dominates. The greatest
value of each objective on the front, which limits it in MESMO, says little about that: it draws a search to the ends of
the front. Here the variance that the region leaves to each objective counts, so that

    gain = -1/2 sum_j ln(1 - rho_j^2 (1 - v_j)),   v_j = Var(f_j | f below the front) / Var(f_j)

is a lower bound of the information, exact moments taken (Tu et al., NeurIPS 2022, for full fidelity; with one objective
it is the bound -1/2 ln(1 - rho^2 r (gamma + r)), r = phi / Phi, of the truncated normal distribution).
"""

from __future__ import annotations

import functools

import numpy as np
import torch
from botorch.utils.multi_objective.box_decompositions.dominated import DominatedPartitioning
from numpy.typing import NDArray
from scipy.special import ndtr

__all__ = ["dominated_boxes", "front_information", "variances_left"]

Array = NDArray[np.float64]

LEAST_MASS = 1e-12  # of the region below a front: less is a design that beats it for sure
CERTAIN = 1 - 1e-6  # the largest correlation: exact knowledge of a value would be worth infinitely much
MOST_POINTS = 50  # of a front: boxes grow much faster in number than points


def dominated_boxes(front: Array) -> tuple[Array, Array]:
    """Disjoint boxes that make up what a front dominates; of large fronts, what points that are far apart do.

    Args:
        front: values to be made large, points x objectives, at least two objectives.

    Returns:
        Lower and upper corners, boxes x objectives each; lower ones may be -infinity.
    """
    floor, kept = front.min(axis=0) - 1.0, torch.from_numpy(_far_apart(front, MOST_POINTS))
    lower, upper = DominatedPartitioning(ref_point=torch.from_numpy(floor), Y=kept).get_hypercell_bounds().numpy()
    return np.where(lower <= floor, -np.inf, lower), upper


def _far_apart(points: Array, count: int) -> Array:
    """The best of each objective, then whichever point is farthest from all that are there."""
    if len(points) <= count:
        return points
    unit = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-12)
    chosen = list(dict.fromkeys(unit.argmax(axis=0).tolist()))[:count]
    distance = np.min([np.square(unit - unit[point]).sum(axis=1) for point in chosen], axis=0)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.square(unit - unit[chosen[-1]]).sum(axis=1))
    return points[chosen]


def front_information(left: Array, correlations: Array) -> Array:
    """The gain, in nats.

    Args:
        left: of the objectives' variances (:func:`variances_left`), objectives x designs.
        correlations: of what is evaluated with the objectives at full fidelity, same shape.

    Returns:
        One for each design.
    """
    rho = np.minimum(np.abs(correlations), CERTAIN)
    return np.asarray(-0.5 * np.log1p(-(rho**2) * (1 - left)).sum(axis=0))


def variances_left(means: Array, deviations: Array, boxes: tuple[Array, Array]) -> Array:
    """v, the share of each objective's variance that is left where its values lie below a front.

    Args:
        means, deviations: of the objectives at full fidelity, objectives x designs.
        boxes: what the front dominates (:func:`dominated_boxes`).

    Returns:
        0 to 1, objectives x designs.
    """
    moments = [_moments(*of_objective) for of_objective in zip(means, deviations, *(b.T for b in boxes), strict=True)]
    masses = [mass for mass, _, _ in moments]
    total = functools.reduce(np.multiply, masses).sum(axis=0)
    safe = np.maximum(total, LEAST_MASS)
    found = np.zeros(means.shape)
    for number, (_, first, second) in enumerate(moments):
        others = functools.reduce(np.multiply, masses[:number] + masses[number + 1 :], np.ones_like(first))
        mean, square = (np.einsum("bd,bd->d", others, moment) / safe for moment in (first, second))
        # below a front of several points the spread of one objective may even grow: that tells nothing of it
        found[number] = np.where(total > LEAST_MASS, np.clip(square - mean**2, 0.0, 1.0), 0.0)
    return found


def _moments(mean: Array, deviation: Array, lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    """The mass of normal distributions between bounds, and their first two moments there about their means.

    Args:
        mean, deviation: shape (designs,).
        lower, upper: bounds, shape (boxes,), of which many are the same.

    Returns:
        Boxes x designs each, in deviations.
    """
    bounds, place = np.unique(np.concatenate([lower, upper]), return_inverse=True)
    x = (bounds[:, None] - mean) / deviation
    density = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    slope = np.where(np.isfinite(x), x, 0.0) * density  # at infinity 0, too
    below, low, high = ndtr(x), place[: len(lower)], place[len(lower) :]
    mass = below[high] - below[low]
    return mass, density[low] - density[high], mass + slope[low] - slope[high]
