"""What accuracies on a few chips tell of all such chips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

__all__ = ["over_chips"]

WORST = 0.1
"""Share of chips that are worse than ``accuracy_worst``."""


def over_chips(accuracies: Sequence[float]) -> dict[str, float]:
    """How accuracies on several chips differ, and what nine of ten chips reach: fields of a report by name.

    A quantile of a few numbers is hardly below their mean. That of a normal distribution is told from mean and spread,
    with the factor by which the spread of so few is too small on average: what is expected does not hang on how many
    chips are drawn, only how sure it is.

    Args:
        accuracies: of the same network on each chip; of one chip alone nothing is known of others.
    """
    count, mean = len(accuracies), float(np.mean(accuracies))
    if count < 2:
        return {"accuracy_chips_error": 0.0, "accuracy_chips_spread": 0.0}
    alike = min(accuracies) == max(accuracies)  # rounding must not make them differ
    spread, below = 0.0 if alike else float(np.std(accuracies, ddof=1)), -NormalDist().inv_cdf(WORST)
    usual = math.sqrt(2 / (count - 1)) * math.exp(math.lgamma(count / 2) - math.lgamma((count - 1) / 2))
    return {
        "accuracy_chips_error": spread / math.sqrt(count),
        "accuracy_chips_spread": spread,
        "accuracy_worst": max(0.0, mean - below * spread / usual),
        "accuracy_worst_chips_error": spread / usual * math.sqrt(1 / count + below**2 * (1 / usual**2 - 1)),
    }
