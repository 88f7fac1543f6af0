from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.exact_explanation import explain_exact
from explorer.explanation import Effect, Explanation
from explorer.problem import Problem
from explorer.space import Space
from explorer.tables import effect_rows
from simulators.protocol import BinaryVector, Categorical, Designs, InputError, Integer

Array = NDArray[np.float64]
VARIABLES = {"bn": BinaryVector(5, "C"), "size": Categorical([64, 128, 256]), "layers": Integer(1, 3)}


def problem(latency: Callable[[Designs], Array], *constraints: str, **variables: BinaryVector | Integer) -> Problem:
    return Problem.from_functions(
        Space({**VARIABLES, **variables}),
        {"latency": latency, "accuracy": lambda design: float(design["bn"][0])},
        directions={"latency": "minimize", "accuracy": "maximize"},
        cheap={"latency"},
        reads={"accuracy": ["bn"]},
        constraints=constraints,
        units={"latency": "s"},
    )


def pairs(designs: Designs) -> Array:
    """Seconds: single choices and pairs."""
    bits = np.asarray(designs["bn"], dtype=float)
    large = np.asarray(designs["size"] == 256, dtype=float)
    return np.asarray(
        1e-6 * (7.0 + 3 * bits[:, 0] - 2 * bits[:, 1] + 4 * bits[:, 0] * bits[:, 3] + 6 * large * bits[:, 1])
    )


def effects_of(found: Explanation) -> dict[str, Effect]:
    return {effect.label: effect for effect in found.ranked()}


def test_effects_of_single_choices_and_pairs_are_those_of_the_function() -> None:
    """A bit is compared with its absence, a size with the three at random; the others are at random."""
    found = explain_exact(problem(pairs), "latency")
    truth = {"C1": 5.0, "C2": 0.0, "C4": 2.0, "size=256": 2.0, "size=64": -1.0, "C1 × C4": 4.0, "C1 × C2": 0.0,
             "C2 × size=256": 4.0, "C2 × size=64": -2.0, "C3": 0.0}  # fmt: skip
    effects = effects_of(found)
    for label, value in truth.items():
        assert effects[label].mean == pytest.approx(1e-6 * value, abs=0.15e-6), label
    assert effects["C1 × C4"].low == pytest.approx(effects["C1 × C4"].high), "it is the same in every design"
    assert effects["C1"].low < 5e-6 < effects["C1"].high
    assert not effects["C3"].matters
    assert found.explained == pytest.approx(1, abs=1e-6)
    assert found.noise < 1e-9
    assert (found.exact, found.covered, found.untold) == (True, None, ())


def test_only_variables_that_change_the_objective_are_told_of() -> None:
    labels = effects_of(explain_exact(problem(pairs), "latency"))
    assert not any("layers" in label for label in labels)


def test_what_constraints_make_go_together_is_not_taken_for_an_effect() -> None:
    """More layers go with small sizes here, and layers change nothing: means of groups of designs would differ."""
    found = explain_exact(problem(pairs, "layers * size <= 256"), "latency")
    assert not any("layers" in label for label in effects_of(found))


def test_effects_under_constraints_are_means_over_all_pairs_of_feasible_designs() -> None:
    constraints = "layers * size <= 256", "layers + sum(bn) <= 5", "latency <= 15e-6"
    of = problem(lambda designs: pairs(designs) * designs["layers"], *constraints)
    (allowed,) = of.space.enumerate()
    feasible = allowed.take(of.known(allowed).feasible)
    keys = [tuple(design.to_json().values()) for design in of.space.unpack(feasible)]
    values = dict(zip(keys, of.known(feasible).objectives["latency"], strict=True))
    assert 100 < len(values) < len(allowed) < 2**5 * 3 * 3
    effects = effects_of(explain_exact(of, "latency", mass=0.999))
    for bit in range(5):
        off = [key for key in values if key[0][bit] == "0"]
        on = [(key[0][:bit] + "1" + key[0][bit + 1 :], *key[1:]) for key in off]
        truth = np.mean([values[b] - values[a] for a, b in zip(off, on, strict=True) if b in values])
        assert effects[f"C{bit + 1}"].low <= truth <= effects[f"C{bit + 1}"].high
    for layers in (1, 2, 3):
        swapped = {key: (*key[:2], layers) for key in values}
        truth = np.mean([values[b] - values[a] for a, b in swapped.items() if b in values])
        assert effects[f"layers={layers}"].low <= truth <= effects[f"layers={layers}"].high


def test_what_single_choices_and_pairs_cannot_explain_is_told() -> None:
    def triple(designs: Designs) -> Array:
        bits = 2.0 * np.asarray(designs["bn"], dtype=float) - 1
        return np.asarray(bits[:, 0] * bits[:, 1] * bits[:, 2] + bits[:, 0])

    found = explain_exact(problem(triple), "latency")
    assert found.explained == pytest.approx(0.5, abs=0.05)
    assert found.noise == pytest.approx(1, abs=0.05)
    assert effects_of(found)["C1"].mean == pytest.approx(2, abs=0.15)
    assert not effect_rows(found, "").warnings, "the effects themselves are computed"


def test_digits_of_a_large_number_are_choices_and_stay_in_its_range() -> None:
    """0 to 20: of the digit 16, only pairs of 0 to 4 with 16 to 20 can be had."""
    found = explain_exact(problem(lambda designs: designs["tiles"] + 0.0, tiles=Integer(0, 20)), "latency")
    effects = effects_of(found)
    for digit, label in enumerate(effect.label for effect in found.effects):
        assert label == f"tiles.{digit}"
        assert effects[label].mean == pytest.approx(2**digit)
    assert found.explained == pytest.approx(1, abs=1e-6)


def test_choices_that_never_change_alone_are_named_and_the_others_are_told_of() -> None:
    found = explain_exact(problem(pairs, "sum(bn) == 2"), "latency")
    assert found.untold == ("C1", "C2", "C3", "C4", "C5")
    assert {effect.label for effect in found.effects} == {"size=64", "size=128", "size=256"}
    assert found.matrix().shape == (3, 3)
    assert any("C1, C2, C3, C4, C5" in note for note in effect_rows(found, "").notes)


def test_the_caption_says_that_it_is_exact() -> None:
    rows = effect_rows(explain_exact(problem(pairs), "latency"), "")
    assert any(note.startswith("exact: from 4000 simulated designs") for note in rows.notes)
    assert not any("evaluations" in note for note in rows.notes)
    assert rows.columns[1] == "effect [\u00b5s]"


def test_the_same_seed_gives_the_same_numbers_and_another_one_nearly_so() -> None:
    first, again, other = (explain_exact(problem(pairs), "latency", seed=seed) for seed in (1, 1, 2))
    assert first.to_json() == again.to_json() != other.to_json()
    assert effects_of(first)["C1"].mean == pytest.approx(effects_of(other)["C1"].mean, rel=0.1)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    found = [effects_of(explain_exact(problem(pairs), "latency", seed=seed)) for seed in range(20)]
    truth = {"C1": 5e-6, "C4": 2e-6, "C2": 0.0, "size=256": 2e-6}
    held = [effects[label].low <= value <= effects[label].high for effects in found for label, value in truth.items()]
    assert 0.75 < np.mean(held) <= 1


@pytest.mark.parametrize(
    ("of", "objective", "says"),
    [
        (problem(pairs), "accuracy", "'accuracy' is known of evaluated designs only"),
        (problem(pairs), "latncy", "'latncy' is not an objective of this study"),
        (problem(lambda designs: np.ones(len(designs))), "latency", "'latency' depends on 0 choices"),
        (problem(pairs, "sum(bn) == 2", "size == 64"), "latency", "hardly any two feasible designs differ in"),
        (problem(pairs, "latency < 1e-9"), "latency", "no design satisfies all constraints"),
        (problem(lambda designs: 1.0 * designs["x"].sum(axis=1), x=BinaryVector(120)), "latency", "120 choices; 1 to"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_said(of: Problem, objective: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        explain_exact(of, objective)
    assert says in str(caught.value)


def test_rounding_is_no_effect() -> None:
    def added(designs: Designs) -> Array:
        return np.asarray(designs["bn"] @ np.array([0.1, 0.2, 0.3, 0.4, 0.7]))

    found = explain_exact(problem(added), "latency")
    assert [effect.mean for effect in found.effects] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.7])
    assert {effect.mean for effect in found.interactions} == {0.0}
