"""Searches that repeat exactly though workers race: ``reproducible: true``."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.evaluation import Evaluation, Proposal
from tests.explorer.problems import all_designs, family_problem
from tests.explorer.runs import Heard, Listed, Run, every_training


class Curious(Heard):
    """What it proposes depends on all that it has heard so far."""

    def suggest(self, count: int) -> list[Proposal]:
        for evaluation in self.finished:
            self._rng.random(1 + int(100 * evaluation.values.get("latency", 0)) % 7)
        self._drawn = iter(())  # of what was drawn before nothing is kept
        return super().suggest(count)


@pytest.mark.parametrize("workers", [1, 2, 5])
@pytest.mark.parametrize("initial", [0, 1, 9])
def test_in_order_the_speed_of_workers_does_not_change_what_is_proposed(workers: int, initial: int) -> None:
    problem = every_training()
    first = [Proposal(design, 20) for design in all_designs(problem)[:initial]]

    def proposed(speed: int, in_order: bool) -> set[str]:
        def duration_s(evaluation: Evaluation) -> float:
            return 1.0 + evaluation.seed % speed

        run = Run(
            problem, 30, workers, strategy=Curious(problem), duration_s=duration_s, initial=first, in_order=in_order
        )
        assert len(run.evaluations) == 30
        return {evaluation.key for evaluation in run.evaluations}

    assert proposed(1, True) == proposed(7, True) == proposed(13, True)
    if workers > 1:
        assert not proposed(1, False) == proposed(7, False) == proposed(13, False)


class Patient(Curious):
    """Proposes at most four before it has heard of them all."""

    def suggest(self, count: int) -> list[Proposal]:
        return [] if len(self._taken) - len(self.finished) >= 4 else super().suggest(count)


def test_who_waits_for_results_is_asked_again_once_all_are_there_at_any_speed() -> None:
    def proposed(speed: int, in_order: bool) -> list[str]:
        problem = every_training()
        run = Run(
            problem, 24, 6, strategy=Patient(problem), in_order=in_order,
            duration_s=lambda evaluation: 1.0 + evaluation.seed % speed,
        )  # fmt: skip
        return sorted(evaluation.key for evaluation in run.evaluations)

    assert len(proposed(5, False)) == 24
    assert len(proposed(1, True)) == 24
    assert proposed(1, True) == proposed(7, True) == proposed(13, True)


def test_in_order_one_result_is_told_for_each_proposal_and_workers_are_kept_busy() -> None:
    run = Run(every_training(), 30, 3, in_order=True, ahead=1, duration_s=lambda _: 1.0)
    assert run.strategy.asked == [1] * 30
    assert [len(running) for running in run.strategy.running] == [0, 1, 2] + [3] * 27
    assert len(run.strategy.finished) == 30 - 4
    assert run.pool.now() == 10.0  # no worker ever waits where all are equally fast


@pytest.mark.parametrize("continues", [False, True])
@pytest.mark.parametrize("budget", [4, 7])
def test_in_order_members_of_families_are_the_same_at_any_speed(continues: bool, budget: int) -> None:
    """Though some are answered, some wait for the training of their family, and some go on with it."""
    problem = family_problem()
    rng = np.random.default_rng(budget)
    designs = all_designs(problem)
    order = rng.permutation(len(designs))[:30]
    listed = [Proposal(designs[index], int(rng.choice([5, 20]))) for index in order]

    def found(speed: int, workers: int) -> list[tuple[str, float]]:
        def duration_s(evaluation: Evaluation) -> float:
            return 1.0 + (evaluation.seed + (evaluation.fidelity or 0)) % speed

        own = family_problem(continues=continues)
        run = Run(own, budget, workers, strategy=Listed(own, listed), duration_s=duration_s, in_order=True)
        assert run.progress[-1].finished == budget
        return sorted((evaluation.key, evaluation.cost) for evaluation in run.evaluations)

    for workers in (2, 3, 5):
        assert found(1, workers) == found(7, workers) == found(13, workers)
