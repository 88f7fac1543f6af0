"""One or two variables over their values, everything else fixed: what a hardware simulator says of each.

Values are written ``NAME`` (all of them), ``NAME=1:5`` (from, to), ``NAME=5 MHz,10 MHz``, and for binary vectors
``NAME=all;none;C5,C7``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.expressions import full_name
from explorer.space import Space, allowed_values, read_value, written
from explorer.units import read_quantity
from objectives import find_objective, objective_names
from simulators.protocol import (
    BinaryVector,
    Design,
    Field,
    HardwareSimulator,
    InputError,
    Value,
    Variable,
    Workload,
    suggestion,
)

__all__ = ["Axis", "Sweep", "read_axis", "shown_fields", "sweep"]

MOST = 1024  # values of a variable
CELLS = 20_000  # designs of a sweep
KIND = "hardware"


@dataclass(frozen=True)
class Axis:
    """A variable with the values that it takes in turn."""

    variable: Variable
    values: tuple[Value, ...]

    @property
    def title(self) -> str:
        """The variable's name in words, without its unit: ``frequency``."""
        return self.variable.name.removesuffix(f"_{self.variable.unit.lower()}").replace("_", " ")

    @property
    def texts(self) -> list[str]:
        """The values as a person writes them: ``10 MHz``, ``C5 C7``."""
        domain = self.variable.domain
        if isinstance(domain, BinaryVector):
            return [domain.names(value) for value in self.values if isinstance(value, tuple)]
        return [written(self.variable, value) for value in self.values]

    @property
    def numbers(self) -> list[float] | None:
        """The values as numbers; None if one is a word or a vector."""
        numbers = [float(value) for value in self.values if isinstance(value, int | float)]
        return numbers if len(numbers) == len(self.values) else None


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a simulator says of designs that differ in one or two variables.

    Args:
        space: all variables of the simulator.
        fixed: the design; what it has of swept variables does not count.
        axes: one or two.
        fields: what is shown, with unit and meaning.
        values: of each field an array of the axes' lengths; NaN where there is no value.
        feasible: which designs can be built, shaped so.
        reasons: why a design cannot be built, empty if it can, shaped so.
    """

    space: Space
    fixed: Design
    axes: tuple[Axis, ...]
    fields: Mapping[str, Field]
    values: Mapping[str, NDArray[np.float64]]
    feasible: NDArray[np.bool_]
    reasons: NDArray[np.object_]

    @property
    def fixed_text(self) -> str:
        """The variables that do not move, in words."""
        swept = {axis.variable.name for axis in self.axes}
        fixed = {name: value for name, value in self.fixed.items() if name not in swept}
        return self.space.describe(fixed, brief=True)

    def records(self) -> Iterator[dict[str, Any]]:
        """Flat rows: swept variables, fields, whether it can be built, and why not."""
        for place in np.ndindex(self.feasible.shape):
            swept = zip(self.axes, place, strict=True)
            design = Design({axis.variable.name: axis.values[at] for axis, at in swept})
            yield {
                **design.to_json(),
                **{name: float(values[place]) for name, values in self.values.items()},
                "feasible": bool(self.feasible[place]),
                "reason": self.reasons[place],
            }


def read_axis(space: Space, text: str) -> Axis:
    """A variable and its values as a person writes them.

    Args:
        space: all variables.
        text: see the module.

    Raises:
        InputError: there is no such variable, or a value is not allowed.
    """
    name, equals, given = (part.strip() for part in text.partition("="))
    if name not in space.variables:
        raise InputError(f"there is no variable '{name}'{suggestion(name, space.variables)}", text)
    variable = space.variables[name]
    try:
        values = _values(variable, given) if equals else _all_values(variable)
    except InputError as error:
        raise InputError(error.message, text) from None
    if len(set(values)) < len(values):
        raise InputError("a value is named twice", text)
    return Axis(variable, tuple(values))


def _all_values(variable: Variable) -> list[Value]:
    domain = variable.domain
    if domain.size > MOST:
        some = "all;none;every:2" if isinstance(domain, BinaryVector) else f"{variable.default}"
        raise InputError(f"it has {domain.size:,} values; name some: {variable.name}={some}")
    return [domain.value(entry) for entry in domain.at(np.arange(domain.size))]


def _values(variable: Variable, text: str) -> list[Value]:
    if isinstance(variable.domain, BinaryVector):
        return [read_value(variable, part) for part in _parts(text, ";")]
    if ":" in text:
        low, _, high = (part.strip() for part in text.partition(":"))
        ends = [_number(variable, end) for end in (low, high)]
        numbers = [value for value in _all_values(variable) if isinstance(value, int | float)]
        inside = [value for value in numbers if ends[0] <= value <= ends[1]]
        if numbers and not min(numbers) <= min(ends) <= max(ends) <= max(numbers):
            raise InputError(f"{low} to {high} goes beyond what there is; choose {allowed_values(variable)}")
        if not inside:
            raise InputError(f"nothing is from {low} to {high}; there is {allowed_values(variable)}")
        return list(inside)
    return [read_value(variable, part) for part in _parts(text.replace(";", ","), ",")]


def _parts(text: str, separator: str) -> list[str]:
    parts = [part.strip() for part in text.split(separator) if part.strip()]
    if not parts:
        raise InputError("name at least one value after =")
    return parts


def _number(variable: Variable, text: str) -> float:
    quantity = read_quantity(text, variable.unit)
    try:
        return float(text) if quantity is None else quantity
    except ValueError:
        raise InputError(f"'{text}' is no number; write {variable.name}=FROM:TO, or values with commas") from None


def shown_fields(simulator: HardwareSimulator, names: Sequence[str] = ()) -> tuple[str, ...]:
    """The fields that a sweep shows: those named, without their unit or with it, else those that the installed
    objectives read.

    Raises:
        InputError: the simulator has no such field.
    """
    units = {name: field.unit for name, field in simulator.fields.items()}
    names = [full_name(name, units) for name in names]
    for name in names:
        if name not in simulator.fields:
            raise InputError(f"{simulator.name} reports no '{name}'{suggestion(name, simulator.fields)}")
    if names:
        return tuple(dict.fromkeys(names))
    objectives = [find_objective(name) for name in objective_names()]
    read = set().union(*(o.mentions for o in objectives if {*o.reads} <= {KIND, simulator.name}))
    return tuple(name for name in simulator.fields if name in read) or tuple(simulator.fields)[:3]


def sweep(
    simulator: HardwareSimulator, workload: Workload, fixed: Mapping[str, object], axes: Sequence[Axis],
    fields: Sequence[str],
) -> Sweep:  # fmt: skip
    """Simulate a design with one or two variables moved over values.

    Args:
        simulator: whose report is asked for.
        workload: the network and its data set.
        fixed: other variables as a person writes them; those that are missing take their defaults.
        axes: one or two different variables.
        fields: of the report, see :func:`shown_fields`.

    Raises:
        InputError: no or too many variables or designs, one that is fixed too, or a value that is not allowed.
    """
    names = [axis.variable.name for axis in axes]
    if not 1 <= len(names) <= 2 or len(set(names)) < len(names):
        raise InputError("name one variable, or two different ones", "over")
    shape = tuple(len(axis.values) for axis in axes)
    if int(np.prod(shape)) > CELLS:
        raise InputError(
            f"these are {int(np.prod(shape)):,} designs, more than {CELLS:,} show nothing: name fewer", "over"
        )
    for name in names:
        if name in fixed:
            raise InputError(f"{name} is swept over; leave it out", "set")
    space = Space(simulator.variables(workload))
    design = space.design(fixed)
    designs = space.designs([design])
    places = np.indices(shape).reshape(len(shape), -1)
    moved = {
        axis.variable.name: axis.variable.domain.column(axis.values)[place]
        for axis, place in zip(axes, places, strict=True)
    }
    report = simulator.simulate(designs.take(np.zeros(places.shape[1], dtype=int)).with_columns(moved), workload)
    reasons = np.array([report.reason(at) for at in range(places.shape[1])], dtype=object)
    return Sweep(
        space,
        design,
        tuple(axes),
        {name: simulator.fields[name] for name in fields},
        {name: np.array(report.totals[name], dtype=np.float64).reshape(shape) for name in fields},
        report.feasible.reshape(shape),
        reasons.reshape(shape),
    )
