"""How sure a value is: its standard error, from what is known of one evaluation and from how repeats differ.

Two kinds, as metrology tells them apart. A *systematic* error is the same for all repeats: accuracy is measured on so
many validation images, and on the same ones every time. A *random* one is drawn anew by every repeat: the seed of a
training, the chips that a network was written to. Repeats lower the second only.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy.special import chdtri

__all__ = ["standard_error", "usual_variance"]

FEWEST = 3
"""Repeated families from which on it is said what is usual."""

PRIOR = 2
"""Degrees of freedom that the usual variance counts for beside a family's own: two or three repeats that agree by
chance are no proof (the idea of moderated variances: Smyth, 2004; there the number is fitted).
"""


def usual_variance(samples: Iterable[Sequence[float]]) -> float | None:
    """Variance over repeats of a typical family: the median over families, so that one that sometimes does not learn at
    all says nothing of the others.

    Args:
        samples: values of each family's repeats.

    Returns:
        None where fewer than ``FEWEST`` families were repeated.
    """
    found = [
        # of a normal sample the variance has a chi-squared distribution, whose median is below its mean
        float(np.var(sample, ddof=1)) * (len(sample) - 1) / float(chdtri(len(sample) - 1, 0.5))
        for sample in samples
        if len(sample) > 1
    ]
    return float(np.median(found)) if len(found) >= FEWEST else None


def standard_error(
    sample: Sequence[float], usual: float | None = None, systematic: float = 0.0, random: float = 0.0
) -> float:
    """Standard error of the mean of repeats; 0 where nothing is known of it.

    Args:
        sample: the repeats' values; one is enough.
        usual: variance over repeats of other families, see :func:`usual_variance`.
        systematic: standard error that all repeats share.
        random: standard error that a single evaluation tells of itself; it is part of how repeats differ, and a lower
            bound where none is known.
    """
    count, variance = len(sample), usual
    if count > 1:
        own = float(np.var(sample, ddof=1))
        variance = own if usual is None else (PRIOR * usual + (count - 1) * own) / (PRIOR + count - 1)
    return math.sqrt(systematic**2 + max(variance or 0.0, random**2) / count)
