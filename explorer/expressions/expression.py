"""The expression itself: read once, checked once, evaluated over any number of designs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.expressions.checking import Checker
from explorer.expressions.evaluation import Evaluator
from explorer.expressions.names import full_name
from explorer.expressions.parser import Parser
from explorer.expressions.syntax import (
    Arithmetic,
    Call,
    Comparison,
    Condition,
    Item,
    Name,
    Negation,
    Node,
    Number,
    error_at,
    parts,
)

__all__ = ["Expression", "parse"]


@dataclass(frozen=True)
class Expression:
    """A formula over variables, report fields and objectives; made by :func:`parse`, equal when the text is.

    Args:
        text: as written.
        names: the names that it uses.
        tree: what was read, see :mod:`explorer.expressions.syntax`.
    """

    text: str
    names: frozenset[str] = field(compare=False, repr=False)
    tree: Node = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def is_condition(self) -> bool:
        """Whether it is true or false, rather than a quantity."""
        return isinstance(self.tree, Condition)

    @property
    def compared(self) -> Expression | None:
        """What a single comparison limits: its first side that is no literal; None of anything else."""
        if not isinstance(self.tree, Comparison):
            return None
        sides = [parse(self.text[slice(*operand.span)]) for operand in self.tree.operands]
        return next((side for side in sides if side.names), None)

    @property
    def bare_limits(self) -> tuple[float, ...]:
        """The numbers without a unit that a single comparison compares with."""
        operands = self.tree.operands if isinstance(self.tree, Comparison) else ()
        return tuple(operand.value for operand in operands if isinstance(operand, Number) and not operand.unit)

    def spelled_out(self, units: Mapping[str, str]) -> Expression:
        """The same expression with every name as it is known: ``peak_temperature < 90 C`` is of ``peak_temperature_k``.

        Args:
            units: every known name with its unit, see :func:`full_name`.
        """
        text = self.text
        for start, name in sorted(_places(self.tree), reverse=True):
            text = text[:start] + full_name(name, units) + text[start + len(name) :]
        return self if text == self.text else parse(text)

    def evaluate(self, values: Mapping[str, Any]) -> NDArray[Any]:
        """The value for every design.

        A comparison with NaN is false, also ``!=``; what has no value, such as a division by zero, is NaN or infinite.

        Args:
            values: at least :attr:`names`; per name an array of shape (count,), or (count, length) for a vector; or for
                one design a number, a word, or a tuple for a vector. Arrays broadcast. Numbers are SI.

        Returns:
            bool (conditions), float64 or words, shape (count,); () if no value is an array.

        Raises:
            ExpressionError: a name has no value, a vector stands where one number is needed, or words meet numbers.
        """
        with np.errstate(all="ignore"):
            return np.asarray(Evaluator(self.text, values).evaluate(self.tree))

    def violation(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """How far every design is from meeting the condition: 0 exactly where :meth:`evaluate` is true.

        ``a <= b`` is violated by a - b and ``a == b`` by abs(a - b); ``and`` adds up, ``or`` takes the least, words
        and ``not`` count 1. A strict inequality at equality is violated by a tiny positive number, NaN by infinity.

        Args:
            values: as in :meth:`evaluate`.

        Returns:
            float64, at least 0, shaped as :meth:`evaluate` 's.

        Raises:
            ExpressionError: as in :meth:`evaluate`, or the expression is no condition.
        """
        if not isinstance(self.tree, Condition):
            raise error_at(self.text, self.tree.span, "a number cannot be violated: compare it with something")
        with np.errstate(all="ignore"):
            return np.asarray(Evaluator(self.text, values).violation(self.tree), dtype=np.float64)

    def check(self, units: Mapping[str, str], lengths: Mapping[str, int] | None = None) -> None:
        """Find what is wrong before anything is evaluated.

        Args:
            units: every known name with its unit (``s``, ``mm2``, ``W/mm2``, ``fraction``; empty for counts).
            lengths: per vector the number of its items; None leaves vectors to :meth:`evaluate`.

        Raises:
            ExpressionError: an unknown name, units that do not go together (``area < 60 s``), or a part without names
                that is no finite number (``1/0``).
        """
        with np.errstate(all="ignore"):
            _check_constants(self.text, self.tree)
        Checker(self.text, units, lengths).check(self.tree)


def parse(text: str) -> Expression:
    """Read an expression; the grammar is told in :mod:`explorer.expressions`.

    Raises:
        ExpressionError: the text leaves the grammar; the message shows where, and what is expected there.
    """
    parser = Parser(text)
    tree = parser.parse()
    return Expression(text, frozenset(parser.names), tree)


def _places(node: Node) -> Iterator[tuple[int, str]]:
    """Where each name of an expression begins, and the name."""
    if isinstance(node, Name | Item):
        yield node.span[0], node.name
    for part in parts(node):
        yield from _places(part)


def _check_constants(text: str, node: Node) -> bool:
    """Whether there is no name in ``node``; what has none must be finite, the innermost part first."""
    below = [_check_constants(text, part) for part in parts(node)]  # a list: every part is looked at
    constant = all(below) and not isinstance(node, Name | Item)
    if constant and isinstance(node, Negation | Arithmetic | Call):
        value = Evaluator(text, {}).evaluate(node)
        if not np.isfinite(value):
            raise error_at(text, node.span, f"{text[slice(*node.span)]} is no finite number")
    return constant
