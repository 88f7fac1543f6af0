"""Max-value entropy search over continuous fidelity for several objectives: CF-MESMO, and MESMO at full fidelity only.

A Gaussian process over design and fidelity models each expensive objective. Functions drawn from it at full fidelity
are optimised together with the exact cheap objectives; the front of each draw limits how good the objectives of any
family can be. What is evaluated next, and how thoroughly, is what tells most about these limits for each unit of the
cost that is still to be paid (the tutorial's Algorithm 1). Fidelities are sifted as in BOCA (Kandasamy et al., ICML
2017).

Low fidelities find good families, but only full ones count. Where training to the end tells most for its cost, less
would no longer tell enough: then the family is trained whose training to the end is expected to add the most
hypervolume for what it still costs.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from explorer.archive import Archive
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, read_options
from explorer.strategies.drawn_fronts import DrawnFronts, FrontSampler
from explorer.strategies.front_information import dominated_boxes, front_information
from explorer.strategies.information_gain import information_gain
from explorer.strategies.observations import FamilyRecord, Observations
from explorer.strategies.unit_encoding import UnitEncoding
from explorer.surrogates.fidelity_gp import FidelityGP, FidelityPosterior, Pair
from simulators.protocol import Design

__all__ = ["CFMesmo", "CFMesmoOptions", "Mesmo"]

Array = NDArray[np.float64]
logger = logging.getLogger(__name__)

OBSERVED = 400  # values that a process is fitted to at most: of more, curves are thinned
CHEAPEST = 1e-3  # of the cost at full fidelity: what an evaluation counts at least
GREATEST_BETA = 0.5  # of the sifting: beyond it no fidelity survives in many dimensions but the full one
MOST_DIMENSIONS = 2  # that the sifting counts: with many more it lets no fidelity through but the full one
FIRST_SHARE = 0.25  # of full fidelity: of most of the first families
TRIED = 50  # best choices, until one is new


class CFMesmoOptions(BaseModel):
    """Options of both strategies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    samples: int = Field(10, ge=1, description="Functions drawn for each suggestion.")
    initial: int | None = Field(None, ge=1, description="Random families first; default half the dimensions and two.")
    fidelities: int = Field(8, ge=1, description="Fidelities to choose from, at equal ratios.")
    confirm: float = Field(0.25, ge=0, le=1, description="Share of the cost that goes to full fidelity at least.")
    converged: float = Field(
        0.0, ge=0, lt=1, description="End once nothing is expected to add this share of the hypervolume; 0: never."
    )


class CFMesmo(Strategy):
    """Multi-objective max-value entropy search over designs and fidelity, by Gaussian processes.

    Options: see :class:`CFMesmoOptions`.
    """

    name = "cf-mesmo"
    full_only = False

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._options = read_options(CFMesmoOptions, self.name, self.options)
        self._encoding = UnitEncoding(problem.space, problem.reads)
        self._levels = self._fidelities()
        if len(self._levels) == 1 and not self.full_only:
            logger.warning(
                "%s: there is one fidelity only, so that every evaluation is a whole one; give it a range, such as "
                "{low: 1, high: %d}", self.name, self._full,
            )  # fmt: skip
        self._observations = Observations(problem, self._encoding, self._levels)
        several = len(self._levels) > 1
        self._processes = {o.name: FidelityGP(self._encoding.ordinal, fidelity=several) for o in problem.expensive}
        self._sampler = FrontSampler(problem, self._encoding, self._rng) if self._encoding.dimensions else None
        self._archive = Archive(problem)
        self._firsts: list[Design] = []
        self._cost = self._full_cost = 0.0
        self._posteriors: list[FidelityPosterior] | None = None  # of all that is finished
        self._fronts: DrawnFronts | None = None  # from these

    def _fidelities(self) -> list[int]:
        """Fidelities to choose from, ascending; the last is the full one."""
        fidelity = self.problem.fidelity
        if fidelity is None or self.full_only:
            return [self.problem.full_fidelity or 1]
        steps = np.geomspace(fidelity.low, fidelity.high, self._options.fidelities)
        return sorted({*(round(step) for step in steps), fidelity.high})

    @property
    def _full(self) -> int:
        return self._levels[-1]

    # -- the strategy's two verbs -------------------------------------------------------------------------------

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            if evaluation.derived_from:
                continue
            self._observations.add(evaluation)
            self._archive.add(evaluation)
            self._cost += evaluation.cost
            self._full_cost += evaluation.cost if evaluation.fidelity == self._full else 0.0
            self._posteriors = self._fronts = None
        self._observations.set_running(running)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._next()):
            self._observations.start(proposal)
            proposals.append(proposal)
        return proposals

    # -- steps --------------------------------------------------------------------------------------------------

    def _next(self) -> Proposal | None:
        if self._sampler is None or not self.problem.expensive:
            return self.anything_new()
        observed = all(len(self._observations.data(o.name, OBSERVED)[2]) for o in self.problem.expensive)
        if not observed or self._observations.started < self._initial or self._unfinished():
            return self._first() or self.anything_new()
        posteriors = self._with_running(self._fitted())
        drawn = self._drawn_fronts(self._sampler)
        names = self._observations.names(drawn.families.own)
        records = [self._observations.families.get(name) for name in names]
        prices = self._prices(records, self._full)
        pending = [n for n, record in enumerate(records) if record and record.running == self._full > record.finished]
        gains = drawn.gains(self._archive.front.matrix, np.isfinite(prices), pending)
        if self._has_converged(drawn, gains):
            return None
        information = self._information(posteriors, drawn, records)
        due = self._full_cost < self._options.confirm * self._cost
        if len(self._levels) > 1 and (due or information[-1].max() == information.max()):
            found = self._best(gains.mean(axis=0)[None] / prices, [self._full], drawn)
        else:
            found = None
        return found or self._best(information, self._levels, drawn) or self.anything_new()

    @property
    def _initial(self) -> int:
        return self._options.initial or self._encoding.dimensions // 2 + 2

    def _first(self) -> Proposal | None:
        """A random new family a quarter of the way; every third then to the end, to learn how the two are related."""
        if (design := self._unfinished()) and (proposal := self._proposed(design, self._full)):
            return proposal
        few = max((level for level in self._levels if level <= FIRST_SHARE * self._full), default=self._levels[0])
        for _ in range(10):
            for design in self.problem.space.unpack(self.problem.sample(self._rng, 32)):
                record = self._observations.record(self.problem.space.designs([design]))
                if not record.reached and not record.failed and (proposal := self._proposed(design, few)):
                    self._firsts.append(design)
                    return proposal
        return None

    def _unfinished(self) -> Design | None:
        """A first family that was not trained to the end yet and should be."""
        for design in self._firsts[::3]:
            record = self._observations.record(self.problem.space.designs([design]))
            if not record.failed and record.reached < self._full:
                return design
        return None

    def _proposed(self, design: Design, level: int) -> Proposal | None:
        return self.propose(design, level if self.problem.fidelity else None)

    # -- models -------------------------------------------------------------------------------------------------

    def _scaled(self, fidelity: Array) -> Array:
        """z: the logarithm of the fidelity, 0 to 1."""
        low, high = self._levels[0], self._levels[-1]
        if low == high:
            return np.ones(len(fidelity))
        return np.asarray(np.clip(np.log(fidelity / low) / math.log(high / low), 0.0, 1.0))

    def _fitted(self) -> list[FidelityPosterior]:
        if self._posteriors is None:
            self._posteriors = []
            for name, process in self._processes.items():
                points, fidelities, values = self._observations.data(name, OBSERVED)
                self._posteriors.append(process.fit(points, self._scaled(fidelities), values))
        return self._posteriors

    def _drawn_fronts(self, sampler: FrontSampler) -> DrawnFronts:
        """Functions drawn from what is finished; the same ones for all proposals of a batch."""
        if self._fronts is None:
            known = [record.own for record in self._observations.families.values() if record.reached]
            self._fronts = sampler.draw(self._fitted(), self._options.samples, known)
        return self._fronts

    def _with_running(self, posteriors: Sequence[FidelityPosterior]) -> list[FidelityPosterior]:
        running = [r for r in self._observations.families.values() if r.running > r.finished]
        x = np.array([record.point for record in running]).reshape(-1, self._encoding.dimensions)
        z = self._scaled(np.array([record.running for record in running], dtype=np.float64))
        return [posterior.with_pending(x, z) for posterior in posteriors]

    # -- choices ------------------------------------------------------------------------------------------------

    def _prices(self, records: Sequence[FamilyRecord | None], level: int) -> Array:
        """What training to a level still costs, as a share of a whole training; infinite where it is not possible, and
        where the family is being trained: going on would have to wait."""
        whole = self.problem.cost(self._full) or 1.0
        prices = [
            math.inf
            if record and (record.failed or record.finished >= level or record.running > record.finished)
            else self.problem.remaining_cost(level, (record.reached or None) if record else None) / whole
            for record in records
        ]
        return np.maximum(prices, CHEAPEST)

    def _information(
        self, posteriors: Sequence[FidelityPosterior], drawn: DrawnFronts, records: Sequence[FamilyRecord | None]
    ) -> Array:
        """What evaluations tell about the limits for what they still cost, levels x families."""
        found = np.zeros((len(self._levels), len(records)))
        levels = self._scaled(np.array(self._levels, dtype=np.float64)).tolist()
        predicted = [posterior.levels(drawn.points, levels) for posterior in posteriors]
        for number, (level, z) in enumerate(zip(self._levels, levels, strict=True)):
            pairs = [of_levels[number] for of_levels in predicted]
            worth = np.any([
                self._worth(posterior, z, pair.variance, level)
                for posterior, pair in zip(posteriors, pairs, strict=True)
            ], axis=0)  # fmt: skip
            found[number] = np.where(worth, self._gain(posteriors, pairs, drawn), 0.0) / self._prices(records, level)
        return found

    def _best(self, worth: Array, levels: Sequence[int], drawn: DrawnFronts) -> Proposal | None:
        """The best choice that is new; ``worth`` is levels x families."""
        for choice in np.argsort(-worth, axis=None, kind="stable")[:TRIED]:
            number, family = (int(index) for index in np.unravel_index(choice, worth.shape))
            if worth[number, family] <= 0:
                break
            if proposal := self._proposed(self._member(drawn, family), levels[number]):
                return proposal
        return None

    def _gain(self, posteriors: Sequence[FidelityPosterior], pairs: Sequence[Pair], drawn: DrawnFronts) -> Array:
        """The information of evaluations, in nats, as a mean over the draws; one for each family.

        Where several objectives are expensive and none is cheap, the whole front counts and not its ends alone.
        """
        correlations = [pair.correlation for pair in pairs]
        if len(posteriors) == len(self.problem.objectives) > 1:
            means, variances = np.array([p.full_mean for p in pairs]), np.array([p.full_variance for p in pairs])
            boxes = [dominated_boxes(front) for front in drawn.fronts]
            found = [front_information(means, np.sqrt(variances), np.array(correlations), box) for box in boxes]
            return np.asarray(np.mean(found, axis=0))
        total = np.zeros(len(drawn.families))
        for pair, correlation, limits in zip(pairs, correlations, drawn.limits, strict=True):
            gamma = (limits - pair.full_mean) / np.sqrt(pair.full_variance)
            total += information_gain(gamma, correlation).mean(axis=0)
        return total

    def _worth(self, posterior: FidelityPosterior, z: float, variance: Array, level: int) -> NDArray[np.bool_]:
        """BOCA's sifting: below the full fidelity one must be uncertain enough for its cost, and not too near."""
        if level == self._full:
            return np.ones(len(variance), dtype=bool)
        distrust = posterior.distrust(z)
        if distrust <= min(GREATEST_BETA, 0.1 * math.log(1 + len(posterior.targets))) * posterior.distrust(0.0):
            return np.zeros(len(variance), dtype=bool)
        share = (self.problem.cost(level) / (self.problem.cost(self._full) or 1.0)) ** (
            1 / (min(MOST_DIMENSIONS, self._encoding.dimensions) + 3)
        )
        return np.asarray(np.sqrt(variance) >= posterior.scaling.spread(z) * distrust * share)

    def _has_converged(self, drawn: DrawnFronts, gains: Array) -> bool:
        """Whether so little is expected of the best family that the search may end."""
        if not self._options.converged:
            return False
        front = self._archive.front.matrix
        least = self._options.converged * drawn.scale(front).hypervolume(front)
        if gains.mean(axis=0).max() >= least:
            return False
        logger.warning(
            "%s: nothing is expected to add %g of the hypervolume any more: the search ends", self.name,
            self._options.converged,
        )  # fmt: skip
        return True

    def _member(self, drawn: DrawnFronts, family: int) -> Design:
        """The member of a family that adds the most by itself, by the mean of the draws."""
        means = drawn.draws.mean(axis=1)
        supposed = {o.name: o.sign * row for o, row in zip(self.problem.expensive, means, strict=True)}
        front = self._archive.front.matrix
        return drawn.families.most_adding(drawn.families.rows(family), supposed, drawn.scale(front), front)


class Mesmo(CFMesmo):
    """Multi-objective max-value entropy search at full fidelity only, by Gaussian processes.

    Options: see :class:`CFMesmoOptions`.
    """

    name = "mesmo"
    full_only = True
