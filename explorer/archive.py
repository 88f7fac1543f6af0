"""What a running search has so far: its evaluations and the front of them, kept up to date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from explorer.domination import Scale
from explorer.evaluation import Evaluation
from explorer.fronts import completion, derived_members, front_of, replicates_of_families
from explorer.points import Point, matrix
from explorer.problem import Problem
from explorer.results import Results, counts

__all__ = ["Archive"]


class Archive:
    """The front of a running search, kept up to date as evaluations arrive.

    Args:
        problem: what is searched.
        evaluations: those of an earlier run, derived ones included.
    """

    def __init__(self, problem: Problem, evaluations: Iterable[Evaluation] = ()) -> None:
        self.problem = problem
        self.evaluations: list[Evaluation] = list(evaluations)
        self.scale = Scale.of(problem, self.evaluations)
        counted = [evaluation for evaluation in self.evaluations if counts(problem.outline, evaluation)]
        self._replicates = replicates_of_families(counted)
        self._known = {evaluation.design for evaluation in counted}
        self._hypervolume: float | None = None
        self._replace(Results(problem.outline, counted))

    def add(self, evaluation: Evaluation) -> list[Evaluation]:
        """Take in an evaluation.

        Returns:
            The members of families that came to the front with it and were not known before.
        """
        self.evaluations.append(evaluation)
        self._rescale(evaluation)
        outline = self.problem.outline
        if not counts(outline, evaluation):
            return []
        self._known.add(evaluation.design)
        replicates = self._replicates.setdefault(evaluation.family, {})
        is_first = not replicates
        means_move = evaluation.replicate > 0 or not (is_first or 0 in replicates)
        replicates.setdefault(evaluation.replicate, evaluation)
        if means_move:  # values may have got worse: members that were dominated so far, of any family, may come back
            derived = completion(self.problem, self.evaluations)
            self._replace(Results(outline, [*self.evaluations, *derived]))
        else:
            derived = derived_members(self.problem, evaluation) if is_first else []
            own = {evaluation.design, *(member.design for member in derived)}
            found = Results(outline, [*replicates.values(), evaluation, *derived])
            self._join([point for point in found if point.design in own])
        kept = [member for member in derived if member.design in self._on_front - self._known]
        self.evaluations.extend(kept)
        self._known.update(member.design for member in kept)
        return kept

    def _join(self, found: Sequence[Point]) -> None:
        """Put points on the front if they belong there."""
        signs = [objective.sign for objective in self.front.outline.objectives]
        front, values = self.front.matrix * signs, matrix(found, self.front.outline.objectives) * signs
        replaced = {point.design for point in found}
        dominated = all((front >= row).all(axis=1).any() and not (front == row).all(axis=1).any() for row in values)
        if dominated and self._on_front.isdisjoint(replaced):
            return  # as for most points: no need to compare those of the front with each other
        self._replace([*(point for point in self.front if point.design not in replaced), *found])

    def _replace(self, found: Sequence[Point]) -> None:
        self.front = front_of(self.problem.outline, found)
        self._on_front = {point.design for point in self.front}
        self._hypervolume = None

    def _rescale(self, evaluation: Evaluation) -> None:
        scale = self.scale.widened(evaluation)
        if scale is not self.scale:
            self.scale, self._hypervolume = scale, None

    @property
    def hypervolume(self) -> float:
        """The share of the scale's box that the front dominates, 0 to 1."""
        if self._hypervolume is None:
            self._hypervolume = self.scale.hypervolume(self.front.matrix)
        return self._hypervolume
