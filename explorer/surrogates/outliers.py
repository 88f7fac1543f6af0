"""Trainings that failed must not flatten all the others in a model's eyes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["raised_outliers"]

Array = NDArray[np.float64]

OUTLIER = 5.0  # spreads below the usual
AT_LEAST = 4  # values that tell what is usual


def raised_outliers(values: Array, levels: Array | None = None, designs: NDArray[np.intp] | None = None) -> Array:
    """Values with those that lie far below the usual raised to ``OUTLIER`` spreads below it.

    A placement that does not learn is tens of spreads below the rest: a model that minds it cannot tell good from
    better. That it is bad it still says. The spread is that of the better half, so that it does not grow with what it
    is to find; without any there is nothing to go by, and values stay what they are.

    Args:
        values: to be made large, shape (count,).
        levels: what values are usual at, such as their fidelities: the usual is the median at a level; where there are
            fewer than ``AT_LEAST`` values, which may all be bad, it is that of a lower level with what designs that
            were seen at both gained or lost between.
        designs: which design each value is of; None: all are different ones.

    Returns:
        The same shape.
    """
    if len(values) == 0:
        return values
    at = np.zeros(len(values)) if levels is None else levels
    different, place = np.unique(at, return_inverse=True)
    names = np.arange(len(values)) if designs is None else designs
    seen = [
        dict(zip(names[place == n].tolist(), values[place == n].tolist(), strict=True)) for n in range(len(different))
    ]
    medians = [float(np.median(values[place == n])) for n in range(len(different))]
    for number, here in enumerate(seen):
        if len(here) < AT_LEAST:
            for below in reversed(range(number)):
                if both := here.keys() & seen[below].keys():
                    medians[number] = medians[below] + float(np.median([here[d] - seen[below][d] for d in both]))
                    break
    usual = np.array(medians)[place]
    better = (values - usual)[values > usual]
    largest = float(better.max(initial=0.0))
    if len(better) < 2 or not np.isfinite(largest):
        return values
    spread = largest * float(np.sqrt(np.mean((better / largest) ** 2)))  # of any size: squares of 1e300 are none
    return np.asarray(np.maximum(values, usual - OUTLIER * spread))
