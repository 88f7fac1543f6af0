"""A problem as one sees it who knows nothing: every objective costs an evaluation, every design is a family of its own.

Strategies on it show what exact knowledge of cheap objectives and of families is worth: the same search with
``grey_box: false`` among the strategy's options.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from explorer.problem import Known, Measured, Problem
from simulators.protocol import Design, Designs

__all__ = ["BlackBox"]


class BlackBox(Problem):
    """Another problem with all of its objectives expensive.

    Constraints over variables and report fields are still checked before an evaluation, so that both search the same
    designs; one over an objective only after it.

    Args:
        problem: the problem.
    """

    def __init__(self, problem: Problem) -> None:
        constraints = [*problem.cheap_constraints, *problem.outcome_constraints]
        super().__init__(
            problem.space,
            [replace(objective, cheap=False, shared=False) for objective in problem.objectives],
            constraints=[constraint.text for constraint in constraints],
            fidelity=problem.fidelity,
            reads=tuple(problem.space.variables),
            seed=problem.seed,
            units=problem.outline.units,
            cheap_names=problem.cheap_names,
            continues=problem.continues,
        )
        self.problem = problem

    def quantities(self, designs: Designs) -> Known:
        return replace(self.problem.quantities(designs), objectives={})

    def measure(self, design: Design, fidelity: int | None, seed: int) -> Measured:
        measured = self.problem.measure(design, fidelity, seed)
        known: Mapping[str, float] = {
            name: float(values[0])
            for name, values in self.problem.known(self.space.designs([design])).objectives.items()
        }
        return replace(measured, objectives={**known, **measured.objectives})

    def cost(self, fidelity: int | None) -> float:
        return self.problem.cost(fidelity)
