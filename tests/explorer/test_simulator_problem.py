from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from explorer.fronts import derived_members, front
from explorer.outline import Outline
from explorer.simulator_problem import Bench, SimulatorProblem, needed_simulators
from explorer.space import Space
from objectives import objective
from simulators.protocol import BinaryVector, Categorical, Designs, InputError, Integer, Report
from tests.explorer.problems import all_designs, evaluate
from tests.explorer.simulators import WORKLOAD, Counting, DeepTrain, FormulaTraining, bench_problem, objectives

SPACE = Space(
    {
        "bn": BinaryVector(8, "C"), "reram_layers": Integer(1, 3), "gpu_layers": Integer(1, 2),
        "crossbar_size": Categorical([64, 128]),
    },
    ["reram_layers + gpu_layers <= 4"],
)  # fmt: skip


@objective(direction="minimize", unit="J")
def whole_energy(training: Report, deeptrain: Report) -> Any:
    """Reads both kinds of reports: it differs between the members of a family."""
    return training.effort * 1e-3 + deeptrain.energy_j * training.accuracy


@objective(direction="minimize")
def layers(designs: Designs) -> Any:
    return designs["reram_layers"] + designs["gpu_layers"]


def deeptrain_problem(*wanted: Any, **options: Any) -> SimulatorProblem:
    simulators = {"deeptrain": DeepTrain(), "training": FormulaTraining()}
    return bench_problem(simulators, objectives(*wanted), SPACE, **options)


# -- what each objective reads --------------------------------------------------------------------------------------


def test_objectives_are_told_apart_by_what_they_read() -> None:
    problem = deeptrain_problem("accuracy", "latency", whole_energy, layers)
    found = {o.name: (o.cheap, o.shared) for o in problem.objectives}
    assert found == {
        "accuracy": (False, True), "latency": (True, False), "whole_energy": (False, False), "layers": (True, False),
    }  # fmt: skip
    assert problem.reads == ("bn",)
    assert problem.full_fidelity == 10
    assert problem.outline.fidelity_name == "epochs"
    assert problem.objectives[0].bounds == (0.0, 1.0)


def test_an_evaluation_holds_both_reports_and_what_was_paid() -> None:
    problem = deeptrain_problem("accuracy", "latency", whole_energy)
    evaluation = evaluate(problem, {"bn": "10000101"})
    assert not evaluation.failed
    report = DeepTrain().simulate(problem.space.designs([evaluation.design]), WORKLOAD)  # type: ignore[attr-defined]  # hardware
    assert evaluation.values["latency"] == float(report.latency_s[0])
    assert evaluation.quantities["area_mm2"] == float(report.area_mm2[0])
    assert evaluation.quantities["effort"] == 4.0
    expected = 4e-3 + report.energy_j[0] * evaluation.values["accuracy"]
    assert evaluation.values["whole_energy"] == pytest.approx(expected)
    assert evaluation.cost == 10.0
    assert evaluation.series["accuracy"][-1] == pytest.approx(evaluation.values["accuracy"])
    assert len(evaluation.series["accuracy"]) == 10


def test_a_report_field_that_is_no_number_is_left_out_and_the_evaluation_stands() -> None:
    evaluation = evaluate(deeptrain_problem("accuracy", "latency"), {"bn": "none"})
    assert not evaluation.failed
    assert "loss" not in evaluation.quantities


def test_a_constraint_on_what_is_no_number_is_not_satisfied() -> None:
    problem = deeptrain_problem("accuracy", "latency", constraints=["loss <= 2"])
    assert evaluate(problem, {"bn": "none"}).violation == np.inf
    assert not evaluate(problem, {"bn": "none"}).feasible
    assert evaluate(problem, {"bn": "all"}).feasible


# -- only what is needed is simulated -------------------------------------------------------------------------------


def counted(*wanted: Any, **options: Any) -> tuple[SimulatorProblem, Counting, FormulaTraining]:
    chip, training = Counting(), FormulaTraining()
    return bench_problem({"counting": chip, "training": training}, objectives(*wanted), **options), chip, training


def test_training_is_not_run_unless_an_objective_or_constraint_reads_it() -> None:
    problem, chip, training = counted("latency", "area")
    assert not evaluate(problem, {}).failed
    assert chip.calls > 0
    assert training.asked == []
    assert problem.fidelity is None
    assert set(problem.simulators) == {"counting"}

    problem, _, training = counted("latency", constraints=["test_accuracy >= 0.5"])
    assert not evaluate(problem, {}).failed
    assert len(training.asked) == 1
    assert problem.outcome_constraints


def test_hardware_is_not_run_unless_an_objective_or_constraint_reads_it() -> None:
    problem, chip, training = counted("accuracy")
    assert not evaluate(problem, {}).failed
    assert chip.calls == 0
    assert len(training.asked) == 1

    problem, chip, _ = counted("accuracy", constraints=["area_mm2 <= 300"])
    assert not evaluate(problem, {}).failed
    assert chip.calls > 0


def test_training_is_not_run_for_a_chip_that_cannot_be_built() -> None:
    problem, _, training = counted("accuracy", "latency", constraints=["latency <= 1.5 us"])
    evaluation = evaluate(problem, {"tiles": 4, "size": 128})
    assert evaluation.failure == "infeasible: 512 mm2 do not fit"
    assert evaluate(problem, {"tiles": 1, "size": 64}).failure == "infeasible: violates latency <= 1.5 us"
    assert training.asked == []


def test_members_of_a_trained_family_are_derived_without_training() -> None:
    problem, _, training = counted("accuracy", "latency", "area")
    evaluation = evaluate(problem, {"bn": "C3"})
    derived = derived_members(problem, evaluation)
    assert len(derived) > 0
    assert len(training.asked) == 1


# -- families -------------------------------------------------------------------------------------------------------


def test_every_derived_value_is_what_an_evaluation_of_that_member_finds() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area", whole_energy, constraints=["whole_energy <= 3.63 mJ"])
    evaluation = evaluate(problem, {"bn": "C2,C5"})
    derived = derived_members(problem, evaluation)
    assert len(derived) > 1
    for member in derived:
        again = evaluate(problem, member.design)
        assert member.values == pytest.approx(again.values)
        assert member.quantities == pytest.approx(again.quantities)
        assert member.family == again.family == evaluation.family
        assert member.derived_from == evaluation.key
        assert (member.cost, member.fidelity) == (0.0, evaluation.fidelity)
        assert problem.known(problem.space.designs([member.design])).feasible.all()


def test_the_front_of_one_training_is_the_front_of_its_whole_family() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area", whole_energy)
    evaluation = evaluate(problem, {"bn": "C2,C5"})
    members = [d for d in all_designs(problem) if d["bn"] == evaluation.design["bn"]]
    whole = front(problem, [evaluate(problem, member) for member in members])
    assert {point.design for point in front(problem, [evaluation])} == {point.design for point in whole}


# -- names ----------------------------------------------------------------------------------------------------------


@objective(direction="minimize")
def difference(counting: Report, deeptrain: Report) -> Any:
    return counting.latency_s - deeptrain.latency_s


def test_an_objective_can_read_several_simulators_of_a_kind_by_name() -> None:
    simulators = {"counting": Counting(), "deeptrain": DeepTrain()}
    problem = bench_problem(
        simulators, [difference], constraints=["counting_latency_s <= 2 us", "deeptrain_area_mm2 > 0"]
    )
    evaluation = evaluate(problem, {})
    assert not evaluation.failed
    assert evaluation.values["difference"] == pytest.approx(
        evaluation.quantities["counting_latency_s"] - evaluation.quantities["deeptrain_latency_s"]
    )


@pytest.mark.parametrize(
    ("simulators", "wanted", "constraints", "says"),
    [
        ({"counting": Counting(), "deeptrain": DeepTrain()}, "latency", [], "could be counting or deeptrain"),
        ({"counting": Counting()}, "accuracy", [], "no report is called 'training'"),
        ({"counting": Counting()}, "latency", ["latency_ms < 3"], "did you mean 'latency_s'"),
        ({"counting": Counting()}, "latency", ["latency_s < 3 mm2"], "mm2"),
    ],
)
def test_names_that_are_not_there_are_refused(simulators: Any, wanted: str, constraints: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        bench_problem(simulators, objectives(wanted), constraints=constraints)
    assert says in str(caught.value)


def test_an_objective_that_asks_for_a_missing_field_is_told_which_there_are() -> None:
    @objective(direction="minimize")
    def latency_of_a_batch(counting: Report) -> Any:
        return counting.latency

    problem, _, _ = counted("accuracy", latency_of_a_batch)
    with pytest.raises(
        InputError, match=r"objective 'latency_of_a_batch': no field 'latency'.*did you mean 'latency_s'"
    ):
        problem.sample(np.random.default_rng(0), 1)
    assert "did you mean 'latency_s'" in evaluate(problem, {}).failure


def test_an_expensive_objective_that_fails_fails_the_evaluation() -> None:
    @objective(direction="minimize")
    def broken(training: Report) -> Any:
        return training.accuracy_of_all

    problem, _, _ = counted(broken, "latency")
    assert "no field 'accuracy_of_all' in this report (did you mean 'accuracy'?)" in evaluate(problem, {}).failure


def test_needed_simulators_are_those_that_something_reads() -> None:
    bench = Bench({"counting": Counting(), "training": FormulaTraining()}, WORKLOAD)
    assert needed_simulators(bench, objectives("latency"), []) == {"counting"}
    assert needed_simulators(bench, objectives("latency"), ["size <= 64"]) == {"counting"}
    assert needed_simulators(bench, objectives("latency"), ["loss < 2"]) == {"counting", "training"}


def test_a_problem_with_simulators_pickles() -> None:
    problem = deeptrain_problem("accuracy", "latency", "area")
    problem.check_feasible()
    again = pickle.loads(pickle.dumps(problem))  # noqa: S301  # our own bytes
    assert evaluate(again, {"bn": "C3"}).values == evaluate(problem, {"bn": "C3"}).values


def test_provenance_names_each_simulator() -> None:
    provenance = deeptrain_problem("accuracy", "latency").provenance()
    assert "vgg11" in provenance["training.workload"]
    assert "deeptrain.assumptions" in provenance
    assert not any(name.startswith("training") for name in deeptrain_problem("latency").provenance())


def test_the_outline_names_the_workload_and_what_is_trained_and_keeps_it_in_the_study() -> None:
    both, _, _ = counted("accuracy", "latency")
    assert both.outline.workload == (
        f"{both.bench.workload}; hardware: the full network; trained: the full network, 10 epochs"
    )
    assert counted("latency")[0].outline.workload == f"{both.bench.workload}; nothing is trained"
    assert Outline.from_json(both.outline.to_json()).workload == both.outline.workload
    older = {name: value for name, value in both.outline.to_json().items() if name != "workload"}
    assert Outline.from_json(older).workload == ""
