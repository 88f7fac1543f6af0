"""Log noisy expected hypervolume improvement (Ament et al., NeurIPS 2023), BoTorch's state of the art, as a baseline.

Gaussian processes of all objectives over all variables, cheap ones too: it knows neither families nor fidelities. Its
acquisition is maximised over designs by a local search from random designs and from neighbours of the front.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from explorer.domination import maximal
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, read_options
from explorer.strategies.unit_encoding import UnitEncoding
from explorer.surrogates.fidelity_kernel import covariances_over
from explorer.surrogates.likelihood_gradient import likelihood_closure
from simulators.protocol import Design, Designs

__all__ = ["QLogNEHVI", "QLogNEHVIOptions"]

Array = NDArray[np.float64]

SCATTERED = 128  # random designs that the acquisition's maximum is searched from
PARENTS, CHILDREN, ROUNDS = 8, 8, 6  # of the local search
BEYOND = 1e-3  # standard deviations: how far the reference point lies below the worst that was seen; one at the front's
# worst lets it look at the middle of the front alone


class QLogNEHVIOptions(BaseModel):
    """Options of the strategy."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    initial: int = Field(10, ge=2, description="Random designs first.")
    samples: int = Field(64, ge=1, description="Quasi-random samples of the posterior.")


class QLogNEHVI(Strategy):
    """Log noisy expected hypervolume improvement from BoTorch (expected improvement for one objective).

    Options: see :class:`QLogNEHVIOptions`.
    """

    name = "qlog-nehvi"

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._options = read_options(QLogNEHVIOptions, self.name, self.options)
        self._encoding = UnitEncoding(problem.space, problem.space.variables)
        self._designs: list[Design] = []
        self._values: list[list[float]] = []  # to be made large
        self._satisfied: list[bool] = []
        self._running: list[Design] = []

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            full = evaluation.fidelity == self.problem.full_fidelity
            if full and not (evaluation.derived_from or evaluation.failed or evaluation.replicate):
                self._designs.append(evaluation.design)
                self._values.append([o.sign * evaluation.values[o.name] for o in self.problem.objectives])
                self._satisfied.append(evaluation.feasible)
        self._running = [proposal.design for proposal in running]

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._next()):
            self._running.append(proposal.design)
            proposals.append(proposal)
        return proposals

    @property
    def opening_cost(self) -> float:
        return self._whole_cost(self._options.initial - len(self._designs))

    def _next(self) -> Proposal | None:
        if len(self._designs) < self._options.initial or not self._encoding.dimensions:
            return self.anything_new()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self._rng.integers(2**31)))
            acquisition, front = self._acquisition()
            found = self._best(acquisition, front)
        return found or self.anything_new()

    def _targets(self) -> Array:
        """Standardised; designs that violate constraints are as bad as the worst in everything."""
        values = np.array(self._values)
        values = np.where(np.array(self._satisfied)[:, None], values, values.min(axis=0))
        deviation = values.std(axis=0)
        return np.asarray((values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))

    def _acquisition(self) -> tuple[AcquisitionFunction, list[Design]]:
        """The acquisition, and the designs of the front."""
        targets = self._targets()
        x, y = torch.from_numpy(self._encoded(self._designs)), torch.from_numpy(targets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of inputs that are not scaled as BoTorch likes, and of steps of the fit
            models = [_fitted(x, y[:, [number]]) for number in range(y.shape[1])]
        front = np.flatnonzero(maximal(targets))
        reference = targets.min(axis=0) - BEYOND
        sampler = SobolQMCNormalSampler(torch.Size([self._options.samples]), seed=self.seed)
        pending = torch.from_numpy(self._encoded(self._running)) if self._running else None
        acquisition = (
            qLogNoisyExpectedHypervolumeImprovement(
                ModelListGP(*models), torch.from_numpy(reference), x, sampler, X_pending=pending, prune_baseline=True
            )
            if len(reference) > 1
            else qLogNoisyExpectedImprovement(models[0], x, sampler, X_pending=pending, prune_baseline=True)
        )
        return acquisition, [self._designs[index] for index in front]

    def _best(self, acquisition: AcquisitionFunction, front: Sequence[Design]) -> Proposal | None:
        """A new design of which the acquisition is large, by local search."""
        space = self.problem.space
        start = space.designs([*front, *space.unpack(self.problem.sample(self._rng, SCATTERED))])
        worth: dict[Design, float] = {}
        looked = start
        for _ in range(ROUNDS):
            self._look(acquisition, looked, worth)
            parents = sorted(worth, key=lambda design: -worth[design])[:PARENTS]
            looked = space.neighbours(self._rng, space.designs([*parents] * CHILDREN))
        for design in sorted(worth, key=lambda design: -worth[design]):
            if proposal := self.propose(design):
                return proposal
        return None

    def _look(self, acquisition: AcquisitionFunction, designs: Designs, worth: dict[Design, float]) -> None:
        """Note what feasible designs are worth that were not looked at."""
        feasible = self.problem.space.unpack(designs.take(self.problem.known(designs).feasible))
        new = [design for design in dict.fromkeys(feasible) if design not in worth]
        if new:
            with torch.no_grad():
                values = acquisition(torch.from_numpy(self._encoded(new))[:, None])
            worth.update(zip(new, values.tolist(), strict=True))

    def _encoded(self, designs: Sequence[Design]) -> Array:
        return self._encoding.encode(self.problem.space.designs(designs))


def _fitted(x: Tensor, y: Tensor) -> SingleTaskGP:
    """BoTorch's own process of one objective, y as N x 1."""
    model = SingleTaskGP(x, y, outcome_transform=None)
    likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
    fit_gpytorch_mll(likelihood, likelihood_closure(likelihood, covariances_over(model.covar_module, x)))
    return model
