"""What values at different fidelities are measured in before a Gaussian process sees them.

Early in a training accuracies lie far lower and much further apart than at its end: over epochs a design's lead
shrinks. A process that had one spread for all fidelities would expect the last epochs to differ as much as the first.
Each fidelity therefore has a centre and a spread of its own, and designs keep their places between: both are found from
the designs that were observed at several fidelities, so that it does not matter that only the better ones are trained
long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FidelityScaling"]

Array = NDArray[np.float64]

AT_LEAST = 3  # designs at two fidelities, before their spreads are compared
DOUBT = 1.0  # designs' worth of belief that spreads do not change
STEEPEST = 6.0  # of the logarithm of the spread, over all fidelities


@dataclass(frozen=True, eq=False)
class FidelityScaling:
    """Centres and spreads of fidelities z, 0 to 1.

    Args:
        levels: fidelities that were observed, ascending.
        centres: usual values there.
        unit: the spread at full fidelity.
        steepness: logarithm of the spread at z = 0 over that at 1.
    """

    levels: Array
    centres: Array
    unit: float
    steepness: float

    @classmethod
    def of(cls, x: Array, z: Array, y: Array) -> FidelityScaling:
        """From observations.

        Args:
            x: designs, N x dimensions.
            z: their fidelities, shape (N,).
            y: what was observed, shape (N,), at least one.
        """
        levels, level = np.unique(z, return_inverse=True)
        designs, design = np.unique(x, axis=0, return_inverse=True)
        table = np.full((len(designs), len(levels)), np.nan)
        table[design.reshape(-1), level] = y  # of replicates the last: any will do
        steepness = _steepness(table, levels)
        spreads = np.exp(steepness * (1 - levels))
        centres = _centres(table, spreads)
        scaled = (y - centres[level]) / spreads[level]
        unit = float(scaled.std())
        if not unit > 1e-12 * max(1.0, float(np.abs(y).max())):
            unit = max(float(np.abs(centres).max()), 1.0) * 1e-3  # a constant: any will do
        return cls(levels, centres, unit, steepness)

    def centre(self, z: float) -> float:
        """The usual value at a fidelity."""
        return float(np.interp(z, self.levels, self.centres))

    def spread(self, z: float) -> float:
        """How far values at a fidelity lie apart."""
        return float(self.unit * np.exp(self.steepness * (1 - z)))

    def scaled(self, z: Array, y: Array) -> Array:
        """Observations in these units."""
        spreads = self.unit * np.exp(self.steepness * (1 - z))
        return np.asarray((y - np.interp(z, self.levels, self.centres)) / spreads)


def _steepness(table: Array, levels: Array) -> float:
    """Least squares over all pairs of fidelities, of the logarithms of the spreads of the designs that both have."""
    above = below = 0.0
    for low in range(len(levels)):
        for high in range(low + 1, len(levels)):
            both = np.isfinite(table[:, low]) & np.isfinite(table[:, high])
            if both.sum() < AT_LEAST:
                continue
            first, second = table[both, low].std(), table[both, high].std()
            if first > 0 and second > 0:
                distance, weight = levels[high] - levels[low], (both.sum() - 1) / (len(levels) - 1)
                above += weight * distance * np.log(first / second)
                below += weight * distance**2
    return float(np.clip(above / (below + DOUBT), -STEEPEST, STEEPEST))


def _centres(table: Array, spreads: Array) -> Array:
    """Of the lowest fidelity the median; of each higher one what designs that are usual below have there."""
    centres = np.zeros(len(spreads))
    for level in range(len(spreads)):
        seen = np.isfinite(table[:, level])
        expected = []
        for below in range(level):
            both = seen & np.isfinite(table[:, below])
            lead = (table[both, below] - centres[below]) * spreads[level] / spreads[below]
            expected.extend(table[both, level] - lead)
        centres[level] = np.median(expected if len(expected) else table[seen, level])
    return centres
