"""Designs as zeros and ones: the form that binary models and binary quadratic programs work on.

A binary vector is its bits. An integer or a category is one bit for each value, of which exactly one is on; an integer
with many values is written in binary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.expressions import Expression
from explorer.expressions.linear import LinearRow, linear_rows
from explorer.solvers.program import LinearConstraints
from explorer.space import Space
from simulators.protocol import BinaryVector, Designs, Integer, Variable

__all__ = ["BitEncoding"]

Binaries = NDArray[np.int8]

ONE_HOT_VALUES = 16  # a variable with more values is written in binary: its number among the values


@dataclass(frozen=True)
class _Block:
    """The bits of one variable: positions ``start`` to ``stop - 1``."""

    variable: Variable
    start: int
    stop: int

    @property
    def vector(self) -> bool:
        domain = self.variable.domain
        return isinstance(domain, BinaryVector) and not domain.choices

    @property
    def one_hot(self) -> bool:
        return not self.vector and self.variable.domain.size <= ONE_HOT_VALUES

    @property
    def values(self) -> NDArray[np.generic]:
        """All of them; not for large integers."""
        domain = self.variable.domain
        return domain.at(np.arange(domain.size))


class BitEncoding:
    """Zeros and ones for some of a space's variables.

    Args:
        space: the space.
        names: the variables; a variable with a single value needs no bits.
    """

    def __init__(self, space: Space, names: Iterable[str]) -> None:
        wanted = set(names)
        blocks, start = [], 0
        for name, variable in space.variables.items():
            if name in wanted:
                width = _width(variable)
                blocks.append(_Block(variable, start, start + width))
                start += width
        self._blocks = tuple(blocks)
        self.bits = start
        """Number of bits."""
        self.vector_bits = np.zeros(start, dtype=bool)
        """Which bits are those of binary vectors: what a sparsity penalty counts."""
        for block in self._blocks:
            self.vector_bits[block.start : block.stop] = block.vector

    @property
    def groups(self) -> list[list[int]]:
        """Per bit the bits of which one at most may be on with it, itself included: the values of its variable."""
        return [
            list(range(block.start, block.stop)) if block.one_hot else [bit]
            for block in self._blocks
            for bit in range(block.start, block.stop)
        ]

    @property
    def labels(self) -> list[str]:
        """A name for each bit: ``C5`` (``bn[5]`` where two vectors have items called C), ``crossbar_size=64``,
        ``tiles.2`` (a binary digit)."""
        found: list[str] = []
        vectors = [block.variable.domain for block in self._blocks if block.vector]
        items = Counter(domain.item for domain in vectors if isinstance(domain, BinaryVector))
        for block in self._blocks:
            domain, name = block.variable.domain, block.variable.name
            if isinstance(domain, BinaryVector) and block.vector:
                before, after = (domain.item, "") if items[domain.item] == 1 else (f"{name}[", "]")
                found += [f"{before}{position}{after}" for position in range(1, domain.length + 1)]
            elif block.one_hot:
                found += [f"{name}={domain.value(v)}" for v in block.values][: block.stop - block.start]
            else:
                found += [f"{name}.{digit}" for digit in range(block.stop - block.start)]
        return found

    def encode(self, designs: Designs) -> Binaries:
        """Designs as count x bits."""
        columns = designs.expanded()
        parts = [_encode(block, columns[block.variable.name]) for block in self._blocks]
        return np.concatenate([np.zeros((len(designs), 0), dtype=np.int8), *parts], axis=1)

    def decode(self, x: Binaries) -> Designs:
        """The variables of count x bits; rows must satisfy :meth:`constraints`."""
        columns = {block.variable.name: _decode(block, x[:, block.start : block.stop]) for block in self._blocks}
        return Designs(columns, len(x))

    def constraints(self, expressions: Sequence[Expression] = ()) -> LinearConstraints:
        """What makes bits a design, with those of ``expressions`` that are linear and read these variables only."""
        rows = [row for block in self._blocks for row in _own_rows(block, self.bits)]
        lengths = {b.variable.name: b.stop - b.start for b in self._blocks if b.vector}
        own = {block.variable.name for block in self._blocks}
        for expression in expressions:
            if expression.names <= own:
                found = [self._encoded(row) for row in linear_rows(expression, lengths) or ()]
                rows += [row for row in found if row is not None]
        equal = [(coefficients, bound) for coefficients, relation, bound in rows if relation == "=="]
        at_most = [(coefficients, bound) for coefficients, relation, bound in rows if relation == "<="]
        return LinearConstraints(*_stacked(equal, self.bits), *_stacked(at_most, self.bits))

    def _encoded(self, row: LinearRow) -> tuple[NDArray[np.float64], str, float] | None:
        """A row over variables as one over bits; None where a variable is no number."""
        coefficients, bound = np.zeros(self.bits), row.bound
        blocks = {block.variable.name: block for block in self._blocks}
        for (name, position), factor in row.coefficients.items():
            block = blocks[name]
            if block.vector:
                coefficients[block.start + position - 1] += factor
                continue
            if not block.one_hot:
                domain = block.variable.domain
                if not isinstance(domain, Integer):  # values that are no linear function of their digits
                    return None
                coefficients[block.start : block.stop] += factor * _digits(block)
                bound -= factor * domain.low
                continue
            values = block.values
            if values.ndim > 1 or not np.issubdtype(values.dtype, np.number):
                return None
            numbers = values.astype(np.float64)
            coefficients[block.start : block.stop] += factor * numbers[: block.stop - block.start]
            bound -= factor * numbers[0] if block.stop == block.start else 0.0
        return coefficients, row.relation, bound


def _width(variable: Variable) -> int:
    domain = variable.domain
    if isinstance(domain, BinaryVector) and not domain.choices:
        return domain.length
    if domain.size == 1:
        return 0
    return domain.size if domain.size <= ONE_HOT_VALUES else (domain.size - 1).bit_length()


def _digits(block: _Block) -> NDArray[np.int64]:
    return 2 ** np.arange(block.stop - block.start, dtype=np.int64)


def _encode(block: _Block, column: NDArray[np.generic]) -> Binaries:
    if block.vector:
        return column.astype(np.int8)
    index = _index(block, column)
    if block.one_hot:
        return np.asarray(np.eye(block.variable.domain.size, dtype=np.int8)[index][:, : block.stop - block.start])
    return np.asarray(((index[:, None] // _digits(block)) % 2).astype(np.int8))


def _index(block: _Block, column: NDArray[np.generic]) -> NDArray[np.int64]:
    """The numbers of values among those of the variable."""
    domain = block.variable.domain
    if isinstance(domain, Integer):
        return column.astype(np.int64) - domain.low
    equal = column[:, None] == block.values[None]
    return np.asarray(np.argmax(equal.all(axis=2) if equal.ndim == 3 else equal, axis=1))


def _decode(block: _Block, x: Binaries) -> NDArray[np.generic]:
    if block.vector:
        return x.astype(np.uint8)
    if block.stop == block.start:
        return block.variable.domain.at(np.zeros(len(x), dtype=np.int64))
    index = np.argmax(x, axis=1) if block.one_hot else np.minimum(x @ _digits(block), block.variable.domain.size - 1)
    return block.variable.domain.at(index)


def _own_rows(block: _Block, bits: int) -> list[tuple[NDArray[np.float64], str, float]]:
    if block.vector or block.start == block.stop:
        return []
    coefficients = np.zeros(bits)
    if block.one_hot:
        coefficients[block.start : block.stop] = 1.0
        return [(coefficients, "==", 1.0)]
    coefficients[block.start : block.stop] = _digits(block)
    return [(coefficients, "<=", float(block.variable.domain.size - 1))]


def _stacked(
    rows: Sequence[tuple[NDArray[np.float64], float]], bits: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not rows:
        return np.zeros((0, bits)), np.zeros(0)
    return np.array([coefficients for coefficients, _ in rows]), np.array([bound for _, bound in rows])
