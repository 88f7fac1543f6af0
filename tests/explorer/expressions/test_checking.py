import numpy as np
import pytest
from numpy.testing import assert_array_equal

from explorer.expressions import parse
from tests.explorer.expressions.reading import UNITS, check_message, message, value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60 mm2", 60),
        ("60mm2", 60),
        ("60 mm²", 60),
        ("1 cm2", 100),
        ("1.6 us", 1.6e-6),
        ("1.6µs", 1.6e-6),
        ("1e3ns", 1e-6),
        ("44 nJ", 44e-9),
        ("85 C", 358.15),
        ("85 °C", 358.15),
        ("-20 C", 253.15),
        ("358 K", 358),
        ("10 MHz", 1e7),
        ("90 %", 0.9),
        ("57%", 0.57),
        ("2 h", 7200),
        ("5 W / 1 mm2", 5),
    ],
)
def test_written_units_are_converted_to_si(text: str, expected: float) -> None:
    assert float(value(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90 % + 5 %", 0.95),
        ("(90 %) - 5 %", 0.85),
        ("max(90 %, 0.1)", 0.9),
        ("90 % * 2", 1.8),
        ("7 % 4", 3),
        ("7 % x", 1),
        ("7 % (4)", 3),
        ("x % 2", 1),
        ("x % -2", -1),
    ],
)
def test_a_percent_sign_is_a_remainder_only_before_an_operand(text: str, expected: float) -> None:
    assert float(value(text, x=3.0)) == pytest.approx(expected)


def test_percent_stands_before_and_at_the_end() -> None:
    assert_array_equal(value("a > 90 % and a in [95 %]", a=np.array([0.95, 0.5])), [True, False])


def test_percent_before_a_minus_is_refused_because_it_may_mean_either() -> None:
    assert "percent or a remainder" in message("a > 90 % - 5 %")


@pytest.mark.parametrize(
    "text",
    [
        "area < 60 mm2",
        "area < 60",
        "area + 10 < 2 * area",
        "energy / latency < 5 W",
        "energy < 5 W * latency",
        "power / area < 0.1 W / 1 mm2",
        "1 / latency > 10 kHz",
        "latency * frequency < 16",
        "sqrt(area) ** 2 < 60 mm2",
        "area ** 0.5 < sqrt(60 mm2)",
        "area ** -1 * area < 5",
        "temperature < 85 C",
        "temperature + 10 < 85 C",
        "temperature - ambient < 20 K",
        "20 C <= ambient <= 40 C",
        "accuracy > 90 %",
        "accuracy > 0.9 and not latency > 1 ms",
        "reram_layers + gpu_layers + sum(bn) <= 9",
        "max(latency, 1 us) < 2 us",
        "abs(latency - 1 us) < 10 ns",
        "log(latency / 1 s) < -5",
        "latency % 1 ns == 0",
        "energy * latency < 1e-9",
        "2 ** cell_bits <= 16",
        "technology == 65",
        "cell in ['SLC', 'MLC'] and cell != 'TLC'",
        "bn[8] == 1",
        "max(bn) == 1",
    ],
)
def test_units_that_go_together_pass(text: str) -> None:
    parse(text).check(UNITS, {"bn": 8})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("area < 60 s", "area is in mm2, 60 s is a time"),
        ("60 s > area", "60 s is a time, area is in mm2"),
        ("area + latency < 5", "area is in mm2, latency is in s"),
        ("1 < area < latency", "area is in mm2, latency is in s"),
        ("latency in [1 us, 2 J]", "latency is in s, 2 J is an energy"),
        ("energy / latency < 5 J", "energy / latency is a power, 5 J is an energy"),
        ("energy * latency < 5 s", "energy * latency is in J*s, 5 s is a time"),
        ("max(area, latency) < 5", "area is in mm2, latency is in s"),
        ("accuracy > 1 and not area < 1 s", "area is in mm2, 1 s is a time"),
        ("latency < reram_layers", "latency is in s, reram_layers is a plain number"),
        ("latency < 5 %", "latency is in s, 5 % is a plain number"),
        ("latency % area < 5", "what is divided is a time, area is in mm2"),
        ("log(latency) < 5", "takes a plain number, but latency is in s"),
        ("2 ** latency < 5", "exponent is a plain number, but latency is in s"),
        ("latency ** cell_bits < 5", "latency is in s: only a number can be its exponent"),
        (
            "technology < 65 nm",
            "technology is in nm, which is not SI: compare it with a bare number, 65 nm is a length",
        ),
        ("accuracy > 90", "'accuracy' is a fraction from 0 to 1: write 90 % or 0.9"),
        ("temperature - ambient < 20 C", "a difference of temperatures is written in K"),
        ("abs(temperature - ambient) < 20 C", "a difference of temperatures is written in K"),
        ("latencie < 5", "unknown name 'latencie' (did you mean 'latency'?)"),
        ("cell == SLC", "a word is written in quotes: 'SLC'"),
        ("cell in [SLC]", "a word is written in quotes: 'SLC'"),
        ("bn < 5", "'bn' is a vector of 8 items"),
        ("sum(bn * 2) < 5", "'bn' is a vector of 8 items"),
        ("bn[9] == 1", "'bn' has 8 items, there is no bn[9]"),
        ("area[1] == 1", "'area' is a single value"),
    ],
)
def test_what_does_not_go_together_is_refused(text: str, problem: str) -> None:
    assert problem in check_message(text)


@pytest.mark.parametrize(
    "text", ["20 C + 5", "temperature - 20 C < 5", "2 * 20 C < 5", "-(20 C) < 5", "max(20 C, temperature) < 5"]
)
def test_a_temperature_in_celsius_can_be_compared_but_not_calculated_with(text: str) -> None:
    assert "can only be compared; to calculate with it write 293.15 K" in message(text)
