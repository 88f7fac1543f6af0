from __future__ import annotations

from pathlib import Path

import pytest

from tests.explorer.assembly.mistakes import assembled, check_told_alone, mistakes_in
from tests.explorer.searches import line_of, write_search


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("crossbar_size:", "crosbar_size:", "variables.crosbar_size", "did you mean 'crossbar_size'?"),
        ("[64, 128]", "[64, 100]", "variables.crossbar_size", "100 is not allowed; choose one of"),
        ("[64, 128]", "[64, 64]", "variables.crossbar_size", "appear twice"),
        ("[64, 128]", "[]", "variables.crossbar_size", "the list is empty"),
        ("[64, 128]", "[[64], 128]", "variables.crossbar_size", "not allowed"),
        ("{low: 1, high: 3}", "{low: 3, high: 1}", "variables.reram_layers", "put the smaller number first"),
        ("{low: 1, high: 3}", "{lo: 1}", "variables.reram_layers", "write {low: 0, high: 7}"),
        ("{low: 1, high: 3}", "1.5", "variables.reram_layers", "choose an integer from 0 to 7"),
        ("bn: search", "bn: {low: 1}", "variables.bn", "is for integers"),
        ("bn: search", "bn: [[1, 0, 1]]", "variables.bn", "has 3 bits, but 8 are needed"),
        ("bn: search", "bn: [[a, b, c, d, e, f, g, h]]", "variables.bn", "0 and 1 only"),
        ("bn: search", "bn: [[~, ~, ~, ~, ~, ~, ~, 0.5]]", "variables.bn", "0 and 1 only"),
        ("bn: search", "bn: [all, none, all]", "variables.bn", "appear twice"),
        ("{epochs: 1}", "{epochs: 0}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: 400000}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: 1.5}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: {low: 5, high: 2}}", "fidelity.epochs", "5 to 2"),
        ("{epochs: 1}", "{epochs: {lo: 1}}", "fidelity.epochs", "{low: 1, high: N}"),
        ("{epochs: 1}", "{epoch: 1}", "fidelity", "write {epochs: N}"),
    ],
)
def test_a_wrong_choice_of_variables_or_fidelity_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


def test_a_variable_that_nothing_reads_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))
    assembly = assembled(path)
    assert assembly.problem.fidelity is None, "no objective reads the training simulator: nothing is trained"
    nothing = "constraints:\n  - reram_layers <= 3\n  - area < 400 mm2\n"
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy]"), (nothing, ""))
    assert any("only deeptrain reads it" in message for _, _, message in mistakes_in(path))


@pytest.mark.parametrize(
    ("written", "choices"),
    [("20 MHz", (2e7,)), ("[5 MHz, 10MHz, 2e7]", (5e6, 1e7, 2e7)), ("['5000 kHz']", (5e6,)), ("search", None)],
)
def test_values_of_variables_may_have_units(tmp_path: Path, written: str, choices: tuple[float, ...] | None) -> None:
    path = write_search(
        tmp_path, ("bn: search", f"bn: search\n  frequency_hz: {written}"), ("{bn: none}]", "{frequency_hz: 20 MHz}]"),
        ("{evaluations: 5}", "{wall_time_s: 2 min}"),
    )  # fmt: skip
    if written == "['5000 kHz']":
        ((_, field, message),) = mistakes_in(path)
        assert field == "initial.1.frequency_hz"
        assert message == "'20 MHz' is not allowed; choose 5 MHz only"
        return
    assembly = assembled(path)
    domain = assembly.problem.space.variables["frequency_hz"].domain
    assert getattr(domain, "choices", None) == (choices or (5e6, 1e7, 2e7, 4e7))
    assert assembly.initial[1].design["frequency_hz"] == 2e7
    assert assembly.spec.budget.wall_time_s == 120


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("20 s", "'20 s' is a time, not a frequency"),
        ("20 Mhz", "unknown unit 'Mhz' (did you mean 'MHz'?)"),
        ("[5 MHz, 15 MHz]", "'15 MHz' is not allowed; choose one of 5 MHz, 10 MHz, 20 MHz, 40 MHz"),
        ("{low: 5 MHz}", "frequency_hz is one of 5 MHz, 10 MHz"),
    ],
)
def test_a_value_in_a_wrong_unit_says_what_it_is_and_what_is_allowed(tmp_path: Path, written: str, words: str) -> None:
    path = write_search(tmp_path, ("bn: search", f"bn: search\n  frequency_hz: {written}"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "frequency_hz"), "variables.frequency_hz")
    assert words in message


@pytest.mark.parametrize(
    ("old", "new", "field", "mend"),
    [
        ("{bn: none}]", "{bn: C5,C7,C8, reram_layers: 2}]", "initial.1.bn", "quote it: {bn: 'C5,C7,C8'}"),
        ("{bn: none}]", "{reram_layers: 2, bn: C5,C7}]", "initial.1.bn", "quote it: {bn: 'C5,C7'}"),
    ],
)
def test_a_comma_that_yaml_takes_for_the_end_of_a_value_is_told_with_the_quotes_to_write(
    tmp_path: Path, old: str, new: str, field: str, mend: str
) -> None:
    ((_, where, message),) = mistakes_in(write_search(tmp_path, (old, new)))
    assert where == field
    assert mend in message


def test_a_field_without_a_value_in_a_line_of_its_own_is_no_comma(tmp_path: Path) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("  bn: search", "  bn: search\n  foo:")))
    assert (field, message[:16]) == ("variables.foo", "unknown variable")
