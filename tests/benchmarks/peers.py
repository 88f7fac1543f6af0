"""Strategies that the product's own are compared with, beside those that it offers by name."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms import Standardize
from botorch.optim import optimize_acqf_discrete_local_search
from botorch.sampling import SobolQMCNormalSampler
from gpytorch.mlls import SumMarginalLogLikelihood

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy
from simulators.protocol import Bits, Design

__all__ = ["QLogNEHVI", "SimulatedAnnealing"]


class SimulatedAnnealing(Strategy):
    """Flips one bit at a time and keeps what is better, or a little worse while it is hot; for one objective.

    The temperature falls from the spread of ten random points to a hundredth of it over ``steps`` steps. A point that
    was evaluated already is walked over without paying for it.
    """

    name = "simulated-annealing"

    def __init__(self, problem: Problem, seed: int = 0, steps: int = 120) -> None:
        super().__init__(problem, seed)
        (self._vector,) = problem.space.variables
        self._values: dict[Design, float] = {}
        self._hot = 0.0
        self._steps, self._step = steps, 0
        self._at: Design | None = None

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        (objective,) = self.problem.objectives
        self._values.update((e.design, objective.sign * e.values[objective.name]) for e in finished)

    def suggest(self, count: int) -> list[Proposal]:
        return [proposal for _ in range(count) if (proposal := self._next())]

    def _next(self) -> Proposal | None:
        if len(self._values) < 10:
            return self.anything_new()
        if self._at is None:
            self._at = max(self._values, key=lambda design: self._values[design])
            self._hot = float(np.std(list(self._values.values()))) or 1.0
        elif (tried := next(reversed(self._values))) != self._at:
            self._move(tried)
        for _ in range(1000):
            neighbour = self._neighbour(self._at)
            if proposal := self.propose(neighbour):
                return proposal
            self._move(neighbour)
        return self.anything_new()

    def _move(self, to: Design) -> None:
        assert self._at is not None
        temperature = self._hot * 0.01 ** min(1.0, len(self._values) / self._steps)
        change = self._values[to] - self._values[self._at]
        if change >= 0 or self._rng.random() < math.exp(change / temperature):
            self._at = to

    def _neighbour(self, design: Design) -> Design:
        bits = list(design[self._vector])
        bits[self._rng.integers(len(bits))] ^= 1
        return Design({self._vector: Bits(bits)})


class QLogNEHVI(Strategy):
    """Log noisy expected hypervolume improvement from BoTorch over Gaussian processes of all objectives.

    Bits and integers scaled to 0..1; its acquisition is optimised by BoTorch's discrete local search.
    """

    name = "qlog-nehvi"

    def __init__(self, problem: Problem, seed: int = 0, initial: int = 10) -> None:
        super().__init__(problem, seed)
        self._initial = initial
        self._points: list[list[float]] = []
        self._targets: list[list[float]] = []
        torch.manual_seed(seed)

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            self._points.append(self._encoded(evaluation.design))
            self._targets.append([o.sign * evaluation.values[o.name] for o in self.problem.objectives])

    def suggest(self, count: int) -> list[Proposal]:
        return [proposal for _ in range(count) if (proposal := self._next())]

    def _next(self) -> Proposal | None:
        if len(self._points) < self._initial:
            return self.anything_new()
        x = torch.tensor(self._points, dtype=torch.float64)
        y = torch.tensor(self._targets, dtype=torch.float64)
        y = (y - y.mean(0)) / y.std(0).clamp_min(1e-9)
        model = ModelListGP(*(SingleTaskGP(x, y[:, [j]], outcome_transform=Standardize(1)) for j in range(y.shape[1])))
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        worst = y.min(0).values - 0.1 * (y.max(0).values - y.min(0).values)
        sampler = SobolQMCNormalSampler(torch.Size([64]), seed=self.seed)
        acquisition = qLogNoisyExpectedHypervolumeImprovement(model, worst, x, sampler, prune_baseline=True)
        found, _ = optimize_acqf_discrete_local_search(
            acquisition, self._choices(), q=1, num_restarts=4, raw_samples=128, X_avoid=x
        )
        return self.propose(self._decoded(found[0].tolist())) or self.anything_new()

    def _domains(self) -> list[tuple[str, int]]:
        """Per variable its name and its number of bits; 0 for an integer."""
        variables = self.problem.space.variables.values()
        return [(variable.name, getattr(variable.domain, "length", 0)) for variable in variables]

    def _choices(self) -> list[torch.Tensor]:
        choices = []
        for name, bits in self._domains():
            steps = 2 if bits else self.problem.space.variables[name].domain.size
            choices += [torch.linspace(0, 1, steps, dtype=torch.float64)] * (bits or 1)
        return choices

    def _encoded(self, design: Design) -> list[float]:
        point: list[float] = []
        for name, bits in self._domains():
            domain = self.problem.space.variables[name].domain
            point += [float(b) for b in design[name]] if bits else [(design[name] - domain.low) / (domain.size - 1)]
        return point

    def _decoded(self, point: Sequence[float]) -> Design:
        values, start = {}, 0
        for name, bits in self._domains():
            domain = self.problem.space.variables[name].domain
            width = bits or 1
            part = point[start : start + width]
            values[name] = Bits([round(b) for b in part]) if bits else domain.low + round(part[0] * (domain.size - 1))
            start += width
        return self.problem.space.design(values)
