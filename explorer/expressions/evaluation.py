"""The value of an expression, and how far a condition is from true, for any number of designs at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from itertools import pairwise
from typing import Any, TypeAlias, assert_never

import numpy as np
from numpy.typing import NDArray

from explorer.expressions.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Condition,
    ExpressionError,
    Item,
    Junction,
    Membership,
    Name,
    Negation,
    Node,
    Not,
    Number,
    Quantity,
    Word,
    error_at,
)
from simulators.protocol import suggestion

__all__ = ["SMALLEST_VIOLATION", "Evaluator"]

Array: TypeAlias = NDArray[Any]

SMALLEST_VIOLATION = float(np.finfo(np.float64).tiny)
"""How far a strict inequality is from true at equality."""

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
    "**": np.power,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "==": np.equal,
    "!=": np.not_equal,
}
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {"abs": np.abs, "exp": np.exp, "log": np.log, "sqrt": np.sqrt}
_OVER_ITEMS: Mapping[str, Callable[[Array], Any]] = {
    "count": lambda items: np.sum(items, axis=-1, dtype=np.float64),
    "max": lambda items: np.max(items, axis=-1).astype(np.float64),
    "min": lambda items: np.min(items, axis=-1).astype(np.float64),
    "sum": lambda items: np.sum(items, axis=-1, dtype=np.float64),
}
_OVER_ARGUMENTS: Mapping[str, Callable[[Any, Any], Any]] = {
    "count": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "sum": np.add,
}


class Evaluator:
    """Evaluates nodes of one text over one set of values.

    Args:
        text: the expression's text, for errors.
        values: per name a number, a word, a tuple (the items of one design's vector), or an array of shape (count,), or
            (count, length) for a vector. Arrays broadcast, so a first dimension of 1 stands for all designs.
    """

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self.text = text
        self.values = values

    def evaluate(self, node: Node) -> Array:
        """The value of ``node``, shape (count,), or () when every value is of one design.

        Raises:
            ExpressionError: a name has no value, a vector stands where one number is needed, or words meet numbers.
        """
        return self._condition(node) if isinstance(node, Condition) else self._quantity(node)

    def violation(self, node: Condition) -> Array:
        """How far ``node`` is from true: 0 exactly where it is true, positive elsewhere.

        ``a <= b`` is violated by a - b and ``==`` by abs(a - b), words and ``not`` by 1; a chain and ``and`` add up,
        ``or`` and ``in`` take the least. What NaN makes false is violated by infinity.
        """
        match node:
            case Comparison():
                operands = [self._quantity(operand) for operand in node.operands]
                gaps = [
                    self._gap(operator, left, right, node)
                    for operator, (left, right) in zip(node.operators, pairwise(operands), strict=True)
                ]
                return reduce(np.add, gaps)
            case Membership(negated=False):
                operand = self._quantity(node.operand)
                return reduce(
                    np.minimum, [self._gap("==", operand, self._quantity(option), node) for option in node.options]
                )
            case Membership() | Not():
                return np.where(self._condition(node), 0.0, 1.0)
            case Junction():
                join = np.add if node.operator == "and" else np.minimum
                return reduce(join, [self.violation(operand) for operand in node.operands])
            case _:
                assert_never(node)

    def _gap(self, operator: str, left: Array, right: Array, node: Condition) -> Array:
        holds = self._compare(operator, left, right, node)
        if operator == "!=" or _is_words(left):
            return np.where(holds, 0.0, 1.0)
        gap = np.nan_to_num(np.abs(left - right), nan=np.inf, posinf=np.inf)
        return np.where(holds, 0.0, np.maximum(gap, SMALLEST_VIOLATION))

    # -- conditions ------------------------------------------------------------------------------------------------

    def _condition(self, node: Condition) -> Array:
        match node:
            case Comparison():
                operands = [self._quantity(operand) for operand in node.operands]
                parts = [
                    self._compare(operator, left, right, node)
                    for operator, (left, right) in zip(node.operators, pairwise(operands), strict=True)
                ]
                return reduce(np.logical_and, parts)
            case Membership():
                operand = self._quantity(node.operand)
                operator, join = ("!=", np.logical_and) if node.negated else ("==", np.logical_or)
                parts = [self._compare(operator, operand, self._quantity(option), node) for option in node.options]
                return reduce(join, parts)
            case Not():
                return np.logical_not(self._condition(node.operand))
            case Junction():
                join = np.logical_and if node.operator == "and" else np.logical_or
                return reduce(join, [self._condition(operand) for operand in node.operands])
            case _:
                assert_never(node)

    def _compare(self, operator: str, left: Array, right: Array, node: Condition) -> Array:
        if _is_words(left) != _is_words(right):
            raise self._error(node, "words are compared with numbers here; write words in quotes and numbers without")
        if _is_words(left) and operator not in ("==", "!="):
            raise self._error(node, f"words have no order: use == or != instead of {operator}")
        holds: Array = np.asarray(_COMPARISONS[operator](left, right))
        if operator == "!=" and not _is_words(left):
            holds = holds & ~np.isnan(left) & ~np.isnan(right)
        return holds

    # -- quantities ------------------------------------------------------------------------------------------------

    def _quantity(self, node: Quantity) -> Array:
        """The value of ``node``: float64, or words."""
        match node:
            case Number():
                return np.asarray(node.value)
            case Word():
                return np.asarray(node.word)
            case Name():
                return self._column(node)
            case Item():
                return self._item(node)
            case Negation():
                return -self._number(node.operand)
            case Arithmetic():
                operands = [self._number(operand) for operand in node.operands]
                result = operands[0]
                for operator, operand in zip(node.operators, operands[1:], strict=True):
                    result = _ARITHMETIC[operator](result, operand)
                return np.asarray(result)
            case Call(function=function) if function in _FUNCTIONS:
                return np.asarray(_FUNCTIONS[function](self._number(node.arguments[0])))
            case Call():
                return reduce(
                    _OVER_ARGUMENTS[node.function],
                    [self._reduced(node.function, argument) for argument in node.arguments],
                )
            case _:
                assert_never(node)

    def _number(self, node: Quantity) -> Array:
        value = self._quantity(node)
        if _is_words(value):
            raise self._error(node, f"'{self.text[slice(*node.span)]}' holds words; one cannot calculate with words")
        return value

    def _reduced(self, function: str, argument: Quantity) -> Array:
        if isinstance(argument, Name) and (items := self._items(argument)) is not None:
            return np.asarray(_OVER_ITEMS[function](items))
        return self._number(argument)

    def _item(self, node: Item) -> Array:
        items = self._items(node)
        if items is None:
            raise self._error(node, f"'{node.name}' is a single value, it has no items")
        if node.position > items.shape[-1]:
            raise self._error(
                node, f"'{node.name}' has {items.shape[-1]} items, there is no {node.name}[{node.position}]"
            )
        return np.asarray(items[..., node.position - 1], dtype=np.float64)

    def _column(self, node: Name) -> Array:
        items = self._items(node)
        if items is not None:
            raise self._error(node, vector_problem(node.name, items.shape[-1]))
        column = np.asarray(self.values[node.name])
        if column.dtype.kind == "O":  # a table's column of words, or of numbers with gaps
            return column.astype(np.str_ if any(isinstance(entry, str) for entry in column.flat) else np.float64)
        return column if _is_words(column) else column.astype(np.float64, copy=False)

    def _items(self, node: Name | Item) -> Array | None:
        """The items of a vector along the last axis; None if it is none."""
        if node.name not in self.values:
            raise self._error(node, f"unknown name '{node.name}'{suggestion(node.name, self.values)}")
        value = self.values[node.name]
        array = np.asarray(value)
        return array if isinstance(value, tuple) or array.ndim > 1 else None

    def _error(self, node: Node, problem: str) -> ExpressionError:
        return error_at(self.text, node.span, problem)


def vector_problem(name: str, length: int) -> str:
    """What to say where a vector stands in the place of a number."""
    return (
        f"'{name}' is a vector of {length} items: write sum({name}) for how many are on ({length} if all, 0 if none), "
        f"or {name}[1] for the first"
    )


def _is_words(array: Array) -> bool:
    return array.dtype.kind in "UT"
