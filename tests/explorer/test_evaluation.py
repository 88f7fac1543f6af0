from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evaluation import Evaluation, Proposal
from explorer.space import Space
from simulators.protocol import Bits, Design
from tests.explorer.problems import evaluate, family_problem, spaces

numbers = st.floats(allow_nan=False, allow_infinity=False)
named = st.dictionaries(st.sampled_from(["accuracy", "energy_j", "test_accuracy"]), numbers)
evaluations = spaces.flatmap(
    lambda space: st.builds(
        Evaluation,
        design=st.integers(0, space.size - 1).map(lambda index: space.unpack(space.at(range(index, index + 1)))[0]),
        family=st.text(),
        fidelity=st.none() | st.integers(1, 20),
        replicate=st.integers(0, 3),
        values=named,
        quantities=named,
        violation=st.floats(0, allow_infinity=True),
        series=st.dictionaries(st.sampled_from(["loss", "accuracy"]), st.lists(st.floats(allow_infinity=False))),
        failure=st.text(),
        derived_from=st.text(),
    ).map(lambda evaluation: (space, evaluation))
)


@given(evaluations)
def test_an_evaluation_survives_strict_json(case: tuple[Space, Evaluation]) -> None:
    _, evaluation = case
    bits = frozenset(name for name, value in evaluation.design.items() if isinstance(value, Bits))
    text = json.dumps(evaluation.to_json(), allow_nan=False)  # NaN and Infinity are no JSON: PostgreSQL refuses them
    again = Evaluation.from_json(json.loads(text), bits)
    assert repr(again) == repr(evaluation)  # NaN in a curve is not equal to itself
    assert again.key == evaluation.key
    assert pickle.loads(pickle.dumps(evaluation)).design == evaluation.design  # noqa: S301  # our own bytes


def test_a_number_is_no_part_of_what_is_kept_and_a_digest_follows_from_the_key() -> None:
    evaluation = Evaluation(Design({"x": 1}), "", provenance={"machine": "cpu"})
    numbered = replace(evaluation, number=7)
    assert numbered == evaluation
    assert numbered.digest == evaluation.digest != replace(evaluation, replicate=1).digest
    assert Evaluation.from_json(json.loads(json.dumps(numbered.to_json())), frozenset()) == evaluation
    assert "number" not in numbered.to_json()
    older = {name: value for name, value in evaluation.to_json().items() if name != "provenance"}
    assert Evaluation.from_json(older, frozenset()).provenance == {}


def test_a_diverged_training_keeps_its_curve_up_to_the_end() -> None:
    evaluation = Evaluation(Design({"x": 1}), "", series={"loss": [2.0, math.nan]}, violation=math.inf)
    again = Evaluation.from_json(json.loads(json.dumps(evaluation.to_json())), frozenset())
    assert again.violation == math.inf
    assert again.series["loss"][0] == 2.0
    assert math.isnan(again.series["loss"][1])


def test_a_key_tells_design_fidelity_and_replicate_apart_and_nothing_else() -> None:
    design = Design({"bn": Bits("10"), "layers": 1})
    turned = Design({"layers": 1, "bn": Bits("10")})
    keys = [
        Proposal(design, 5).key,
        Proposal(design, 6).key,
        Proposal(design).key,
        Proposal(design, 5, 1).key,
        Proposal(Design({"bn": Bits("01"), "layers": 1}), 5).key,
    ]
    assert len(set(keys)) == len(keys)
    assert Proposal(turned, 5, strategy="tpe").key == Proposal(design, 5).key


def test_an_evaluation_carries_its_proposal_and_can_be_told_apart_by_it() -> None:
    problem = family_problem(seed=3)
    design = problem.space.design({"bn": "110"})
    proposal = Proposal(design, 5, 2, "tpe")
    evaluation = problem.evaluate(proposal)
    assert (evaluation.design, evaluation.fidelity, evaluation.replicate, evaluation.strategy) == (design, 5, 2, "tpe")
    assert evaluation.key == proposal.key
    assert evaluation.cost == 5.0
    assert evaluation.by("node:7").worker == "node:7"
    assert evaluation.feasible
    assert not evaluation.failed


@pytest.mark.parametrize("changed", [{"seed": 4}, {"replicate": 1}, {"bn": "111"}])
def test_the_seed_follows_from_study_family_and_replicate_alone(changed: dict[str, object]) -> None:
    def seed(layers: int = 1, seed: int = 3, replicate: int = 0, bn: str = "110", fidelity: int = 20) -> int:
        problem = family_problem(seed=seed)
        return evaluate(problem, {"bn": bn, "layers": layers}, replicate=replicate, fidelity=fidelity).seed

    assert seed() == seed(layers=2) == seed(fidelity=1)
    assert seed() != seed(**changed)  # type: ignore[arg-type]  # each is one of the parameters
    assert 0 <= seed() < 2**31
