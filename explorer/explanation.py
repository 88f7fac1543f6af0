"""What matters: how the choices of a study's designs move an objective, and how sure that is.

An *effect* is what switching one choice on changes, the other choices being at random; an *interaction* is by how much
the effect of one choice changes when another one is on. For an objective that is trained (:func:`explain`) a
second-order model with the horseshoe prior is fitted to the evaluations of a study: effects come with credible
intervals, the model with a test on designs that it has not seen. One that is computed is computed:
:mod:`explorer.exact_explanation`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.outline import ObjectiveInfo, Outline
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import Horseshoe, Posterior
from simulators.protocol import InputError

if TYPE_CHECKING:
    import pandas

__all__ = ["MOST_BITS", "Effect", "Explanation", "explain", "explained_objective"]

Array = NDArray[np.float64]

SWEEPS = 1000  # of the Gibbs sampler before its draws count
DRAWS = 400
THIN = 5  # sweeps from one draw to the next
FOLDS = 5
AT_LEAST = 8  # different designs: with fewer there is nothing to learn from
NARROW = 0.1  # by so much fewer values in intervals than promised, no effect is called certain
MOST_BITS = 100  # beyond, pairs are too many to be shown or drawn


@dataclass(frozen=True)
class Effect:
    """What one choice, or two together, change.

    Args:
        choices: one label, or two for an interaction: ``("C5",)``, ``("C5", "C7")``.
        mean: in the unit of the objective.
        low, high: the ends of its interval.
    """

    choices: tuple[str, ...]
    mean: float
    low: float
    high: float

    @property
    def matters(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0

    @property
    def label(self) -> str:
        """Its choices as text."""
        return " × ".join(self.choices)


@dataclass(frozen=True)
class Explanation:
    """An objective of a study, explained.

    Args:
        objective: which one.
        evaluations: how many different ones the model has seen; if exact, how many random designs were simulated (each
            also with one and two choices switched).
        mass: of the intervals: credible ones, or if exact those of the means over random designs.
        effects: of each choice, in the order of the variables.
        interactions: of each pair of choices that may be on together, likewise; of an objective that is trained those
            that some evaluation had together.
        explained: share of the variance that the second-order model predicts of designs that it has not seen; at most
            1, and below 0 if the mean predicts better.
        covered: share of evaluations of these that lay within the predicted intervals of ``mass``; None if exact.
        noise: standard deviation of what the model cannot tell, in the unit of the objective.
        workload: what was simulated and trained, in words.
        exact: the objective was computed, not learnt from evaluations.
        untold: choices of which nothing can be said: all evaluations have them, or none; if exact, hardly any two
            feasible designs differ in them alone.
    """

    objective: ObjectiveInfo
    evaluations: int
    mass: float
    effects: tuple[Effect, ...]
    interactions: tuple[Effect, ...]
    explained: float
    covered: float | None
    noise: float
    workload: str = ""
    exact: bool = False
    untold: tuple[str, ...] = ()

    @property
    def predicts(self) -> bool:
        """Whether anything is known of designs that the model has not seen: without, its effects mean nothing."""
        return self.exact or self.explained > 0

    @property
    def narrow(self) -> bool:
        """Whether the intervals hold clearly fewer values than they should."""
        return self.covered is not None and self.covered < self.mass - NARROW

    @property
    def reliable(self) -> bool:
        """Whether an interval that leaves out zero says anything."""
        return self.predicts and not self.narrow

    def certain(self, effect: Effect) -> bool:
        """Whether an effect is not zero, as far as intervals can be relied on."""
        return self.reliable and effect.matters

    def ranked(self) -> list[Effect]:
        """Effects and interactions, the largest first."""
        return sorted((*self.effects, *self.interactions), key=lambda effect: -abs(effect.mean))

    def matrix(self) -> Array:
        """Interactions as a symmetric matrix with the effects on its diagonal, choices x choices; NaN where two choices
        exclude each other, or nothing is known of them together."""
        index = {effect.choices[0]: position for position, effect in enumerate(self.effects)}
        table = np.full((len(index), len(index)), np.nan)
        for effect in self.effects:
            table[index[effect.choices[0]], index[effect.choices[0]]] = effect.mean
        for effect in self.interactions:
            left, right = (index[choice] for choice in effect.choices)
            table[left, right] = table[right, left] = effect.mean
        return table

    def records(self) -> list[dict[str, Any]]:
        """Effects and interactions as plain rows, the largest first."""
        return [
            {"choices": list(e.choices), "mean": e.mean, "low": e.low, "high": e.high, "certain": self.certain(e)}
            for e in self.ranked()
        ]

    def to_json(self) -> str:
        """Everything as JSON."""
        data = {
            "objective": self.objective.name, "unit": self.objective.unit, "evaluations": self.evaluations,
            "workload": self.workload, "mass": self.mass, "explained": self.explained, "covered": self.covered,
            "noise": self.noise, "exact": self.exact, "reliable": self.reliable, "untold": list(self.untold),
            "effects": self.records(),
        }  # fmt: skip
        return json.dumps(data, indent=1)

    def to_pandas(self) -> pandas.DataFrame:
        """Effects and interactions, one row each, the largest first."""
        import pandas

        rows = [{**row, "choices": " × ".join(row["choices"])} for row in self.records()]
        return pandas.DataFrame(rows, columns=["choices", "mean", "low", "high", "certain"])


def explain(
    outline: Outline, evaluations: Sequence[Evaluation], objective: str = "", *, mass: float = 0.9, seed: int = 0
) -> Explanation:
    """Explain an objective that is trained by what was evaluated.

    Args:
        outline: of the study.
        evaluations: finished ones; failed ones and those below full fidelity are left out.
        objective: its name; by default the first that an evaluation is needed for.
        mass: of the credible intervals.
        seed: of the Gibbs sampler: same seed, same numbers.

    Raises:
        InputError: an unknown objective or one that is computed, too few evaluations, or nothing to explain it by.
    """
    info = explained_objective(outline, objective)
    if info.cheap:
        raise InputError(
            f"'{info.name}' is computed, not trained: explorer.exact_explanation.explain_exact explains it",
            "objective",
        )
    used = _different(outline, evaluations, info)
    families = np.unique([evaluation.family for evaluation in used], return_inverse=True)[1]
    designs = len(np.unique(families))
    if designs < AT_LEAST:
        raise InputError(
            f"evaluations of {designs} different designs at full fidelity are too few to explain '{info.name}' by; "
            f"{AT_LEAST} at least",
            "study",
        )
    encoding = BitEncoding(outline.space, _names(outline, info, used[0]))
    if not 0 < encoding.bits <= MOST_BITS:
        raise InputError(f"'{info.name}' depends on {encoding.bits} choices; 1 to {MOST_BITS} can be shown", "study")
    x = encoding.encode(outline.space.designs([evaluation.design for evaluation in used]))
    y = np.array([evaluation.values[info.name] for evaluation in used])
    rng = np.random.default_rng([seed, 0xE4])
    explained, covered = _cross_validated(x, y, families, mass, rng)
    posterior = _posterior(x, y, rng)
    effects, interactions = _effects(encoding, x, posterior, mass)
    told = {effect.choices[0] for effect in effects}
    return Explanation(
        info, len(used), mass, effects, interactions, explained, covered, float(posterior.noise.mean()),
        outline.workload, untold=tuple(label for label in encoding.labels if label not in told),
    )  # fmt: skip


def explained_objective(outline: Outline, name: str) -> ObjectiveInfo:
    """The objective of that name; of no name the first that an evaluation is needed for, else the first.

    Raises:
        InputError: there is none of that name.
    """
    found = {objective.name: objective for objective in outline.objectives}
    if not name:
        return next((objective for objective in outline.objectives if not objective.cheap), outline.objectives[0])
    if name not in found:
        raise InputError(f"'{name}' is not an objective of this study; it has {', '.join(found)}", "objective")
    return found[name]


def _different(outline: Outline, evaluations: Sequence[Evaluation], info: ObjectiveInfo) -> list[Evaluation]:
    """One evaluation for each independent result: members of a family share a training unless their seeds differ, and
    where no seed makes a difference replicates are copies."""
    different: dict[tuple[str, int], Evaluation] = {}
    values: dict[str, set[float]] = {}
    for evaluation in evaluations:
        if not evaluation.failed and not evaluation.derived_from and evaluation.fidelity == outline.full_fidelity:
            what = evaluation.family if info.shared else json.dumps(evaluation.design.to_json())
            different.setdefault((what, evaluation.seed), evaluation)
            values.setdefault(what, set()).add(evaluation.values[info.name])
    if any(len(found) > 1 for found in values.values()):
        return list(different.values())
    first: dict[str, Evaluation] = {}
    for (what, _), evaluation in different.items():
        first.setdefault(what, evaluation)
    return list(first.values())


def _names(outline: Outline, info: ObjectiveInfo, evaluation: Evaluation) -> list[str]:
    """The variables that the objective may depend on: those that make a family, or all."""
    return list(json.loads(evaluation.family)) if info.shared else list(outline.space.variables)


def _posterior(
    x: NDArray[np.int8], y: Array, rng: np.random.Generator, sweeps: int = SWEEPS, draws: int = DRAWS
) -> Posterior:
    chain = Horseshoe(x.shape[1], rng)
    chain.fit(x, y, sweeps)
    return chain.sample(draws, THIN)


def _cross_validated(
    x: NDArray[np.int8], y: Array, families: NDArray[np.int64], mass: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Of families that are left out, with all of their replicates: the share of the variance that is predicted, and of
    values in intervals."""
    fold = (rng.permutation(families.max() + 1) % FOLDS)[families]
    predicted, inside = np.zeros(len(y)), np.zeros(len(y), dtype=bool)
    for number in range(FOLDS):
        out = fold == number
        posterior = _posterior(x[~out], y[~out], rng, SWEEPS // 2, DRAWS // 4)
        values = posterior.predict(x[out])
        seen = values + posterior.noise[:, None] * rng.standard_normal(values.shape)
        low, high = np.quantile(seen, [(1 - mass) / 2, (1 + mass) / 2], axis=0)
        predicted[out] = values.mean(axis=0)
        inside[out] = (y[out] >= low) & (y[out] <= high)
    if np.ptp(y) <= 1e-12 * np.abs(y).max():  # constant but for rounding: nothing to explain
        return 0.0, float(inside.mean())
    return 1 - float(np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2)), float(inside.mean())


def _effects(
    encoding: BitEncoding, x: NDArray[np.int8], posterior: Posterior, mass: float
) -> tuple[tuple[Effect, ...], tuple[Effect, ...]]:
    """Effects of choices that some evaluations have and some have not, and interactions of those that some have
    together; "at random" is among the values that were evaluated. Of others there is the prior, which has no mean."""
    labels, groups = encoding.labels, encoding.groups
    seen, lasting = np.asarray(x.any(axis=0)), np.asarray(x.all(axis=0))
    varies = seen & ~lasting
    means = np.where(varies, 0.5, seen)  # of choices at random; those that never change are what they are
    for bit, group in enumerate(groups):
        if len(group) > 1:
            means[bit] = seen[bit] / seen[group].sum()
    left, right = np.triu_indices(len(labels), 1)
    exclusive = np.array([i in groups[j] for i, j in zip(left, right, strict=True)], dtype=bool)

    def described(choices: tuple[int, ...], contrast: Array) -> Effect:
        draws = posterior.coefficients @ contrast
        low, high = np.quantile(draws, [(1 - mass) / 2, (1 + mass) / 2])
        return Effect(tuple(labels[bit] for bit in choices), float(draws.mean()), float(low), float(high))

    def features(*on: int, without: Sequence[int] = ()) -> Array:
        """Expected features with some choices on, others off, and all that are left at random."""
        expected = means.copy()
        for bit in on:
            expected[groups[bit]] = 0.0
            expected[bit] = 1.0
        expected[list(without)] = 0.0
        return np.concatenate([expected, np.where(exclusive, 0.0, expected[left] * expected[right])])

    # a choice of a bit vector is compared with its absence; a value of a variable with the variable at random
    absent = [(bit,) if len(groups[bit]) == 1 else () for bit in range(len(labels))]
    effects = [
        described((bit,), features(bit) - features(without=absent[bit])) for bit in np.flatnonzero(varies).tolist()
    ]
    interactions = []
    together = np.asarray(~exclusive & (x[:, left] & x[:, right]).any(axis=0) & varies[left] & varies[right])
    for i, j in zip(left[together], right[together], strict=True):
        contrast = features(i, j) - features(i, without=absent[j])
        contrast -= features(j, without=absent[i]) - features(without=absent[i] + absent[j])
        interactions.append(described((i, j), contrast))
    return tuple(effects), tuple(interactions)
