"""Simulated annealing of one objective, and AMOSA of several: walks from design to neighbouring design.

What is better is always accepted, what is worse now and then, and the less often the cooler it gets. A design that was
evaluated before is walked over without paying for it. With several workers the neighbours of one design are evaluated
side by side and decided on in the order of their arrival.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, read_options
from simulators.protocol import Design, InputError

__all__ = ["AMOSA", "AMOSAOptions", "AnnealingOptions", "SimulatedAnnealing"]

Array = NDArray[np.float64]

NEIGHBOURS = 64  # of the present design that are looked at together
WALKED = 100  # moves over known designs, until something random is tried
FARTHEST = 8  # steps from the present design at once


class AnnealingOptions(BaseModel):
    """Options of annealing."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    initial: int = Field(10, ge=1, description="Random designs first; the walk begins at the best of them.")
    steps: int = Field(120, ge=1, description="Evaluations until it is cold.")
    hot: float = Field(1.0, gt=0, description="First temperature, in units of the spread of the first designs.")
    cold: float = Field(0.01, gt=0, description="Last temperature.")


class AMOSAOptions(AnnealingOptions):
    """Options of AMOSA."""

    hot: float = Field(0.1, gt=0, description="First temperature, in units of what one design dominates another by.")
    cold: float = Field(1e-4, gt=0, description="Last temperature.")


class _Walk(Strategy):
    """What both have in common."""

    options_model: ClassVar[type[AnnealingOptions]] = AnnealingOptions

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._options = read_options(self.options_model, self.name, self.options)
        if not self._options.cold <= self._options.hot:
            raise InputError(
                f"cold, {self._options.cold:g}, is above hot, {self._options.hot:g}", "strategy.options.cold"
            )
        self._values: dict[Design, Array] = {}  # to be made large
        self._violations: dict[Design, float] = {}
        self._at: Design | None = None
        self._undecided: list[Design] = []

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            full = evaluation.fidelity == self.problem.full_fidelity
            if evaluation.derived_from or evaluation.failed or not full or evaluation.replicate:
                continue
            signed = [objective.sign * evaluation.values[objective.name] for objective in self.problem.objectives]
            self._values[evaluation.design] = np.array(signed)
            self._violations[evaluation.design] = evaluation.violation
            if self._at is None:
                self._undecided.append(evaluation.design)
                if len(self._values) >= self._options.initial:
                    self._begin(self._undecided)
            else:
                self._decide(evaluation.design)

    def suggest(self, count: int) -> list[Proposal]:
        return [proposal for _ in range(count) if (proposal := self._next())]

    @property
    def opening_cost(self) -> float:
        return self._whole_cost(self._options.initial - len(self._values))

    def _next(self) -> Proposal | None:
        if self._at is None:
            return self.anything_new()
        steps = 1  # from the present design; more once all that is nearer was evaluated
        for _ in range(WALKED):
            near, here = self.problem.space.designs([self._at] * NEIGHBOURS), self._at
            for _ in range(steps):
                near = self.problem.space.neighbours(self._rng, near)
            for design in self.problem.space.unpack(near.take(self.problem.known(near).feasible)):
                if design not in self._values:
                    if proposal := self.propose(design):
                        return proposal
                elif design != here:
                    self._decide(design)
                    if self._at != here:
                        break
            steps = steps + 1 if self._at == here else 1
            if steps > FARTHEST:
                break
        return self.anything_new()

    @property
    def _temperature(self) -> float:
        share = min(1.0, len(self._values) / self._options.steps)
        return float(self._options.hot * (self._options.cold / self._options.hot) ** share)

    def _decide(self, design: Design) -> None:
        """Go there or stay; less violated constraints come before all else."""
        if self._at is None:
            return
        here, there = self._violations[self._at], self._violations[design]
        if there != here:
            if there < here:
                self._at = design
            return
        self._at = self._accepted(design, self._at)

    @abstractmethod
    def _begin(self, designs: Sequence[Design]) -> None:
        """Choose where to begin among the first designs."""

    @abstractmethod
    def _accepted(self, design: Design, at: Design) -> Design:
        """Where to be after having seen ``design``."""


class SimulatedAnnealing(_Walk):
    """Simulated annealing (Kirkpatrick, Gelatt and Vecchi, 1983) of one objective.

    Options: see :class:`AnnealingOptions`.

    Raises:
        InputError: there are several objectives.
    """

    name = "annealing"

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        if len(problem.objectives) > 1:
            raise InputError("annealing knows one objective; choose amosa for several", "strategy")
        self._spread = 1.0

    def _begin(self, designs: Sequence[Design]) -> None:
        values = [float(self._values[design][0]) for design in designs]
        self._spread = float(np.std(values)) or 1.0
        self._at = min(designs, key=lambda design: (self._violations[design], -self._values[design][0]))

    def _accepted(self, design: Design, at: Design) -> Design:
        change = float(self._values[design][0] - self._values[at][0]) / self._spread
        return design if change >= 0 or self._rng.random() < math.exp(change / self._temperature) else at


class AMOSA(_Walk):
    """Archived multi-objective simulated annealing (Bandyopadhyay, Saha, Maulik and Deb, 2008).

    How much one design dominates another is the product of their differences in all objectives, in units of the ranges
    seen. The archive is not thinned: a search has hundreds of evaluations, not hundred thousands.

    Options: see :class:`AMOSAOptions`.
    """

    name = "amosa"
    options_model = AMOSAOptions

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._archive: list[Design] = []

    def _begin(self, designs: Sequence[Design]) -> None:
        least = min(self._violations[design] for design in designs)
        for design in designs:
            if self._violations[design] == least:
                self._keep(design)
        self._at = self._archive[int(self._rng.integers(len(self._archive)))]

    def _keep(self, design: Design) -> None:
        """Put a design into the archive, and what it dominates out, unless the archive dominates it."""
        self._archive = [
            other for other in self._archive if other in self._values and not self._dominates(design, other)
        ]
        if design not in self._archive and not any(self._dominates(other, design) for other in self._archive):
            self._archive.append(design)

    def _dominates(self, one: Design, other: Design) -> bool:
        left, right = self._values[one], self._values[other]
        if self._violations[one] != self._violations[other]:
            return self._violations[one] < self._violations[other]
        return bool((left >= right).all() and (left > right).any())

    def _amount(self, one: Design, other: Design) -> float:
        """Delta dom: the product of the differences that are not zero, each in units of its objective's range."""
        values = np.array(list(self._values.values()))
        ranges = np.ptp(values, axis=0)
        parts = np.abs(self._values[one] - self._values[other]) / np.where(ranges > 0, ranges, 1.0)
        return float(np.prod(parts[parts > 0], initial=1.0))

    def _accepted(self, design: Design, at: Design) -> Design:
        better = [other for other in self._archive if self._dominates(other, design)]
        if self._dominates(at, design):  # case 1 of the paper
            amounts = [self._amount(other, design) for other in {*better, at}]
            return design if self._tossed(float(np.mean(amounts))) else at
        if not better:  # 2b, 2c, 3b and 3c: new to the front
            self._keep(design)
            return design
        amounts = [self._amount(other, design) for other in better]
        if self._dominates(design, at):  # 3a: better than here, but not than the archive
            nearest = int(np.argmin(amounts))
            return better[nearest] if self._rng.random() < 1 / (1 + math.exp(-amounts[nearest])) else design
        return design if self._tossed(float(np.mean(amounts))) else at  # 2a

    def _tossed(self, amount: float) -> bool:
        """Whether what is dominated by so much is accepted."""
        return bool(self._rng.random() < 1 / (1 + math.exp(min(amount / self._temperature, 700.0))))
