"""Which constraints are linear: those that a binary quadratic program can respect by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from explorer.expressions.expression import Expression
from explorer.expressions.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Item,
    Junction,
    Name,
    Negation,
    Node,
    Number,
    Quantity,
)

__all__ = ["LinearRow", "Term", "linear_rows"]

Term = tuple[str, int]
"""A variable's name and, of a vector, the item's position from 1 on; 0 for a variable that is no vector."""

# a < b becomes a <= b - STRICT times the largest coefficient: whole numbers and choices differ by more
STRICT = 1e-5


@dataclass(frozen=True)
class LinearRow:
    """``sum of coefficients x terms <= bound``, or ``== bound``."""

    coefficients: Mapping[Term, float]
    relation: Literal["<=", "=="]
    bound: float


class _NotLinearError(Exception):
    """Raised inside, where a part of an expression is not linear."""


def linear_rows(expression: Expression, lengths: Mapping[str, int]) -> list[LinearRow] | None:
    """A condition as linear rows that must all hold.

    Args:
        expression: over variables.
        lengths: number of items of each variable that is a vector.

    Returns:
        None where some part of it is not linear (products of variables, ``or``, ``!=``, words), or where it is a
        number.
    """
    try:
        return _condition(expression.tree, lengths)
    except _NotLinearError:
        return None


def _condition(node: Node, lengths: Mapping[str, int]) -> list[LinearRow]:
    if isinstance(node, Junction) and node.operator == "and":
        return [row for operand in node.operands for row in _condition(operand, lengths)]
    if not isinstance(node, Comparison):
        raise _NotLinearError
    sides = [_affine(operand, lengths) for operand in node.operands]
    return [_row(sides[i], operator, sides[i + 1]) for i, operator in enumerate(node.operators)]


def _row(left: _Affine, operator: str, right: _Affine) -> LinearRow:
    if operator in (">", ">="):
        left, right = right, left
    difference = left.plus(right, -1.0)
    largest = max(map(abs, difference.coefficients.values()), default=1.0)
    strict = STRICT * (largest or 1.0) if operator in ("<", ">") else 0.0
    if operator in ("<", "<=", ">", ">="):
        return LinearRow(difference.coefficients, "<=", -difference.constant - strict)
    if operator == "==":
        return LinearRow(difference.coefficients, "==", -difference.constant)
    raise _NotLinearError


@dataclass(frozen=True)
class _Affine:
    coefficients: Mapping[Term, float]
    constant: float

    def plus(self, other: _Affine, factor: float = 1.0) -> _Affine:
        total = dict(self.coefficients)
        for term, value in other.coefficients.items():
            total[term] = total.get(term, 0.0) + factor * value
        return _Affine(total, self.constant + factor * other.constant)

    def times(self, factor: float) -> _Affine:
        return _Affine({term: factor * value for term, value in self.coefficients.items()}, factor * self.constant)


def _affine(node: Quantity, lengths: Mapping[str, int]) -> _Affine:
    match node:
        case Number(value=value):
            return _Affine({}, value)
        case Name(name=name) if name not in lengths:
            return _Affine({(name, 0): 1.0}, 0.0)
        case Item(name=name, position=position):
            return _Affine({(name, position): 1.0}, 0.0)
        case Negation(operand=operand):
            return _affine(operand, lengths).times(-1.0)
        case Call(function="sum" | "count", arguments=(Name(name=name),)) if name in lengths:
            return _Affine({(name, position): 1.0 for position in range(1, lengths[name] + 1)}, 0.0)
        case Arithmetic(operands=operands, operators=operators):
            total = _affine(operands[0], lengths)
            for operator, operand in zip(operators, operands[1:], strict=True):
                total = _combined(total, operator, _affine(operand, lengths))
            return total
    raise _NotLinearError


def _combined(left: _Affine, operator: str, right: _Affine) -> _Affine:
    if operator in ("+", "-"):
        return left.plus(right, 1.0 if operator == "+" else -1.0)
    if operator == "*" and not right.coefficients:
        return left.times(right.constant)
    if operator == "*" and not left.coefficients:
        return right.times(left.constant)
    if operator == "/" and not right.coefficients and right.constant:
        return left.times(1.0 / right.constant)
    raise _NotLinearError
