"""The space: all variables with their constraints; counting, enumeration and sampling of designs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from explorer.expressions import Expression, parse
from explorer.units import quantities, read_quantity
from simulators.protocol import (
    BinaryVector,
    Categorical,
    Design,
    Designs,
    Domain,
    InputError,
    Integer,
    Value,
    Variable,
    suggestion,
)

__all__ = ["Space", "allowed_values", "condition", "limit_to", "read_value", "written"]

CHUNK = 65_536  # designs enumerated at a time: a few MB of columns


def condition(
    text: str | Expression, units: Mapping[str, str], lengths: Mapping[str, int], field: str = ""
) -> Expression:
    """A checked expression that is true or false, its names spelled out.

    Args:
        text: the expression.
        units: unit of every name that it may use.
        lengths: number of items of the names that are vectors.
        field: where it stands, for messages.

    Raises:
        InputError: it cannot be read, names something unknown, or is a number.
    """
    try:
        expression = (parse(text) if isinstance(text, str) else text).spelled_out(units)
        expression.check(units, lengths)
    except InputError as error:
        raise error.under(field) if field else error from None
    if not expression.is_condition:
        raise InputError(f"'{expression.text}' is a number, not a condition; compare it: {expression.text} <= 1", field)
    return expression


def read_value(variable: Variable, written: object) -> Value:
    """The value of a variable that a person wrote, with or without a unit: ``20 MHz`` is 2e7 of one in Hz.

    Raises:
        InputError: it is not allowed, or its unit measures something else; the message says what is allowed.
    """
    domain = variable.domain
    if isinstance(domain, BinaryVector):
        return domain.parse(written)
    try:
        return domain.parse(written)
    except InputError:
        number = read_quantity(written, variable.unit) if isinstance(written, str) else None
    try:
        return domain.parse(number if number is not None else written)
    except InputError:
        raise InputError(f"{written!r} is not allowed; choose {allowed_values(variable)}") from None


def allowed_values(variable: Variable) -> str:
    """What is allowed, in words, numbers with the variable's unit: ``one of 5 MHz, 10 MHz``."""
    domain = variable.domain
    if isinstance(domain, Categorical):
        return Categorical(_quantities(domain.choices, variable)).allowed
    if isinstance(domain, Integer) and domain.low < domain.high:
        low, high = _quantities([domain.low, domain.high], variable)
        return f"an integer from {low} to {high}"
    return domain.allowed


def written(variable: Variable, value: Value) -> str:
    """A value of a variable as a person writes it: ``10 MHz``, ``10000101``."""
    return _quantities([value], variable)[0]


def limit_to(variable: Variable, offered: Domain) -> str:
    """The constraint that a variable has none of its values that are not offered: ``cell_bits not in [8]``.

    Args:
        variable: of few values, a number or a word.
        offered: the values that are left.

    Returns:
        empty if all are.
    """
    left = _values(offered)
    missing = [value for value in _values(variable.domain) if value not in left]
    words = any(isinstance(value, str) for value in _values(variable.domain))  # then NumPy reads numbers as words, too
    texts = [f"'{value}'" if words else written(variable, value) for value in missing]
    return f"{variable.name} not in [{', '.join(texts)}]" if missing else ""


def _values(domain: Domain) -> list[Value]:
    return [domain.value(entry) for entry in domain.at(np.arange(domain.size))]


def _quantities(values: Sequence[Value], variable: Variable) -> list[str]:
    return quantities([value if isinstance(value, int | float) else str(value) for value in values], variable.unit)


class Space:
    """Variables and the constraints among them.

    Args:
        variables: variables, or domains by name (then the first value is the default).
        constraints: expressions over variables, such as ``reram_layers + sum(bn) <= 9``.

    Raises:
        InputError: a constraint cannot be read, or names something that is no variable.
    """

    def __init__(
        self,
        variables: Mapping[str, Domain] | Iterable[Variable],
        constraints: Sequence[str | Expression] = (),
    ) -> None:
        if isinstance(variables, Mapping):
            variables = [
                Variable(name, domain, domain.value(domain.at(np.zeros(1, dtype=np.int64))[0]))
                for name, domain in variables.items()
            ]
        variables = list(variables)
        self.variables: dict[str, Variable] = {variable.name: variable for variable in variables}
        if len(self.variables) < len(variables):
            raise InputError("two variables have the same name", "variables")
        if not self.variables:
            raise InputError("a space needs at least one variable", "variables")
        self.constraints = tuple(
            condition(constraint, self.units, self.lengths, "constraints") for constraint in constraints
        )

    @property
    def units(self) -> dict[str, str]:
        """Unit of each variable, for expressions."""
        return {name: variable.unit for name, variable in self.variables.items()}

    @property
    def lengths(self) -> dict[str, int]:
        """Number of items of each binary vector, for expressions."""
        return {n: v.domain.length for n, v in self.variables.items() if isinstance(v.domain, BinaryVector)}

    @cached_property
    def size(self) -> int:
        """Number of designs, constraints not counted (a Python int: 2^200 is fine)."""
        return math.prod(variable.domain.size for variable in self.variables.values())

    @property
    def dimensions(self) -> int:
        """Number of choices that a design is made of: every bit of a binary vector is one."""
        return sum(_bits(variable.domain) or 1 for variable in self.variables.values())

    # -- one design ---------------------------------------------------------------------------------------------

    def design(self, values: Mapping[str, object]) -> Design:
        """A design from values as a person writes them; missing variables take their defaults.

        Raises:
            InputError: an unknown variable, or a value that is not allowed; ``field`` is the variable.
        """
        for error in self.mistakes(values):
            raise error
        return Design({n: read_value(v, values.get(n, v.default)) for n, v in self.variables.items()})

    def mistakes(self, values: Mapping[str, object]) -> list[InputError]:
        """Everything that keeps values from being a design, see :meth:`design`; ``field`` is the variable."""
        wrong = [
            InputError(f"unknown variable '{name}'{suggestion(name, self.variables)}", str(name))
            for name in values
            if name not in self.variables
        ]
        for name, variable in self.variables.items():
            try:
                read_value(variable, values.get(name, variable.default))
            except InputError as error:
                wrong.append(error.under(name))
        return wrong

    def describe(self, design: Mapping[str, Value], *, brief: bool = False) -> str:
        """A design in words: ``3R1G, 128x128, 2 bit/cell, BN after C5 C7``.

        Args:
            design: it or a part of it.
            brief: leave out what stands at its default, if no search varies it by itself.
        """
        text = ""
        for name, variable in self.variables.items():
            if name in design and not (brief and not variable.searched and design[name] == variable.default):
                text += (variable.separator if text else "") + variable.describe(design[name])
        return text

    # -- many designs -------------------------------------------------------------------------------------------

    def designs(self, designs: Sequence[Mapping[str, Value]]) -> Designs:
        """Designs as a structure of arrays."""
        columns = {
            name: variable.domain.column([design[name] for design in designs])
            for name, variable in self.variables.items()
        }
        return Designs(columns, len(designs))

    def unpack(self, designs: Designs) -> list[Design]:
        """A structure of arrays as single designs."""
        expanded = designs.expanded()
        columns = [
            [variable.domain.value(entry) for entry in expanded[name]] for name, variable in self.variables.items()
        ]
        return [Design(dict(zip(self.variables, row, strict=True))) for row in zip(*columns, strict=True)]

    def satisfied(self, designs: Designs) -> NDArray[np.bool_]:
        """Which designs satisfy the space's constraints, shape (count,)."""
        satisfied = np.ones(len(designs), dtype=bool)
        for constraint in self.constraints:
            satisfied &= np.asarray(constraint.evaluate(designs.columns), dtype=bool)
        return satisfied

    def violation(self, designs: Designs) -> NDArray[np.float64]:
        """How far designs are from satisfying the space's constraints, shape (count,); 0 if they do."""
        violation = np.zeros(len(designs))
        for constraint in self.constraints:
            violation += constraint.violation(designs.columns)
        return violation

    def at(self, index: NDArray[np.int64] | range) -> Designs:
        """The designs numbered ``index``, constraints not considered; the last variable varies fastest."""
        rest = np.asarray(index, dtype=np.int64)
        columns = {}
        for name, variable in reversed(self.variables.items()):
            size = variable.domain.size
            rest, digit = np.divmod(rest, size) if size <= np.iinfo(np.int64).max else (np.zeros_like(rest), rest)
            columns[name] = variable.domain.at(digit)
        return Designs({name: columns[name] for name in self.variables}, len(index))

    def enumerate(self) -> Iterator[Designs]:
        """All designs that satisfy the constraints, in chunks of bounded size."""
        for start in range(0, self.size, CHUNK):
            chunk = self.at(range(start, min(start + CHUNK, self.size)))
            chosen = chunk.take(self.satisfied(chunk))
            if len(chosen):
                yield chosen

    def draw(self, rng: np.random.Generator, count: int) -> Designs:
        """``count`` designs drawn uniformly, constraints not considered."""
        return Designs({name: v.domain.sample(rng, count) for name, v in self.variables.items()}, count)

    def neighbours(self, rng: np.random.Generator, designs: Designs) -> Designs:
        """Of every design one that differs in at most one choice: a flipped bit, or a variable drawn anew."""
        choice = rng.integers(0, self.dimensions, len(designs))
        columns = {name: column.copy() for name, column in designs.expanded().items()}
        for name, variable in self.variables.items():
            bits = _bits(variable.domain)
            rows = np.flatnonzero((choice >= 0) & (choice < (bits or 1)))
            if bits:
                columns[name][rows, choice[rows]] ^= 1
            else:
                columns[name][rows] = variable.domain.sample(rng, len(rows))
            choice = choice - (bits or 1)
        return Designs(columns, len(designs))

    def subspace(self, names: Iterable[str]) -> Space | None:
        """The space of some of the variables, without constraints; None when none is left."""
        wanted = set(names)
        chosen = [variable for name, variable in self.variables.items() if name in wanted]
        return Space(chosen) if chosen else None

    def __str__(self) -> str:
        """The variables with their ranges: ``reram_layers 1-3, crossbar_size 64|128|256, bn 8 bits``."""
        return ", ".join(f"{name} {_range(variable)}" for name, variable in self.variables.items())


def _bits(domain: Domain) -> int:
    """How many bits can be chosen one by one."""
    return domain.length if isinstance(domain, BinaryVector) and not domain.choices else 0


def _range(variable: Variable) -> str:
    domain = variable.domain
    if isinstance(domain, Integer):
        return "-".join(_quantities([domain.low, domain.high], variable))
    if isinstance(domain, Categorical):
        return "|".join(_quantities(domain.choices, variable))
    if isinstance(domain, BinaryVector) and domain.choices:
        return "|".join(domain.names(bits).replace(" ", ",") for bits in domain.choices)
    return f"{domain.length} bits" if isinstance(domain, BinaryVector) else domain.allowed
