"""A problem made from plain Python functions."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.outline import ObjectiveInfo
from explorer.problem import Known, Measured, Problem
from explorer.space import Space
from objectives.objective import per_design
from simulators.protocol import Design, Designs, Fidelity, InputError, suggestion

__all__ = ["FunctionProblem"]


class FunctionProblem(Problem):
    """See :meth:`Problem.from_functions`."""

    def __init__(
        self,
        space: Space,
        functions: Mapping[str, Callable[..., Any]],
        *,
        directions: Mapping[str, Literal["maximize", "minimize"]],
        cheap: set[str],
        reads: Mapping[str, Sequence[str]],
        fidelity: Fidelity | None,
        cost: Callable[[int], float] | None,
        constraints: Sequence[str],
        units: Mapping[str, str],
        seed: int,
        continues: bool,
    ) -> None:
        expensive = [name for name in functions if name not in cheap]
        read = {variable for name in expensive for variable in reads.get(name, tuple(space.variables))}
        for variable in sorted(read - set(space.variables)):
            raise InputError(f"'{variable}' is not a variable{suggestion(variable, space.variables)}", "reads")
        super().__init__(
            space,
            [
                ObjectiveInfo(name, directions[name], units.get(name, ""), name in cheap, shared=name not in cheap)
                for name in functions
            ],
            constraints=constraints,
            fidelity=fidelity,
            reads=tuple(read),
            seed=seed,
            continues=continues,
        )
        self.functions = dict(functions)
        self._takes_batch = {name for name, function in functions.items() if _takes_batch(function)}
        self._takes_fidelity = {name for name, function in functions.items() if _takes_fidelity(function, fidelity)}
        if cost is not None and (fidelity is None or not callable(cost)):
            wrong = "needs a fidelity, whose cost it tells" if callable(cost) else f"give a function, not {cost!r}"
            raise InputError(wrong, "cost")
        self._cost = cost
        for level in () if fidelity is None else (fidelity.low, fidelity.high):
            self.cost(level)  # refused before anything runs
        # of families with the seed of their evaluation
        self._found: dict[tuple[str, int, int | None], dict[str, float]] = {}
        self._reached: dict[tuple[str, int], int | None] = {}

    def quantities(self, designs: Designs) -> Known:
        values = {o.name: self._batch(o.name, designs) for o in self.objectives if o.cheap}
        return Known(values, {}, np.ones(len(designs), dtype=bool), lambda _: "")

    def _batch(self, name: str, designs: Designs) -> NDArray[np.float64]:
        """A cheap function over a batch: in one call if it takes one, else design by design."""
        function = self.functions[name]
        if name not in self._takes_batch:
            return np.array([float(function(design)) for design in self.space.unpack(designs)], dtype=np.float64)
        return per_design(function(designs), len(designs), name)

    def measure(self, design: Design, fidelity: int | None, seed: int) -> Measured:
        """What an evaluation of the family found already, in this process, is not asked for again and costs nothing."""
        family = self.family(design), seed
        values = self._found.get((*family, fidelity))
        if values is not None:
            return Measured(values, {}, 0.0)
        values = {}
        for objective in self.expensive:
            function = self.functions[objective.name]
            arguments = (design, fidelity) if objective.name in self._takes_fidelity else (design,)
            values[objective.name] = float(function(*arguments))
        self._found[(*family, fidelity)] = values
        reached = self._reached.get(family)
        self._reached[family] = max(reached or 0, fidelity or 0) or None
        return Measured(values, {}, self.remaining_cost(fidelity, reached))

    def cost(self, fidelity: int | None) -> float:
        if self._cost is None or fidelity is None:
            return super().cost(fidelity)
        found = self._cost(fidelity)
        if not (isinstance(found, Real) and math.isfinite(found) and found >= 0):
            raise InputError(f"the cost at {fidelity} is {found!r}; give a finite number from 0 up", "cost")
        return float(found)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its positional parameters."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature
        return []
    return [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _takes_fidelity(function: Callable[..., Any], fidelity: Fidelity | None) -> bool:
    """Whether an expensive function has a second parameter, without default or, if there is one, for the fidelity."""
    return any(p.default is p.empty or (fidelity and p.name == "fidelity") for p in _parameters(function)[1:2])


def _takes_batch(function: Callable[..., Any]) -> bool:
    """Whether a cheap function says that it takes a batch: its parameter is called or annotated ``Designs``."""
    first = _parameters(function)[:1]
    return any(p.name == "designs" or p.annotation is Designs or str(p.annotation).endswith("Designs") for p in first)
