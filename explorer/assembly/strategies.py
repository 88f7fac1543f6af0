"""Whether the strategy of a search file takes its options and can search its problem."""

from __future__ import annotations

from explorer.assembly.loading import PROBLEM, Collector
from explorer.problem import Problem
from explorer.space import Space
from explorer.spec import SearchSpec
from explorer.strategies import make_strategy
from simulators.protocol import (
    STRATEGIES,
    BinaryVector,
    Fidelity,
    InputError,
    Integer,
    find_plugin,
)

__all__ = ["check_strategy"]


def check_strategy(problem: Problem | None, spec: SearchSpec, found: Collector, *, suggest: bool) -> None:
    """Make the strategy and let it suggest once: many an option is only looked at then."""
    name, options = spec.strategy.name, dict(spec.strategy.options)
    if not found.right("strategy.name", "strategy.options"):
        return
    try:
        find_plugin(STRATEGIES, name, "strategy")
    except InputError as error:
        found.add(error, "strategy")
        if options:
            found.skip("strategy.options", "strategy")
        return
    if problem is None:
        problem = _stand_in()
        if not _makes(name, problem):  # it asks more of a problem
            if options:
                found.skip("strategy.options", *PROBLEM)
            return
    while True:  # until the last of its mistakes is told
        try:
            strategy = make_strategy(name, problem, spec.seed, options)
            if suggest:
                strategy.suggest(1)
            return
        except InputError as error:
            found.add(error, "" if error.field else "strategy")
            wrong = error.field.removeprefix("strategy.options.")
            if wrong not in options:
                return
            del options[wrong]
        except (TypeError, ValueError, AttributeError) as error:
            found.add(InputError(f"{name} cannot suggest with {options}: {error}", "strategy.options"))
            return


def _stand_in() -> Problem:
    """A small problem, to look at a strategy's options while the real one cannot be built."""
    functions = {"ones": lambda design: float(sum(design["bits"])), "double": lambda design: 2.0 * design["number"]}
    return Problem.from_functions(
        Space({"bits": BinaryVector(4), "number": Integer(1, 4)}),
        functions,
        directions=dict.fromkeys(functions, "maximize"),
        cheap={"double"},
        reads={"ones": ["bits"]},
        fidelity=Fidelity("epochs", 1, 4),
    )


def _makes(strategy: str, problem: Problem) -> bool:
    try:
        make_strategy(strategy, problem)
    except InputError:
        return False
    return True
