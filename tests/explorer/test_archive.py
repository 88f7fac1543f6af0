from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.evaluation import Evaluation
from explorer.fronts import front, front_of
from explorer.points import Point
from explorer.problem import Problem
from explorer.results import Results
from simulators.protocol import Design
from tests.explorer.problems import SPACE, evaluate, family_problem
from tests.explorer.simulators import Counting, FormulaTraining, bench_problem, objectives
from tests.explorer.test_simulator_problem import deeptrain_problem, whole_energy

NOISY = {
    "shared": bench_problem(
        {"counting": Counting(), "training": FormulaTraining()}, objectives("accuracy", "latency", "area"),
        constraints=["accuracy >= 0.5", "size <= 128"],
    ),
    "mixed": deeptrain_problem("accuracy", whole_energy, "area", constraints=["whole_energy <= 6 mJ"]),
}  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> tuple[Problem, list[Evaluation]]:
    """Evaluations of a few families in any order: members, replicates, failures, low fidelities."""
    problem = NOISY[draw(st.sampled_from(sorted(NOISY)))]
    bits = draw(st.lists(st.sampled_from(["11111111", "00100001", "00000011", "11011110"]), min_size=1, max_size=3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    found: dict[str, Evaluation] = {}
    for _ in range(draw(st.integers(1, 10))):
        member = problem.space.unpack(problem.sample(rng, 1))[0]
        design = problem.space.design({**member, "bn": str(rng.choice(bits))})
        replicate, fidelity = int(rng.choice([0, 0, 0, 1, 2])), int(rng.choice([10, 10, 10, 10, 5]))
        evaluation = evaluate(problem, design, replicate=replicate, fidelity=fidelity)
        if rng.random() < 0.1:
            evaluation = replace(evaluation, failure="broke", values={})
        found[evaluation.key] = evaluation
    first, history = set[str](), []
    for evaluation in draw(st.permutations(list(found.values()))):
        if evaluation.replicate == 0 and not evaluation.failed and evaluation.fidelity == 10:
            first.add(evaluation.family)
        if evaluation.replicate == 0 or evaluation.family in first:  # a search repeats what has succeeded
            history.append(evaluation)
    return problem, history


@given(histories())
@settings(max_examples=80, deadline=None)
def test_an_archive_is_always_the_front_from_scratch(history: tuple[Problem, list[Evaluation]]) -> None:
    problem, evaluations = history
    archive = Archive(problem)
    saved: list[Evaluation] = []
    for count, evaluation in enumerate(evaluations, 1):
        kept = archive.add(evaluation)
        saved += [evaluation, *kept]
        scratch = front(problem, evaluations[:count])
        assert set_of(archive.front) == set_of(scratch)
        assert all(member.derived_from and not member.failed for member in kept)
    assert archive.evaluations == saved
    assert len({(evaluation.key, bool(evaluation.derived_from)) for evaluation in saved}) == len(saved)
    # what was stored is enough to see the same front again, and to go on
    assert set_of(front_of(problem.outline, Results(problem.outline, saved))) == set_of(archive.front)
    assert set_of(Archive(problem, saved).front) == set_of(archive.front)


def set_of(found: Sequence[Point]) -> dict[Design, tuple[Any, ...]]:
    return {
        point.design: (*(f"{value:.9g}" for value in point.values.values()), point.replicates, bool(point.derived_from))
        for point in found
    }


def test_an_archive_returns_what_came_to_the_front_and_was_not_known() -> None:
    problem = family_problem()
    archive = Archive(problem)
    first = archive.add(evaluate(problem, {"bn": "110"}))
    assert first
    own = archive.evaluations[0].design
    assert {point.design for point in archive.front} - {own} == {member.design for member in first}
    assert archive.add(evaluate(problem, first[0].design)) == []  # evaluated although it was known
    assert [point.derived_from for point in archive.front if point.design == first[0].design] == [""]
    assert archive.add(evaluate(problem, {"bn": "011"})) == []  # dominated with its whole family
    resumed = Archive(problem, archive.evaluations)
    assert resumed.add(evaluate(problem, first[1].design)) == []
    assert set_of(resumed.front).keys() == set_of(archive.front).keys()


def test_what_an_evaluation_found_counts_more_than_what_was_derived() -> None:
    problem = deeptrain_problem("accuracy", whole_energy, "area")
    archive = Archive(problem)
    first = evaluate(problem, {"bn": "C2,C5"})
    member = archive.add(first)[0]
    worse = evaluate(problem, member.design)
    worse = replace(worse, values={**worse.values, "whole_energy": worse.values["whole_energy"] * 1.001})
    archive.add(worse)
    assert set_of(archive.front) == set_of(front(problem, [first, worse]))
    shown = [point.values for point in archive.front if point.design == member.design]
    assert shown == [worse.values]


def test_a_member_that_was_dominated_comes_back_when_replicates_bring_the_better_one_down() -> None:
    problem = NOISY["shared"]
    strong, weak = (evaluate(problem, {"bn": bits, "tiles": 2}) for bits in ("00100011", "00000011"))
    strong = replace(strong, values={**strong.values, "accuracy": 0.9})
    archive = Archive(problem)
    archive.add(strong)
    assert archive.add(weak) == []
    assert {point.family for point in archive.front} == {strong.family}
    unlucky = replace(evaluate(problem, strong.design, replicate=1), values={**strong.values, "accuracy": 0.0})
    back = archive.add(unlucky)
    assert {point.family for point in archive.front} >= {weak.family}
    assert {member.family for member in back} == {weak.family}


# -- its scale --------------------------------------------------------------------------------------------------------


def test_the_scale_of_expensive_objectives_without_bounds_follows_what_is_seen() -> None:
    """A loss of some thousands is no outlier just because accuracies go from 0 to 1."""
    problem = Problem.from_functions(
        SPACE,
        {"loss": lambda design: 5000.0 - 1000 * sum(design["bn"]), "width": lambda design: float(design["size"])},
        directions={"loss": "minimize", "width": "minimize"},
        cheap={"width"},
    )
    archive = Archive(problem)
    assert archive.hypervolume == 0.0
    volumes = []
    for bits in ("000", "100", "110", "111"):
        archive.add(evaluate(problem, {"bn": bits, "size": 64}))
        volumes.append(archive.hypervolume)
    assert archive.scale.low == (2000.0, 64.0)
    assert archive.scale.high == (5000.0, 128.0)
    assert volumes[-1] == 1.0
    assert Archive(problem, archive.evaluations).hypervolume == 1.0
    assert Scale.of(problem, archive.evaluations) == archive.scale


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (0.0, float("inf")), (float("-inf"), 1.0)])
def test_bounds_make_the_scale_where_they_are_finite(bounds: tuple[float, float]) -> None:
    problem = family_problem()
    accuracy = replace(problem.objectives[0], bounds=bounds)
    problem.objectives = (accuracy, *problem.objectives[1:])
    archive = Archive(problem)
    for bits in ("000", "110"):
        archive.add(evaluate(problem, {"bn": bits}))
    low, high = archive.scale.low[0], archive.scale.high[0]
    seen = [evaluation.values["accuracy"] for evaluation in archive.evaluations]
    assert low == (bounds[0] if np.isfinite(bounds[0]) else min(seen))
    assert high == (bounds[1] if np.isfinite(bounds[1]) else max(seen))
    assert 0 < archive.hypervolume <= 1
