import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from explorer.expressions import parse
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs
from tests.explorer.expressions.reading import message, value

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
