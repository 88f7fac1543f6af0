from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.expressions import parse
from explorer.expressions.linear import LinearRow, linear_rows

LENGTHS = {"bn": 4}


def rows(text: str) -> list[LinearRow] | None:
    return linear_rows(parse(text), LENGTHS)


def holds(found: Sequence[LinearRow], values: dict[str, float], bn: Sequence[int]) -> bool:
    def left(row: LinearRow) -> float:
        return sum(
            factor * (bn[position - 1] if position else values[name])
            for (name, position), factor in row.coefficients.items()
        )

    return all(
        left(row) <= row.bound + 1e-9 if row.relation == "<=" else abs(left(row) - row.bound) <= 1e-9 for row in found
    )


@pytest.mark.parametrize(
    ("text", "coefficients", "relation", "bound"),
    [
        ("x <= 3", {("x", 0): 1}, "<=", 3),
        ("3 >= 2 * x - y", {("x", 0): 2, ("y", 0): -1}, "<=", 3),
        ("x + 1 == y / 2", {("x", 0): 1, ("y", 0): -0.5}, "==", -1),
        ("sum(bn) + bn[2] <= 3", {("bn", 1): 1, ("bn", 2): 2, ("bn", 3): 1, ("bn", 4): 1}, "<=", 3),
        ("count(bn) == 2", {("bn", i): 1 for i in range(1, 5)}, "==", 2),
        ("-(x - 2 * (y + 1)) * 3 >= 0", {("x", 0): 3, ("y", 0): -6}, "<=", 6),
        ("x - x <= 1", {("x", 0): 0}, "<=", 1),
    ],
)
def test_a_linear_comparison_becomes_one_row(
    text: str, coefficients: dict[tuple[str, int], float], relation: str, bound: float
) -> None:
    found = rows(text)
    assert found is not None
    (row,) = found
    assert (dict(row.coefficients), row.relation, row.bound) == (coefficients, relation, bound)


def test_and_and_chains_become_a_row_for_each_part() -> None:
    found = rows("1 <= x <= 3 and x == y")
    assert found is not None
    assert [row.relation for row in found] == ["<=", "<=", "=="]


@pytest.mark.parametrize(
    "text",
    ["x * y <= 3", "x <= 1 or y <= 1", "x != 3", "word == 'relu'", "1 / x <= 2", "x / 0 <= 1", "max(x, y) <= 2",
     "not x <= 3", "x in [1, 2]", "bn <= 3", "x <= 2 and x * x <= 3", "max(bn) <= 0", "x ** 2 <= 4"],
)  # fmt: skip
def test_what_is_not_linear_gives_none(text: str) -> None:
    assert rows(text) is None


def test_a_number_is_no_condition() -> None:
    assert rows("x + 1") is None


numbers = st.integers(-4, 4).map(str)
leaves = st.one_of(st.sampled_from(["x", "y", "sum(bn)", "bn[1]", "bn[4]", "count(bn)"]), numbers)
quantities = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(numbers, inner).map(lambda t: f"({t[0]}) * {t[1]}"),
        st.tuples(inner, st.sampled_from(["2", "-4", "0.5"])).map(lambda t: f"{t[0]} / ({t[1]})"),
        inner.map(lambda t: f"-({t})"),
    ),
    max_leaves=6,
)
comparisons = st.tuples(quantities, st.sampled_from(["<", "<=", ">", ">=", "=="]), quantities).map(" ".join)
conditions = st.lists(comparisons, min_size=1, max_size=3).map(" and ".join)


@given(conditions, st.integers(-5, 5), st.integers(-5, 5), st.tuples(*[st.integers(0, 1)] * 4))
def test_rows_hold_exactly_where_the_condition_does(text: str, x: int, y: int, bn: tuple[int, ...]) -> None:
    found = rows(text)
    assert found is not None
    values = {"x": float(x), "y": float(y), "bn": np.array([bn])}
    assert holds(found, {"x": x, "y": y}, bn) == bool(np.all(parse(text).evaluate(values)))
