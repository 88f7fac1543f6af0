from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from explorer.evaluation import Evaluation, Proposal
from explorer.explanation import explain
from explorer.problem import Problem
from explorer.report import explanation_page
from explorer.space import Space
from explorer.tables import effect_rows
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs, Fidelity, InputError, Integer

SIZES: Mapping[object, float] = {64: 0.0, 128: 4.0, 256: -4.0}


def accuracy(design: Design) -> float:
    bits = design["bn"]
    assert isinstance(bits, Bits)
    return 3.0 * bits[0] - 2.0 * bits[1] + 4.0 * bits[0] * bits[3] + SIZES[design["size"]]


def latency(designs: Designs) -> np.ndarray:
    return np.asarray(10.0 * designs["layers"] + 0 * designs["bn"][:, 0])


def problem(**changes: object) -> Problem:
    options: dict[str, object] = {"cheap": {"latency"}, "reads": {"accuracy": ["bn", "size"]}}
    return Problem.from_functions(
        Space({"bn": BinaryVector(6, "C"), "size": Categorical([64, 128, 256]), "layers": Integer(1, 3)}),
        {"accuracy": accuracy, "latency": latency},
        directions={"accuracy": "maximize", "latency": "minimize"},
        **{**options, **changes},  # type: ignore[arg-type]  # options of from_functions
    )


def evaluated(of: Problem, count: int, seed: int = 0) -> list[Evaluation]:
    designs = of.space.unpack(of.sample(np.random.default_rng(seed), count)) if count else []
    return [of.evaluate(Proposal(design, of.full_fidelity)) for design in dict.fromkeys(designs)]


def test_effects_are_those_of_the_function_with_all_other_choices_at_random() -> None:
    """C1: 3 + 4 / 2, C4: 4 / 2, C1 with C4: 4; a size is compared with the mean over sizes."""
    found = explain(problem().outline, evaluated(problem(), 90))
    effects = {effect.label: effect for effect in (*found.effects, *found.interactions)}
    truth = {"C1": 5.0, "C2": -2.0, "C4": 2.0, "C3": 0.0, "C1 × C4": 4.0, "C1 × C2": 0.0}
    truth |= {"size=64": 0.0, "size=128": 4.0, "size=256": -4.0}
    for label, value in truth.items():
        assert effects[label].mean == pytest.approx(value, abs=0.35), label
    assert [label for label in truth if effects[label].matters] == [label for label, value in truth.items() if value]
    assert [effect.label for effect in found.ranked()[:2]] == ["C1", "size=128"] or found.ranked()[0].label == "C1"
    assert found.explained > 0.98
    assert {len(effect.choices) for effect in found.interactions} == {2}


def test_of_choices_that_all_evaluations_have_or_none_nothing_is_said() -> None:
    """Sizes are compared with the mean over those that were evaluated."""
    rows = [row for row in evaluated(problem(), 300) if row.design["size"] != 256]
    rows = [row for row in rows if row.design["bn"][5] == 0 and row.design["bn"][4] == 1]  # type: ignore[index]  # bits
    rows = [row for row in rows if not (row.design["bn"][1] and row.design["bn"][2])]  # type: ignore[index]  # bits
    found = explain(problem().outline, rows)
    assert found.untold == ("C5", "C6", "size=256")
    assert [effect.label for effect in found.effects] == ["C1", "C2", "C3", "C4", "size=64", "size=128"]
    labels = [effect.label for effect in found.interactions]
    assert "C1 × C2" in labels
    assert "C2 × C3" not in labels
    assert "C2 × size=64" in labels
    effects = {effect.label: effect.mean for effect in found.effects}
    assert effects["size=128"] == pytest.approx(2.0, abs=0.5)
    assert effects["size=64"] == pytest.approx(-2.0, abs=0.5)
    (note,) = [text for text in effect_rows(found, "").notes if "which all evaluations have or none" in text]
    assert note.endswith("C5, C6, size=256")
    assert np.isfinite(found.matrix()).any()


def test_values_of_one_variable_exclude_each_other() -> None:
    found = explain(problem().outline, evaluated(problem(), 60))
    matrix, labels = found.matrix(), [effect.label for effect in found.effects]
    sizes = [labels.index(f"size={size}") for size in (64, 128, 256)]
    assert np.isnan(matrix[sizes[0], sizes[1:]]).all()
    assert np.isfinite(np.diag(matrix)).all()
    assert np.array_equal(matrix, matrix.T, equal_nan=True)
    assert np.isnan(matrix).sum() == 6


def test_only_what_the_objective_reads_explains_it() -> None:
    of = problem()
    assert all("layers" not in effect.label for effect in explain(of.outline, evaluated(of, 40)).effects)


def test_what_is_computed_is_not_guessed_from_evaluations() -> None:
    of = problem()
    with pytest.raises(InputError, match=r"'latency' is computed, not trained: .*explain_exact"):
        explain(of.outline, evaluated(of, 40), "latency")


def noisy(of: Problem, evaluations: list[Evaluation], deviation: float = 0.1) -> list[Evaluation]:
    """With noise on accuracy that follows from the seed."""
    return [
        replace(
            e, values={**e.values, "accuracy": np.random.default_rng(e.seed).normal(e.values["accuracy"], deviation)}
        )
        for e in evaluations
    ]


def replicated(of: Problem, evaluations: list[Evaluation], replicates: int) -> list[Evaluation]:
    again = [of.evaluate(Proposal(e.design, None, number)) for number in range(1, replicates) for e in evaluations]
    return [*evaluations, *again]


def test_members_of_a_family_are_one_observation_and_replicates_are_several() -> None:
    of = problem()
    evaluations = noisy(of, evaluated(of, 40))
    again = [of.evaluate(Proposal(replace_layers(of, e.design), None)) for e in evaluations]
    families = len({evaluation.family for evaluation in evaluations})
    assert explain(of.outline, [*evaluations, *again]).evaluations == families
    replicate = of.evaluate(Proposal(evaluations[0].design, None, replicate=1))
    assert explain(of.outline, [*evaluations, *noisy(of, [replicate])]).evaluations == families + 1


@pytest.mark.parametrize("shared", [True, False])
def test_replicates_in_which_the_seed_changes_nothing_are_copies(shared: bool) -> None:
    """Whether the objective reads training alone, or hardware beside it."""
    of = problem()
    first = evaluated(of, 40)
    info = replace(of.outline.objectives[0], shared=shared)
    outline = replace(of.outline, objectives=(info, *of.outline.objectives[1:]))
    once, copied = explain(outline, first), explain(outline, replicated(of, first, 3))
    assert once.to_json() == copied.to_json()
    assert copied.evaluations == len({e.family for e in first} if shared else {e.design for e in first})
    assert explain(outline, noisy(of, replicated(of, first, 3))).evaluations == 3 * copied.evaluations


def test_replicates_tell_nothing_of_designs_that_were_left_out() -> None:
    """A value for each family that follows from nothing, measured three times: of another family nothing is known."""
    of = problem()
    rng = np.random.default_rng(3)
    evaluations = replicated(of, evaluated(of, 30), 3)
    values = {family: rng.normal(0, 5) for family in dict.fromkeys(e.family for e in evaluations)}
    evaluations = [replace(e, values={**e.values, "accuracy": values[e.family]}) for e in evaluations]
    found = explain(of.outline, noisy(of, evaluations))
    assert found.explained < 0.1


def test_replicates_of_few_designs_are_too_few() -> None:
    of = problem()
    with pytest.raises(InputError, match="evaluations of 5 different designs at full fidelity are too few"):
        explain(of.outline, noisy(of, replicated(of, evaluated(of, 5), 4)))


@pytest.mark.parametrize(
    ("changes", "warning"),
    [({"explained": -0.1}, "predicts nothing"), ({"explained": 0.0}, "predicts nothing"),
     ({"covered": 0.7}, "too narrow")],
)  # fmt: skip
def test_nothing_is_called_certain_of_a_model_that_cannot_be_relied_on(changes: dict[str, float], warning: str) -> None:
    found = explain(problem().outline, evaluated(problem(), 60))
    assert {row[-1] for row in effect_rows(found, "").rows} == {"yes", "-"}
    assert effect_rows(found, "").warnings == ()
    doubtful = replace(found, **changes)  # type: ignore[arg-type]  # fields of an explanation
    rows = effect_rows(doubtful, "")
    assert {row[-1] for row in rows.rows} == {"-"}
    assert len(rows.warnings) == 1
    assert warning in rows.warnings[0]
    assert not doubtful.to_pandas()["certain"].any()
    assert json.loads(doubtful.to_json())["reliable"] is False
    page = explanation_page(doubtful, "")
    assert warning in page[: page.index("heatmap")]


def test_a_model_that_predicts_little_is_doubted_but_may_be_certain() -> None:
    found = replace(explain(problem().outline, evaluated(problem(), 60)), explained=0.3)
    rows = effect_rows(found, "")
    assert "predicts little" in rows.warnings[0]
    assert {row[-1] for row in rows.rows} == {"yes", "-"}


def replace_layers(of: Problem, design: Design) -> Design:
    layers = design["layers"]
    assert isinstance(layers, int)
    return of.space.design({**design.to_json(), "layers": layers % 3 + 1})


def test_failed_evaluations_and_those_below_full_fidelity_are_left_out() -> None:
    of = problem(fidelity=Fidelity("epochs", 1, 10))
    full = evaluated(of, 40)
    low = [of.evaluate(Proposal(e.design, 1)) for e in full]
    failed = [replace(full[0], failure="out of memory", values={}, seed=7)]
    assert explain(of.outline, [*full, *low, *failed]).to_json() == explain(of.outline, full).to_json()


def test_noise_is_not_explained() -> None:
    """Values that have nothing to do with the design: nothing of others is predicted, hardly anything is certain."""
    of = problem()
    rng = np.random.default_rng(0)
    evaluations = [replace(e, values={**e.values, "accuracy": rng.normal(50, 5)}) for e in evaluated(of, 60)]
    found = explain(of.outline, evaluations)
    assert found.explained < 0.2
    assert found.covered > 0.75
    assert np.mean([effect.matters for effect in found.ranked()]) < 0.1
    assert found.noise == pytest.approx(5, rel=0.4)


def test_the_same_seed_gives_the_same_numbers_and_another_one_nearly_so() -> None:
    of = problem()
    evaluations = evaluated(of, 50)
    first, again, other = (explain(of.outline, evaluations, seed=seed) for seed in (1, 1, 2))
    assert first.to_json() == again.to_json() != other.to_json()
    assert first.effects[0].mean == pytest.approx(other.effects[0].mean, abs=0.2)


def test_a_constant_objective_has_no_effects() -> None:
    of = problem()
    evaluations = [replace(e, values={**e.values, "accuracy": 0.9}) for e in evaluated(of, 30)]
    found = explain(of.outline, evaluations)
    assert found.explained == 0
    assert not any(effect.matters for effect in found.ranked())


def test_a_wider_interval_holds_a_narrower_one() -> None:
    of = problem()
    evaluations = evaluated(of, 40)
    narrow, wide = (explain(of.outline, evaluations, mass=mass).effects[2] for mass in (0.5, 0.95))
    assert wide.low < narrow.low <= narrow.high < wide.high


def test_tables_and_json_hold_the_same_numbers() -> None:
    found = explain(problem().outline, evaluated(problem(), 40))
    table, data = found.to_pandas(), json.loads(found.to_json())
    assert list(table["mean"]) == [row["mean"] for row in data["effects"]]
    assert len(table) == len(found.effects) + len(found.interactions)
    assert (data["objective"], data["evaluations"]) == ("accuracy", found.evaluations)


def test_it_says_what_was_trained() -> None:
    of = replace(problem().outline, workload="vgg11 on cifar10; trained: 0.125 of the width")
    found = explain(of, evaluated(problem(), 20))
    assert effect_rows(found, "").notes[0] == of.workload == json.loads(found.to_json())["workload"]


@pytest.mark.parametrize(
    ("count", "objective", "says"),
    [(40, "acuracy", "'acuracy' is not an objective of this study; it has accuracy, latency"),
     (5, "", "too few to explain 'accuracy' by; 8 at least"), (0, "", "of 0 different designs")],
)  # fmt: skip
def test_what_cannot_be_explained_is_said(count: int, objective: str, says: str) -> None:
    of = problem()
    with pytest.raises(InputError) as caught:
        explain(of.outline, evaluated(of, count), objective)
    assert says in str(caught.value)


def test_a_problem_of_more_choices_than_can_be_shown_is_told() -> None:
    of = Problem.from_functions(
        Space({"bn": BinaryVector(150)}), {"y": lambda design: float(design["bn"][0])}, directions={"y": "maximize"}
    )  # fmt: skip
    with pytest.raises(InputError, match="150 choices; 1 to 100"):
        explain(of.outline, evaluated(of, 10))


def test_effects_are_shown_in_the_unit_of_the_largest() -> None:
    found = explain(problem(units={"accuracy": "s"}).outline, evaluated(problem(), 60))
    found = replace(found, effects=tuple(
        replace(effect, mean=effect.mean * 1e-6) if effect.label == "C1" else replace(effect, mean=1e-13)
        for effect in found.effects
    ), interactions=())  # fmt: skip
    assert effect_rows(found, "").columns[1] == "effect [\u00b5s]"
