from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evaluation import Evaluation
from explorer.expressions import parse
from explorer.fronts import front
from explorer.outline import ObjectiveInfo, Outline
from explorer.results import Results
from explorer.space import Space
from simulators.protocol import BinaryVector, Bits, Categorical, Integer, Variable
from tests.explorer.problems import all_designs, evaluate, family_problem, spaces

names = st.from_regex("[a-z][a-z_]{0,8}", fullmatch=True)
objectives = st.builds(
    ObjectiveInfo,
    name=names,
    direction=st.sampled_from(["maximize", "minimize"]),
    unit=st.sampled_from(["s", "mm2", "fraction", ""]),
    cheap=st.booleans(),
    bounds=st.none() | st.tuples(st.floats(-9, 0), st.floats(0, 9)),
    shared=st.booleans(),
)


def again(outline: Outline) -> Outline:
    return Outline.from_json(json.loads(json.dumps(outline.to_json(), allow_nan=False)))


def same(one: Outline, other: Outline) -> bool:
    return (
        one.space.variables == other.space.variables
        and one.space.constraints == other.space.constraints
        and one.objectives == other.objectives
        and (one.fidelity_name, one.full_fidelity) == (other.fidelity_name, other.full_fidelity)
        and one.constraints == other.constraints
        and dict(one.units) == dict(other.units)
    )


@given(spaces, st.lists(objectives, min_size=1, max_size=3), st.none() | st.integers(1, 9))
def test_an_outline_survives_json(space: Space, found: list[ObjectiveInfo], fidelity: int | None) -> None:
    outline = Outline(space, tuple(found), "epochs" if fidelity else "", fidelity, (), {**space.units, "x": "s"})
    assert same(again(outline), outline)


def test_labels_defaults_and_choices_of_bits_survive_json() -> None:
    variables = (
        Variable(
            "bn", BinaryVector(4, "C", (Bits("1111"), Bits("0100"))), Bits("0100"), meaning="which",
            label="BN after {0}", labels=(("none", "no BN"), ("all", "All-BN")), searched=True,
        ),
        Variable("cell_bits", Categorical([1, 2, 0.5]), 2, unit="bit", label="{0} bit/cell", labels=((1, "SLC"),)),
        Variable("mode", Categorical(["a b", "c"]), "c", separator=" / "),
        Variable("layers", Integer(-1, 3), 0),
    )  # fmt: skip
    outline = Outline(Space(variables, ["layers <= sum(bn)"]), (ObjectiveInfo("x", "minimize"),))
    assert same(again(outline), outline)
    design = outline.space.design({"bn": "1111", "cell_bits": 1})
    assert again(outline).space.describe(design) == outline.space.describe(design) == "All-BN, SLC / mode=c, layers=0"
    assert again(outline).bit_variables == {"bn"}


def test_choices_from_a_numpy_array_can_be_written() -> None:
    space = Space({"size": Categorical(np.array([64, 128])), "name": Categorical(np.array(["a", "b"]))})
    outline = Outline(space, (ObjectiveInfo("x", "minimize"),))
    assert same(again(outline), outline)
    assert json.dumps(space.design({"size": 128}).to_json()) == '{"size": 128, "name": "a"}'


def test_an_outline_is_enough_to_build_a_front_without_simulators() -> None:
    problem = family_problem(constraints=["accuracy >= 0.6", "accuracy / latency >= 0.2"])
    evaluations = [evaluate(problem, design) for design in all_designs(problem)[::3]]
    outline = again(problem.outline)
    stored = [Evaluation.from_json(json.loads(json.dumps(e.to_json())), outline.bit_variables) for e in evaluations]
    assert stored == evaluations
    assert list(Results(outline, stored)) == list(Results(problem.outline, evaluations))
    assert {point.feasible for point in Results(outline, stored)} == {True, False}
    assert len(front(problem, evaluations)) > 0


@pytest.mark.parametrize(
    ("values", "violation"),
    [({"accuracy": 0.7, "latency": 1.0}, 0.0), ({"accuracy": 0.5, "latency": 4.0}, 0.1 + 1.0)],
)
def test_violation_says_how_far_a_design_is_from_feasible(values: dict[str, float], violation: float) -> None:
    problem = family_problem(cheap=(), reads=None, constraints=["accuracy >= 0.6", "latency <= layers + 2"])
    design = problem.space.design({"layers": 1})
    assert problem.outline.violation(design, values) == pytest.approx(violation)
    assert Outline(problem.space, problem.objectives).violation(design, values) == 0.0


@pytest.mark.parametrize(
    ("name", "sign"),
    [("accuracy", 1), ("test_accuracy", 1), ("latency", -1), ("image_latency_s", -1), ("inaccuracy", 0), ("loss", 0)],
)
def test_a_field_named_after_an_objective_is_better_on_its_side(name: str, sign: int) -> None:
    found = (ObjectiveInfo("accuracy", "maximize"), ObjectiveInfo("latency", "minimize"))
    assert Outline(Space({"x": Integer(0, 1)}), found).direction(name) == sign


def test_everything_is_known_at_once_where_nothing_is_trained_and_all_designs_can_be_looked_at() -> None:
    cheap, trained = ObjectiveInfo("area", "minimize", cheap=True), ObjectiveInfo("accuracy", "maximize")
    small, large = Space({"x": Integer(1, 200)}), Space({"x": Integer(1, 200_001)})
    assert Outline(small, (cheap,)).known_at_once
    assert not Outline(small, (cheap, trained)).known_at_once
    assert not Outline(small, (cheap,), constraints=(parse("accuracy > 0.5"),)).known_at_once, "it is trained for that"
    assert Outline(large, (cheap,)).exact
    assert not Outline(large, (cheap,)).known_at_once, "only a sample of the family is looked at"
