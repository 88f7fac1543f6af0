from __future__ import annotations

import numpy as np
import pytest

from explorer.archive import Archive
from explorer.comparison import compare
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from simulators.protocol import Bits
from tests.explorer.problems import evaluate, family_problem
from tests.explorer.simulators import FormulaTraining
from tests.explorer.test_simulator_problem import deeptrain_problem, whole_energy

INITIAL = ("11111111", "00000000")


def searched(problem: Problem, found: list[tuple[str, int]]) -> tuple[Archive, list[Proposal], list[Evaluation]]:
    """Initial designs, then placements with so many replicates each."""
    initial = [Proposal(problem.space.design({"bn": bits}), 10, strategy="initial") for bits in INITIAL]
    archive = Archive(problem)
    evaluations = [problem.evaluate(proposal) for proposal in initial]
    for bits, count in found:
        evaluations += [
            evaluate(problem, {"bn": bits}, replicate=replicate, strategy="tpe") for replicate in range(count)
        ]
    for evaluation in sorted(evaluations, key=lambda e: e.replicate):
        archive.add(evaluation)
    return archive, initial, evaluations


def test_a_design_stands_beside_the_initial_designs_on_its_own_chip() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area", whole_energy)
    archive, initial, _ = searched(problem, [("00100001", 1), ("01000011", 1)])
    comparisons = compare(problem, archive, initial)
    assert comparisons
    for comparison in comparisons:
        assert all(point in list(archive.front) for point in comparison.chosen)
        assert [str(point.design["bn"]) for point in comparison.others] == list(INITIAL)
        for point in comparison.others:
            own = {name: value for name, value in point.design.items() if name != "bn"}
            assert own == {name: value for name, value in comparison.chosen[0].design.items() if name != "bn"}
            assert problem.space.describe(own) == comparison.chip
            again = evaluate(problem, point.design)  # never run by the search, yet exactly this:
            assert dict(point.values) == pytest.approx(again.values)


def test_designs_whose_families_were_trained_most_are_compared_with_their_means() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    archive, initial, evaluations = searched(problem, [("00000111", 3), ("01000011", 1), ("00001111", 3)])
    comparisons = compare(problem, archive, initial, count=3)
    assert len(comparisons) == 3
    for point in (point for comparison in comparisons for point in comparison.chosen):
        assert point.replicates == 3
        runs = [e.values["accuracy"] for e in evaluations if e.family == point.family]
        assert point.values["accuracy"] == pytest.approx(np.mean(runs))


def test_initial_designs_are_not_compared_with_themselves() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    archive, initial, _ = searched(problem, [])
    assert len(archive.front) > 0
    assert compare(problem, archive, initial) == []


def test_without_initial_designs_the_others_are_empty() -> None:
    problem = deeptrain_problem("accuracy", "latency")
    archive, _, _ = searched(problem, [("00000111", 1)])
    comparisons = compare(problem, archive, [])
    assert comparisons
    assert all(comparison.others == () for comparison in comparisons)


def test_an_initial_design_that_failed_or_does_not_fit_the_chip_is_left_out() -> None:
    problem = family_problem(constraints=["layers + sum(bn) <= 4"])
    archive = Archive(problem)
    archive.add(evaluate(problem, {"bn": "110"}))
    archive.add(evaluate(problem, {"bn": "111"}))
    initial = [Proposal(problem.space.design({"bn": bits}), 20) for bits in ("111", "000")]  # 000 was never trained
    by_layers = {c.chosen[0].design["layers"]: c for c in compare(problem, archive, initial)}
    assert [point.design["bn"] for point in by_layers[1].others] == [Bits("111")]
    assert by_layers[2].others == ()  # all bits on two layers are outside the space


def test_nothing_is_trained_to_compare() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    archive, initial, evaluations = searched(problem, [("00000111", 1)])
    training = problem.simulators["training"]
    assert isinstance(training, FormulaTraining)
    before = len(training.asked)
    compare(problem, archive, initial)
    assert len(training.asked) == before == len(evaluations)


def test_each_chip_is_shown_once_with_its_most_accurate_designs() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area", whole_energy)
    archive, initial, _ = searched(problem, [("00100001", 1), ("01000011", 1), ("00000001", 1), ("00000111", 1)])
    comparisons = compare(problem, archive, initial)
    chips = [comparison.chip for comparison in comparisons]
    assert len(set(chips)) == len(chips) > 1
    trained = {problem.family(proposal.design) for proposal in initial}
    for comparison in comparisons:
        own = {name: value for name, value in comparison.chosen[0].design.items() if name != "bn"}
        there = [
            point.values["accuracy"]
            for point in archive.front
            if point.family not in trained and {k: v for k, v in point.design.items() if k != "bn"} == own
        ]
        assert [point.values["accuracy"] for point in comparison.chosen] == sorted(there, reverse=True)[:3]
    assert max(len(comparison.chosen) for comparison in comparisons) > 1
