from __future__ import annotations

from pathlib import Path

import pytest

from explorer.assembly import assemble_source
from explorer.spec import SearchFileError, read_search
from tests.explorer.assembly.mistakes import check_told_alone, mistakes_in
from tests.explorer.searches import write_search


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("  - area < 400 mm2", "  - area < < 400 mm2", "constraints.1", "^"),
        ("  - area < 400 mm2", "  - aera < 400 mm2", "constraints.1", "did you mean 'area'?"),
        ("  - area < 400 mm2", "  - area < 400 K", "constraints.1", "mm2"),
        ("  - area < 400 mm2", "  - area + 1", "constraints.1", "compare it"),
        ("  - area < 400 mm2", "  - bn > 1", "constraints.1", "sum(bn)"),
    ],
)
def test_a_wrong_constraint_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


def test_held_out_accuracy_cannot_constrain_a_search(tmp_path: Path) -> None:
    path = write_search(tmp_path)
    with pytest.raises(SearchFileError, match="no search may look at test_accuracy"):
        assemble_source(read_search(path, ["constraints=[test_accuracy >= 80 %]"]), tmp_path)


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("1 < 2", "'1 < 2' names no variable, field or objective; it holds for every design: remove it"),
        ("2 < 1", "it holds for no design"),
        ("accuracy >= 150 %", "'accuracy >= 150 %' holds for no design: accuracy is from 0 % to 100 %"),
        ("accuracy < 0.8 and accuracy > 0.9", "holds for no design"),
        ("area_mm2 < 1/0", "1/0 is no finite number\n  area_mm2 < 1/0\n             ^^^"),
        (
            "energy < 3 mJ",
            "objective that this search has not: name it under objectives, or write energy_j",
        ),
    ],
)
def test_a_constraint_that_says_nothing_about_designs_of_this_search_is_refused(
    tmp_path: Path, constraint: str, words: str
) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("area < 400 mm2", constraint)))
    assert field == "constraints.1"
    assert words in message


@pytest.mark.parametrize(
    "constraint",
    ["accuracy == 85.55555 %", "85 % < accuracy < 85.01 %", "100 * accuracy in [81.23456]", "accuracy >= 0"],
)
def test_a_constraint_that_few_values_satisfy_is_no_mistake(tmp_path: Path, constraint: str) -> None:
    assemble_source(read_search(write_search(tmp_path, ("area < 400 mm2", constraint))), tmp_path)


def test_an_objective_that_the_search_has_not_and_its_wrong_unit_are_told_in_one_go(tmp_path: Path) -> None:
    found = mistakes_in(write_search(tmp_path, ("area < 400 mm2", "energy < 400 s")))
    assert [field for _, field, _ in found] == ["constraints.1", "constraints.1"]
    assert "or write energy_j" in found[0][2]
    assert "energy is in J, 400 s is a time" in found[1][2]


def test_a_field_is_named_without_its_unit_too(tmp_path: Path) -> None:
    found = [
        assemble_source(read_search(write_search(tmp_path, ("area < 400 mm2", f"{name} <= 373.15"))), tmp_path)
        for name in ("peak_temperature", "peak_temperature_k")
    ]
    assert found[0].problem.cheap_constraints == found[1].problem.cheap_constraints != ()
    only = ["objectives=[accuracy]", "constraints=[peak_temperature <= 100 C]", "variables.reram_layers=search"]
    read = assemble_source(read_search(write_search(tmp_path), only), tmp_path).problem
    assert "deeptrain" in read.simulators, "a constraint alone may read a simulator"


def test_a_field_without_its_unit_is_told_in_full_where_something_is_wrong_with_it(tmp_path: Path) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("area < 400 mm2", "peak_temperature < 3 s")))
    assert field == "constraints.1"
    assert "peak_temperature_k is in K, 3 s is a time" in message
