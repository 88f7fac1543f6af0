import pickle
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.expressions import ExpressionError, parse
from simulators.protocol import InputError
from tests.explorer.expressions.reading import message, value


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
