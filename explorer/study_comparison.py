"""Studies beside each other: how good their fronts are, what they cost, and whether it may have been luck."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from explorer.domination import nondominated
from explorer.outline import ObjectiveInfo
from explorer.study import Study
from explorer.study_groups import grouped
from explorer.traces import Trace, box, check_alike, trace
from simulators.protocol import InputError

if TYPE_CHECKING:
    import pandas

__all__ = ["TARGETS", "Difference", "StudyComparison", "StudyFigures", "compare_studies", "coverage", "superiority"]

Array = NDArray[np.float64]

TARGETS = (0.8, 0.9, 0.95)
"""Shares of the hypervolume of all fronts together."""

FEWEST = 3  # studies of a group that tell luck from skill


@dataclass(frozen=True)
class StudyFigures:
    """What a study came to.

    Args:
        group: of studies that differ in luck only.
        name: of the study.
        seed: of the study; None if it was made from functions.
        evaluations, cost: that it took.
        front: designs on it.
        hypervolume: of the front, as a share of that of all fronts together.
        at_equal_cost: the same when it had cost as much as the cheapest of all studies did in the end.
        cost_to: what had been paid when the front had these shares of the hypervolume of all fronts together; infinity
            if it never had.
    """

    group: str
    name: str
    seed: int | None
    evaluations: int
    cost: float
    front: int
    hypervolume: float
    at_equal_cost: float
    cost_to: tuple[float, ...]


@dataclass(frozen=True)
class Difference:
    """Whether two groups differ in hypervolume at equal cost by more than luck.

    Args:
        first, second: the groups.
        superiority: probability that a study of the first is better than one of the second, half of draws counted
            (Vargha and Delaney's A).
        p_value: of the two-sided test of Mann and Whitney, by Holm's method for as many pairs; None with fewer than
            three studies on a side.
    """

    first: str
    second: str
    superiority: float
    p_value: float | None


@dataclass(frozen=True, eq=False)
class StudyComparison:
    """Studies beside each other.

    Args:
        objectives: of all of them.
        targets: shares of the hypervolume of all fronts together.
        equal_cost: what the cheapest study had cost in the end.
        figures: of each study.
        covered: by group and other group: the share of the other's front that a study of the group is as good as or
            better than in all objectives, the median over pairs of studies.
        differences: between all pairs of groups.
        traces: by group.
        studies: by group.
    """

    objectives: tuple[ObjectiveInfo, ...]
    targets: tuple[float, ...]
    equal_cost: float
    figures: tuple[StudyFigures, ...]
    covered: Mapping[tuple[str, str], float]
    differences: tuple[Difference, ...]
    traces: Mapping[str, Sequence[Trace]]
    studies: Mapping[str, Sequence[Study]]

    def of(self, group: str) -> list[StudyFigures]:
        """Figures of the studies of a group."""
        return [figures for figures in self.figures if figures.group == group]

    def to_json(self) -> str:
        """Everything but traces; costs that were never paid are null."""
        figures = [asdict(one) for one in self.figures]
        for row in figures:
            row["cost_to"] = {
                f"{target:g}": cost if np.isfinite(cost) else None
                for target, cost in zip(self.targets, row["cost_to"], strict=True)
            }
        found = {
            "objectives": [objective.name for objective in self.objectives],
            "equal_cost": self.equal_cost,
            "studies": figures,
            "coverage": [{"by": by, "of": of, "share": share} for (by, of), share in self.covered.items()],
            "differences": [asdict(one) for one in self.differences],
        }
        return json.dumps(found, indent=1)

    def to_pandas(self) -> pandas.DataFrame:
        """The figures, a row for each study."""
        import pandas

        rows = []
        for one in self.figures:
            row = asdict(one)
            costs = row.pop("cost_to")
            row.update({f"cost_to_{target:g}": cost for target, cost in zip(self.targets, costs, strict=True)})
            rows.append(row)
        return pandas.DataFrame(rows)


def compare_studies(studies: Sequence[Study], targets: Sequence[float] = TARGETS) -> StudyComparison:
    """Compare studies of the same objectives.

    Args:
        studies: at least two; those of one search with other seeds are a group.
        targets: shares of the hypervolume of all fronts together, above 0 up to 1.

    Raises:
        InputError: a single study, one that is there twice, other objectives, or no front at all.
    """
    if len(studies) < 2:
        raise InputError("a comparison is of two studies at least", "study")
    for study in studies:
        if [other.reference for other in studies].count(study.reference) > 1:
            raise InputError(f"{study.reference} is there twice", "study")
    for target in targets:
        if not 0 < target <= 1:
            raise InputError(f"{target:g} is no share of the whole; give more than 0 and at most 1", "targets")
    check_alike(studies)
    scale, objectives = box(studies), studies[0].outline.objectives
    fronts = {study.reference: study.front().matrix for study in studies}
    together = np.concatenate(list(fronts.values()))
    whole = scale.hypervolume(together[nondominated(together, objectives)])
    if whole == 0:
        raise InputError("none of these studies has a front yet that has a hypervolume", "study")
    groups = grouped(studies)
    traces = {name: [trace(study, scale) for study in some] for name, some in groups.items()}
    equal = min((float(one.cost[-1]) for some in traces.values() for one in some if len(one.cost)), default=0.0)
    figures = [
        _figures(name, study, one, len(fronts[study.reference]), whole, equal, targets)
        for name, some in groups.items()
        for study, one in zip(some, traces[name], strict=True)
    ]
    covered = {
        (by, of): median(
            coverage(fronts[one.reference], fronts[other.reference], objectives)
            for one in groups[by]
            for other in groups[of]
        )
        for by in groups
        for of in groups
        if by != of
    }
    reached = {name: [one.at_equal_cost for one in figures if one.group == name] for name in groups}
    return StudyComparison(
        objectives, tuple(targets), equal, tuple(figures), covered, tuple(_differences(reached)), traces, groups
    )


def _figures(
    group: str, study: Study, found: Trace, front: int, whole: float, equal: float, targets: Sequence[float]
) -> StudyFigures:
    spec, reached = study.spec, np.flatnonzero(found.cost <= equal)
    return StudyFigures(
        group,
        study.name,
        None if spec is None else spec.seed,
        len(found.cost),
        float(found.cost[-1]) if len(found.cost) else 0.0,
        front,
        float(found.hypervolume[-1]) / whole if len(found.cost) else 0.0,
        float(found.hypervolume[reached[-1]]) / whole if len(reached) else 0.0,
        tuple(found.cost_to(target * whole) for target in targets),
    )


def coverage(front: Array, other: Array, objectives: Sequence[ObjectiveInfo]) -> float:
    """The share of another front that some design of a front is as good as or better than in all objectives (Zitzler
    and Thiele's C); 0 if the other front is empty.

    Args:
        front, other: values, designs x objectives.
        objectives: these.
    """
    signs = np.array([objective.sign for objective in objectives], dtype=np.float64)
    if len(other) == 0:
        return 0.0
    return float(np.mean([bool((front * signs >= row * signs).all(axis=1).any()) for row in other]))


def superiority(first: Sequence[float], second: Sequence[float]) -> float:
    """The probability that one of the first is larger than one of the second, half of draws counted."""
    one, two = np.asarray(first)[:, None], np.asarray(second)[None]
    return float(np.mean((one > two) + 0.5 * (one == two)))


def _differences(reached: Mapping[str, Sequence[float]]) -> list[Difference]:
    pairs = list(combinations(reached, 2))
    raw = [
        float(mannwhitneyu(reached[one], reached[two], alternative="two-sided").pvalue)
        if min(len(reached[one]), len(reached[two])) >= FEWEST
        else None
        for one, two in pairs
    ]
    adjusted = _holm(raw)
    return [
        Difference(one, two, superiority(reached[one], reached[two]), value)
        for (one, two), value in zip(pairs, adjusted, strict=True)
    ]


def _holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values of several tests that are made at once (Holm, 1979); None stays."""
    known = sorted((value, place) for place, value in enumerate(p_values) if value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (value, place) in enumerate(known):
        least = max(least, min(1.0, value * (len(known) - rank)))
        adjusted[place] = least
    return adjusted
