"""Max-value entropy search over continuous fidelity for several objectives: CF-MESMO, and MESMO at full fidelity only.

A Gaussian process over design and fidelity models each expensive objective. Functions drawn from it at full fidelity
are optimised together with the exact cheap objectives; the front of each draw limits how good the objectives of any
family can be. What is evaluated next, and how thoroughly, is what tells most about these limits for each unit of the
cost that is still to be paid. Fidelities are sifted as in BOCA (Kandasamy et al., ICML 2017).

This is the tutorial's Algorithm 1 with three departures. Its limit is the best value on a drawn front, whatever the
design; here it is the best that a family's own exact objectives leave room for, since a slow chip must be more accurate
than a fast one to matter (nor is the limit raised by the noise, which would hide fronts that are flatter than that).
Where no objective is exact, the whole front counts and not its ends alone (:mod:`.front_information`). And low
fidelities find good families, but only full ones count: where training to the end tells most for its cost, less would
no longer tell enough, and the family is trained whose training to the end is expected to add the most hypervolume for
what it still costs.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from explorer.archive import Archive
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, read_options
from explorer.strategies.drawn_fronts import DrawnFronts, FrontSampler
from explorer.strategies.front_information import front_information, variances_left
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
FIRST_WHOLE = 3  # one in so many of them goes on to the end
TRIED = 50  # best choices, until one is new


class CFMesmoOptions(BaseModel):
    """Options of both strategies."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    samples: int = Field(10, ge=1, description="Functions drawn for each suggestion.")
    initial: int | None = Field(None, ge=1, description="Random families first; default half the dimensions and two.")
    fidelities: int = Field(8, ge=2, description="Fidelities to choose from, at equal ratios.")
    full_share: float = Field(
        0.5, ge=0, le=1,
        description="Share of the cost that goes to full fidelity at least, after the first families; and all of it in "
        "this last part of the budget.",
    )  # fmt: skip
    converged: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="End once nothing is expected to add this share of the hypervolume; 0: never. Resuming asks anew.",
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
            mend = (
                f"give it a range, such as {{low: 1, high: {self._full}}}" if problem.fidelity else "mesmo is the same"
            )
            logger.warning(
                "%s: there is one fidelity only, so that every evaluation is a whole one; %s", self.name, mend
            )
        if not problem.expensive and problem.outcome_constraints:
            logger.warning(
                "%s: no objective has to be trained for, only constraints, which it does not learn: its designs are "
                "random", self.name,
            )  # fmt: skip
        self._observations = Observations(problem, self._encoding, self._levels)
        several = len(self._levels) > 1
        self._processes = {o.name: FidelityGP(self._encoding.ordinal, fidelity=several) for o in problem.expensive}
        self._sampler = FrontSampler(problem, self._encoding, self._rng) if self._encoding.dimensions else None
        self._archive = Archive(problem)
        self._firsts: dict[str, Design] = {}  # by family: those that it began with, without others' and given ones
        self._paid: dict[str, tuple[float, bool]] = {}  # by own evaluations after the first, and whether to the end
        self._evaluations, self._cost = 0, 0.0  # everybody's
        self._posteriors: list[FidelityPosterior] | None = None  # of all that is finished
        self._fronts: DrawnFronts | None = None  # from these
        self._converged = False

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
            if evaluation.strategy == self.name and not evaluation.replicate:
                self._note(evaluation, evaluation.cost)
            if evaluation.replicate == 0:  # repeats are outside the budget
                self._evaluations += 1
                self._cost += evaluation.cost
            self._observations.add(evaluation)
            self._archive.add(evaluation)
            self._posteriors = self._fronts = None
        self._observations.set_running(running)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._next()):
            self._note(proposal, self._price(proposal))
            self._observations.start(proposal)
            proposals.append(proposal)
        return proposals

    # -- steps --------------------------------------------------------------------------------------------------

    def _next(self) -> Proposal | None:
        if self._converged:
            return None
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
        if len(self._levels) > 1 and (self._full_is_due() or information[-1].max() == information.max()):
            found = self._best(gains.mean(axis=0)[None] / prices, [self._full], drawn)
        else:
            found = None
        return found or self._best(information, self._levels, drawn) or self.anything_new()

    def _full_is_due(self) -> bool:
        """Whether too little of what was paid since the first families went to full fidelity, or the end is near."""
        paid = sum(cost for cost, _ in self._paid.values())
        full = sum(cost for cost, is_full in self._paid.values() if is_full)
        share = self._options.full_share
        return full < share * paid or self.budget.used(self._evaluations, self._cost, self.elapsed_s) > 1 - share

    def _note(self, evaluation: Proposal | Evaluation, cost: float) -> None:
        """What is paid, unless for one of the first families; a resumed search comes to the same account."""
        family, level = self.problem.family(evaluation.design), evaluation.fidelity or self._full
        record = self._record(evaluation.design)
        if not (record.reached or record.failed) and self._observations.started < self._initial:
            self._firsts[family] = evaluation.design
        number = list(self._firsts).index(family) if family in self._firsts else None
        whole = number is not None and number % FIRST_WHOLE == 0 and level == self._full
        if not whole and (number is None or level != self._few):
            self._paid[evaluation.key] = cost, level == self._full

    def _record(self, design: Design) -> FamilyRecord:
        return self._observations.record(self.problem.space.designs([design]))

    def _price(self, proposal: Proposal) -> float:
        return self.problem.remaining_cost(proposal.fidelity, self._record(proposal.design).reached or None)

    @property
    def opening_cost(self) -> float:
        if self._sampler is None or not self.problem.expensive:
            return 0.0
        missing, begun = max(0, self._initial - self._observations.started), len(self._firsts)
        if self._few == self._full:
            return self._whole_cost(missing)
        whole = sum(number % FIRST_WHOLE == 0 for number in range(begun, begun + missing))
        whole += self._unfinished() is not None
        return missing * self.problem.cost(self._few) + whole * self.problem.remaining_cost(self._full, self._few)

    @property
    def _initial(self) -> int:
        return self._options.initial or self._encoding.dimensions // 2 + 2

    def _first(self) -> Proposal | None:
        """A random new family a quarter of the way; one in three then to the end, to learn how the two are related."""
        if (design := self._unfinished()) and (proposal := self._proposed(design, self._full)):
            return proposal
        for _ in range(10):
            for design in self.problem.space.unpack(self.problem.sample(self._rng, 32)):
                record = self._record(design)
                if not record.reached and not record.failed and (proposal := self._proposed(design, self._few)):
                    return proposal
        return None

    @property
    def _few(self) -> int:
        return max((level for level in self._levels if level <= FIRST_SHARE * self._full), default=self._levels[0])

    def _unfinished(self) -> Design | None:
        """A first family that was not trained to the end yet and should be."""
        for design in list(self._firsts.values())[::FIRST_WHOLE]:
            record = self._record(design)
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
        gain = self._gain([of_levels[-1] for of_levels in predicted], drawn)
        for number, (level, z) in enumerate(zip(self._levels, levels, strict=True)):
            pairs = [of_levels[number] for of_levels in predicted]
            worth = np.any([
                self._worth(posterior, z, pair.variance, level)
                for posterior, pair in zip(posteriors, pairs, strict=True)
            ], axis=0)  # fmt: skip
            told = gain(np.array([pair.correlation for pair in pairs]))
            found[number] = np.where(worth, told, 0.0) / self._prices(records, level)
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

    def _gain(self, pairs: Sequence[Pair], drawn: DrawnFronts) -> Callable[[Array], Array]:
        """The information of evaluations, in nats, as a mean over the draws.

        Where several objectives are expensive and none is cheap, the whole front counts and not its ends alone.

        Args:
            pairs: what is predicted of the objectives at full fidelity.
            drawn: the draws.

        Returns:
            A function of the correlations of what is evaluated with these (objectives x families), for any fidelity.
        """
        means = np.array([pair.full_mean for pair in pairs])
        deviations = np.sqrt([pair.full_variance for pair in pairs])
        if len(pairs) == len(self.problem.objectives) > 1:
            left = [variances_left(means, deviations, boxes) for boxes in drawn.boxes]
            return lambda correlations: np.mean([front_information(one, correlations) for one in left], axis=0)
        gammas = (drawn.limits - means[:, None]) / deviations[:, None]  # objectives x samples x families
        return lambda correlations: information_gain(gammas, correlations[:, None]).mean(axis=1).sum(axis=0)

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
        """Whether so little is expected that nothing is worth its cost; for good once nothing runs."""
        if not self._options.converged:
            return False
        front = self._archive.front.matrix
        least = self._options.converged * drawn.scale(front).hypervolume(front)
        if gains.mean(axis=0).max() >= least:
            return False
        if any(record.running > record.finished for record in self._observations.families.values()):
            return True  # for now: what runs may tell that there is more
        self._converged = True
        logger.warning(
            "%s: nothing is expected to add %g of the hypervolume any more: it proposes nothing more", self.name,
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
