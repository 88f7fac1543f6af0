"""Points: designs with what is known of them at full fidelity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import standard_error
from explorer.evaluation import Evaluation
from explorer.outline import HELD_OUT, ObjectiveInfo, Outline
from simulators.protocol import Design

__all__ = ["Point", "held_out_means", "matrix", "point_of"]


@dataclass(frozen=True)
class Point:
    """One design at full fidelity.

    Args:
        design: the design.
        label: the design in words.
        family: name of its family.
        values: the objectives, the expensive ones averaged over replicates.
        quantities: the reports' other totals (of the first replicate).
        spread: standard deviation of the expensive objectives over replicates; empty with one replicate.
        error: standard error of the expensive objectives, see :mod:`explorer.errors`; empty where nothing is known.
        replicates: number of trainings behind the expensive objectives.
        held_out: report fields on data that the search never sees (``test_accuracy``), averaged over replicates.
        feasible: satisfies every constraint.
        strategy: who proposed it.
        derived_from: key of the evaluation that it follows from; empty if it was evaluated itself.
        evaluation: number of the one that was run; 0 where nobody has counted.
    """

    design: Design
    label: str
    family: str
    values: Mapping[str, float]
    quantities: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    replicates: int = 1
    held_out: Mapping[str, float] = field(default_factory=dict)
    feasible: bool = True
    strategy: str = ""
    derived_from: str = ""
    error: Mapping[str, float] = field(default_factory=dict)
    evaluation: int = 0

    @property
    def names(self) -> dict[str, Any]:
        """Everything that is known of it by name: variables, report fields, objectives."""
        return {**self.design, **self.quantities, **self.held_out, **self.values}


def matrix(points: Sequence[Point], objectives: Sequence[ObjectiveInfo]) -> NDArray[np.float64]:
    """Objective values as an array, points x objectives."""
    rows = [[point.values[objective.name] for objective in objectives] for point in points]
    return np.array(rows, dtype=np.float64).reshape(len(points), len(objectives))


def point_of(
    outline: Outline,
    first: Evaluation,
    own: Mapping[int, Evaluation],
    family: Mapping[int, Evaluation],
    usual: Mapping[str, float | None],
) -> Point:
    """A design as a point.

    Args:
        outline: of the study.
        first: its first replicate, or what follows for it from its family.
        own: its replicates.
        family: those of its family.
        usual: per expensive objective what its variance over replicates usually is.
    """
    values, spread, error = dict(first.values), {}, {}
    replicates = 1
    for objective in outline.objectives:
        if objective.cheap:
            continue
        sources = family if objective.shared else own
        sample = [evaluation.values[objective.name] for evaluation in sources.values()]
        replicates = max(replicates, len(sample))
        values[objective.name] = float(np.mean(sample))
        if len(sample) > 1:
            spread[objective.name] = float(np.std(sample, ddof=1))
        systematic, random = (
            first.quantities.get(name, 0.0) for name in (objective.systematic_error, objective.random_error)
        )
        if found := standard_error(sample, usual[objective.name], systematic, random):
            error[objective.name] = found
    return Point(
        first.design,
        outline.space.describe(first.design),
        first.family,
        values,
        first.quantities,
        spread,
        replicates,
        held_out_means(first, family.values()),
        outline.violation(first.design, {**first.quantities, **values}) == 0.0,
        first.strategy,
        first.derived_from,
        error,
        first.number,
    )


def held_out_means(first: Evaluation, replicates: Iterable[Evaluation]) -> dict[str, float]:
    """Means over replicates of the fields that the search never sees."""
    replicates = list(replicates)
    return {
        name: float(np.mean([evaluation.quantities[name] for evaluation in replicates]))
        for name in first.quantities
        if name.startswith(HELD_OUT) and all(name in evaluation.quantities for evaluation in replicates)
    }
