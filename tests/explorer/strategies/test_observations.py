from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.observations import Observations
from explorer.strategies.unit_encoding import UnitEncoding
from simulators.protocol import Design
from tests.explorer.problems import evaluate, family_problem

PROBLEM = family_problem()
DESIGN = PROBLEM.space.design({"bn": "010", "layers": 1, "size": 64})
OTHER = PROBLEM.space.design({"bn": "010", "layers": 2, "size": 128})
LEVELS = [1, 2, 5, 10, 20]


def observations() -> Observations:
    return Observations(PROBLEM, UnitEncoding(PROBLEM.space, PROBLEM.reads), LEVELS)


def trained(design: Design, fidelity: int, replicate: int = 0) -> Evaluation:
    """With the curve that a training simulator brings."""
    found = evaluate(PROBLEM, design, fidelity=fidelity, replicate=replicate)
    curve = [evaluate(PROBLEM, design, fidelity=epoch).values["accuracy"] for epoch in range(1, fidelity + 1)]
    return replace(found, series={"accuracy": curve})


def test_members_of_a_family_are_one_record() -> None:
    seen = observations()
    seen.add(trained(DESIGN, 5))
    seen.add(trained(OTHER, 10))
    assert len(seen.families) == seen.started == 1
    assert seen.record(PROBLEM.space.designs([DESIGN])).finished == 10


def test_values_on_the_way_are_observations_too_each_once() -> None:
    seen = observations()
    for fidelity in (5, 10):  # the second goes on from the first
        seen.add(trained(DESIGN, fidelity))
    points, fidelities, values = seen.data("accuracy", 100)
    assert sorted(fidelities) == [1, 2, 5, 10]
    assert np.array_equal(points, np.tile([0, 1, 0], (4, 1)))
    assert dict(zip(fidelities, values, strict=True)) == {
        fidelity: trained(DESIGN, fidelity).values["accuracy"] for fidelity in (1, 2, 5, 10)
    }


def test_a_curve_that_does_not_end_in_the_value_is_another_quantity() -> None:
    seen = observations()
    found = trained(DESIGN, 5)
    seen.add(replace(found, values={**found.values, "accuracy": 0.123}))
    assert seen.data("accuracy", 100)[1].tolist() == [5]


def test_long_lists_are_thinned_but_for_what_curves_end_in() -> None:
    seen = observations()
    for design in PROBLEM.space.unpack(PROBLEM.space.at(range(0, 48, 6))):
        seen.add(trained(design, 10))
    assert len(seen.data("accuracy", 100)[2]) == 8 * 4
    _, few, _ = seen.data("accuracy", 20)
    assert np.sort(np.unique(few)).tolist() == [2, 10]
    assert len(few) == 16
    assert seen.data("accuracy", 3)[1].tolist() == [10] * 8


def test_replicates_are_other_trainings() -> None:
    seen = observations()
    seen.add(trained(DESIGN, 2))
    seen.add(trained(DESIGN, 20, replicate=1))
    assert seen.record(PROBLEM.space.designs([DESIGN])).reached == 2
    assert sorted(seen.data("accuracy", 100)[1]) == [1, 1, 2, 2, 5, 10, 20]


def test_what_runs_and_what_failed_is_known() -> None:
    seen = observations()
    seen.set_running([Proposal(DESIGN, 5)])
    record = seen.record(PROBLEM.space.designs([OTHER]))
    assert (record.finished, record.running, record.reached) == (0, 5, 5)
    seen.start(Proposal(DESIGN, 20))
    assert record.reached == 20
    seen.set_running([])
    assert (record.reached, seen.started) == (0, 0)
    seen.add(Evaluation(OTHER, "", 5, failure="worker died"))
    assert record.failed
    assert seen.started == 1
    assert len(seen.data("accuracy", 10)[2]) == 0


def test_what_is_to_be_made_small_changes_its_sign() -> None:
    problem = Problem.from_functions(
        PROBLEM.space, {"loss": lambda design: float(design["size"])}, directions={"loss": "minimize"}
    )
    seen = Observations(problem, UnitEncoding(problem.space, problem.reads), [1])
    seen.add(evaluate(problem, DESIGN))
    assert seen.data("loss", 9)[2].tolist() == [-64.0]
