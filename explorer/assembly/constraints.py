"""Constraints of a search file: names, units and what they may be about, before there is a problem."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np

from explorer.assembly.loading import Collector, Loaded
from explorer.expressions import Expression, parse
from explorer.outline import HELD_OUT
from explorer.space import condition
from explorer.spec import SearchSpec
from explorer.units import format_quantity
from objectives import Objective, find_objective, objective_names
from simulators.protocol import (
    BinaryVector,
    InputError,
    Variable,
)

__all__ = ["check_constraints", "reads_held_out", "with_full_names"]

LOOKS = 1001  # values of an objective between its bounds that a constraint is tried with


def with_full_names(spec: SearchSpec, loaded: Loaded, objectives: list[Objective]) -> SearchSpec:
    """A search whose constraints name report fields and variables in full, their units included.

    What an objective is called, also one that the search has not or that cannot be loaded, means that objective.

    Args:
        spec: the search file.
        loaded: what it names.
        objectives: those that can be had.
    """
    units = {
        **loaded.bench.units(loaded.bench.simulators),
        **{v.name: v.unit for offered in loaded.variables.values() for v in offered.values()},
        **dict.fromkeys([*objective_names(), *(name.rpartition(":")[2] for name in spec.objectives)], ""),
        **{o.name: o.unit for o in objectives},
    }

    def spelled_out(text: str) -> str:
        try:
            return parse(text).spelled_out(units).text
        except InputError:  # told with the constraints
            return text

    return spec.model_copy(update={"constraints": [spelled_out(text) for text in spec.constraints]})


def check_constraints(
    loaded: Loaded, objectives: list[Objective], offered: Mapping[str, Variable], variables: list[Variable],
    spec: SearchSpec, found: Collector,
) -> None:  # fmt: skip
    """Check every constraint whose names are all known; of the others, those that no other mistake explains."""
    units = {
        **loaded.bench.units(loaded.bench.simulators), **{o.name: o.unit for o in objectives},
        **{variable.name: variable.unit for variable in variables},
    }  # fmt: skip
    lengths = {v.name: v.domain.length for v in variables if isinstance(v.domain, BinaryVector)}
    units = {name: unit for name, unit in units.items() if not name.startswith(HELD_OUT)}
    outside = _objectives_outside(units)
    doubts = dict.fromkeys(loaded.uncertain, "workload")  # names that say nothing yet, with what has to be mended
    if loaded.complete and objectives:  # the names that its wrong objectives may stand for
        wrong = [name for index, name in enumerate(spec.objectives) if not found.given("objectives", index)]
        close = {match for name in wrong for match in get_close_matches(name, objective_names())}
        maybe = {*close, *(name.rpartition(":")[2] for name in wrong)} - set(units)
        doubts |= dict.fromkeys(maybe, "objectives")
    if not found.right("variables"):
        doubts |= dict.fromkeys(set(offered) - set(units), "variables")
    unknown = "simulators" if not loaded.complete else "" if objectives else "objectives"
    for index, text in enumerate(spec.constraints):
        field = f"constraints.{index}"
        if not found.given("constraints", index):
            continue
        try:
            names = parse(text).names
            if held_out := sorted(name for name in names if name.startswith(HELD_OUT)):
                raise reads_held_out(held_out[0])
            if doubtful := sorted(names & set(doubts)):
                found.skip(field, doubts[doubtful[0]])
            elif unknown and not names <= {*units, *outside}:
                found.skip(field, unknown)
            elif lacking := sorted((names & set(loaded.optional)) - {*units, *outside}):
                loaded.lacks(lacking[0], field, found)
            else:
                for name in sorted(names & set(outside)) if objectives else ():
                    found.add(InputError(_instead_of(name, outside[name], units)), field)
                checked = condition(text, outside | units, lengths)
                if not names:
                    holds = "holds for every design: remove it" if checked.evaluate({}) else "holds for no design"
                    found.add(InputError(f"'{text}' names no variable, field or objective; it {holds}"), field)
                for objective in objectives:
                    if (
                        names == {objective.name}
                        and objective.bounds
                        and _never(checked, objective.name, *objective.bounds)
                    ):
                        ends = " to ".join(format_quantity(value, objective.unit) for value in objective.bounds)
                        found.add(InputError(f"'{text}' holds for no design: {objective.name} is from {ends}"), field)
        except InputError as error:
            found.add(error, field)


def _never(constraint: Expression, objective: str, low: float, high: float) -> bool:
    """Whether no value of an objective satisfies a constraint on it alone: all that are tried break it by more than it
    changes from one to the next."""
    violation = constraint.violation({objective: np.linspace(low, high, LOOKS)})
    return bool(np.isfinite(violation).all() and violation.min() > abs(np.diff(violation)).max())


def _objectives_outside(units: Mapping[str, str]) -> dict[str, str]:
    """Unit of each installed objective that a search has not: constraints may mean a report's field by its name."""
    return {name: find_objective(name).unit for name in objective_names() if name not in units}


def _instead_of(objective: str, unit: str, units: Mapping[str, str]) -> str:
    fields = [name for name in units if name.startswith(f"{objective}_") and units[name] == unit]
    instead = f", or write {fields[0]}" if fields else ""
    return f"'{objective}' is an objective that this search has not: name it under objectives{instead}"


def reads_held_out(name: str) -> InputError:
    """The complaint that something reads a field that no search may see."""
    return InputError(f"no search may look at {name}: it is held out for the final report")
