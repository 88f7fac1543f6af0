"""Quadratics of cheap objectives: what lets a binary quadratic program weigh them against drawn functions.

They only guide the program; designs are compared by exact values afterwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from explorer.problem import Problem
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import Quadratic, second_order_features, spread

__all__ = ["cheap_quadratics"]

Array = NDArray[np.float64]

FAMILIES = 1024  # random families that are fitted to
CHIPS = 32  # random members of each


def cheap_quadratics(problem: Problem, encoding: BitEncoding, rng: np.random.Generator) -> dict[str, Quadratic]:
    """Per cheap objective a quadratic over what the expensive part reads.

    It is fitted, by least squares, to the best value that the objective reaches in each of many random families,
    standardised, in the direction that is to be made large.
    """
    cheap = [objective for objective in problem.objectives if objective.cheap]
    if not cheap:
        return {}
    families = problem.sample(rng, FAMILIES)
    points = encoding.encode(families)
    best = {objective.name: np.full(len(points), -np.inf) for objective in cheap}
    others = set(problem.space.variables) - set(problem.reads)
    chips = problem.sample(rng, CHIPS).expanded() if others else None
    members = [families]  # each on its own chip, and on those of others
    if chips is not None:
        members += [families.with_columns({n: chips[n][chip : chip + 1] for n in others}) for chip in range(CHIPS)]
    for designs in members:
        known = problem.known(designs)
        for objective in cheap:
            values = np.where(known.feasible, objective.sign * known.objectives[objective.name], -np.inf)
            best[objective.name] = np.fmax(best[objective.name], values)
    features = np.column_stack([np.ones(len(points)), second_order_features(points)])
    return {name: _least_squares(features, values, encoding.bits) for name, values in best.items()}


def _least_squares(features: Array, values: Array, bits: int) -> Quadratic:
    rows = np.isfinite(values)
    found, targets = features[rows], values[rows] - values[rows].mean()
    targets /= spread(targets) or 1.0
    ridge = 1e-6 * len(targets)
    if found.shape[1] <= len(targets):
        coefficients = np.linalg.solve(found.T @ found + ridge * np.eye(found.shape[1]), found.T @ targets)
    else:  # more coefficients than families: the same by a solve of families x families
        coefficients = found.T @ np.linalg.solve(found @ found.T + ridge * np.eye(len(targets)), targets)
    pairs = np.zeros((bits, bits))
    pairs[np.triu_indices(bits, 1)] = coefficients[1 + bits :]
    return Quadratic(float(coefficients[0]), coefficients[1 : 1 + bits], pairs)
