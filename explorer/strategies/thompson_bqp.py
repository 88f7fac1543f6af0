"""Sparsity-aware Thompson sampling, solved as a binary quadratic program (DeepTrain, section V.B).

For each proposal: draw one second-order function per expensive objective from its posterior, weigh the objectives at
random, maximise the weighted sum as a binary quadratic program, and of the points that its relaxation rounds to take
the one whose family would add the most hypervolume. Cheap objectives are never modelled there: families are valued with
their exact values. With a single objective this is the paper's algorithm: the drawn function less ``sparsity`` times
the number of batch normalisations, and its maximiser is trained next.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.evaluation import Evaluation, Proposal
from explorer.families import Families, best_member, value_families
from explorer.outline import ObjectiveInfo
from explorer.problem import Problem
from explorer.solvers.bqp import minimise
from explorer.solvers.program import BinaryQuadraticProgram, InfeasibleError
from explorer.solvers.relaxation import SDP_VARIABLES
from explorer.strategies.base import Strategy, read_options
from explorer.strategies.cheap_quadratics import cheap_quadratics
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import Horseshoe, Quadratic, spread
from simulators.protocol import Design

__all__ = ["ThompsonBQP", "ThompsonOptions"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

DRAWS = 8  # draws from the posterior until one's best points are new
BETWEEN_DRAWS = 20  # sweeps from one draw to the next, so that proposals of a batch are independent
WEIGHTINGS = 8  # of the objectives, for each draw
CANDIDATES = 48  # points of which the families are valued


Sparsities = Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1)]


class ThompsonOptions(BaseModel):
    """Options of the strategy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sparsity: Annotated[float, Field(allow_inf_nan=False)] | Sparsities = Field(
        0.0, description="Lambda: what one bit of a binary vector costs, in units of the objective; a list is a grid, "
        "of which proposals take turns."
    )  # fmt: skip
    initial: int | None = Field(None, ge=1, description="Random families first; default half the bits and two more.")
    sweeps: int = Field(400, ge=1, description="Gibbs sweeps after new data.")
    cold_sweeps: int = Field(1000, ge=1, description="Gibbs sweeps of a new chain.")
    hyperplanes: int = Field(100, ge=1, description="Roundings of each relaxation.")


@dataclass(eq=False)
class _Model:
    """An expensive objective's chain and its data, in the direction that is to be made large."""

    objective: ObjectiveInfo
    chain: Horseshoe
    targets: list[float] = field(default_factory=list)
    sweeps_due: bool = True
    cold: bool = True


class ThompsonBQP(Strategy):
    """Thompson sampling over second-order models with horseshoe priors, maximised through an SDP relaxation.

    Options: see :class:`ThompsonOptions`.
    """

    name = "thompson-bqp"

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._options = read_options(ThompsonOptions, self.name, self.options)
        self._encoding = BitEncoding(problem.space, problem.reads)
        self._constraints = self._encoding.constraints(problem.space.constraints)
        if self._constraints and self._encoding.bits > SDP_VARIABLES:
            logging.getLogger(__name__).warning(
                "%s: %d choices under constraints are more than the semidefinite program can hold (%d); the low-rank "
                "relaxation takes its place, which leaves constraints to polishing", self.name, self._encoding.bits,
                SDP_VARIABLES,
            )  # fmt: skip
        seeds = np.random.SeedSequence([seed, 0xB0]).spawn(len(problem.expensive))
        self._models = [
            _Model(objective, Horseshoe(max(1, self._encoding.bits), np.random.default_rng(child)))
            for objective, child in zip(problem.expensive, seeds, strict=True)
        ]
        self._points: list[Binaries] = []
        self._families: set[str] = set()
        self._archive = Archive(problem)
        self._suggested = 0
        self._cheap: dict[str, Quadratic] | None = None

    # -- the strategy's two verbs -------------------------------------------------------------------------------

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        self._families.update(self.problem.family(proposal.design) for proposal in running)
        for evaluation in finished:
            if evaluation.derived_from or evaluation.fidelity != self.problem.full_fidelity:
                continue
            self._families.add(self.problem.family(evaluation.design))  # one whose worker died names none
            self._archive.add(evaluation)
            if not evaluation.failed:
                self._learn(evaluation)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._next()):
            self._families.add(self.problem.family(proposal.design))
            proposals.append(proposal)
        return proposals

    # -- steps --------------------------------------------------------------------------------------------------

    def _learn(self, evaluation: Evaluation) -> None:
        self._points.append(self._encoding.encode(self.problem.space.designs([evaluation.design]))[0])
        for model in self._models:
            model.targets.append(model.objective.sign * evaluation.values[model.objective.name])
            model.sweeps_due = True

    def _next(self) -> Proposal | None:
        if not self._models or not self._encoding.bits or len(self._points) < self._initial:
            return self._new_family() or self.anything_new()
        for _ in range(DRAWS):
            functions = {model.objective.name: self._function(model) for model in self._models}
            candidates = self._candidates(functions)
            design = self._best(candidates, functions) if len(candidates) else None
            if design is not None and (proposal := self.propose(design)):
                self._suggested += 1
                return proposal
        return self._new_family() or self.anything_new()

    @property
    def _initial(self) -> int:
        return self._options.initial or self._encoding.bits // 2 + 2

    def _new_family(self) -> Proposal | None:
        """A random design of a family that was not tried; None if there is hardly one."""
        for _ in range(10):
            for design in self.problem.space.unpack(self.problem.sample(self._rng, 32)):
                if self.problem.family(design) not in self._families and (proposal := self.propose(design)):
                    return proposal
        return None

    def _function(self, model: _Model) -> Quadratic:
        """A draw from the posterior of one objective."""
        if model.sweeps_due:
            sweeps = self._options.cold_sweeps if model.cold else self._options.sweeps
            model.chain.fit(np.array(self._points), np.array(model.targets), sweeps)
            model.sweeps_due = model.cold = False
            return model.chain.draw()
        return model.chain.draw(BETWEEN_DRAWS)

    def _candidates(self, functions: Mapping[str, Quadratic]) -> Binaries:
        """Points of families that were not tried: the best that several random weightings of the objectives round to,
        the best of each first; neighbours of these where all were tried."""
        weightings = WEIGHTINGS if len(self.problem.objectives) > 1 else 1
        pools = [pool for pool in (self._rounded(functions) for _ in range(weightings)) if len(pool)]
        ranked = [point for rank in zip_longest(*pools) for point in rank if point is not None]
        new = {self._family(point): point for point in ranked[: 4 * CANDIDATES]}
        self.repeats += len(pools) > 0 and all(self._family(pool[0]) in self._families for pool in pools)
        if new.keys() <= self._families:
            flips = [pool[0] ^ np.eye(self._encoding.bits, dtype=np.int8) for pool in pools]
            new = {self._family(point): point for near in flips for point in near[self._constraints.satisfied(near)]}
        chosen = [point for family, point in new.items() if family not in self._families][:CANDIDATES]
        return np.array(chosen, dtype=np.int8).reshape(-1, self._encoding.bits)

    def _rounded(self, functions: Mapping[str, Quadratic]) -> Binaries:
        """Points that make a random weighting of the objectives large, best first."""
        weights = self._rng.dirichlet(np.ones(len(self.problem.objectives)))
        bits = self._encoding.bits
        linear, pairs = np.zeros(bits), np.zeros((bits, bits))
        for objective, weight in zip(self.problem.objectives, weights, strict=True):
            function = functions.get(objective.name) or self._cheap_models.get(objective.name)
            if function is not None:
                scale = weight / self._spread(objective)
                linear += scale * function.linear
                pairs += scale * function.pairs
                if not objective.cheap:
                    linear -= scale * self._sparsity * self._encoding.vector_bits
        program = BinaryQuadraticProgram.of(-pairs, -linear, constraints=self._constraints)
        try:
            return minimise(program, self._rng, hyperplanes=self._options.hyperplanes).pool
        except InfeasibleError:
            return np.zeros((0, bits), dtype=np.int8)

    @property
    def _sparsity(self) -> float:
        grid = self._options.sparsity
        return grid if isinstance(grid, float) else grid[self._suggested % len(grid)]

    def _spread(self, objective: ObjectiveInfo) -> float:
        """What makes objectives in different units comparable: the spread of what was seen of them."""
        if len(self.problem.objectives) == 1:
            return 1.0
        if objective.cheap:
            return 1.0  # its quadratic was fitted to standardised values
        targets = next(model.targets for model in self._models if model.objective is objective)
        return spread(np.array(targets)) or 1.0

    def _family(self, point: Binaries) -> str:
        return self.problem.family(self._designs(point)[0])

    def _designs(self, point: Binaries) -> list[Design]:
        """The point as a design of the variables that training reads only."""
        decoded = self._encoding.decode(point[None])
        values = {
            name: self.problem.space.variables[name].domain.value(decoded[name][0]) for name in self.problem.reads
        }
        return [Design(values)]

    # -- the choice ---------------------------------------------------------------------------------------------

    def _best(self, candidates: Binaries, functions: Mapping[str, Quadratic]) -> Design | None:
        """A member of that candidates' family that adds the most hypervolume, the drawn functions taken for true."""
        drawn = {
            model.objective.name: model.objective.sign * functions[model.objective.name](candidates)
            for model in self._models
        }
        families = Families.of(self.problem, self._encoding.decode(candidates), self._rng)
        scale, front = self._scale(drawn), self._archive.front.matrix
        valued = value_families(self.problem, families, drawn, scale, front)
        price = np.zeros(len(candidates))
        if len(self.problem.objectives) == 1:  # with several it is part of the weighting
            price = self._sparsity * candidates[:, self._encoding.vector_bits].sum(axis=1)
        worth = [(family.satisfied, family.gain - paid) for family, paid in zip(valued, price, strict=True)]
        best = valued[max(range(len(worth)), key=worth.__getitem__)]
        return best_member(self.problem, families, best, scale, front) if np.isfinite(best.gain) else None

    def _scale(self, drawn: Mapping[str, Array]) -> Scale:
        """The archive's scale, widened to hold what was drawn: what is better than all that was seen must count."""
        known = self._archive.scale
        ends = [
            (min(low, *drawn[objective.name]), max(high, *drawn[objective.name]))
            if objective.name in drawn
            else (low, high)
            for objective, low, high in zip(known.objectives, known.low, known.high, strict=True)
        ]
        return Scale(known.objectives, tuple(low for low, _ in ends), tuple(high for _, high in ends))

    # -- cheap objectives ---------------------------------------------------------------------------------------

    @property
    def _cheap_models(self) -> Mapping[str, Quadratic]:
        """A quadratic per cheap objective over what training reads: its best value in the family, standardised."""
        if self._cheap is None:
            self._cheap = cheap_quadratics(self.problem, self._encoding, self._rng)
        return self._cheap
