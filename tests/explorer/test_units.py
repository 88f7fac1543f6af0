import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.expressions import parse
from explorer.units import (
    PLAIN,
    combined,
    describe_dimension,
    find_unit,
    format_quantity,
    format_uncertain,
    name_dimension,
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
