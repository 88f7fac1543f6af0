"""What an expression is made of: the nodes of its tree, and the error that points into its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from simulators.protocol import InputError

__all__ = [
    "Arithmetic",
    "Call",
    "Comparison",
    "Condition",
    "ExpressionError",
    "Item",
    "Junction",
    "Membership",
    "Name",
    "Negation",
    "Node",
    "Not",
    "Number",
    "Quantity",
    "Span",
    "Word",
    "error_at",
    "parts",
]

Span: TypeAlias = tuple[int, int]
"""Start and end of a piece of text."""

SHOWN_LENGTH = 100  # characters of a long text that an error shows


class ExpressionError(InputError):
    """An expression that cannot be read, or that does not fit the names and units it is used with."""


def error_at(text: str, span: Span, problem: str) -> ExpressionError:
    """The error that says ``problem`` and points at ``span`` of ``text`` with a line of carets."""
    start, end = span
    first = max(0, start - SHOWN_LENGTH // 2) if len(text) > SHOWN_LENGTH else 0
    shown = re.sub(r"\s", " ", text[first : first + SHOWN_LENGTH])
    carets = "^" * max(1, min(end, first + len(shown)) - start)
    return ExpressionError(f"{problem}\n  {shown}\n  {' ' * (start - first)}{carets}")


@dataclass(frozen=True, kw_only=True)
class _Node:
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True)
class Number(_Node):
    """A number in SI; ``unit`` is the one it was written with, empty for a bare number."""

    value: float
    unit: str = ""


@dataclass(frozen=True)
class Word(_Node):
    """A quoted word, to compare categorical variables with."""

    word: str


@dataclass(frozen=True)
class Name(_Node):
    """A variable, a report's field or an objective."""

    name: str


@dataclass(frozen=True)
class Item(_Node):
    """One item of a vector; ``position`` counts from 1."""

    name: str
    position: int


@dataclass(frozen=True)
class Negation(_Node):
    """Unary minus."""

    operand: Quantity


@dataclass(frozen=True)
class Arithmetic(_Node):
    """Operands joined from left to right by operators of one rank: ``a - b + c`` (two operands for ``**``)."""

    operands: tuple[Quantity, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Call(_Node):
    """A function of one or more arguments."""

    function: str
    arguments: tuple[Quantity, ...]


@dataclass(frozen=True)
class Comparison(_Node):
    """A chain of comparisons: ``1 <= x <= 3`` has three operands and two operators."""

    operands: tuple[Quantity, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Membership(_Node):
    """``operand in [...]``, or ``not in`` when ``negated``."""

    operand: Quantity
    options: tuple[Quantity, ...]
    negated: bool = False


@dataclass(frozen=True)
class Not(_Node):
    """The opposite of a condition."""

    operand: Condition


@dataclass(frozen=True)
class Junction(_Node):
    """Two or more conditions joined by ``and``, or by ``or``."""

    operator: str
    operands: tuple[Condition, ...]


Quantity: TypeAlias = Number | Word | Name | Item | Negation | Arithmetic | Call
Condition: TypeAlias = Comparison | Membership | Not | Junction
Node: TypeAlias = Quantity | Condition


def parts(node: Node) -> tuple[Node, ...]:
    """The nodes that a node is made of."""
    match node:
        case Negation() | Not():
            return (node.operand,)
        case Arithmetic() | Comparison() | Junction():
            return node.operands
        case Call():
            return node.arguments
        case Membership():
            return (node.operand, *node.options)
        case _:
            return ()
