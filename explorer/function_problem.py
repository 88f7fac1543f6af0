"""A problem made from plain Python functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.outline import ObjectiveInfo
from explorer.problem import Known, Measured, Problem
from explorer.space import Space
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
        )
        self.functions = dict(functions)
        self._cost = cost

    def quantities(self, designs: Designs) -> Known:
        values = {o.name: self._batch(self.functions[o.name], designs) for o in self.objectives if o.cheap}
        return Known(values, {}, np.ones(len(designs), dtype=bool), lambda _: "")

    def _batch(self, function: Callable[..., Any], designs: Designs) -> NDArray[np.float64]:
        """A cheap function over a batch: in one call if it takes one, else design by design."""
        if _takes_batch(function):
            return np.broadcast_to(np.asarray(function(designs), dtype=np.float64), (len(designs),))
        return np.array([float(function(design)) for design in self.space.unpack(designs)], dtype=np.float64)

    def measure(self, design: Design, fidelity: int | None, seed: int) -> Measured:  # noqa: ARG002  # functions take no seed
        values = {}
        for objective in self.expensive:
            function = self.functions[objective.name]
            values[objective.name] = float(function(design, fidelity) if _arity(function) > 1 else function(design))
        return Measured(values, {}, self.cost(fidelity))

    def cost(self, fidelity: int | None) -> float:
        if self._cost is None or fidelity is None:
            return super().cost(fidelity)
        return float(self._cost(fidelity))


def _arity(function: Callable[..., Any]) -> int:
    """How many positional arguments a function takes (without default: what must be given)."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # builtins without a signature
        return 1
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty for p in parameters)


def _takes_batch(function: Callable[..., Any]) -> bool:
    """Whether a cheap function says that it takes a batch: its parameter is called or annotated ``Designs``."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    if not parameters:
        return False
    annotation = parameters[0].annotation
    return parameters[0].name == "designs" or annotation is Designs or str(annotation).endswith("Designs")
