"""Who dominates whom, and how much of the possible a set of points dominates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.outline import ObjectiveInfo
from explorer.problem import Problem

__all__ = ["Scale", "maximal", "nondominated"]


def nondominated(values: NDArray[np.float64], objectives: Sequence[ObjectiveInfo]) -> NDArray[np.bool_]:
    """Which rows of ``values`` (count x objectives) no other row dominates; of equal rows the first."""
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    maximise = [objective.direction == "maximize" for objective in objectives]
    return np.asarray(moocore.is_nondominated(values, maximise=maximise, keep_weakly=False), dtype=bool)


def maximal(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows of ``values`` (count x columns, all to be made large) no other row dominates; equal rows all count."""
    if values.size == 0:
        return np.ones(len(values), dtype=bool)
    return np.asarray(moocore.is_nondominated(values, maximise=True, keep_weakly=True), dtype=bool)


@dataclass(frozen=True)
class Scale:
    """Maps every objective to 0 (worst) .. 1 (best), so that hypervolumes are fractions of a fixed box.

    Args:
        objectives: of the problem.
        low, high: per objective the ends of its range; infinity and -infinity while nothing is known of it.
    """

    objectives: tuple[ObjectiveInfo, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, problem: Problem, evaluations: Iterable[Evaluation] = (), looks: int = 4096) -> Scale:
        """The scale of a problem: known bounds, else what ``looks`` random designs show of cheap objectives, else what
        the evaluations show of expensive ones (it then widens as more arrive)."""
        known = problem.known(problem.sample(np.random.default_rng(problem.seed), looks))
        ranges = []
        for objective in problem.objectives:
            low, high = objective.bounds or (math.nan, math.nan)
            seen = known.objectives[objective.name] if objective.cheap else np.array([])
            ranges.append((
                low if math.isfinite(low) else float(np.min(seen, initial=math.inf)),
                high if math.isfinite(high) else float(np.max(seen, initial=-math.inf)),
            ))  # fmt: skip
        scale = cls(problem.objectives, *map(tuple, zip(*ranges, strict=True)))
        for evaluation in evaluations:
            scale = scale.widened(evaluation)
        return scale

    def widened(self, evaluation: Evaluation) -> Scale:
        """The scale with an evaluation inside it; cheap objectives keep their range, they were looked at before."""
        if evaluation.failed:
            return self
        expensive = [None if o.cheap else evaluation.values[o.name] for o in self.objectives]
        low = tuple(old if new is None else min(old, new) for old, new in zip(self.low, expensive, strict=True))
        high = tuple(old if new is None else max(old, new) for old, new in zip(self.high, expensive, strict=True))
        return self if (low, high) == (self.low, self.high) else Scale(self.objectives, low, high)

    def hypervolume(self, values: NDArray[np.float64]) -> float:
        """The share of the box that rows of ``values`` (count x objectives) dominate, 0 to 1."""
        seen = np.isfinite(self.low)
        low, high = np.where(seen, self.low, 0.0), np.where(seen, self.high, 1.0)
        high = np.where(high > low, high, low + np.where(low == 0, 1.0, np.abs(low)))  # a single value: any box will do
        unit = np.clip((values - low) / (high - low), 0.0, 1.0)
        unit = np.where([objective.sign > 0 for objective in self.objectives], unit, 1.0 - unit)
        unit = unit[(unit > 0).all(axis=1)]
        if len(unit) == 0:
            return 0.0
        return float(moocore.hypervolume(unit, ref=[0.0] * unit.shape[1], maximise=True))
