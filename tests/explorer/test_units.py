import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.expressions import parse
from explorer.units import (
    PLAIN,
    combined,
    common_scale,
    counted,
    describe_dimension,
    find_unit,
    format_number,
    format_quantity,
    format_uncertain,
    name_dimension,
    quantities,
    read_quantity,
)
from simulators.protocol import InputError


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.6e-06, "s", "1.6 µs"),
        (2.1e-4, "J", "210 µJ"),
        (214.4, "mm2", "214.4 mm²"),
        (0.873, "", "0.873"),
        (366.1, "K", "366.1 K"),
        (1e7, "Hz", "10 MHz"),
        (0.873, "fraction", "87.3 %"),
        (0.57, "fraction", "57 %"),
        (44e-9, "J", "44 nJ"),
        (1.23456e-3, "W", "1.235 mW"),
        (25_000.0, "ohm", "25 kΩ"),
        (1.2e-3, "W/mm2", "1.2 mW/mm²"),
        (4, "", "4"),
        (2, "bit", "2 bit"),
        (60_416, "crossbars", "60416 crossbars"),
        (0.0, "s", "0 s"),
        (-1.6e-6, "s", "-1.6 µs"),
    ],
)
def test_quantities_are_shown_in_engineering_notation(value: float, unit: str, shown: str) -> None:
    assert format_quantity(value, unit) == shown


@pytest.mark.parametrize("value", [None, math.nan])
def test_a_missing_number_is_shown_as_a_dash(value: float | None) -> None:
    assert format_quantity(value, "s") == "-"


def test_an_infinite_number_is_shown_as_such() -> None:
    assert format_quantity(math.inf, "s") == "inf s"
    assert format_quantity(-math.inf, "fraction") == "-inf %"


def test_long_times_stay_in_seconds_and_rounding_up_moves_to_the_next_prefix() -> None:
    assert format_quantity(12_345.6, "s") == "12346 s"
    assert format_quantity(999.96e-9, "s") == "1 µs"
    assert format_quantity(-0.0, "K") == "0 K"


@given(
    st.floats(1e-16, 1e10) | st.floats(-1e10, -1e-16),
    st.sampled_from(["s", "J", "W", "Hz", "K", "mm2", "V", "A", "ohm", "S", "m", "bit", "", "fraction"]),
)
def test_what_is_shown_can_be_read_back_by_expressions(value: float, unit: str) -> None:
    # Four significant digits: half a unit of the fourth is at most 5e-4 of the number.
    assert parse(format_quantity(value, unit)).evaluate({}) == pytest.approx(value, rel=5.001e-4)


def test_units_may_be_spelled_with_either_mu_superscripts_and_degrees() -> None:
    assert find_unit("µs") is find_unit("us")
    assert find_unit("\u00b5s") is find_unit("\u03bcs")
    assert find_unit("mm²") is find_unit("mm2")
    assert find_unit("°C") is find_unit("C")
    assert find_unit("kΩ") is find_unit("kohm")


def test_an_unknown_unit_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown unit 'Mhz' \(did you mean 'MHz'\?\)"):
        find_unit("Mhz")


def test_an_unknown_unit_where_a_kind_is_wanted_names_those_of_that_kind_only() -> None:
    with pytest.raises(InputError) as caught:
        read_quantity("3 qux", "Hz")
    assert str(caught.value) == "unknown unit 'qux'; known: GHz, Hz, MHz, THz, kHz"


def test_conversion_to_si_rounds_once() -> None:
    assert find_unit("%").to_si(57.0) == 0.57
    assert find_unit("nJ").to_si(44.0) == 4.4e-08
    assert find_unit("C").to_si(85.0) == 358.15
    assert find_unit("cm2").to_si(1.5) == 150.0


def test_derived_units_agree_with_their_definitions() -> None:
    assert name_dimension("J/s") == name_dimension("W")
    assert name_dimension("1/s") == name_dimension("Hz")
    assert name_dimension("V*A") == name_dimension("W")
    assert name_dimension("V/A") == name_dimension("ohm")
    assert name_dimension("A/V") == name_dimension("S")
    assert combined(name_dimension("W/mm2"), name_dimension("mm2")) == name_dimension("W")


def test_words_that_are_no_unit_count_things() -> None:
    assert name_dimension("") == name_dimension("layers") == name_dimension("fraction") == PLAIN
    assert name_dimension("J/image") == name_dimension("J")


def test_a_unit_that_is_not_si_keeps_apart_from_the_one_that_is() -> None:
    assert name_dimension("nm") != name_dimension("m")
    assert name_dimension("%") != PLAIN


def test_dimensions_are_told_in_words() -> None:
    assert describe_dimension(name_dimension("s")) == "a time"
    assert describe_dimension(PLAIN) == "a plain number"
    assert describe_dimension(name_dimension("J*s")) == "in J*s"
    assert describe_dimension(name_dimension("W/mm2")) == "in J*mm2^-1*s^-1"


def test_a_spread_of_rounding_errors_is_none() -> None:
    assert format_uncertain(0.1, 1e-17, "fraction") == "10 %"
    assert format_uncertain(0.872, 0.0045, "fraction") == "87.20 ± 0.45 %"


@pytest.mark.parametrize(
    ("count", "things", "text"),
    [
        (1, "designs", "1 design"), (0, "designs", "0 designs"), (20736, "designs", "20,736 designs"),
        (1.0, "epochs", "1 epoch"), (2.5, "epochs", "2.5 epochs"), (3.0, "", "3"),
    ],
)  # fmt: skip
def test_what_is_counted_agrees_with_its_number(count: float, things: str, text: str) -> None:
    assert counted(count, things) == text


def test_quantities_side_by_side_are_shown_in_the_unit_of_their_median() -> None:
    factor, symbol = common_scale([0.5e-6, 1e-6, 2e-3], "s")
    assert (factor, symbol) == (1e-6, "\u00b5s")
    assert [format_number(value, factor) for value in (0.5e-6, 1e-6, 2e-3)] == ["0.5", "1", "2000"]
    assert format_number(float("nan"), factor) == "-"
    assert format_number(1.234e-6, factor, 0.012e-6) == "1.234 \u00b1 0.012"
    assert common_scale([0.1, 0.9], "fraction") == (0.01, "%")
    assert common_scale([], "s") == (1.0, "s")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("20 MHz", "Hz", 2e7), ("20MHz", "Hz", 2e7), ("2 min", "s", 120.0), ("5\u00b5s", "s", 5e-6),
        ("1e-3 s", "s", 1e-3),
        ("100 C", "K", 373.15), ("100 degC", "K", 373.15), ("100 \u00b0C", "K", 373.15), ("-20 C", "K", 253.15),
        ("50 %", "fraction", 0.5), ("2 bit", "bit", 2.0), ("1 mm\u00b2", "mm2", 1.0), ("3 um", "nm", 3000.0),
        ("3 W/mm2", "W/mm2", 3.0), ("1e3", "Hz", None), ("20", "Hz", None), ("C5,C7", "Hz", None), ("", "s", None),
    ],
)  # fmt: skip
def test_a_quantity_is_read_in_the_unit_that_is_wanted(text: str, unit: str, value: float | None) -> None:
    assert read_quantity(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("20 s", "Hz", "'20 s' is a time, not a frequency; write it in Hz"),
        ("3 W", "", "'3 W' is a power, not a plain number; write a bare number"),
        ("20 Mhz", "Hz", "unknown unit 'Mhz' (did you mean 'MHz'?)"),
    ],
)
def test_a_quantity_of_another_kind_is_told(text: str, unit: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        read_quantity(text, unit)
    assert error.value.message == words


def test_values_are_written_so_that_they_read_back_exactly() -> None:
    assert quantities([5e6, 12345678.9], "Hz") == ["5 MHz", "12345678.9 Hz"]
    assert quantities([0.5, 1 / 3], "fraction") == ["50 %", "0.3333333333333333"]
    assert quantities([1, "SLC"], "bit") == ["1", "SLC"]
    assert quantities([2.5e-3], "W/mm2") == ["0.0025"]
    for value, unit in ((1 / 3, "s"), (373.15, "K"), (1e-7, "mm2"), (math.pi * 1e7, "Hz")):
        (text,) = quantities([value], unit)
        assert read_quantity(text, unit) == value
