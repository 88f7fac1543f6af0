"""Sparsity-aware Thompson sampling, solved as a binary quadratic program (DeepTrain, section V.B).

For each proposal: draw a second-order function per expensive objective from its posterior, weigh the objectives at
random, maximise the weighted sum as a binary quadratic program, and of the points that its relaxation rounds to take
the one whose family would add the most hypervolume. Cheap objectives are never modelled there: families are valued with
their exact values. With a single objective this is the paper's algorithm: the drawn function less ``sparsity`` times
the number of batch normalisations, and its maximiser is trained next.

The paper draws once from the posterior. With few trainings a single draw is mostly noise: the mean of ``draws`` of them
explores less and finds better designs (``tests/benchmarks/strategies.py``); ``draws: 1`` is the paper's algorithm.
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
from explorer.families import Families
from explorer.outline import ObjectiveInfo
from explorer.problem import Problem
from explorer.solvers.bqp import minimise
from explorer.solvers.program import BinaryQuadraticProgram, InfeasibleError
from explorer.solvers.relaxation import SDP_VARIABLES
from explorer.strategies.base import Strategy, read_options
from explorer.strategies.cheap_quadratics import cheap_quadratics
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import Horseshoe, Quadratic, mean_of, spread
from explorer.surrogates.outliers import raised_outliers
from simulators.protocol import Design

__all__ = ["ThompsonBQP", "ThompsonOptions"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

ATTEMPTS = 8  # functions drawn until one's best points are new
BETWEEN_DRAWS = 20  # sweeps from one draw to the next, so that proposals of a batch are independent
WEIGHTINGS = 8  # of the objectives, for each draw; fewer where constraints make relaxations slow,
BITS_PER_WEIGHTING = 20  # the more bits the fewer
CANDIDATES = 48  # points of which the families are valued
RINGS = 4  # where all good points were tried: how often to look further, near
RING_STARTS = 4  # of the best points there

Sparsity = Annotated[float, Field(allow_inf_nan=False, ge=0, strict=True)]
Sparsities = Annotated[list[Sparsity], Field(min_length=1)]


class ThompsonOptions(BaseModel):
    """Options of the strategy."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    sparsity: Sparsity | Sparsities = Field(
        0.0, description="Lambda: what one bit of a binary vector costs, in units of the first trained objective; a "
        "list is a grid, of which proposals take turns."
    )  # fmt: skip
    initial: int | None = Field(None, ge=1, description="Random families first; default half the bits and two more.")
    sweeps: int = Field(400, ge=1, description="Gibbs sweeps after new data.")
    cold_sweeps: int = Field(1000, ge=1, description="Gibbs sweeps of a new chain.")
    draws: int = Field(
        4, ge=1, description="Draws whose mean is maximised: 1 is Thompson sampling as published, more explore less."
    )
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
        self._tried: set[bytes] = set()  # points of families that were evaluated, run or were proposed
        self._archive = Archive(problem)
        self._suggested = 0
        self._cheap: dict[str, Quadratic] | None = None

    # -- the strategy's two verbs -------------------------------------------------------------------------------

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        full = self.problem.full_fidelity
        self._tried.update(self._point(proposal.design).tobytes() for proposal in running if proposal.fidelity == full)
        for evaluation in finished:
            if evaluation.derived_from or evaluation.fidelity != self.problem.full_fidelity:
                continue
            self._tried.add(self._point(evaluation.design).tobytes())
            self._archive.add(evaluation)
            if not evaluation.failed:
                self._learn(evaluation)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._next()):
            self._tried.add(self._point(proposal.design).tobytes())
            proposals.append(proposal)
        return proposals

    # -- steps --------------------------------------------------------------------------------------------------

    def _learn(self, evaluation: Evaluation) -> None:
        self._points.append(self._point(evaluation.design))
        for model in self._models:
            model.targets.append(model.objective.sign * evaluation.values[model.objective.name])
            model.sweeps_due = True

    def _next(self) -> Proposal | None:
        if not self._models or not self._encoding.bits or len(self._points) < self._initial:
            return self._new_family() or self.anything_new()
        for _ in range(ATTEMPTS):
            functions = {model.objective.name: self._function(model) for model in self._models}
            candidates = self._candidates(functions)
            design = self._best(candidates, functions) if len(candidates) else None
            if design is not None and (proposal := self.propose(design)):
                self._suggested += 1
                return proposal
        return self._new_family() or self.anything_new()

    @property
    def opening_cost(self) -> float:
        return self._whole_cost(self._initial - len(self._points)) if self._models else 0.0

    @property
    def _initial(self) -> int:
        return self._options.initial or self._encoding.bits // 2 + 2

    def _new_family(self) -> Proposal | None:
        """A random design of a family that was not tried; None if there is hardly one."""
        for _ in range(10):
            for design in self.problem.space.unpack(self.problem.sample(self._rng, 32)):
                if self._point(design).tobytes() not in self._tried and (proposal := self.propose(design)):
                    return proposal
        return None

    def _function(self, model: _Model) -> Quadratic:
        """The mean of a few draws from the posterior of one objective."""
        if model.sweeps_due:
            sweeps = self._options.cold_sweeps if model.cold else self._options.sweeps
            following = BETWEEN_DRAWS * self._options.draws  # they are sweeps, too
            targets = raised_outliers(np.array(model.targets))
            model.chain.fit(np.array(self._points), targets, max(0, sweeps - following))
            model.sweeps_due = model.cold = False
        return mean_of([model.chain.draw(BETWEEN_DRAWS) for _ in range(self._options.draws)])

    def _candidates(self, functions: Mapping[str, Quadratic]) -> Binaries:
        """Points of families that were not tried: the best that several random weightings of the objectives round to,
        the best of each first; where all of them were tried what is near, and what is near that."""
        programs = [self._program(functions) for _ in range(self._weightings)]
        solved = [(program, pool) for program in programs if len(pool := self._rounded(program))]
        new = self._new([pool for _, pool in solved])
        self.repeats += len(solved) > 0 and all(pool[0].tobytes() in self._tried for _, pool in solved)
        for _ in range(RINGS):
            if new or not solved:
                break
            solved = [(program, near) for program, pool in solved if len(near := _near(program, pool[:RING_STARTS]))]
            new = self._new([pool for _, pool in solved])
        return np.array(new, dtype=np.int8).reshape(-1, self._encoding.bits)

    @property
    def _weightings(self) -> int:
        if len(self.problem.objectives) == 1:
            return 1
        slower = 1 + self._encoding.bits // BITS_PER_WEIGHTING if self._constraints else 1
        return max(1, WEIGHTINGS // slower)

    def _new(self, pools: Sequence[Binaries]) -> list[Binaries]:
        """Points that were not tried, from the first of every pool to the last, each once."""
        found: dict[bytes, Binaries] = {}
        for point in (point for rank in zip_longest(*pools) for point in rank if point is not None):
            if (name := point.tobytes()) not in self._tried:
                found.setdefault(name, point)
            if len(found) == CANDIDATES:
                break
        return list(found.values())

    def _program(self, functions: Mapping[str, Quadratic]) -> BinaryQuadraticProgram:
        """A random weighting of the objectives, to be minimised."""
        weights = self._rng.dirichlet(np.ones(len(self.problem.objectives)))
        bits = self._encoding.bits
        linear, pairs = np.zeros(bits), np.zeros((bits, bits))
        for objective, weight in zip(self.problem.objectives, weights, strict=True):
            function = functions.get(objective.name) or self._cheap_models.get(objective.name)
            if function is not None:
                scale = weight / self._spread(objective)
                linear += scale * function.linear
                pairs += scale * function.pairs
                if objective is self._models[0].objective:
                    linear -= scale * self._sparsity * self._encoding.vector_bits
        return BinaryQuadraticProgram.of(-pairs, -linear, constraints=self._constraints)

    def _rounded(self, program: BinaryQuadraticProgram) -> Binaries:
        """Good points of a program, best first; none if no point satisfies the constraints."""
        try:
            return minimise(program, self._rng, hyperplanes=self._options.hyperplanes).pool
        except InfeasibleError:
            return np.zeros((0, program.variables), dtype=np.int8)

    @property
    def _sparsity(self) -> float:
        grid = self._options.sparsity
        return grid if isinstance(grid, float) else grid[self._suggested % len(grid)]

    def _spread(self, objective: ObjectiveInfo) -> float:
        """What makes objectives in different units comparable: the spread of what was seen of them."""
        if objective.cheap:
            return 1.0  # its quadratic was fitted to standardised values
        targets = next(model.targets for model in self._models if model.objective is objective)
        return spread(raised_outliers(np.array(targets))) or 1.0

    def _point(self, design: Design) -> Binaries:
        """The bits of a design's family."""
        point: Binaries = self._encoding.encode(self.problem.space.designs([design]))[0]
        return point

    # -- the choice ---------------------------------------------------------------------------------------------

    def _best(self, candidates: Binaries, functions: Mapping[str, Quadratic]) -> Design | None:
        """A member of that candidates' family that adds the most hypervolume, the drawn functions taken for true."""
        families = Families.of(self.problem, self._encoding.decode(candidates), self._rng)
        if not len(families):
            return None
        points = self._encoding.encode(families.own)
        drawn = {}
        for model in self._models:
            values = functions[model.objective.name](points)
            if model is self._models[0]:
                values = values - self._sparsity * points[:, self._encoding.vector_bits].sum(axis=1)
            drawn[model.objective.name] = model.objective.sign * values
        scale, front = self._scale(drawn), self._archive.front.matrix
        satisfied = families.satisfied(drawn)

        def worth(family: int) -> tuple[bool, float]:
            """Whether it satisfies the constraints, and the hypervolume with it; of one objective, the value."""
            values = families.objectives(families.eligible(family, satisfied), drawn)
            good = bool(satisfied[families.rows(family)].any())
            if len(self.problem.objectives) == 1:
                return good, self.problem.objectives[0].sign * float(values[0, 0])
            return good, scale.hypervolume(np.concatenate([front, values]))

        best = max(range(len(families)), key=worth)
        return families.most_adding(families.eligible(best, satisfied), drawn, scale, front)

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


def _near(program: BinaryQuadraticProgram, points: Binaries) -> Binaries:
    """Feasible points at one or two flips of some points, best first."""
    one = np.eye(program.variables, dtype=np.int8)
    left, right = np.triu_indices(program.variables, 1)
    flips = np.concatenate([one, one[left] | one[right]])
    near: Binaries = np.unique((points[:, None] ^ flips).reshape(-1, program.variables), axis=0)
    near = near[program.feasible(near)]
    return near[np.argsort(program.value(near), kind="stable")]
