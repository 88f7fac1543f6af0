"""From text to tree: a tokeniser and a Pratt parser (operator precedence: Pratt 1973).

Ranks are Python's, so ``-x ** 2``, ``not a < b`` and ``2 ** -1`` mean what they mean there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

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
    Span,
    Word,
    error_at,
)
from explorer.units import find_unit
from simulators.protocol import InputError, nearest, suggestion

__all__ = ["AGGREGATES", "ELEMENTWISE", "LONGEST", "NESTED", "Parser"]

AGGREGATES = ("count", "max", "min", "sum")  # over the items of a vector and over their arguments
ELEMENTWISE = ("abs", "exp", "log", "sqrt")  # of one argument

LONGEST = 2000  # characters
NESTED = 50  # levels; keeps the recursion below within Python's limit

_NOT_RANK, _COMPARISON_RANK, _MINUS_RANK = 3, 4, 7
_RANKS = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(["<", "<=", ">", ">=", "==", "!=", "in", "not"], _COMPARISON_RANK),
    **dict.fromkeys(["+", "-"], 5),
    **dict.fromkeys(["*", "/", "%"], 6),
    "**": 8,
}

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>°?[^\W\d]\w*)
      | (?P<word>'[^']*'|"[^"]*")
      | (?P<mistake>&&?|\|\|?|=<|=>|<>|=(?!=)|!(?!=)|[\^≤≥≠.'"])
      | (?P<symbol>\*\*|<=|>=|==|!=|[-+*/%<>()\[\],])
      | (?P<stranger>.)""",
    re.VERBOSE,
)
_KEYWORDS = ("and", "in", "not", "or")
_MISTAKES = {
    **dict.fromkeys(["&", "&&"], "write 'and'"),
    **dict.fromkeys(["|", "||"], "write 'or'"),
    "!": "write 'not'",
    "=": "write '==' to compare",
    **dict.fromkeys(["<>", "≠"], "write '!='"),
    **dict.fromkeys(["=<", "≤"], "write '<='"),
    **dict.fromkeys(["=>", "≥"], "write '>='"),
    "^": "write '**' for a power",
    ".": "write the field's name alone, without '.'",
    **dict.fromkeys(["'", '"'], "the quote is never closed"),
}

Kept = TypeVar("Kept", Quantity, Condition)
Kind: TypeAlias = Literal["number", "name", "word", "symbol", "end"]


@dataclass(frozen=True)
class Token:
    """A piece of the text; keywords are symbols."""

    kind: Kind
    text: str
    span: Span

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these operators, brackets or keywords."""
        return self.kind == "symbol" and self.text in symbols

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else f"'{self.text}'"


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        piece, span = match[0], match.span()
        match match.lastgroup:
            case "space":
                continue
            case "mistake":
                raise error_at(text, span, f"'{piece}': {_MISTAKES[piece]}")
            case "name" if piece in _KEYWORDS:
                yield Token("symbol", piece, span)
            case "number" | "name" | "word" | "symbol" as kind:
                yield Token(kind, piece, span)
            case _:
                raise error_at(text, span, f"'{piece}' cannot stand in an expression")
    yield Token("end", "", (len(text), len(text)))


class Parser:
    """Reads one text: ``Parser(text).parse()``; ``names`` holds the names that it met.

    Raises:
        ExpressionError: from both, wherever the text leaves the grammar.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        if not text.strip():
            raise ExpressionError("the expression is empty; write one such as 'reram_layers + gpu_layers <= 4'")
        if len(text) > LONGEST:
            raise ExpressionError(f"the expression has {len(text)} characters; at most {LONGEST} are read: split it")
        self._tokens = list(_tokens(text))
        self._position = 0
        self._depth = 0

    def parse(self) -> Node:
        """The tree of the whole text."""
        tree = self._expression(0)
        if self._token.kind == "end":
            return tree
        if self._token.is_symbol(")", "]"):
            raise self._error(self._token, f"{self._token} closes nothing that was opened")
        raise self._unexpected("an operator or the end")

    # -- tokens ----------------------------------------------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _next(self) -> Token:
        token = self._token
        self._position += 1
        return token

    def _error(self, at: Token | Node, problem: str) -> ExpressionError:
        return error_at(self.text, at.span, problem)

    def _unexpected(self, expected: str) -> ExpressionError:
        token = self._token
        hint = f"; write '{token.text.lower()}'" if token.text.lower() in _KEYWORDS and token.kind == "name" else ""
        return self._error(token, f"expected {expected}, not {token}{hint}")

    def _close(self, opening: Token, closing: str) -> Token:
        if self._token.is_symbol(closing):
            return self._next()
        if self._token.kind == "end":
            raise self._error(opening, f"'{opening.text}' is never closed: expected '{closing}' at the end")
        raise self._unexpected(f"'{closing}' or an operator")

    # -- kinds -----------------------------------------------------------------------------------------------------

    def _quantity(self, node: Node) -> Quantity:
        if isinstance(node, Condition):
            raise self._error(node, f"'{self._source(node)}' is a condition (true or false), not a number")
        return node

    def _number(self, node: Node) -> Quantity:
        quantity = self._quantity(node)
        if isinstance(quantity, Word):
            raise self._error(node, f"{self._source(node)} is a word; words can only be compared with ==, != and in")
        if isinstance(quantity, Number) and quantity.unit == "C":
            # A point on a scale that does not start at zero: 20 C + 20 C is neither 40 C nor 313 K.
            kelvin = f"{quantity.value:.10g} K"
            raise self._error(node, f"{self._source(node)} can only be compared; to calculate with it write {kelvin}")
        return quantity

    def _condition(self, node: Node) -> Condition:
        if isinstance(node, Condition):
            return node
        source = self._source(node)
        raise self._error(node, f"{source} is not a condition: compare it with something, as in {source} == 1")

    def _source(self, node: Node) -> str:
        return self.text[slice(*node.span)]

    # -- grammar ---------------------------------------------------------------------------------------------------

    def _nested(self, rank: int) -> Node:
        self._depth += 1
        if self._depth > NESTED:
            raise self._error(self._token, f"nested more than {NESTED} levels deep: split the expression")
        node = self._expression(rank)
        self._depth -= 1
        return node

    @property
    def _rank(self) -> int:
        return _RANKS.get(self._token.text, -1) if self._token.kind == "symbol" else -1

    def _expression(self, rank: int) -> Node:
        """What stands here, with every operator that binds at least as tightly as ``rank``."""
        left = self._operand()
        while (own := self._rank) >= rank:
            operator = self._token.text
            if operator in ("and", "or"):
                conditions, _ = self._chain(left, own, self._condition)
                left = Junction(operator, conditions, span=_around(conditions))
            elif operator in ("in", "not"):
                left = self._membership(self._quantity(left))
            elif own == _COMPARISON_RANK:
                quantities, operators = self._chain(left, own, self._quantity, stop=("in", "not"))
                self._check_order(quantities, operators)
                left = Comparison(quantities, operators, span=_around(quantities))
            elif operator == "**":
                base = self._number(left)
                self._next()
                quantities = (base, self._number(self._nested(own)))  # the same rank: from right to left
                left = Arithmetic(quantities, ("**",), span=_around(quantities))
            else:
                quantities, operators = self._chain(left, own, self._number)
                left = Arithmetic(quantities, operators, span=_around(quantities))
            if own == self._rank == _COMPARISON_RANK:
                raise self._error(self._token, f"{self._token} cannot follow a comparison: join the two with 'and'")
        return left

    def _chain(
        self, left: Node, rank: int, keep: Callable[[Node], Kept], stop: tuple[str, ...] = ()
    ) -> tuple[tuple[Kept, ...], tuple[str, ...]]:
        """``left`` and what follows it, joined by operators of ``rank``: a loop, so that long sums stay shallow."""
        operands, operators = [keep(left)], []
        while self._rank == rank and not self._token.is_symbol(*stop):
            operators.append(self._next().text)
            operands.append(keep(self._expression(rank + 1)))
        return tuple(operands), tuple(operators)

    def _check_order(self, operands: tuple[Quantity, ...], operators: tuple[str, ...]) -> None:
        for operator, left, right in zip(operators, operands, operands[1:], strict=False):
            for operand in (left, right):
                if operator not in ("==", "!=") and isinstance(operand, Word):
                    raise self._error(operand, f"{self._source(operand)} is a word, and words have no order: use ==")

    def _membership(self, operand: Quantity) -> Condition:
        negated = self._token.is_symbol("not")
        if negated:
            self._next()
        if not self._token.is_symbol("in"):
            raise self._unexpected("'in' after 'not'")
        self._next()
        if not self._token.is_symbol("[", "("):
            raise self._unexpected("a list such as [64, 128] after 'in'")
        opening = self._next()
        options = self._list(self._quantity)
        closing = self._close(opening, {"[": "]", "(": ")"}[opening.text])
        return Membership(operand, options, negated, span=(operand.span[0], closing.span[1]))

    def _list(self, keep: Callable[[Node], Quantity]) -> tuple[Quantity, ...]:
        found = [keep(self._nested(0))]
        while self._token.is_symbol(","):
            self._next()
            found.append(keep(self._nested(0)))
        return tuple(found)

    def _operand(self) -> Node:
        token = self._token
        match token:
            case Token(kind="number"):
                return self._literal()
            case Token(kind="word"):
                self._next()
                return Word(token.text[1:-1], span=token.span)
            case Token(kind="name"):
                return self._name()
            case Token(kind="symbol", text="("):
                self._next()
                inner = self._nested(0)
                return replace(inner, span=(token.span[0], self._close(token, ")").span[1]))
            case Token(kind="symbol", text="-"):
                return self._minus()
            case Token(kind="symbol", text="not"):
                self._next()
                condition = self._condition(self._nested(_NOT_RANK))
                return Not(condition, span=(token.span[0], condition.span[1]))
        before = f" after {self._tokens[self._position - 1]}" if self._position else ""
        raise self._unexpected(f"a number, a name or '('{before}")

    def _minus(self) -> Quantity:
        minus, first = self._next(), self._token
        operand = self._nested(_MINUS_RANK)
        span = minus.span[0], operand.span[1]
        if first.kind == "number" and isinstance(operand, Number) and operand.unit == "C":
            return self._scaled(-float(first.text), "C", span)  # -20 C is 253.15 K, not -293.15 K
        return Negation(self._number(operand), span=span)

    def _literal(self) -> Number:
        number = self._next()
        if self._token.is_symbol("%"):
            after = self._tokens[self._position + 1]
            if after.is_symbol("-"):
                raise self._error(
                    self._token,
                    f"'{number.text} % -' may be percent or a remainder: write ({number.text} %) - ... or % (-...)",
                )
            if after.kind in ("number", "name", "word") or after.is_symbol("("):
                return self._scaled(float(number.text), "", number.span)  # a remainder follows
        elif self._token.kind != "name" or self._token.text.lower() in _KEYWORDS:
            return self._scaled(float(number.text), "", number.span)
        unit = self._next()
        try:
            symbol = find_unit(unit.text).symbol
        except InputError as error:
            raise self._error(unit, f"{error}; write '*' to multiply") from None
        return self._scaled(float(number.text), symbol, (number.span[0], unit.span[1]))

    def _scaled(self, value: float, unit: str, span: Span) -> Number:
        if math.isfinite(value) and unit:
            value = find_unit(unit).to_si(value)
        if not math.isfinite(value):
            raise error_at(self.text, span, f"{self.text[slice(*span)]} is too large a number")
        return Number(value, unit, span=span)

    def _name(self) -> Quantity:
        name = self._next()
        if self._token.is_symbol("("):
            return self._call(name)
        self.names.add(name.text)
        if not self._token.is_symbol("["):
            return Name(name.text, span=name.span)
        opening = self._next()
        position = self._token
        if position.kind != "number" or not position.text.isdigit() or int(position.text) < 1:
            raise self._error(position, f"an item is a whole number from 1 up, as in {name.text}[1], not {position}")
        self._next()
        closing = self._close(opening, "]")
        return Item(name.text, int(position.text), span=(name.span[0], closing.span[1]))

    def _call(self, function: Token) -> Call:
        known = (*AGGREGATES, *ELEMENTWISE)
        if function.text not in known:
            problem = f"unknown function '{function.text}'{suggestion(function.text, nearest(function.text, known))}"
            raise self._error(
                function,
                f"{problem}; only arithmetic, comparisons, and, or, not and these are read: {', '.join(known)}",
            )
        opening = self._next()
        if self._token.is_symbol(")"):
            raise self._error(self._token, f"{function.text}() needs an argument")
        arguments = self._list(self._number)
        if function.text in ELEMENTWISE and len(arguments) > 1:
            raise self._error(arguments[1], f"{function.text}() takes one argument, not {len(arguments)}")
        closing = self._close(opening, ")")
        return Call(function.text, arguments, span=(function.span[0], closing.span[1]))


def _around(nodes: tuple[Node, ...]) -> Span:
    return nodes[0].span[0], nodes[-1].span[1]
