import pickle

import pytest

from explorer.expressions import parse
from tests.explorer.expressions.reading import UNITS, check_message, message


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


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("peak_temperature <= 373.15", "peak_temperature_k <= 373.15"),
        ("2 * sum(area) < 3 and not (peak_temperature<1 C or area[2] > 1)",
         "2 * sum(area_mm2) < 3 and not (peak_temperature_k<1 C or area_mm2[2] > 1)"),
        ("energy < 1", "energy < 1"),
        ("latency_s < 1", "latency_s < 1"),
        ("latency in [energy_j, rate]", "latency in [energy_j, rate_hz]"),
        ("power < 1", "power < 1"),
        ("power == 'power'", "power == 'power'"),
        ("rate_k < 1 and bn < 2 and peak < 3", "rate_k < 1 and bn < 2 and peak < 3"),
    ],
)  # fmt: skip
def test_the_unit_at_the_end_of_a_name_may_be_left_out_where_it_is_clear_what_is_meant(text: str, meant: str) -> None:
    units = {
        "peak_temperature_k": "K", "area_mm2": "mm2", "energy": "J", "energy_j": "J", "latency": "s", "latency_s": "s",
        "rate_hz": "Hz", "power_w": "W", "power_k": "K", "bn_layers": "",
    }  # fmt: skip
    assert parse(text).spelled_out(units).text == meant
    assert parse(meant).spelled_out(units).text == meant
