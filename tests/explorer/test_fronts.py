from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.fronts import Front, completion, derived_members, front
from explorer.outline import Outline
from explorer.points import Point
from explorer.problem import Problem
from explorer.results import Results
from explorer.space import Space
from simulators.protocol import Design, Fidelity, InputError, Integer
from tests.explorer.problems import SPACE, all_designs, area, evaluate, family_problem, latency
from tests.explorer.test_domination import dominates, infos
from tests.explorer.test_simulator_problem import deeptrain_problem, whole_energy

# -- against enumeration ----------------------------------------------------------------------------------------------

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


# -- replicates -------------------------------------------------------------------------------------------------------


def test_replicates_are_averaged_over_the_family_where_it_shares_the_objective() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    runs = [evaluate(problem, {"bn": "C2,C5"}, replicate=replicate) for replicate in range(3)]
    member = evaluate(problem, {"bn": "C2,C5", "reram_layers": 2})
    values = [run.values["accuracy"] for run in runs]
    assert len(set(values)) == 3
    for point in Results(problem.outline, [*runs, member, *derived_members(problem, runs[0])]):
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
    found = {point.design: point for point in Results(problem.outline, [*runs, member])}
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
    assert {Results(problem.outline, [run])[0].feasible for run in runs} == {True, False}
    assert Results(problem.outline, runs)[0].feasible == feasible
    found = front(problem, runs)
    assert all(point.feasible for point in found)
    assert any(point.derived_from for point in found) == feasible


# -- the front as a table ---------------------------------------------------------------------------------------------


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
    held_out = [point.held_out["test_accuracy"] for point in found.sorted_by("test_accuracy")]
    assert held_out == sorted(held_out, reverse=True), "named after accuracy: best first, by the mean that is shown"
    for name in ("accuracy", "area", "crossbar_size", "bn", "power_w", "test_accuracy"):
        values = [point.names[name] for point in found.sorted_by(name, descending=False)]
        assert values == sorted(values)
        assert [p.names[name] for p in found.sorted_by(name, descending=True)] == sorted(values, reverse=True)
    losses = [point.quantities.get("loss") for point in found.sorted_by("loss")]
    assert losses[-1] is None  # what is unknown comes last
    assert "loss" not in found.sorted_by("loss", descending=True)[-1].names
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
        assert bool(record["derived_from"]) == bool(point.derived_from)
        assert record["strategy"] == "tpe"
    assert {record["replicates"] for record in records} >= {1, 2}
    assert any("accuracy_spread" in record for record in records)
    for point, record in zip(found, records, strict=True):
        assert record.get("accuracy_error") == point.error.get("accuracy")
    assert any(point.error for point in found)
    assert "Pareto front" in str(found)


def test_a_derived_design_names_in_words_the_one_that_was_trained() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    trained = evaluate(problem, {"bn": "C2,C5"})
    records = front(problem, [trained]).records()
    origins = {record["derived_from"] for record in records}
    assert origins <= {"", problem.space.describe(trained.design)}
    assert problem.space.describe(trained.design) in origins


def test_whole_numbers_are_written_to_csv_without_a_point() -> None:
    outline = Outline(Space({"x": Integer(0, 9)}), infos(["maximize"]))
    point = Point(Design({"x": 1}), "x1", "", {"o0": 0.5}, {"count": 8.0, "size": 1e7, "share": 0.25, "least": 1e-9})
    (line,) = csv.DictReader(io.StringIO(Front(outline, [point]).to_csv()))
    assert {name: line[name] for name in ("x", "o0", "count", "size", "share", "least")} == {
        "x": "1", "o0": "0.5", "count": "8", "size": "10000000", "share": "0.25", "least": "1e-09",
    }  # fmt: skip


def test_counts_are_integers_in_json_and_quantities_with_a_unit_stay_numbers_of_their_own() -> None:
    outline = Outline(Space({"x": Integer(0, 9)}), infos(["maximize"]), units={"needed": "", "time_s": "s"})
    point = Point(Design({"x": 1}), "x1", "", {"o0": 0.5}, {"needed": 9099.0, "time_s": 2.0, "share": 0.25})
    text = Front(outline, [point]).to_json()
    assert '"needed": 9099,' in text
    assert '"time_s": 2.0,' in text
    assert json.loads(text)[0]["share"] == 0.25


def test_members_under_a_condition_have_the_mean_of_what_is_held_out() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    runs = [evaluate(problem, {"bn": "C2,C5"}, replicate=replicate) for replicate in range(3)]
    mean = np.mean([run.quantities["test_accuracy"] for run in runs])
    assert len({run.quantities["test_accuracy"] for run in runs}) > 1
    assert {member.quantities["test_accuracy"] for member in completion(problem, runs)} == {mean}


def test_an_empty_front_has_the_header_of_designs_and_objectives_in_csv() -> None:
    assert front(family_problem(), []).to_csv() == "design,bn,layers,size,accuracy,latency,area\n"


def test_a_front_tells_its_size_and_ranges() -> None:
    outline = Outline(Space({"x": Integer(0, 9)}), infos(["maximize", "minimize"]))
    some = [Point(Design({"x": i}), "", "", {"o0": i / 4, "o1": 3.0}) for i in (1, 2)]
    assert repr(Front(outline, some)) == "<Front of 2 designs: o0 0.25 to 0.5, o1 3>"
    assert repr(Front(outline, some[:1])) == "<Front of 1 design: o0 0.25, o1 3>"
    assert repr(Front(outline, [])) == "<Front of 0 designs>"


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
