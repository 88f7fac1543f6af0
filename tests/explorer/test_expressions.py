import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from explorer.expressions import Expression, ExpressionError, parse
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs, InputError

UNITS = {
    "area": "mm2",
    "latency": "s",
    "energy": "J",
    "power": "W",
    "frequency": "Hz",
    "temperature": "K",
    "ambient": "K",
    "accuracy": "fraction",
    "reram_layers": "",
    "gpu_layers": "layers",
    "cell_bits": "bit",
    "technology": "nm",
    "cell": "",
    "bn": "",
}


def value(text: str, **values: Any) -> Any:
    return parse(text).evaluate(values)


def message(text: str, act: Callable[[Expression], object] = str) -> str:
    """What the error says that is raised by reading ``text`` or by ``act``."""
    with pytest.raises(ExpressionError) as caught:
        act(parse(text))
    return str(caught.value)


def check_message(text: str) -> str:
    return message(text, lambda expression: expression.check(UNITS, {"bn": 8}))


# -- against Python -------------------------------------------------------------------------------------------------
# Numbers are quarters and powers are of single numbers, so that both sides compute exactly the same doubles.

NAMES = ("x", "y", "z")
literals = st.integers(0, 20).map(lambda number: str(number / 4))
atoms = literals | st.sampled_from(NAMES)
powers = st.tuples(atoms, st.sampled_from(["2.0", "3.0", "-1.0", "2.0 ** 2.0", "-1.0 ** 2.0"])).map(" ** ".join)


def _join(left: str, operator: str, right: str) -> str:
    ambiguous = operator == "%" and right.startswith("-")  # '3 % -x' is refused: percent or remainder?
    return f"{left} {operator} ({right})" if ambiguous else f"{left} {operator} {right}"


def _larger_quantities(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds(_join, smaller, st.sampled_from("+-*/%"), smaller)
        | smaller.map("({})".format)
        | smaller.map("-{}".format)
        | smaller.map("abs({})".format)
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), smaller, smaller)
    )


quantities = st.recursive(atoms | powers, _larger_quantities, max_leaves=8)
order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
comparisons = (
    st.builds("{} {} {}".format, quantities, order, quantities)
    | st.builds("{} {} {} {} {}".format, quantities, order, quantities, order, quantities)
    | st.builds("{} {} [{}, {}]".format, quantities, st.sampled_from(["in", "not in"]), quantities, quantities)
)


def _larger_conditions(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds("{} {} {}".format, smaller, st.sampled_from(["and", "or"]), smaller)
        | smaller.map("not {}".format)
        | smaller.map("({})".format)
    )


conditions = st.recursive(comparisons, _larger_conditions, max_leaves=5)
columns = st.lists(st.tuples(*[st.integers(-8, 8).map(lambda number: number / 4)] * 3), min_size=1, max_size=4)


@settings(max_examples=300)
@given(quantities | conditions, columns)
def test_expressions_mean_what_they_mean_in_python(text: str, rows: list[tuple[float, ...]]) -> None:
    try:
        expected = [eval(text, {}, dict(zip(NAMES, row, strict=True))) for row in rows]  # noqa: S307 - our own text
    except ZeroDivisionError:
        assume(False)
    result = parse(text).evaluate(dict(zip(NAMES, np.array(rows).T, strict=True)))
    assert_array_equal(np.broadcast_to(result, len(rows)), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 + 3 * 4", 14),
        ("2 * 3 % 4", 2),
        ("-3 ** 2", -9),
        ("2 ** 3 ** 2", 512),
        ("2 ** -1", 0.5),
        ("10 - 4 - 3", 3),
        ("8 / 4 / 2", 1),
        ("7 % (-3)", -2),
        (".5 + 1. + 1e-3", 1.501),
        ("sqrt(16) + abs(-2) + exp(0) + log(1)", 7),
        ("max(1, 5, 3) - min(4, 2)", 3),
        ("sum(1, 2, 3) + count(1, 1)", 8),
        ("--2", 2),
    ],
)
def test_arithmetic_without_names_gives_a_number(text: str, expected: float) -> None:
    assert float(value(text)) == pytest.approx(expected, rel=1e-15)


# -- values ---------------------------------------------------------------------------------------------------------


def test_vectors_are_reduced_over_their_items_and_columns_are_left_alone() -> None:
    bn = np.array([[1, 0, 1], [0, 0, 0]], dtype=np.uint8)
    layers = np.array([2, 3])
    assert_array_equal(value("sum(bn)", bn=bn), [2, 0])
    assert_array_equal(value("count(bn)", bn=bn), [2, 0])
    assert_array_equal(value("max(bn) - min(bn)", bn=bn), [1, 0])
    assert_array_equal(value("sum(layers)", layers=layers), layers)
    assert_array_equal(value("layers + sum(bn) <= 3", bn=bn, layers=layers), [False, True])
    assert_array_equal(value("max(bn, layers)", bn=bn, layers=layers), layers)


def test_counting_many_bits_does_not_overflow_their_small_type() -> None:
    assert_array_equal(value("sum(bn)", bn=np.ones((2, 1000), dtype=np.uint8)), [1000, 1000])


def test_items_of_a_vector_count_from_one() -> None:
    bn = BinaryVector(3, "C").column([Bits("100"), Bits("001")])
    assert_array_equal(value("bn[1]", bn=bn), [1, 0])
    assert_array_equal(value("bn[3] == 1", bn=bn), [False, True])
    assert "there is no bn[4]" in message("bn[4]", lambda expression: expression.evaluate({"bn": bn}))
    assert "no items" in message("x[1]", lambda expression: expression.evaluate({"x": np.ones(3)}))


def test_a_design_can_be_evaluated_as_it_is() -> None:
    design = Design({"bn": Bits("1010"), "reram_layers": 3, "cell": "SLC"})
    result = parse("sum(bn) + reram_layers == 5 and cell == 'SLC' and bn[3] == 1").evaluate(design)
    assert result.shape == ()
    assert bool(result)


def test_columns_of_one_row_stand_for_all_designs() -> None:
    designs = Designs({"bn": np.eye(4, dtype=np.uint8), "reram_layers": np.array([2])})
    assert_array_equal(parse("sum(bn) + reram_layers + bn[1]").evaluate(designs.columns), [4, 3, 3, 3])


def test_words_are_compared_as_words() -> None:
    cell = Categorical(["SLC", "MLC"]).column(["SLC", "MLC", "SLC"])
    assert_array_equal(value("cell == 'SLC'", cell=cell), [True, False, True])
    assert_array_equal(value('cell != "SLC"', cell=cell), [False, True, False])
    assert_array_equal(value("cell in ['MLC', 'TLC']", cell=cell), [False, True, False])
    assert_array_equal(value("cell not in ('MLC', 'TLC')", cell=cell), [True, False, True])
    assert_array_equal(value("cell == 'SLC'", cell=cell.astype(object)), [True, False, True])
    assert_array_equal(parse("cell == 'SLC'").violation({"cell": cell}), [0, 1, 0])


@pytest.mark.parametrize("text", ["cell == 1", "cell < other", "cell + 1 < 2", "abs(cell) < 2", "cell in [1, 2]"])
def test_words_refuse_to_be_numbers(text: str) -> None:
    values = {"cell": np.array(["SLC", "MLC"]), "other": np.array(["a", "b"])}
    assert "words" in message(text, lambda expression: expression.evaluate(values))
    if parse(text).is_condition:
        assert "words" in message(text, lambda expression: expression.violation(values))


def test_membership_is_any_of_the_options() -> None:
    size = np.array([64, 128, 256])
    assert_array_equal(value("size in [64, 2 * 64]", size=size), [True, True, False])
    assert_array_equal(value("size in (64)", size=size), [True, False, False])
    assert_array_equal(value("not size in [64]", size=size), [False, True, True])


def test_every_comparison_with_nan_is_false() -> None:
    for operator in ("<", "<=", ">", ">=", "==", "!="):
        assert_array_equal(value(f"x {operator} 1", x=np.array([np.nan])), [False])
    assert_array_equal(value("x in [1]", x=np.array([np.nan])), [False])
    assert_array_equal(value("x not in [1]", x=np.array([np.nan])), [False])
    assert_array_equal(value("x == 1", x=np.array([None, 1], dtype=object)), [False, True])


def test_what_has_no_value_is_nan_or_infinite_and_never_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    zero = np.zeros(1)
    assert math.isnan(value("x / x", x=zero)[0])
    assert value("1 / x", x=zero)[0] == math.inf
    assert math.isnan(value("sqrt(x - 1)", x=zero)[0])
    assert math.isnan(value("(0 - 8) ** 0.5"))
    assert value("10 ** 1000") == math.inf
    assert value("log(x)", x=zero)[0] == -math.inf
    assert not recwarn.list


def test_integer_columns_calculate_as_numbers_do() -> None:
    assert_array_equal(value("2 ** -x", x=np.array([1, 2])), [0.5, 0.25])
    assert_array_equal(value("x - 3", x=np.array([1, 2], dtype=np.uint8)), [-2, -1])


def test_a_vector_in_the_place_of_a_number_is_refused() -> None:
    found = message("bn <= 1", lambda expression: expression.evaluate({"bn": np.ones((2, 8))}))
    assert "'bn' is a vector of 8 items: write sum(bn)" in found


def test_a_name_without_a_value_is_told_with_the_nearest() -> None:
    found = message("latencie < 1", lambda expression: expression.evaluate({"latency": 1.0}))
    assert "unknown name 'latencie' (did you mean 'latency'?)" in found


def test_a_million_rows_are_filtered_at_once() -> None:
    rng = np.random.default_rng(0)
    values = {"latency_s": rng.random(1_000_000) * 2e-5, "area_mm2": rng.random(1_000_000) * 400}
    kept = parse("latency_s < 1e-5 and area_mm2 < 200").evaluate(values)
    assert kept.shape == (1_000_000,)
    assert kept.mean() == pytest.approx(0.25, abs=0.01)


# -- violation ------------------------------------------------------------------------------------------------------

wild = st.floats() | st.sampled_from([0.0, -0.0, 1.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e308])


@settings(max_examples=300)
@given(conditions, st.lists(st.tuples(wild, wild, wild), min_size=1, max_size=5))
def test_violation_is_zero_exactly_where_the_condition_holds(text: str, rows: list[tuple[float, ...]]) -> None:
    values = dict(zip(NAMES, np.array(rows).T, strict=True))
    expression = parse(text)
    violation = expression.violation(values)
    assert np.all(violation >= 0)
    assert_array_equal(violation == 0, expression.evaluate(values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x <= 3", [0, 0, 2]),
        ("x >= 3", [2, 0, 0]),
        ("x == 3", [2, 0, 2]),
        ("x != 3", [0, 1, 0]),
        ("2 <= x <= 4", [1, 0, 1]),
        ("x >= 2 and x >= 3", [3, 0, 0]),
        ("x <= 2 or x <= 4", [0, 0, 1]),
        ("x in [1, 4]", [0, 1, 1]),
        ("x not in [1, 4]", [1, 0, 0]),
        ("not x <= 3", [1, 1, 0]),
    ],
)
def test_violation_tells_how_far_a_design_is_from_satisfying(text: str, expected: list[float]) -> None:
    assert_allclose(parse(text).violation({"x": np.array([1.0, 3.0, 5.0])}), expected)


def test_a_strict_inequality_at_equality_is_violated_a_little() -> None:
    violation = parse("x < 3").violation({"x": np.array([3.0, np.nan])})
    assert 0 < violation[0] < 1e-300
    assert violation[1] == math.inf


def test_only_conditions_can_be_violated() -> None:
    assert "compare it" in message("x + 1", lambda expression: expression.violation({"x": 1.0}))
    assert not parse("x + 1").is_condition
    assert parse("x > 1").is_condition


# -- units ----------------------------------------------------------------------------------------------------------


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


# -- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem", "pointed"),
    [
        ("a = b", "write '==' to compare", "="),
        ("a && b", "write 'and'", "&&"),
        ("a || b", "write 'or'", "||"),
        ("!a", "write 'not'", "!"),
        ("a <> b", "write '!='", "<>"),
        ("a =< b", "write '<='", "=<"),
        ("a ≥ b", "write '>='", "≥"),
        ("a ^ b", "write '**' for a power", "^"),
        ("a < 1 AND b < 1", "write 'and'", "AND"),
        ("report.latency < 1", "write the field's name alone", "."),
        ("a; b", "';' cannot stand in an expression", ";"),
        ("cell == 'SLC", "the quote is never closed", "'"),
        ("(a + b < 1", "'(' is never closed: expected ')' at the end", "("),
        ("a in [1, 2", "'[' is never closed: expected ']' at the end", "["),
        ("a < 1)", "')' closes nothing that was opened", ")"),
        ("(a]", "expected ')' or an operator, not ']'", "]"),
        ("a + < 1", "expected a number, a name or '(' after '+', not '<'", "<"),
        ("* a", "expected a number, a name or '(', not '*'", "*"),
        ("a b", "expected an operator or the end, not 'b'", "b"),
        ("1 < 2 3", "expected an operator or the end, not '3'", "3"),
        ("a 'b'", "expected an operator or the end, not ''b''", "'b'"),
        ("maximum(a, b)", "unknown function 'maximum' (did you mean 'max'?)", "maximum"),
        ("__import__('os')", "unknown function '__import__'; only arithmetic, comparisons, and, or", "__import__"),
        ("2 qux", "known: s, J, W, Hz, K, mm2, m, V, A, ohm, S, min, h", "qux"),
        ("sum()", "sum() needs an argument", ")"),
        ("sqrt(a, b)", "sqrt() takes one argument, not 2", "b"),
        ("bn[0]", "an item is a whole number from 1 up", "0"),
        ("bn[i]", "an item is a whole number from 1 up", "i"),
        ("bn[1.5]", "an item is a whole number from 1 up", "1.5"),
        ("60 Mhz", "unknown unit 'Mhz' (did you mean 'MHz'?)", "Mhz"),
        ("2 layers", "unknown unit 'layers'", "layers"),
        ("1e999", "1e999 is too large a number", "1e999"),
        ("1e305 GHz", "1e305 GHz is too large a number", "1e305 GHz"),
        ("a in 3", "expected a list such as [64, 128] after 'in', not '3'", "3"),
        ("a not 3", "expected 'in' after 'not', not '3'", "3"),
        ("a in []", "expected a number, a name or '(' after '[', not ']'", "]"),
        ("1 < a in [2]", "'in' cannot follow a comparison: join the two with 'and'", "in"),
        ("a in [2] == b", "'==' cannot follow a comparison", "=="),
        ("latency and energy < 5", "latency is not a condition: compare it with something", "latency"),
        ("not a", "a is not a condition", "a"),
        ("(a < b) + 1", "'(a < b)' is a condition (true or false), not a number", "(a < b)"),
        ("(a < b) == (c < d)", "'(a < b)' is a condition", "(a < b)"),
        ("sum(a < b)", "'a < b' is a condition", "a < b"),
        ("'a' + 1", "words can only be compared", "'a'"),
        ("a < 'b'", "words have no order: use ==", "'b'"),
    ],
)
def test_an_error_says_what_is_wrong_and_points_at_it(text: str, problem: str, pointed: str) -> None:
    told, shown, carets = message(text).split("\n")
    assert problem in told
    assert shown == f"  {text}"
    start = carets.index("^")
    assert shown[start : start + carets.count("^")] == pointed


@pytest.mark.parametrize("text", ["a +", "a <", "not", "(", "a < 1 and", "sum(a,", "a in", "-"])
def test_a_trailing_operator_is_pointed_at_behind_the_end(text: str) -> None:
    told, shown, carets = message(text).split("\n")
    assert "expected" in told
    assert "not the end" in told
    assert len(carets) == len(shown) + 1


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_expression_is_refused(text: str) -> None:
    assert "empty" in message(text)


def test_absurdly_long_text_is_refused() -> None:
    assert "at most 2000" in message("1 + " * 500 + "1")


@pytest.mark.parametrize("opening", ["(", "-", "not ", "abs(", "2 ** ", "x in (", "x<1 or x<1 and x<x+x*("])
def test_deeply_nested_text_is_refused_without_reaching_python_s_own_limit(opening: str) -> None:
    assert "more than 50 levels" in message(opening * 51 + "x")


def test_fifty_levels_are_read_and_evaluated() -> None:
    assert value("(" * 50 + "x" + ")" * 50, x=3.0) == 3
    assert not value("not (" * 25 + "x < 1" + ")" * 25, x=0.0)
    assert value("(1 + 2 * " * 50 + "x" + ")" * 50, x=0.0) == 2.0**50 - 1


def test_long_flat_expressions_are_no_deeper_than_short_ones() -> None:
    assert value("+".join(["x"] * 1000), x=1.0) == 1000
    expression = parse(" or ".join(["x<1"] * 280))
    assert expression.violation({"x": 3.0}) == 2
    expression.check({"x": ""})


def test_long_text_is_shown_in_part_around_the_mistake() -> None:
    told, shown, carets = message(" + ".join(["area"] * 100) + " + latency ( 3 +" + " energy" * 100).split("\n")
    assert "unknown function 'latency'" in told
    assert len(shown) == 102
    start = carets.index("^")
    assert shown[start : start + 7] == "latency"


def test_an_expression_over_several_lines_is_shown_on_one() -> None:
    assert value("x > 1\n  and x < 3", x=2.0)
    assert message("x > 1\n and").split("\n")[1] == "  x > 1  and"


def test_errors_are_input_errors_that_know_their_field() -> None:
    with pytest.raises(InputError) as caught:
        parse("a +")
    moved = pickle.loads(pickle.dumps(caught.value.under("constraints[0]")))  # noqa: S301 - our own bytes
    assert isinstance(moved, ExpressionError)
    assert str(moved).startswith("constraints[0]: expected")


PIECES = """x bn cell 1 0.5 2e3 mm2 C % + - * / ** < <= == != ( ) [ ] , and or not in
            sum( max( abs( sqrt( 'w' = . ' " é ² ^"""


def refusal(act: Callable[[], object]) -> ExpressionError | None:
    try:
        act()
    except ExpressionError as error:
        return error
    return None


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES.split()), max_size=12).map(" ".join) | st.text(max_size=20))
def test_any_text_is_either_used_or_refused_with_an_error_that_points_into_it(text: str) -> None:
    values = {"x": np.array([1.0, 2.0]), "bn": np.ones((2, 3)), "cell": np.array(["w", "v"])}
    refusals = [
        refusal(lambda: parse(text)),
        refusal(lambda: parse(text).check({"x": "K", "bn": "", "cell": ""}, {"bn": 3})),
        refusal(lambda: parse(text).evaluate(values)),
        refusal(lambda: parse(text).violation(values)),
    ]
    assert all("^" in str(error) or not text.strip() for error in refusals if error)


# -- the object -----------------------------------------------------------------------------------------------------


def test_names_are_those_used_and_no_functions_units_or_words() -> None:
    expression = parse("reram_layers + sum(bn) <= 9 and cell == 'SLC' and bn[2] == 1 and area < 60 mm2")
    assert expression.names == {"reram_layers", "bn", "cell", "area"}
    assert parse("min < 3").names == {"min"}
    assert parse("1 < 2").names == frozenset()


def test_expressions_are_values() -> None:
    text = "reram_layers + gpu_layers <= 4"
    expression = parse(text)
    assert str(expression) == expression.text == text
    assert {expression: 1}[parse(text)] == 1
    assert expression != parse("reram_layers + gpu_layers <= 5")
    copy = pickle.loads(pickle.dumps(expression))  # noqa: S301 - our own bytes
    assert copy == expression
    assert copy.tree == expression.tree
    assert copy.names == expression.names
    with pytest.raises(AttributeError):
        expression.text = "other"  # type: ignore[misc]  # frozen is what is tested


def test_trees_do_not_depend_on_spaces_and_brackets() -> None:
    assert parse("a+b*2<=1").tree == parse("  a + ( b * 2 ) <= 1").tree


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("latency < 1/0", "1/0"),
        ("latency < 2 s * (3 + log(0))", "log(0)"),
        ("latency < 1 s or energy < -sqrt(1 - 2) * 1 J", "sqrt(1 - 2)"),
        ("not reram_layers + 10 ** 400 > 3", "10 ** 400"),
        ("reram_layers in [1, 0 % 0]", "0 % 0"),
        ("max(reram_layers, 1/0 - 1/0) < 3", "1/0"),
    ],
)
def test_a_part_without_names_must_be_a_finite_number(text: str, at: str) -> None:
    said, shown, carets = check_message(text).split("\n")
    assert said == f"{at} is no finite number"
    assert shown[carets.index("^") : carets.rindex("^") + 1] == at


def test_what_depends_on_a_name_may_divide_by_zero() -> None:
    parse("latency < 1 s / reram_layers * (3 / 2 - 1 / 4)").check(UNITS)


@pytest.mark.parametrize("text", ["bn == all", "bn == 'none'", "all == bn", "bn != none", "bn in [all, none]"])
def test_a_vector_compared_with_a_word_is_mended_in_one_go(text: str) -> None:
    told = check_message(text)
    assert "write sum(bn) for how many are on (8 if all, 0 if none), or bn[1]" in told
    assert "quotes" not in told


def test_of_many_names_only_the_nearest_are_shown() -> None:
    units = {f"{letter}{number}": "" for letter in "abc" for number in range(10)}
    told = message("bxy < 3", lambda expression: expression.check(units))
    assert "unknown name 'bxy'; the nearest: b0, b1, b2, b3, b4 (rex list fields shows all)" in told
