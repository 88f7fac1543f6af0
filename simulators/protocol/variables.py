"""Variables, their domains, and designs: one choice for every variable.

A :class:`Design` is one immutable choice; :class:`Designs` is a structure of arrays, the form that simulators are
written over, so that one design and a million take the same code.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulators.protocol.errors import InputError

__all__ = ["BinaryVector", "Bits", "Categorical", "Design", "Designs", "Domain", "Integer", "Value", "Variable"]

Column: TypeAlias = NDArray[Any]


class Bits(tuple[int, ...]):
    """The value of a binary vector: a tuple of 0 and 1 that prints as a bit string (``10000101``)."""

    __slots__ = ()

    def __new__(cls, bits: Iterable[int | str | bool]) -> Bits:
        given = tuple(bits)
        values = tuple(1 if bit in (1, "1") else 0 for bit in given)
        if any(bit not in (0, 1, "0", "1") for bit in given):
            raise InputError(f"a binary vector holds 0 and 1 only, got {list(given)}")
        return super().__new__(cls, values)

    def __str__(self) -> str:
        return "".join(map(str, self))

    def __repr__(self) -> str:
        return f"Bits('{self}')"


Value: TypeAlias = int | float | str | Bits


class Domain(ABC):
    """The values that a variable may take, numbered from 0 to ``size - 1``."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many values there are (a Python int: 2^200 is fine)."""

    @abstractmethod
    def parse(self, value: object) -> Value:
        """The value that ``value`` (as written by a person or read from JSON) stands for.

        Raises:
            InputError: it is none of the domain's values; the message says which are.
        """

    @abstractmethod
    def column(self, values: Sequence[Value]) -> Column:
        """Values as the array that simulators read; first dimension = designs."""

    @abstractmethod
    def value(self, entry: Any) -> Value:
        """The value of one entry of a column."""

    @abstractmethod
    def at(self, index: NDArray[np.int64]) -> Column:
        """The column of the values numbered ``index``."""

    def sample(self, rng: np.random.Generator, count: int) -> Column:
        """A column of ``count`` values drawn uniformly."""
        return self.at(rng.integers(0, self.size, count))

    @property
    @abstractmethod
    def allowed(self) -> str:
        """What is allowed, in words for messages and lists."""


@dataclass(frozen=True)
class BinaryVector(Domain):
    """A vector of ``length`` bits, such as the convolutions that are followed by batch normalisation.

    Written as ``all | none | C5,C7 | 10000101 | every:2`` (items 1-based; ``every:2`` is items 2, 4, 6, ...).

    Args:
        length: number of bits, at least 1.
        item: prefix of an item's name in input and output, ``C`` for convolutions.
        choices: the only vectors that are allowed; empty: all of them.
    """

    length: int
    item: str = "x"
    choices: tuple[Bits, ...] = ()

    def __post_init__(self) -> None:
        if self.length < 1:
            raise InputError(f"a binary vector needs at least one bit, got length {self.length}")
        if len(set(self.choices)) != len(self.choices):
            raise InputError(f"choices appear twice in {', '.join(map(str, self.choices))}")

    @property
    def size(self) -> int:
        return len(self.choices) or 2**self.length

    @property
    def allowed(self) -> str:
        item = self.item
        if self.choices:
            return "one of " + ", ".join(self.names(bits).replace(" ", ",") for bits in self.choices)
        example = ("10" * self.length)[: self.length]
        return f"all, none, {item}1,{item}{min(3, self.length)}, {self.length} bits such as {example}, or every:2"

    def parse(self, value: object) -> Bits:
        bits = self._parse(value)
        if self.choices and bits not in self.choices:
            raise InputError(f"'{self.names(bits)}' is not allowed; choose {self.allowed}")
        return bits

    def _parse(self, value: object) -> Bits:
        if isinstance(value, str | int) and not isinstance(value, bool):
            return self._parse_text(str(value).strip())
        if isinstance(value, Iterable):
            bits = Bits(value)
            if len(bits) == self.length:
                return bits
            raise InputError(f"has {len(bits)} bits, but {self.length} are needed; write {self.allowed}")
        raise InputError(f"{value!r} is not a binary vector; write {self.allowed}")

    def _parse_text(self, text: str) -> Bits:
        if text == "all":
            return Bits([1] * self.length)
        if text == "none":
            return Bits([0] * self.length)
        if len(text) == self.length and set(text) <= {"0", "1"}:
            return Bits(text)
        if match := re.fullmatch(r"every:(\d+)", text):
            step = int(match[1])
            if step < 1:
                raise InputError(f"'{text}': the step must be at least 1")
            return Bits((position + 1) % step == 0 for position in range(self.length))
        positions = set()
        for word in re.split(r"[,\s]+", text):
            match = re.fullmatch(rf"(?i:{re.escape(self.item)})?(\d+)", word)
            if not match or not (match[0][0].isalpha() or len(word) <= len(str(self.length))):
                raise InputError(f"'{text}' is not a binary vector of {self.length} bits; write {self.allowed}")
            if not 1 <= int(match[1]) <= self.length:
                raise InputError(f"'{word}': there is no {self.item}{match[1]}; items go from 1 to {self.length}")
            positions.add(int(match[1]) - 1)
        return Bits(position in positions for position in range(self.length))

    def column(self, values: Sequence[Value]) -> Column:
        return np.array([self.parse(value) for value in values], dtype=np.uint8).reshape(len(values), self.length)

    def value(self, entry: Any) -> Bits:
        return Bits(np.asarray(entry).astype(int).tolist())

    def at(self, index: NDArray[np.int64]) -> Column:
        if self.choices:
            return np.array(self.choices, dtype=np.uint8)[np.asarray(index)]
        shifts = np.arange(self.length - 1, -1, -1)  # the first item is the most significant bit
        return ((np.asarray(index)[:, None] >> shifts) & 1).astype(np.uint8)

    def sample(self, rng: np.random.Generator, count: int) -> Column:
        if self.choices:
            return super().sample(rng, count)
        return rng.integers(0, 2, (count, self.length), dtype=np.uint8)

    def names(self, bits: Sequence[int]) -> str:
        """The items that are on: ``C5 C7``; ``all`` or ``none`` at the ends."""
        if all(bits):
            return "all"
        if not any(bits):
            return "none"
        return " ".join(f"{self.item}{position}" for position, bit in enumerate(bits, 1) if bit)


@dataclass(frozen=True)
class Integer(Domain):
    """The integers from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise InputError(f"an integer range from {self.low} to {self.high} is empty; put the smaller number first")

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    @property
    def allowed(self) -> str:
        return f"an integer from {self.low} to {self.high}" if self.low < self.high else f"{self.low} only"

    def parse(self, value: object) -> int:
        number = _number(value)
        if number is None or number != int(number) or not self.low <= number <= self.high:
            raise InputError(f"{value!r} is not allowed; choose {self.allowed}")
        return int(number)

    def column(self, values: Sequence[Value]) -> Column:
        return np.array([self.parse(value) for value in values], dtype=np.int64)

    def value(self, entry: Any) -> int:
        return int(entry)

    def at(self, index: NDArray[np.int64]) -> Column:
        return np.asarray(index, dtype=np.int64) + self.low


@dataclass(frozen=True)
class Categorical(Domain):
    """One of a list of numbers or words."""

    choices: tuple[Value, ...]

    def __init__(self, choices: Iterable[Value]) -> None:
        # plain Python values, also when they come from a NumPy array: designs are written as JSON
        plain = (choice.item() if isinstance(choice, np.generic) else choice for choice in choices)
        object.__setattr__(self, "choices", tuple(plain))
        if not self.choices:
            raise InputError("a list of choices needs at least one")
        if len(set(self.choices)) != len(self.choices):
            raise InputError(f"choices appear twice in {list(self.choices)}")

    @property
    def size(self) -> int:
        return len(self.choices)

    @property
    def allowed(self) -> str:
        return "one of " + ", ".join(map(str, self.choices)) if self.size > 1 else f"{self.choices[0]} only"

    def parse(self, value: object) -> Value:
        number = _number(value)
        for choice in self.choices:
            if choice == value or str(choice) == str(value) or (number is not None and number == choice):
                return choice
        raise InputError(f"{value!r} is not allowed; choose {self.allowed}")

    def column(self, values: Sequence[Value]) -> Column:
        return np.array([self.parse(value) for value in values], dtype=np.asarray(self.choices).dtype)

    def value(self, entry: Any) -> Value:
        return self.parse(entry.item() if hasattr(entry, "item") else entry)

    def at(self, index: NDArray[np.int64]) -> Column:
        return np.asarray(self.choices)[np.asarray(index)]


def _number(value: object) -> float | None:
    """``value`` as a number if it is one or spells one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | np.number):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return None
        return number if math.isfinite(number) else None
    return None


@dataclass(frozen=True)
class Variable:
    """One thing that can be chosen.

    Args:
        name: as in search files, expressions and reports.
        domain: the values that it may take.
        default: the value where a search file says nothing; it is fixed there unless ``searched``.
        unit: SI unit or a plain word (``bit``); empty for a count.
        meaning: one line for ``rex list variables``.
        label: how a value reads in a design's description, a format string such as ``{0}x{0}``.
        labels: values that read otherwise, as pairs: ``(("none", "no BN"),)``; of a binary vector ``all`` and ``none``.
        separator: what stands before the label when another variable's label precedes it.
        searched: whether a search varies it when the search file does not mention it.
    """

    name: str
    domain: Domain
    default: Value
    unit: str = ""
    meaning: str = ""
    label: str = ""
    separator: str = ", "
    searched: bool = False
    labels: tuple[tuple[Value, str], ...] = ()

    def describe(self, value: Value) -> str:
        """``value`` in words: ``128x128``, ``BN after C5 C7``."""
        shown = self.domain.names(value) if isinstance(self.domain, BinaryVector) and isinstance(value, Bits) else value
        for exception, text in self.labels:
            if exception == shown:
                return text
        if self.label:
            return self.label.format(shown)
        return f"{self.name}={shown}" + (f" {self.unit}" if self.unit else "")

    def shared_with(self, other: Variable) -> Variable:
        """The variable as two simulators read it: with the values that both allow.

        Args:
            other: what the other simulator says of the variable of this name.

        Raises:
            InputError: there is no such value.
        """
        if self.domain == other.domain:
            return replace(self, searched=self.searched or other.searched)
        mine, theirs = self.domain, other.domain
        domain: Domain | None = None
        if isinstance(mine, Integer) and isinstance(theirs, Integer):
            low, high = max(mine.low, theirs.low), min(mine.high, theirs.high)
            domain = Integer(low, high) if low <= high else None
        elif isinstance(mine, Categorical) and isinstance(theirs, Categorical):
            both = [choice for choice in mine.choices if choice in theirs.choices]
            domain = Categorical(both) if both else None
        if domain is None:
            raise InputError(f"one simulator allows {mine.allowed}, another {theirs.allowed}: nothing suits both")
        defaults = [value for value in (self.default, other.default) if _allows(domain, value)]
        default = defaults[0] if defaults else domain.value(domain.at(np.zeros(1, dtype=np.int64))[0])
        return replace(self, domain=domain, default=default, searched=self.searched or other.searched)


def _allows(domain: Domain, value: Value) -> bool:
    try:
        domain.parse(value)
    except InputError:
        return False
    return True


class Design(Mapping[str, Value]):
    """One choice for every variable: immutable, hashable, prints well."""

    __slots__ = ("_hash", "_values")

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)
        self._hash = hash(frozenset(self._values.items()))

    def __getitem__(self, name: str) -> Value:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Design) and self._values == other._values

    def __repr__(self) -> str:
        return f"Design({self})"

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self._values.items())

    def __reduce__(self) -> tuple[type[Design], tuple[dict[str, Value]]]:
        return Design, (self._values,)  # string hashes differ between processes: never carry one along

    def to_json(self) -> dict[str, int | float | str]:
        """Plain JSON values; bit vectors as strings."""
        return {name: str(value) if isinstance(value, Bits) else value for name, value in self._values.items()}


@dataclass(frozen=True, eq=False)
class Designs:
    """Many designs as a structure of arrays.

    Args:
        columns: per variable an array of shape (count,), or (count, length) for binary vectors. A first dimension of 1
            stands for all designs (NumPy broadcasting).
        count: number of designs; the longest first dimension unless given.
    """

    columns: Mapping[str, Column]
    count: int = field(default=-1)

    def __post_init__(self) -> None:
        columns = {name: np.asarray(column) for name, column in self.columns.items()}
        lengths = {len(column) for column in columns.values()}
        count = self.count if self.count >= 0 else max(lengths, default=0)
        if not lengths <= {1, count}:
            raise InputError(f"columns of {sorted(lengths)} rows cannot be one batch of {count} designs")
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "count", count)

    def __len__(self) -> int:
        return self.count

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def take(self, index: NDArray[Any]) -> Designs:
        """The designs at ``index`` (integers or a mask)."""
        rows = np.flatnonzero(index) if np.asarray(index).dtype == bool else np.asarray(index)
        taken = {name: column if len(column) == 1 else column[rows] for name, column in self.columns.items()}
        return Designs(taken, len(rows))

    @classmethod
    def joined(cls, parts: Sequence[Designs]) -> Designs:
        """Designs of the same variables, one batch after the other; at least one batch."""
        expanded = [part.expanded() for part in parts]
        columns = {name: np.concatenate([columns[name] for columns in expanded]) for name in expanded[0]}
        return cls(columns, sum(map(len, parts)))

    def with_columns(self, columns: Mapping[str, Column]) -> Designs:
        """The same designs with more (or other) variables."""
        return Designs({**self.columns, **columns}, self.count)

    def expanded(self) -> dict[str, Column]:
        """Columns with their full first dimension."""
        return {name: np.broadcast_to(column, (self.count, *column.shape[1:])) for name, column in self.columns.items()}
