"""Feasible designs at random, also where they are rare, and why there are none.

Where feasible designs are common they are drawn uniformly. A small space in which they are rare is enumerated. In a
large one (two of a hundred bits, say) random walks descend to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.expressions import Expression
from explorer.units import format_quantity
from simulators.protocol import Designs, InputError

if TYPE_CHECKING:
    from explorer.problem import Problem

__all__ = ["FeasibleDesigns"]

SMALL = 200_000  # a space up to this size is enumerated; of a larger one so many designs are drawn to explain
LOOKS, COMMON = 4096, 1 / 200  # feasible designs are common where more than this share of so many random ones is
WALKERS, WALK = 256, 20  # random walks to rare feasible designs: how many, and their steps per dimension


class FeasibleDesigns:
    """The designs of a problem that can be evaluated.

    Args:
        problem: whose.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.space = problem.space

    def sample(self, rng: np.random.Generator, count: int) -> Designs:
        """``count`` feasible designs, with repeats: drawn uniformly, or nearly so where they are rare in a large space.

        Raises:
            InputError: no feasible design was found; the message counts what each constraint leaves.
        """
        self.check()
        if self._rare is not None:
            start = self._rare.take(rng.integers(0, len(self._rare), count))
            return start if self.space.size <= SMALL else self._walk(rng, start, self.space.dimensions)
        chosen: list[Designs] = []
        while sum(map(len, chosen)) < count:
            drawn = self.space.draw(rng, min(max(64, 4 * count), 8192))
            chosen.append(drawn.take(self.problem.known(drawn).feasible))
        return Designs.joined(chosen).take(np.arange(count))

    def check(self) -> None:
        """Make sure that there is one.

        Raises:
            InputError: none was found; the message counts what each constraint leaves.
        """
        if self._rare is not None and len(self._rare) == 0:
            raise self._explanation()

    @cached_property
    def _rare(self) -> Designs | None:
        """Feasible designs (all of a small space), where drawing at random finds hardly any; else None."""
        rng = np.random.default_rng(self.problem.seed)
        if np.sum(self.problem.known(self.space.draw(rng, LOOKS)).feasible) >= LOOKS * COMMON:
            return None
        if self.space.size <= SMALL:
            designs = self.space.at(range(self.space.size))
        else:
            designs = self._walk(rng, self.space.draw(rng, WALKERS), WALK * self.space.dimensions)
        return designs.take(self.problem.known(designs).feasible)

    def _walk(self, rng: np.random.Generator, designs: Designs, steps: int) -> Designs:
        """Random walks that never go further away from satisfying the constraints.

        Among feasible designs this is the walk of Metropolis et al. (1953), which comes to be uniform.
        """
        outside, violation = self._distance(designs)
        for step in range(steps):
            there = self.space.neighbours(rng, designs)
            if step % 2:  # two changes: along sum(bn) == 3 a bit goes off when another goes on
                there = self.space.neighbours(rng, there)
            outside_there, violation_there = self._distance(there)
            moves = (outside_there < outside) | ((outside_there == outside) & (violation_there <= violation))
            designs = _choose(moves, there, designs)
            outside, violation = np.where(moves, outside_there, outside), np.where(moves, violation_there, violation)
        return designs

    def _distance(self, designs: Designs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How far designs are from satisfying the space's constraints, and then all others; 0 if they do."""
        known = self.problem.known(designs)
        outside = self.space.violation(designs)
        violation = np.where(known.feasible | (outside > 0), 0.0, 1.0)  # one that cannot be built has no distance
        for constraint in self.problem.cheap_constraints:
            violation += np.where(outside > 0, 0.0, constraint.violation(known.names(designs)))
        return outside, violation

    def _explanation(self) -> InputError:
        if self.space.size <= SMALL:
            designs, which = self.space.at(range(self.space.size)), f"all {self.space.size}"
        else:
            designs, which = self.space.draw(np.random.default_rng(self.problem.seed), SMALL), f"{SMALL} random"
        lines = [
            self._met(constraint, designs.columns, len(designs), f"of {len(designs)} designs")
            for constraint in self.space.constraints
        ]
        allowed = designs.take(self.space.satisfied(designs))
        if len(allowed):
            found = self.problem.quantities(allowed)
            of = f"of {len(allowed)} designs" + (" that satisfy these" if lines else "")
            if not found.feasible.all():
                first = int(np.flatnonzero(~found.feasible)[0])
                lines.append(f"{int(found.feasible.sum())} {of} can be built (one {found.reason(first)})")
            for name, values in found.objectives.items():
                if not np.isfinite(values).all():
                    lines.append(f"{name} is a finite number for {int(np.isfinite(values).sum())} {of}")
            lines += [
                self._met(constraint, found.names(allowed), len(allowed), of)
                for constraint in self.problem.cheap_constraints
            ]
        return InputError(
            f"no design satisfies all constraints ({which} designs looked at); loosen one or widen a variable's range: "
            + "; ".join(lines),
            "constraints",
        )

    def _met(self, constraint: Expression, names: Mapping[str, Any], count: int, of: str) -> str:
        """How many designs meet a constraint; where none does, also what it limits in fact."""
        met = int(np.sum(np.broadcast_to(constraint.evaluate(names), count)))
        line = f"{constraint.text} holds for {met} {of}"
        limited = constraint.compared
        if met or limited is None:
            return line
        values = limited.evaluate(names)
        values = values[np.isfinite(values)] if values.dtype.kind in "iuf" else np.empty(0)
        if not len(values):
            return line
        unit = self.problem.outline.units.get(limited.text, "")
        low, high = (format_quantity(float(value), unit) for value in (values.min(), values.max()))
        line += f" ({limited.text} is {low}" + (f" to {high}" if high != low else "")
        if unit == "K" and constraint.bare_limits:
            line += f", and bare numbers are kelvin: for degrees Celsius write {constraint.bare_limits[0]:g} C"
        return line + ")"


def _choose(mask: NDArray[np.bool_], true: Designs, false: Designs) -> Designs:
    """Per design the one or the other."""
    others = false.expanded()
    columns = {
        name: np.where(mask.reshape(-1, *[1] * (column.ndim - 1)), column, others[name])
        for name, column in true.expanded().items()
    }
    return Designs(columns, len(mask))
