"""The front that is tested against other worlds: of all designs, or of what a study evaluated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from explorer.enumeration import ExactFront, Question, enumerate_front, groups_of
from explorer.evaluation import Evaluation
from explorer.fronts import Front, averaged, front, replicates_of_families
from explorer.outline import ObjectiveInfo
from explorer.results import counts
from explorer.simulator_problem import SimulatorProblem
from simulators.protocol import Design, InputError

__all__ = ["ROUNDING", "Best", "Enumerated", "Evaluated", "Rivals", "Verdict"]

ROUNDING = 1e-12  # differences below this share are none
QUICK = 10_000_000  # designs of a space whose best is found in a second or two

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The best value of an objective in a world, and a design that has it."""

    value: float
    design: Design


@dataclass(frozen=True, eq=False)
class Verdict:
    """What becomes of the tested designs in a world.

    Args:
        standing: which of them are on the front, shape (designs,).
        values: their objectives, NaN where there is none, shape (designs, objectives).
        best: per objective; empty if nothing is feasible.
        turned: where there is a front for each of several groups, in which of them the best as it stands is the best no
            more, shape (groups, objectives).
    """

    standing: NDArray[np.bool_]
    values: Array
    best: tuple[Best, ...]
    turned: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))


class Rivals(ABC):
    """Who competes for the front in every world.

    Args:
        objectives: that span the front.
        designs: the front as it stands.
        quick: whether the best may be asked for again and again.
    """

    objectives: tuple[ObjectiveInfo, ...]
    designs: list[Design]
    quick: bool

    @abstractmethod
    def best(self, problem: SimulatorProblem) -> tuple[Best, ...]:
        """The best per objective in a world; empty if nothing is feasible."""

    @abstractmethod
    def verdict(self, problem: SimulatorProblem, listener: Callable[[int], None] | None = None) -> Verdict:
        """What becomes of the designs in a world; the listener hears how many rivals were looked at."""


class Enumerated(Rivals):
    """All designs of a space compete in the objectives that need no training.

    Args:
        problem: as it stands.
        asked: of all designs.
        listener: hears how many designs were looked at.

    Raises:
        InputError: no design is feasible.
    """

    def __init__(
        self, problem: SimulatorProblem, asked: Question, listener: Callable[[int], None] | None = None
    ) -> None:  # fmt: skip
        self._asked = asked
        self.objectives = asked.objectives
        found = enumerate_front(problem, asked, listener=listener)
        if not found:
            raise InputError("no design satisfies all constraints, so that there is no front: rex enumerate says why")
        self._designs = found.designs
        self._firsts = self._best_rows(found) if asked.per else {}
        self.designs = problem.space.unpack(found.designs)
        self.quick = problem.space.size <= QUICK

    def best(self, problem: SimulatorProblem) -> tuple[Best, ...]:
        return self._best(enumerate_front(problem, self._asked))

    def verdict(self, problem: SimulatorProblem, listener: Callable[[int], None] | None = None) -> Verdict:
        found = enumerate_front(problem, self._asked, listener=listener)
        known = problem.known(self._designs)
        values = np.stack([known.objectives[objective.name] for objective in self.objectives], axis=1)
        signs = _signs(self.objectives)
        groups = groups_of(problem, self._asked.per, self._designs, known)
        standing = known.feasible & np.isfinite(values).all(axis=1)
        for row in np.flatnonzero(standing).tolist():
            standing[row] = not _dominated(values[row] * signs, found.values[found.groups == groups[row]] * signs)
        turned = self._turned(found, np.where(known.feasible[:, None], values, np.nan))
        return Verdict(standing, values, self._best(found), turned)

    def _best_rows(self, found: ExactFront) -> dict[int, list[int]]:
        """Of each group, the first of the front's rows that is best in each objective."""
        signed = found.values * _signs(self.objectives)
        rows = {group: np.flatnonzero(found.groups == group) for group in np.unique(found.groups).tolist()}
        return {group: own[np.argmax(signed[own], axis=0)].tolist() for group, own in rows.items()}

    def _turned(self, found: ExactFront, values: Array) -> NDArray[np.bool_]:
        """See :class:`Verdict`; ``values`` are those of the tested designs, NaN where one is infeasible."""
        signs = _signs(self.objectives)
        turned = np.zeros((len(self._firsts), len(self.objectives)), dtype=bool)
        for place, (group, firsts) in enumerate(self._firsts.items()):
            own = np.array([values[row, at] for at, row in enumerate(firsts)]) * signs
            others = found.values[found.groups == group] * signs
            turned[place] = np.isnan(own) | (others > own + ROUNDING * abs(own)).any(axis=0)
        return turned

    def _best(self, found: ExactFront) -> tuple[Best, ...]:
        firsts = np.argmax(found.values * _signs(self.objectives), axis=0).tolist() if found else []
        return tuple(Best(float(found.values[row, at]), found.design(row)) for at, row in enumerate(firsts))


class Evaluated(Rivals):
    """What a study evaluated competes in all objectives, completed over families; what was trained is as it was.

    Args:
        problem: as it stands.
        evaluations: of the study.

    Raises:
        InputError: no whole evaluation satisfies all constraints.
    """

    def __init__(self, problem: SimulatorProblem, evaluations: Iterable[Evaluation]) -> None:
        self.objectives = problem.objectives
        self._evaluations = [e for e in evaluations if counts(problem.outline, e) and not e.derived_from]
        families = replicates_of_families(self._evaluations)
        self._families = {family: averaged(problem.outline, found) for family, found in families.items()}
        self.designs = [point.design for point in front(problem, self._again(problem))]
        if not self.designs:
            raise InputError("the front of this study is empty: rex status says why", "--study")
        self.quick = problem.space.size <= QUICK

    def best(self, problem: SimulatorProblem) -> tuple[Best, ...]:
        return self._best(front(problem, self._again(problem)))

    def verdict(self, problem: SimulatorProblem, listener: Callable[[int], None] | None = None) -> Verdict:
        found = front(problem, self._again(problem))
        signs = _signs(self.objectives)
        values = np.full((len(self.designs), len(self.objectives)), np.nan)
        standing = np.zeros(len(self.designs), dtype=bool)
        for row, design in enumerate(self.designs):
            own = problem.answer(design, self._families[problem.family(design)])
            if own is not None and not own.failed:
                values[row] = [own.values[objective.name] for objective in self.objectives]
                standing[row] = own.violation == 0 and not _dominated(values[row] * signs, found.matrix * signs)
        if listener is not None:
            listener(1)
        return Verdict(standing, values, self._best(found))

    def _best(self, found: Front) -> tuple[Best, ...]:
        rows = np.argmax(found.matrix * _signs(self.objectives), axis=0).tolist() if len(found) else []
        return tuple(Best(float(found.matrix[row, at]), found[row].design) for at, row in enumerate(rows))

    def _again(self, problem: SimulatorProblem) -> list[Evaluation]:
        """The evaluations with what is computed computed anew; those that cannot be evaluated any more are left out."""
        again = [problem.answer(evaluation.design, evaluation) for evaluation in self._evaluations]
        return [evaluation for evaluation in again if evaluation is not None]


def _signs(objectives: Sequence[ObjectiveInfo]) -> Array:
    return np.array([objective.sign for objective in objectives], dtype=np.float64)


def _dominated(own: Array, others: Array) -> bool:
    """Whether one of ``others`` (to be made large) dominates."""
    return bool(((others >= own).all(axis=1) & (others > own).any(axis=1)).any())
