"""Sparsity-aware Thompson sampling, solved as a binary quadratic program (DeepTrain, section V.B).

For each proposal: draw one second-order function per expensive objective from its posterior, weigh the objectives at
random, maximise the weighted sum as a binary quadratic program, and of the points that its relaxation rounds to take
the one whose family would add the most hypervolume. Cheap objectives are never modelled there: families are valued with
their exact values. With a single objective this is the paper's algorithm: the drawn function less ``sparsity`` times
the number of batch normalisations, and its maximiser is trained next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from explorer.archive import Archive, Scale, nondominated
from explorer.evaluation import Evaluation, Proposal
from explorer.outline import ObjectiveInfo
from explorer.problem import Problem
from explorer.solvers.bqp import BinaryQuadraticProgram, InfeasibleError, minimise
from explorer.strategies.base import Strategy
from explorer.strategies.encoding import BitEncoding
from explorer.surrogates.horseshoe import Horseshoe, Quadratic, second_order_features, spread
from simulators.protocol import Design, Designs, InputError

__all__ = ["ThompsonBQP", "ThompsonOptions"]

Array = NDArray[np.float64]
Binaries = NDArray[np.int8]

DRAWS = 8  # draws from the posterior until one's best points are new
BETWEEN_DRAWS = 20  # sweeps from one draw to the next, so that proposals of a batch are independent
CANDIDATES = 24  # points of which the families are valued
MEMBERS = 256  # members of a family that are looked at when it is valued
SINGLES = 32  # members of its front of which the best is proposed
VIOLATED = 1e9  # what a family costs that satisfies no constraint
CHEAP_FAMILIES = 1024  # random families that the quadratics of cheap objectives are fitted to
CHIPS_A_FAMILY = 32  # on so many random chips each


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
        try:
            self._options = ThompsonOptions.model_validate(self.options)
        except ValidationError as error:
            detail = error.errors()[0]
            place = ".".join(["strategy.options", *map(str, detail["loc"][:1])])
            raise InputError(f"{detail['msg']}, got {detail.get('input')!r}", place) from None
        self._encoding = BitEncoding(problem.space, problem.reads)
        self._constraints = self._encoding.constraints(problem.space.constraints)
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
            candidates = self._new_points(self._rounded(functions))
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

    def _new_points(self, points: Binaries) -> Binaries:
        """Those whose families were not tried, in the same order; neighbours of the best where all were."""
        new = [point for point in points if self._family(point) not in self._families]
        if not new and len(points):
            flips = points[0] ^ np.eye(len(points[0]), dtype=np.int8)
            allowed = flips[self._constraints.satisfied(flips)]
            new = [point for point in allowed if self._family(point) not in self._families]
        return np.array(new[:CANDIDATES], dtype=np.int8).reshape(-1, self._encoding.bits)

    def _family(self, point: Binaries) -> str:
        return self.problem.family(self._designs(point)[0])

    def _designs(self, point: Binaries) -> list[Design]:
        """The point as a design of the variables that training reads only."""
        decoded = self._encoding.decode(point[None])
        values = {
            name: self.problem.space.variables[name].domain.value(decoded[name][0]) for name in self.problem.reads
        }
        return [Design(values)]

    # -- the value of a family ----------------------------------------------------------------------------------

    def _best(self, candidates: Binaries, functions: Mapping[str, Quadratic]) -> Design | None:
        """A member of the candidates' families that adds the most hypervolume, the drawn functions taken for true."""
        drawn = {
            model.objective.name: model.objective.sign * functions[model.objective.name](candidates)
            for model in self._models
        }
        scale = self._scale(drawn)
        scored = [
            self._valued(point, {name: values[row] for name, values in drawn.items()}, scale)
            for row, point in enumerate(candidates)
        ]
        found = [(gain, design) for gain, design in scored if design is not None]
        return max(found, key=lambda pair: pair[0])[1] if found else None

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

    def _valued(self, point: Binaries, drawn: Mapping[str, float], scale: Scale) -> tuple[float, Design | None]:
        """What a family adds if ``drawn`` are its expensive objectives, and its member that adds most alone."""
        designs = self._members(point)
        known = self.problem.known(designs)
        designs, known = designs.take(known.feasible), known.take(known.feasible)
        if len(designs) == 0:
            return -np.inf, None
        expensive = {name: np.full(len(designs), value) for name, value in drawn.items()}
        values = {**known.objectives, **expensive}
        names = {**known.names(designs), **expensive}
        satisfied = np.ones(len(designs), dtype=bool)
        for constraint in self.problem.outcome_constraints:
            if constraint.names <= set(names):
                satisfied &= np.asarray(constraint.evaluate(names), dtype=bool)
        objectives = self.problem.objectives
        table = np.column_stack([values[objective.name] for objective in objectives])
        rows = np.flatnonzero(satisfied) if satisfied.any() else np.arange(len(designs))
        rows = rows[nondominated(table[rows], objectives)]
        if len(objectives) == 1:
            best, bits_on = rows[0], int(point[self._encoding.vector_bits].sum())
            gain = objectives[0].sign * float(table[best, 0]) - self._sparsity * bits_on
            return (gain if satisfied.any() else gain - VIOLATED), self._design(designs, best)
        front = self._archive.front.matrix
        single = [scale.hypervolume(np.concatenate([front, table[row][None]])) for row in rows[:SINGLES]]
        best = rows[int(np.argmax(single))]
        if not satisfied.any():
            return -1.0, self._design(designs, best)
        return scale.hypervolume(np.concatenate([front, table[rows]])), self._design(designs, best)

    def _design(self, designs: Designs, row: int) -> Design:
        return self.problem.space.unpack(designs.take(np.array([row])))[0]

    def _members(self, point: Binaries) -> Designs:
        own = self._encoding.decode(point[None])
        others = self.problem.others
        if others is None:
            return Designs({name: own[name] for name in self.problem.space.variables}, 1)
        if len(others) > MEMBERS:
            others = others.take(self._rng.choice(len(others), MEMBERS, replace=False))
        return others.with_columns({name: own[name] for name in self.problem.reads})

    # -- cheap objectives ---------------------------------------------------------------------------------------

    @property
    def _cheap_models(self) -> Mapping[str, Quadratic]:
        """A quadratic per cheap objective over what training reads: its best value in the family, standardised."""
        if self._cheap is None:
            cheap = [objective for objective in self.problem.objectives if objective.cheap]
            self._cheap = _fit_cheap(self.problem, self._encoding, cheap, self._rng) if cheap else {}
        return self._cheap


def _fit_cheap(
    problem: Problem, encoding: BitEncoding, cheap: Sequence[ObjectiveInfo], rng: np.random.Generator
) -> dict[str, Quadratic]:
    """Fit a quadratic to the best value that each cheap objective reaches in random families."""
    families = problem.sample(rng, CHEAP_FAMILIES)
    points = encoding.encode(families)
    best = {objective.name: np.full(len(points), -np.inf) for objective in cheap}
    chips = problem.sample(rng, CHIPS_A_FAMILY) if problem.others is not None else None
    for chip in range(CHIPS_A_FAMILY if chips is not None else 1):
        designs = families
        if chips is not None:
            others = set(problem.space.variables) - set(problem.reads)
            designs = families.with_columns({name: chips[name][chip : chip + 1] for name in others})
        known = problem.known(designs)
        for objective in cheap:
            values = np.where(known.feasible, objective.sign * known.objectives[objective.name], -np.inf)
            best[objective.name] = np.fmax(best[objective.name], values)
    features = np.column_stack([np.ones(len(points)), second_order_features(points)])
    return {name: _least_squares(features, values, encoding.bits) for name, values in best.items()}


def _least_squares(features: Array, values: Array, bits: int) -> Quadratic:
    rows = np.isfinite(values)
    targets = values[rows] - values[rows].mean()
    targets /= spread(targets) or 1.0
    ridge = 1e-6 * rows.sum()
    gram = features[rows].T @ features[rows] + ridge * np.eye(features.shape[1])
    coefficients = np.linalg.solve(gram, features[rows].T @ targets)
    pairs = np.zeros((bits, bits))
    pairs[np.triu_indices(bits, 1)] = coefficients[1 + bits :]
    return Quadratic(float(coefficients[0]), coefficients[1 : 1 + bits], pairs)
