from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.archive import Archive, Front, Point, Scale, derived_members, front, front_of, nondominated, points
from explorer.evaluation import Evaluation
from explorer.outline import ObjectiveInfo, Outline
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import Design, Fidelity, InputError, Integer
from tests.explorer.problems import SPACE, all_designs, area, evaluate, family_problem, latency
from tests.explorer.simulators import Counting, FormulaTraining, bench_problem, objectives
from tests.explorer.test_simulator_problem import deeptrain_problem, whole_energy


def infos(directions: Sequence[str]) -> tuple[ObjectiveInfo, ...]:
    return tuple(ObjectiveInfo(f"o{i}", direction) for i, direction in enumerate(directions))  # type: ignore[arg-type]  # one of the two words


def dominates(one: Sequence[float], other: Sequence[float], found: Sequence[ObjectiveInfo]) -> bool:
    gains = [o.sign * (a - b) for o, a, b in zip(found, one, other, strict=True)]
    return min(gains) >= 0 and max(gains) > 0


directions = st.lists(st.sampled_from(["maximize", "minimize"]), min_size=1, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[ObjectiveInfo, ...], NDArray[np.float64]]:
    """Objectives and points with many ties."""
    found = infos(draw(directions))
    row = st.tuples(*[st.integers(-2, 2)] * len(found))
    return found, np.array(draw(st.lists(row, max_size=25)), dtype=float).reshape(-1, len(found))


# -- domination -----------------------------------------------------------------------------------------------------


@given(tables())
def test_nondominated_is_what_no_other_point_dominates_and_of_equal_ones_the_first(table: Any) -> None:
    found, values = table
    expected = [
        not any(dominates(other, row, found) for other in values) and not (values[:i] == row).all(axis=1).any()
        for i, row in enumerate(values)
    ]
    assert nondominated(values, found).tolist() == expected


# -- hypervolume ----------------------------------------------------------------------------------------------------


def test_a_known_hypervolume() -> None:
    scale = Scale(infos(["maximize", "minimize"]), (0.0, 10.0), (1.0, 20.0))
    points = np.array([[0.5, 12.0], [1.0, 15.0], [0.5, 13.0], [0.0, 10.0], [0.9, 25.0]])
    # to be made large: (0.5, 0.8), (1.0, 0.5), then a dominated one, one at the edge of the box and one outside
    assert scale.hypervolume(points) == pytest.approx(0.5 * 0.8 + 0.5 * 0.5)
    assert scale.hypervolume(points[:0]) == 0.0
    assert scale.hypervolume(np.array([[1.0, 10.0]])) == 1.0


def test_the_hypervolume_of_a_grid_is_counted() -> None:
    scale = Scale(infos(["maximize", "minimize", "maximize"]), (0.0,) * 3, (4.0,) * 3)
    values = np.array([[1.0, 1.0, 3.0], [3.0, 3.0, 2.0], [2.0, 2.0, 2.0], [4.0, 2.0, 1.0]])
    cells = np.indices((4, 4, 4)).reshape(3, -1).T + 0.5
    inside = [any(x < v[0] and y < 4 - v[1] and z < v[2] for v in values) for x, y, z in cells]
    assert scale.hypervolume(values) == pytest.approx(sum(inside) / 64)


@given(tables(), st.integers(0, 10**6))
def test_hypervolume_is_a_share_and_never_falls_when_points_are_added(table: Any, seed: int) -> None:
    found, values = table
    low = np.random.default_rng(seed).integers(-3, 1, len(found)).astype(float)
    scale = Scale(found, tuple(low), tuple(low + 3.0))
    volumes = [scale.hypervolume(values[:count]) for count in range(len(values) + 1)]
    assert volumes == pytest.approx(sorted(volumes))
    assert all(0.0 <= volume <= 1.0 + 1e-12 for volume in volumes)
    assert scale.hypervolume(values[nondominated(values, found)]) == pytest.approx(volumes[-1])


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


# -- fronts against enumeration -------------------------------------------------------------------------------------

PROBLEMS = {
    "plain": family_problem(),
    "constrained": family_problem(constraints=["accuracy >= 0.55", "latency <= 3.5"]),
    "mixed constraint": family_problem(constraints=["accuracy >= 0.2 + latency / 5", "area / accuracy <= 600"]),
    "best members violate": family_problem(constraints=["area * latency / accuracy >= 400"]),
    "all cheap": family_problem(
        functions={"latency": latency, "area": area},
        directions={"latency": "minimize", "area": "minimize"}, reads=None,
    ),
    "none feasible": family_problem(constraints=["accuracy >= 2"]),
    "no family": family_problem(reads=None),
}  # fmt: skip


def by_hand(problem: Problem, designs: Sequence[Design]) -> set[tuple[float, ...]]:
    """Objective values of the front of designs, by comparing all with all."""
    evaluations = [evaluate(problem, design) for design in designs]
    rows = {tuple(e.values[o.name] for o in problem.objectives) for e in evaluations if e.feasible}
    return {row for row in rows if not any(dominates(other, row, problem.objectives) for other in rows)}


def rows(found: Front) -> set[tuple[float, ...]]:
    values = [tuple(row) for row in found.matrix.tolist()]
    assert len(set(values)) == len(values)
    return set(values)


@pytest.mark.parametrize("name", PROBLEMS)
@given(data=st.data())
@settings(max_examples=25)
def test_a_front_completed_over_families_is_that_of_all_designs_of_trained_families(
    name: str, data: st.DataObject
) -> None:
    problem = PROBLEMS[name]
    everything = all_designs(problem)
    trained = data.draw(st.lists(st.sampled_from(everything), max_size=8, unique=True))
    families = {problem.family(design) for design in trained}
    opened = [design for design in everything if problem.family(design) in families]
    found = front(problem, [evaluate(problem, design) for design in trained])
    assert rows(found) == by_hand(problem, opened)
    for point in found:
        assert bool(point.derived_from) == (point.design not in trained)
        assert point.values == evaluate(problem, point.design).values
        assert point.label == problem.space.describe(point.design)


def test_failed_and_low_fidelity_evaluations_are_not_on_a_front() -> None:
    problem = family_problem()
    low = evaluate(problem, {"bn": "110"}, fidelity=19)
    failed = replace(evaluate(problem, {"bn": "111"}), failure="it broke", values={})
    assert len(front(problem, [low, failed])) == 0
    assert len(front(problem, [])) == 0
    assert str(front(problem, [])) == "Pareto front: 0 designs"
    archive = Archive(problem)
    assert archive.add(low) == archive.add(failed) == []
    assert len(archive.front) == 0
    assert archive.hypervolume == 0.0


def test_of_designs_with_equal_values_the_evaluated_one_stays() -> None:
    problem = Problem.from_functions(
        SPACE, {"a": lambda design: sum(design["bn"]), "b": lambda _: 1.0},
        directions={"a": "maximize", "b": "minimize"}, cheap={"b"}, reads={"a": ["bn"]},
    )  # fmt: skip
    evaluation = evaluate(problem, {"bn": "110", "layers": 3, "size": 128})
    assert [point.design for point in front(problem, [evaluation])] == [evaluation.design]
    archive = Archive(problem)
    archive.add(evaluation)
    assert [point.design for point in archive.front] == [evaluation.design]


# -- replicates -----------------------------------------------------------------------------------------------------


def test_replicates_are_averaged_over_the_family_where_it_shares_the_objective() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    runs = [evaluate(problem, {"bn": "C2,C5"}, replicate=replicate) for replicate in range(3)]
    member = evaluate(problem, {"bn": "C2,C5", "reram_layers": 2})
    values = [run.values["accuracy"] for run in runs]
    assert len(set(values)) == 3
    for point in points(problem.outline, [*runs, member, *derived_members(problem, runs[0])]):
        assert point.values["accuracy"] == pytest.approx(np.mean(values))
        assert point.spread["accuracy"] == pytest.approx(np.std(values, ddof=1))
        assert set(point.spread) == {"accuracy"}
        assert point.replicates == 3
        assert point.held_out["test_accuracy"] == pytest.approx(np.mean(values) - 0.01)
        known = problem.known(problem.space.designs([point.design]))
        assert point.values["latency"] == known.objectives["latency"][0]


def test_an_objective_that_members_do_not_share_is_averaged_over_the_design_alone() -> None:
    problem = deeptrain_problem("accuracy", whole_energy)
    runs = [evaluate(problem, {"bn": "C2,C5"}, replicate=replicate) for replicate in range(3)]
    member = evaluate(problem, {"bn": "C2,C5", "reram_layers": 2})
    found = {point.design: point for point in points(problem.outline, [*runs, member])}
    own, other = found[runs[0].design], found[member.design]
    assert own.values["whole_energy"] == pytest.approx(np.mean([run.values["whole_energy"] for run in runs]))
    assert other.values["whole_energy"] == member.values["whole_energy"]
    assert own.values["accuracy"] == other.values["accuracy"]
    assert set(own.spread) == {"accuracy", "whole_energy"}
    assert set(other.spread) == {"accuracy"}


@pytest.mark.parametrize(("values", "feasible"), [((0.4, 0.6), True), ((0.6, 0.3), False)])
def test_feasibility_is_that_of_the_mean(values: tuple[float, ...], feasible: bool) -> None:
    problem = deeptrain_problem("accuracy", "latency", "area", constraints=["accuracy >= 0.48"])
    runs = [evaluate(problem, {"bn": "C2,C5"}, replicate=replicate) for replicate in range(2)]
    runs = [replace(run, values={**run.values, "accuracy": value}) for run, value in zip(runs, values, strict=True)]
    assert {points(problem.outline, [run])[0].feasible for run in runs} == {True, False}
    assert points(problem.outline, runs)[0].feasible == feasible
    found = front(problem, runs)
    assert all(point.feasible for point in found)
    assert any(point.derived_from for point in found) == feasible


# -- the archive ----------------------------------------------------------------------------------------------------

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
    assert set_of(front_of(problem.outline, points(problem.outline, saved))) == set_of(archive.front)
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


# -- the front as a table -------------------------------------------------------------------------------------------


def a_front() -> Front:
    problem = deeptrain_problem("accuracy", "latency", "area")
    runs = [evaluate(problem, {"bn": bits}, strategy="tpe") for bits in ("C2,C5", "all", "none")]
    again = [evaluate(problem, {"bn": "C2,C5"}, replicate=1)]
    return front(problem, [*runs, *again])


def test_a_front_is_sorted_best_first_by_objective_and_smallest_first_otherwise() -> None:
    found = a_front()
    assert len(found) > 3
    for name, sign in (("accuracy", -1), ("latency", 1), ("area", 1)):
        values = [sign * point.values[name] for point in found.sorted_by(name)]
        assert values == sorted(values)
    for name in ("crossbar_size", "bn"):
        values = [point.design[name] for point in found.sorted_by(name)]  # type: ignore[misc]  # all of one kind
        assert values == sorted(values)
    powers = [point.quantities["power_w"] for point in found.sorted_by("power_w")]
    assert powers == sorted(powers)
    losses = [point.quantities.get("loss") for point in found.sorted_by("loss")]
    assert losses[-1] is None  # what is unknown comes last
    with pytest.raises(InputError, match="did you mean 'latency'"):
        found.sorted_by("latancy")


def test_a_front_reads_the_same_as_json_csv_and_data_frame() -> None:
    found = a_front()
    records = json.loads(found.to_json())
    assert len(records) == len(found) == len(found.to_pandas())
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    for point, record, line in zip(found, records, lines, strict=True):
        assert record["design"] == line["design"] == point.label
        assert record["accuracy"] == point.values["accuracy"] == float(line["accuracy"])
        assert record["bn"] == str(point.design["bn"]) == line["bn"]
        assert record["replicates"] == point.replicates == int(line["replicates"])
        assert record["test_accuracy"] == point.held_out["test_accuracy"]
        assert record["derived_from"] == point.derived_from
        assert record["strategy"] == "tpe"
    assert {record["replicates"] for record in records} >= {1, 2}
    assert any("accuracy_spread" in record for record in records)
    assert "Pareto front" in str(found)


def test_representatives_are_those_that_the_hypervolume_would_miss_most() -> None:
    outline = Outline(Space({"x": Integer(0, 9)}), infos(["maximize", "maximize"]))
    values = [(1.0, 0.1), (0.6, 0.6), (0.1, 1.0), (0.61, 0.59)]
    found = Front(outline, [Point(Design({"x": i}), str(i), "", {"o0": a, "o1": b}) for i, (a, b) in enumerate(values)])
    scale = Scale(outline.objectives, (0.0, 0.0), (1.0, 1.0))
    assert found.representatives(1, scale)[0].label == "1"
    assert {point.label for point in found.representatives(3, scale)} == {"0", "1", "2"}
    assert len(found.representatives(9, scale)) == 4
    assert len(Front(outline, []).representatives(3, scale)) == 0


def test_a_family_is_derived_at_the_chosen_fidelity_only() -> None:
    problem = family_problem(fidelity=Fidelity("epochs", 2, 5))
    assert len(front(problem, [evaluate(problem, {"bn": "110"}, fidelity=5)])) > 1
    assert len(front(problem, [evaluate(problem, {"bn": "110"}, fidelity=4)])) == 0
