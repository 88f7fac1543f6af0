"""What matters for an objective that is computed: simulators are asked, nothing is estimated from evaluations.

Many feasible designs are drawn at random, and each is simulated again with one choice switched, and with two. An effect
is the mean of the differences: all other choices are at random, and the two designs of a pair differ in nothing else.
Pairs of which one design is infeasible say nothing. Intervals are those of a mean over random designs.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from explorer.explanation import MOST_BITS, Effect, Explanation, explained_objective
from explorer.problem import Problem
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import second_order_features
from simulators.protocol import Designs, InputError

__all__ = ["explain_exact"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

RANDOM = 4000  # designs: so many pairs for each effect
SIMULATED = 1_000_000  # designs for all interactions together: where there are many, each gets fewer pairs
LEAST_PAIRS = 30  # feasible ones, for a mean with an interval
TESTED = 2000  # designs that the second-order model is tested on
PER_COEFFICIENT = 3  # designs that it is fitted to, RANDOM at least
RIDGE = 1e-9  # of the largest of the Gram matrix: values of one variable always sum to 1
ROUNDING = 1e-12  # of the largest value: differences below it are none


def explain_exact(problem: Problem, objective: str, *, mass: float = 0.9, seed: int = 0) -> Explanation:
    """Explain an objective that is computed by random designs.

    Args:
        problem: its feasible designs are looked at.
        objective: the name of a cheap one.
        mass: of the intervals.
        seed: of the random designs: same seed, same numbers.

    Raises:
        InputError: an unknown objective or one that is not computed, no feasible design, or nothing to explain it by.
    """
    info = explained_objective(problem.outline, objective)
    if not info.cheap:
        raise InputError(
            f"'{info.name}' is known of evaluated designs only: explorer.explanation.explain explains it", "objective"
        )
    rng = np.random.default_rng([seed, 0xE5])
    designs = problem.sample(rng, RANDOM)
    names = _read(problem, info.name, designs, rng)
    encoding = BitEncoding(problem.space, names)
    if not 0 < encoding.bits <= MOST_BITS:
        raise InputError(f"'{info.name}' depends on {encoding.bits} choices; 1 to {MOST_BITS} can be shown", "study")
    effects, interactions = _effects(problem, info.name, encoding, designs, mass)
    told = {effect.choices[0] for effect in effects}
    untold = tuple(label for label in encoding.labels if label not in told)
    if not told:
        raise InputError(
            f"hardly any two feasible designs differ in one choice of {', '.join(names)} alone, so that nothing can be "
            f"said of what moves '{info.name}'; constraints that leave more designs would help",
            "study",
        )
    explained, noise = _second_order(problem, info.name, encoding, rng)
    return Explanation(info, len(designs), mass, effects, interactions, explained, None, noise,
                       problem.outline.workload, exact=True, untold=untold)  # fmt: skip


def _values(problem: Problem, objective: str, designs: Designs) -> Array:
    """The objective of designs; NaN where one is infeasible."""
    known = problem.known(designs)
    return np.where(known.feasible, known.objectives[objective], np.nan)


def _read(problem: Problem, objective: str, designs: Designs, rng: np.random.Generator) -> list[str]:
    """The variables that the objective depends on: those that change it when designs swap their values at random, and
    those that may, since no design can swap."""
    columns, before = designs.expanded(), _values(problem, objective, designs)
    found = []
    for name in problem.space.variables:
        swapped = columns[name][rng.permutation(len(designs))]
        difference = _rounded(_values(problem, objective, designs.with_columns({name: swapped})) - before, before)
        if np.isnan(difference).all() or np.nansum(abs(difference)) > 0:
            found.append(name)
    return found


def _rounded(differences: Array, values: Array) -> Array:
    return np.where(abs(differences) <= ROUNDING * np.nanmax(abs(values)), 0.0, differences)


def _effects(
    problem: Problem, objective: str, encoding: BitEncoding, designs: Designs, mass: float
) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
    """Effects and interactions of the choices of which enough pairs are feasible."""
    x, labels, groups = encoding.encode(designs), encoding.labels, encoding.groups
    bits = range(encoding.bits)
    # switching a bit off instead of on turns a difference round; a value is put in place of the design's own
    signs = np.array([1.0 - 2.0 * x[:, bit] if len(groups[bit]) == 1 else np.ones(len(x)) for bit in bits])

    def values(switched: list[Binaries]) -> Array:
        """Per array of bits the objective of each design; NaN where there is no such design or it is infeasible."""
        rows = np.concatenate(switched)
        there = designs.take(np.arange(len(rows)) % len(switched[0])).with_columns(encoding.decode(rows).columns)
        beyond = (encoding.encode(there) != rows).any(axis=1)  # digits of a number that the variable does not reach
        return np.where(beyond, np.nan, _values(problem, objective, there)).reshape(len(switched), -1)

    def described(choices: tuple[int, ...], differences: Array) -> list[Effect]:
        seen = _rounded(differences[np.isfinite(differences)], own)
        if len(seen) < LEAST_PAIRS:
            return []
        margin = NormalDist().inv_cdf((1 + mass) / 2) * float(seen.std(ddof=1)) / math.sqrt(len(seen))
        mean = float(seen.mean())
        return [Effect(tuple(labels[choice] for choice in choices), mean, mean - margin, mean + margin)]

    (own,) = values([x])
    once = values([_switched(x, groups[bit], bit) for bit in bits])
    effects = [effect for bit in bits for effect in described((bit,), (once[bit] - own) * signs[bit])]
    partners = {i: [j for j in bits if j > i and j not in groups[i]] for i in bits}
    pairs = sum(map(len, partners.values()))
    few = slice(max(LEAST_PAIRS, min(len(x), SIMULATED // max(pairs, 1))))
    told = {effect.choices[0] for effect in effects}
    interactions = []
    for i in bits:
        first = _switched(x[few], groups[i], i)
        others = [j for j in partners[i] if {labels[i], labels[j]} <= told]
        if others:
            twice = values([_switched(first, groups[j], j) for j in others])
            for j, both in zip(others, twice, strict=True):
                differences = (both - once[i, few] - once[j, few] + own[few]) * signs[i, few] * signs[j, few]
                interactions += described((i, j), differences)
    return tuple(effects), tuple(interactions)


def _switched(x: Binaries, group: list[int], bit: int) -> Binaries:
    """A bit the other way, or a value in place of another one of its variable."""
    switched = x.copy()
    if len(group) == 1:
        switched[:, bit] ^= 1
    else:
        switched[:, group] = 0
        switched[:, bit] = 1
    return switched


def _second_order(
    problem: Problem, objective: str, encoding: BitEncoding, rng: np.random.Generator
) -> tuple[float, float]:
    """Of new designs: the share of the variance that the least-squares second-order model explains, and the standard
    deviation of what it does not."""
    coefficients = 1 + encoding.bits * (encoding.bits + 1) // 2
    designs = problem.sample(rng, max(RANDOM, PER_COEFFICIENT * coefficients) + TESTED)
    x, y = encoding.encode(designs), _values(problem, objective, designs)
    gram, moment = np.zeros((coefficients, coefficients)), np.zeros(coefficients)
    centre = y[TESTED:].mean()
    for rows in np.array_split(np.arange(TESTED, len(y)), len(y) // 1000):  # features of all at once take gigabytes
        features = _features(x[rows])
        gram += features.T @ features
        moment += features.T @ (y[rows] - centre)
    gram[np.diag_indices_from(gram)] += RIDGE * gram.diagonal().max()
    left = y[:TESTED] - centre - _features(x[:TESTED]) @ np.linalg.solve(gram, moment)
    missed, variance = float(np.mean(left**2)), float(np.var(y[:TESTED]))
    return 1 - missed / variance if variance > 0 else 0.0, math.sqrt(missed)


def _features(x: Binaries) -> Array:
    return np.concatenate([np.ones((len(x), 1)), second_order_features(x)], axis=1)
