"""How a study got where it is: what was paid, how long it took, and how good the front was, after each evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale
from explorer.evaluation import Evaluation
from explorer.fronts import front_among
from explorer.outline import Outline
from explorer.results import Results, counts
from explorer.study import Study
from simulators.protocol import InputError

__all__ = ["Trace", "box", "check_alike", "trace"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trace:
    """A study over time, an entry for each evaluation that was run, in order of arrival.

    Args:
        name: of the study.
        cost: paid so far, in units of the fidelity.
        time_s: from the beginning of the first evaluation to the end of this one.
        hypervolume: of the front so far, as a share of the box.
        best: of each objective so far, shape (evaluations, objectives); NaN while there is none.
        strategies: who proposed them.
    """

    name: str
    cost: Array
    time_s: Array
    hypervolume: Array
    best: Array
    strategies: tuple[str, ...] = ()

    def cost_to(self, hypervolume: float) -> float:
        """What was paid when the front had this hypervolume; infinity if it never had."""
        reached = np.flatnonzero(self.hypervolume >= hypervolume)
        return float(self.cost[reached[0]]) if len(reached) else float("inf")


def check_alike(studies: Sequence[Study]) -> None:
    """Make sure that studies can be compared.

    Raises:
        InputError: they are after different objectives.
    """
    first, *others = studies
    wanted = [(objective.name, objective.direction) for objective in first.outline.objectives]
    for other in others:
        found = [(objective.name, objective.direction) for objective in other.outline.objectives]
        if found != wanted:
            names = [", ".join(name for name, _ in objectives) for objectives in (wanted, found)]
            raise InputError(
                f"{first.reference} is after {names[0]}, {other.reference} after {names[1]}: compare studies that are "
                "after the same",
                "study",
            )


def box(studies: Iterable[Study]) -> Scale:
    """The box between the worst and the best value that feasible designs of some studies have in each objective.

    Nothing is computed anew for it: what counts is what was evaluated or followed from that.
    """
    studies = list(studies)
    values = np.concatenate([study.results.values[study.results.feasible()] for study in studies])
    ends = [
        tuple(getattr(values, end)(axis=0, initial=start).tolist())
        for end, start in (("min", np.inf), ("max", -np.inf))
    ]
    return Scale(studies[0].outline.objectives, ends[0], ends[1])


def trace(study: Study, scale: Scale) -> Trace:
    """A study over time.

    Where a training is repeated, means move what was found before: the front is then made anew.

    Args:
        study: finished or not.
        scale: that hypervolumes are shares of, see :func:`box`.
    """
    outline, rows = study.outline, study.rows
    signs = np.array([objective.sign for objective in outline.objectives], dtype=np.float64)
    begun_s = min((row.started_at for row in rows if not row.derived_from and row.started_at), default=0.0)
    front = np.empty((0, len(signs)))
    paid, lasted_s, volume = 0.0, 0.0, 0.0
    found: list[tuple[float, float, float, Array]] = []
    best = np.full(len(signs), np.nan)
    strategies: list[str] = []
    seen: dict[str, set[int]] = {}
    for place, row in enumerate(rows):
        if not row.derived_from:
            paid += row.cost
            strategies.append(row.strategy)
            lasted_s = max(lasted_s, row.started_at + row.duration_s - begun_s)
        moves_means = False
        if counts(outline, row) and not row.derived_from:
            replicates = seen.setdefault(row.family, set())
            moves_means = bool(replicates - {row.replicate})
            replicates.add(row.replicate)
        changed = _with(front, row, outline, signs, rows[: place + 1] if moves_means else ())
        if changed is not None:
            front = changed
            volume = scale.hypervolume(front * signs)
            best = front.max(axis=0) * signs if len(front) else best
        entry = (paid, lasted_s, volume, best)
        if row.derived_from and found:
            found[-1] = entry  # what follows from an evaluation came with it
        else:
            found.append(entry)
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    cost, time_s, hypervolume = (np.array(column, dtype=np.float64) for column in columns[:3])
    bests = np.array(columns[3]).reshape(len(found), len(signs))
    return Trace(study.name, cost, time_s, hypervolume, bests, tuple(strategies))


def _with(front: Array, row: Evaluation, outline: Outline, signs: Array, so_far: Sequence[Evaluation]) -> Array | None:
    """A front, all to be made large, with an evaluation more; None if it stays as it is.

    Args:
        front, outline, signs: of the study.
        row: what comes.
        so_far: all evaluations, if it moves means.
    """
    if not counts(outline, row):
        return None
    if so_far:
        return np.asarray(front_among(Results(outline, so_far)).matrix * signs)
    own = np.array([row.values[objective.name] for objective in outline.objectives]) * signs
    if not row.feasible or (front >= own).all(axis=1).any():
        return None
    return np.vstack([front[~(own >= front).all(axis=1)], own])
