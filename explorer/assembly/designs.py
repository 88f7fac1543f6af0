"""Initial designs of a search file."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.assembly.loading import Collector, Loaded
from explorer.assembly.variables import right_for_some, unsplit
from explorer.evaluation import Proposal
from explorer.problem import Problem
from explorer.space import Space, read_value
from explorer.spec import SearchSpec
from simulators.protocol import (
    Design,
    InputError,
)

__all__ = ["feasible_designs", "initial_designs"]


def initial_designs(
    space: Space, offered: Iterable[str], loaded: Loaded, spec: SearchSpec, found: Collector
) -> list[tuple[int, Design]]:
    """The initial designs that can be read, with their numbers."""
    designs = []
    for index, given in enumerate(spec.initial):
        if not found.given("initial", index):
            continue
        written = unsplit(given, space.variables, f"initial.{index}", found)
        values = {name: value for name, value in written.items() if name not in loaded.uncertain}
        for name in written:
            if not right_for_some(loaded.uncertain.get(name, ()), read_value, written[name]):
                found.skip(f"initial.{index}.{name}", "workload")
        wrong = space.mistakes(values)
        for error in wrong:
            if error.field in set(offered) - set(space.variables) - set(spec.variables):
                message = f"{error.field} is not searched; name it under variables too"
                found.add(InputError(message, error.field), f"initial.{index}")
            elif error.field in space.variables or (loaded.complete and error.field not in spec.variables):
                found.add(error, f"initial.{index}")
            else:
                found.skip(f"initial.{index}.{error.field}", "variables" if loaded.complete else "simulators")
        if not wrong and values == given:
            designs.append((index, space.design(values)))
    return designs


def feasible_designs(
    problem: Problem, designs: Iterable[tuple[int, Design]], found: Collector, check_run: bool
) -> tuple[Proposal, ...]:
    """The initial designs as proposals; notes those that cannot be evaluated, unless no design can."""
    try:
        if check_run:
            problem.check_feasible()
    except InputError as error:
        found.add(error)
        return ()
    proposals = []
    for index, design in designs:
        if problem.known(problem.space.designs([design])).feasible[0]:
            proposals.append(Proposal(design, problem.full_fidelity, strategy="initial"))
        else:
            message = (
                f"{problem.space.describe(design)} cannot be evaluated: {problem.why_infeasible(design)}; give other "
                "values, or name the variables that it leaves to their defaults"
            )
            found.add(InputError(message, f"initial.{index}"))
    return tuple(proposals)
