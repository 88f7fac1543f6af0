"""Whether the names of an expression exist, and whether its units go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import assert_never

from explorer.expressions.evaluation import vector_problem
from explorer.expressions.syntax import (
    Arithmetic,
    Call,
    Comparison,
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
from explorer.units import PLAIN, Dimension, combined, describe_dimension, find_unit, is_foreign, name_dimension, raised
from simulators.protocol import suggestion

__all__ = ["Checker"]


class Checker:
    """Checks the nodes of one text.

    Args:
        text: the expression's text, for errors.
        units: per name its unit (``s``, ``mm2``, ``W/mm2``; empty for counts).
        lengths: per vector the number of its items; None leaves vectors unchecked.
    """

    def __init__(self, text: str, units: Mapping[str, str], lengths: Mapping[str, int] | None = None) -> None:
        self.text = text
        self.units = units
        self.lengths = lengths

    def check(self, node: Node) -> None:
        """Look at ``node`` and everything below it.

        Raises:
            ExpressionError: an unknown name, units that do not go together, or a vector in the place of a number.
        """
        match node:
            case Comparison():
                for operator, pair in zip(node.operators, pairwise(node.operands), strict=True):
                    self._compared(*pair, words=operator in ("==", "!="))
                self._common(node.operands)
            case Membership():
                for option in node.options:
                    self._compared(node.operand, option, words=True)
                self._common([node.operand, *node.options])
            case Not():
                self.check(node.operand)
            case Junction():
                for condition in node.operands:
                    self.check(condition)
            case _:
                self._dimension(node)

    def _dimension(self, node: Quantity) -> Dimension | None:
        """The dimension of ``node``; None for bare numbers and words, which go with everything."""
        match node:
            case Number():
                return find_unit(node.unit).dimension if node.unit else None
            case Word():
                return None
            case Name() | Item():
                return self._name(node)
            case Negation():
                return self._dimension(node.operand)
            case Arithmetic():
                return self._arithmetic(node)
            case Call(function="sqrt"):
                dimension = self._dimension(node.arguments[0])
                return raised(dimension, Fraction(1, 2)) if dimension else dimension
            case Call(function="exp" | "log"):
                self._plain(node.arguments[0], f"{node.function}() takes a plain number")
                return PLAIN
            case Call(function="abs"):
                return self._dimension(node.arguments[0])
            case Call():
                return self._common(node.arguments, whole=True)
            case _:
                assert_never(node)

    def _name(self, node: Name | Item, *, whole: bool = False) -> Dimension:
        name = node.name
        if name not in self.units:
            raise self._error(node, f"unknown name '{name}'{suggestion(name, self.units, 'rex list fields')}")
        if self.lengths is not None:
            length = self.lengths.get(name)
            if isinstance(node, Name) and length is not None and not whole:
                raise self._error(node, vector_problem(name, length))
            if isinstance(node, Item) and length is None:
                raise self._error(node, f"'{name}' is a single value, it has no items")
            if isinstance(node, Item) and length is not None and node.position > length:
                raise self._error(node, f"'{name}' has {length} items, there is no {name}[{node.position}]")
        return name_dimension(self.units[name])

    def _arithmetic(self, node: Arithmetic) -> Dimension | None:
        if node.operators[0] in ("+", "-"):
            return self._common(node.operands)
        if node.operators[0] == "**":
            return self._power(*node.operands)
        result = self._dimension(node.operands[0])
        for operator, operand in zip(node.operators, node.operands[1:], strict=True):
            dimension = self._dimension(operand)
            if operator == "%":
                if result is not None and dimension is not None and result != dimension:
                    before = f"a remainder needs equal units: what is divided is {describe_dimension(result)}"
                    raise self._error(operand, f"{before}, {self._describe(operand)}")
                result = dimension if result is None else result
            elif dimension is not None:
                result = combined(result or PLAIN, dimension, 1 if operator == "*" else -1)
        return result

    def _power(self, base: Quantity, exponent: Quantity) -> Dimension | None:
        dimension = self._dimension(base)
        self._plain(exponent, "an exponent is a plain number")
        if not dimension:
            return dimension
        sign, number = (-1, exponent.operand) if isinstance(exponent, Negation) else (1, exponent)
        if not isinstance(number, Number):
            raise self._error(exponent, f"{self._describe(base)}: only a number can be its exponent")
        return raised(dimension, sign * Fraction(number.value).limit_denominator(1000))

    def _plain(self, node: Quantity, rule: str) -> None:
        if self._dimension(node):
            raise self._error(node, f"{rule}, but {self._describe(node)}; divide it by its unit first")

    def _common(self, nodes: Iterable[Quantity], *, whole: bool = False) -> Dimension | None:
        """The dimension that all ``nodes`` share; ``whole``: vectors may stand among them."""
        first: tuple[Quantity, Dimension] | None = None
        for node in nodes:
            dimension = self._name(node, whole=whole) if isinstance(node, Name) else self._dimension(node)
            if dimension is None:
                continue
            if first is None:
                first = node, dimension
            elif dimension != first[1]:
                raise self._error(node, f"{self._describe(first[0])}, {self._describe(node)}")
        return first[1] if first else None

    def _compared(self, left: Quantity, right: Quantity, *, words: bool) -> None:
        """Mistakes that comparing these two would hide."""
        for one, other in ((left, right), (right, left)):
            match one, other:
                case Name(name=name), _ if words and name not in self.units:
                    if isinstance(other, Name) and other.name in self.units:
                        self._dimension(other)  # of a vector: no word in quotes would mend it
                    close = suggestion(name, self.units, "rex list fields")
                    raise self._error(one, f"unknown name '{name}'{close}; a word is written in quotes: '{name}'")
                case Name(name=name), Number(unit="", value=value) if self.units.get(name) == "fraction" and value > 1:
                    problem = f"'{name}' is a fraction from 0 to 1: write {value:g} % or {value / 100:g}"
                    raise self._error(other, problem)
                case _, Number(unit="C") if self._is_difference(one):
                    raise self._error(other, "a difference of temperatures is written in K, not in C")

    def _is_difference(self, node: Quantity) -> bool:
        """Whether one name is taken from another somewhere in ``node``."""
        match node:
            case Arithmetic():
                taken = zip(node.operators, node.operands[1:], strict=True)
                minus = any(operator == "-" and self._dimension(operand) is not None for operator, operand in taken)
                return minus or any(map(self._is_difference, node.operands))
            case Negation():
                return self._is_difference(node.operand)
            case Call():
                return any(map(self._is_difference, node.arguments))
            case _:
                return False

    def _describe(self, node: Quantity) -> str:
        source = self.text[slice(*node.span)]
        dimension = self._name(node, whole=True) if isinstance(node, Name) else self._dimension(node)
        if isinstance(node, Name | Item) and dimension:
            foreign = ", which is not SI: compare it with a bare number" if is_foreign(dimension) else ""
            return f"{source} is in {self.units[node.name]}{foreign}"
        return f"{source} is {describe_dimension(dimension or PLAIN)}"

    def _error(self, node: Node, problem: str) -> ExpressionError:
        return error_at(self.text, node.span, problem)
