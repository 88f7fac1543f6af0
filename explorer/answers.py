"""Proposals that need no worker: what their family's trainings have answered already, or are about to answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from explorer.evaluation import Evaluation, Proposal
from explorer.outline import Outline
from explorer.problem import Problem

__all__ = ["IMPORTED", "SOURCE", "Answers", "without_answered"]

IMPORTED = "imported"
"""The strategy of evaluations that were made elsewhere, see :mod:`explorer.importing`."""

SOURCE = "imported_from"
"""What names their source in their provenance."""


class Answers:
    """What finished evaluations say of the members of their families, and which families are waited for.

    Args:
        problem: whose families they are.
        evaluations: those that are finished.
    """

    def __init__(self, problem: Problem, evaluations: Iterable[Evaluation] = ()) -> None:
        self._problem = problem
        self._found: dict[tuple[str, int, int | None], Evaluation] = {}
        self._running: dict[tuple[str, int, int | None], int | None] = {}  # with their fidelities
        for evaluation in evaluations:
            self._add(evaluation)

    def begin(self, proposal: Proposal) -> None:
        """Say that a proposal is run."""
        self._running[self._training(proposal)] = proposal.fidelity

    def end(self, evaluation: Evaluation) -> None:
        """Take in an evaluation that was run."""
        self._running.pop(self._training(evaluation), None)
        self._add(evaluation)

    def answer(self, proposal: Proposal) -> Evaluation | None:
        """The evaluation of a member whose family was evaluated at the same fidelity; None if it has to be run."""
        family = self._problem.family(proposal.design)
        found = self._found.get((family, proposal.replicate, proposal.fidelity))
        answered = self._problem.answer(proposal.design, found) if found and self._problem.expensive else None
        return answered and answered.proposed_by(proposal.strategy)

    def awaits(self, proposal: Proposal) -> bool:
        """Whether what runs now is the training that a proposal would repeat or go on with."""
        return self._training(proposal) in self._running

    def is_due(self, proposal: Proposal) -> bool:
        """Whether what runs now will answer a proposal that awaits it."""
        return self._running[self._training(proposal)] == proposal.fidelity

    def _training(self, evaluation: Proposal | Evaluation) -> tuple[str, int, int | None]:
        """Names what cannot be run twice at a time; of one training with checkpoints that is any number of epochs."""
        fidelity = None if self._problem.continues else evaluation.fidelity
        return self._problem.family(evaluation.design), evaluation.replicate, fidelity

    def _add(self, evaluation: Evaluation) -> None:
        if not (evaluation.failed or evaluation.derived_from):
            self._found.setdefault((evaluation.family, evaluation.replicate, evaluation.fidelity), evaluation)


def without_answered(outline: Outline, evaluations: Iterable[Evaluation]) -> Iterator[Evaluation]:
    """The evaluations of a study that were run, which its budget counts: without those that :class:`Answers` answered,
    and those that were made elsewhere.

    Args:
        outline: of the study.
        evaluations: in order of arrival.
    """
    found = set[tuple[str, int, int | None]]()
    for evaluation in evaluations:
        training = evaluation.family, evaluation.replicate, evaluation.fidelity
        if evaluation.derived_from or (training in found and not (evaluation.failed or outline.exact)):
            continue
        if not evaluation.failed:
            found.add(training)
        if SOURCE not in evaluation.provenance:
            yield evaluation
