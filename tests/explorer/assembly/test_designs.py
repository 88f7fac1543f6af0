from __future__ import annotations

from pathlib import Path

import pytest

from tests.explorer.assembly.mistakes import check_told_alone, mistakes_in
from tests.explorer.searches import line_of, write_search


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("{bn: none}]", "{bn: 102}]", "initial.1.bn", "not a binary vector"),
        ("{bn: none}]", "{b: none}]", "initial.1.b", "unknown variable"),
        ("{bn: none}]", "{frequency_hz: 2e7}]", "initial.1.frequency_hz", "is not searched; name it under variables"),
        ("{bn: none}]", "{reram_layers: 4}]", "initial.1.reram_layers", "choose an integer from 1 to 3"),
    ],
)
def test_a_wrong_initial_design_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


def test_an_initial_design_that_cannot_be_built_says_why(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("reram_layers <= 3", "reram_layers <= 2"), ("{bn: none}", "{reram_layers: 3}"))
    found = mistakes_in(path)
    assert [(line, field) for line, field, _ in found] == [
        (line_of(path, "initial:"), "initial.0"),
        (line_of(path, "initial:"), "initial.1"),
    ]
    assert all("violates reram_layers <= 2" in message for _, _, message in found)


def test_a_space_without_any_design_says_which_constraint_leaves_how_many(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "area < 1 mm2"), ("[{bn: all}, {bn: none}]", "[]"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "constraints:"), "constraints")
    assert "area < 1 mm2 holds for 0 of 43008 designs" in message


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("peak_temperature_k <= 100", "(peak_temperature_k is 3"),
        ("peak_temperature_k <= 100", " K, and bare numbers are kelvin: for degrees Celsius write 100 C)"),
        ("peak_temperature_k <= 100 K", " K)"),
        ("1 mm2 > area", "holds for 0 of 43008 designs that satisfy these (area is 104.7 mm² to 1335 mm²)"),
        ("reram_layers + gpu_layers <= 1", "holds for 0 of 43008 designs (reram_layers + gpu_layers is 2 to 10)"),
        ("reram_layers >= 4 and gpu_layers > 1", "reram_layers >= 4 and gpu_layers > 1 holds for 0 of 43008 designs"),
    ],
)
def test_a_constraint_that_no_design_meets_says_what_it_limits_in_fact(
    tmp_path: Path, constraint: str, words: str
) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("area < 400 mm2", constraint)))
    assert field == "constraints"
    assert words in message


def test_where_no_design_is_feasible_the_initial_ones_are_not_blamed_too(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "area < 1 mm2"))
    assert [field for _, field, _ in mistakes_in(path)] == ["constraints"]
