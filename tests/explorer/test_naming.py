"""What a person writes for an evaluation or a design."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from explorer.evaluation import Evaluation
from explorer.fronts import derived_members
from explorer.naming import design_named, evaluation_named
from simulators.protocol import InputError
from tests.explorer.problems import evaluate, family_problem

PROBLEM = family_problem()
OUTLINE = PROBLEM.outline
RUN = [
    evaluate(PROBLEM, {"bn": "all", "layers": 1, "size": 64}),
    evaluate(PROBLEM, {"bn": "x1", "layers": 1, "size": 128}, fidelity=5),
    evaluate(PROBLEM, {"bn": "x1", "layers": 2, "size": 128}),
    evaluate(PROBLEM, {"bn": "x1", "layers": 2, "size": 128}, replicate=1),
    replace(evaluate(PROBLEM, {"bn": "none", "layers": 3, "size": 64}), values={}, failure="out of memory"),
]
NUMBERED = [replace(row, number=number) for number, row in enumerate(RUN, 1)]
DERIVED = derived_members(PROBLEM, NUMBERED[2])
ROWS = [*NUMBERED[:3], *DERIVED, *NUMBERED[3:]]


def test_a_number_is_that_of_the_evaluations_that_were_run_in_order_of_arrival() -> None:
    assert len(DERIVED) > 1
    for number, row in enumerate(NUMBERED, 1):
        assert evaluation_named(OUTLINE, ROWS, number) is row
        assert evaluation_named(OUTLINE, ROWS, f" {number} ") is row
    assert design_named(OUTLINE, ROWS, 4) is NUMBERED[3]


def test_a_key_or_enough_of_its_beginning_names_what_was_run_and_what_was_derived() -> None:
    for row in NUMBERED[:4]:
        assert evaluation_named(OUTLINE, ROWS, row.digest) is row
        assert design_named(OUTLINE, ROWS, row.digest[:8].upper()) is row
    assert design_named(OUTLINE, ROWS, DERIVED[1].digest[:8]) is DERIVED[1]
    with pytest.raises(InputError, match="was not evaluated itself, all of it follows from evaluation 3: name that"):
        evaluation_named(OUTLINE, ROWS, DERIVED[1].digest[:8])


def test_a_beginning_that_several_keys_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Evaluation, "digest", property(lambda row: f"abcdef{row.number}"))
    with pytest.raises(InputError, match="5 keys begin with 'abcd'; write more of it"):
        evaluation_named(OUTLINE, ROWS, "abcd")
    assert evaluation_named(OUTLINE, ROWS, "abcdef2") is NUMBERED[1]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("bn=all", 1),
        ("bn=x1,x2,x3", 1),
        ("bn = 111 , layers=1", 1),
        ("bn=x1,layers=1", 2),
        ({"bn": "x1", "layers": 1}, 2),
        ("layers=3", 5),
    ],
)
def test_settings_name_the_only_evaluation_that_has_them(name: str | Mapping[str, object], number: int) -> None:
    assert evaluation_named(OUTLINE, ROWS, name).number == number


def test_settings_that_fit_several_evaluations_are_refused_and_tell_them_apart() -> None:
    with pytest.raises(InputError) as caught:
        evaluation_named(OUTLINE, ROWS, "bn=x1")
    assert caught.value.field == "evaluation"
    assert "it may be one of 3: 2 (" in str(caught.value)
    assert "5 of 20 epochs" in str(caught.value)
    assert (
        len({row.seed for row in RUN[2:4]} & {int(part.split(")")[0]) for part in str(caught.value).split("seed ")[1:]})
        == 2
    )


def test_a_design_is_that_of_the_longest_training_and_the_first_of_repeats() -> None:
    assert design_named(OUTLINE, ROWS, "bn=x1").number == 3
    assert design_named(OUTLINE, ROWS, "bn=x1,layers=2,size=128") is NUMBERED[2]
    found = design_named(OUTLINE, ROWS, "bn=x1,layers=1,size=128")
    assert (found.number, found.fidelity) == (3, 20), "of its family there is a longer training than its own"
    assert found.design["layers"] == 1


def test_a_member_of_a_trained_family_that_nobody_looked_at_has_what_all_of_it_share() -> None:
    known = {row.design for row in ROWS}
    found = design_named(OUTLINE, ROWS, "bn=all,layers=2,size=128")
    assert found.design not in known
    assert (found.seed, found.number, found.derived_from) == (RUN[0].seed, 1, RUN[0].key)
    assert found.values == {"accuracy": RUN[0].values["accuracy"]}, "its latency is not that of another chip"
    with pytest.raises(InputError, match=r"not in the space that was searched: layers \+ sum\(bn\) <= 5"):
        design_named(OUTLINE, ROWS, "bn=all,layers=3")


def test_settings_that_leave_open_which_training_are_refused() -> None:
    with pytest.raises(InputError, match=r"it may be one of 2: .*Name more variables, or the number"):
        design_named(OUTLINE, ROWS, "layers=1")


@pytest.mark.parametrize("name", [5, "bn=none", RUN[4].digest[:6]])
def test_what_failed_has_no_design_to_show(name: int | str) -> None:
    with pytest.raises(InputError, match=r"evaluation 5 failed \(out of memory\): there is nothing of it"):
        design_named(OUTLINE, ROWS, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (0, "'0' is nothing of this study: there are evaluations 1 to 5; write the number .* such as bn=111"),
        (6, "'6' is nothing of this study"),
        (-1, "'-1' is nothing of this study"),
        ("", "'' is nothing of this study"),
        ("best", "'best' is nothing of this study"),
        ("0123abcd", "no key begins so, and there are evaluations 1 to 5"),
        ("bm=all", "unknown variable 'bm'"),
        ("bn=x9", "bn: 'x9': there is no x9"),
        ("bn=all,bn=none", "bn is given twice"),
        ("bn=x2", "none of 5 evaluations is of such a design; rex pareto shows"),
        ("size=65", "size: '65' is not allowed; choose one of 64, 128"),
        ("x1 bn=all", "'x1' is not VARIABLE=VALUE"),
        ({"bn": 2.5}, "bn: "),
    ],
)
def test_what_means_nothing_is_refused_with_what_to_write(name: int | str | Mapping[str, object], words: str) -> None:
    for named in (evaluation_named, design_named):
        with pytest.raises(InputError, match=words) as caught:
            named(OUTLINE, ROWS, name)
        assert caught.value.field in ("evaluation", "design")


def test_the_settings_that_are_suggested_name_a_design() -> None:
    for first in range(3):
        rows = [*NUMBERED[first:3], *NUMBERED[:first], NUMBERED[3]]
        with pytest.raises(InputError) as refused:
            design_named(OUTLINE, rows, 99)
        example = refused.value.message.rpartition("such as ")[2].split()[0].strip(".;")
        family = design_named(OUTLINE, rows, example).family
        assert family == rows[0].family, example


def test_a_study_without_evaluations_says_so() -> None:
    with pytest.raises(InputError, match="there is no evaluation yet"):
        evaluation_named(OUTLINE, [], 1)
    with pytest.raises(InputError, match="none of 0 evaluations"):
        design_named(OUTLINE, [], "bn=all")
