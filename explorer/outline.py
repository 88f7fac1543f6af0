"""The outline of a problem: variables, objectives, constraints on outcomes, full fidelity.

It is plain data, kept in every study, and enough to build fronts, tables and queries from stored evaluations without
simulators and without a user's Python files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from explorer.expressions import Expression, parse
from explorer.space import Space
from explorer.units import counted
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Domain, Integer, Value, Variable

__all__ = ["HELD_OUT", "MEMBERS", "ObjectiveInfo", "Outline"]

HELD_OUT = "test_"
"""Fields whose names begin so are measured on data that no search may see; only final reports show them."""

MEMBERS = 200_000
"""Members of a family that are looked at; a larger family is sampled."""


@dataclass(frozen=True)
class ObjectiveInfo:
    """An objective as a search sees it.

    Args:
        name: as in the search file.
        direction: ``maximize`` or ``minimize``.
        unit: SI unit, ``mm2`` for areas, ``fraction``, or empty.
        cheap: known exactly, never modelled.
        bounds: least and greatest possible value, where known.
        shared: whether all members of a family have the same value (false for cheap ones, and for those that read
            hardware beside training).
        systematic_error, random_error: report fields with standard errors of the value, see :mod:`explorer.errors`;
            empty where there is none.
    """

    name: str
    direction: Literal["maximize", "minimize"]
    unit: str = ""
    cheap: bool = False
    bounds: tuple[float, float] | None = None
    shared: bool = False
    systematic_error: str = ""
    random_error: str = ""

    @property
    def sign(self) -> int:
        """1 to maximise, -1 to minimise: ``sign * value`` is always to be made large."""
        return 1 if self.direction == "maximize" else -1


@dataclass(frozen=True)
class Outline:
    """See the module.

    Args:
        space: variables with their constraints.
        objectives: in the order of the search file.
        fidelity_name: such as ``epochs``; empty where there is no fidelity.
        full_fidelity: the fidelity that fronts are made of.
        constraints: those that can only be checked after an evaluation.
        units: unit of every name that an expression may use.
        workload: the full network, its data set and what is really trained, as tables name them; empty where the
            problem was made from functions.
    """

    space: Space
    objectives: tuple[ObjectiveInfo, ...]
    fidelity_name: str = ""
    full_fidelity: int | None = None
    constraints: tuple[Expression, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    workload: str = ""

    @property
    def exact(self) -> bool:
        """Whether everything is known exactly without an evaluation: there is nothing to train."""
        return all(objective.cheap for objective in self.objectives) and not self.constraints

    @property
    def known_at_once(self) -> bool:
        """Whether the first evaluation completes the front over all designs, so that no other can change it."""
        return self.exact and self.space.size <= MEMBERS

    def direction(self, name: str) -> int:
        """1 if more of a quantity is better, -1 if less is, as the objective says that it is named after
        (``test_accuracy`` after ``accuracy``); 0 if there is none."""
        named = [objective for objective in self.objectives if f"_{objective.name}_" in f"_{name}_"]
        return max(named, key=lambda objective: len(objective.name)).sign if named else 0

    def violation(self, design: Design, values: Mapping[str, float]) -> float:
        """How far a finished evaluation is from satisfying the constraints on its outcome; 0 if it does.

        Args:
            design: the design.
            values: objectives and report fields.
        """
        if not self.constraints:
            return 0.0
        names = {**self.space.designs([design]).columns, **values}
        return float(sum(np.max(constraint.violation(names)) for constraint in self.constraints))

    def short(self, fidelity: int | None) -> str:
        """How much of a whole evaluation one at a fidelity is, such as ``3 of 12 epochs``; empty for a whole one."""
        full = self.full_fidelity
        return "" if fidelity is None or fidelity == full else f"{fidelity} of {counted(full or 0, self.fidelity_name)}"

    def whole(self, count: int) -> str:
        """How many of some evaluations are whole ones, in words such as ``12 of them with all 12 epochs``."""
        return f"{count or 'none'} of them with all {counted(self.full_fidelity or 0, self.fidelity_name)}"

    @cached_property
    def bit_variables(self) -> frozenset[str]:
        """Names of the variables that are binary vectors."""
        return frozenset(n for n, v in self.space.variables.items() if isinstance(v.domain, BinaryVector))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "variables": [_variable_to_json(variable) for variable in self.space.variables.values()],
            "space_constraints": [constraint.text for constraint in self.space.constraints],
            "objectives": [asdict(objective) for objective in self.objectives],
            "fidelity_name": self.fidelity_name,
            "full_fidelity": self.full_fidelity,
            "constraints": [constraint.text for constraint in self.constraints],
            "units": dict(self.units),
            "workload": self.workload,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outline:
        """Read back what :meth:`to_json` wrote."""
        objectives = []
        for objective in data["objectives"]:
            bounds = tuple(objective["bounds"]) if objective["bounds"] else None
            objectives.append(ObjectiveInfo(**{**objective, "bounds": bounds}))
        return cls(
            Space([_variable_from_json(variable) for variable in data["variables"]], data["space_constraints"]),
            tuple(objectives),
            data["fidelity_name"],
            data["full_fidelity"],
            tuple(parse(text) for text in data["constraints"]),
            data["units"],
            data.get("workload", ""),
        )


def _plain(value: Value) -> int | float | str:
    return str(value) if isinstance(value, Bits) else value


def _variable_to_json(variable: Variable) -> dict[str, Any]:
    row = {name: value for name, value in vars(variable).items() if name != "domain"}
    row["default"] = _plain(variable.default)
    domain = variable.domain
    row["domain"] = dict(vars(domain))
    if "choices" in row["domain"]:
        row["domain"]["choices"] = [_plain(choice) for choice in row["domain"]["choices"]]
    return row


def _variable_from_json(row: Mapping[str, Any]) -> Variable:
    fields = row["domain"]
    domain: Domain
    if "length" in fields:
        domain = BinaryVector(**{**fields, "choices": tuple(map(Bits, fields["choices"]))})
    elif "choices" in fields:
        domain = Categorical(fields["choices"])
    else:
        domain = Integer(**fields)
    labels = tuple((value, text) for value, text in row["labels"])
    return Variable(**{**row, "domain": domain, "default": domain.parse(row["default"]), "labels": labels})
