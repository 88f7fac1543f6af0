"""Sparsity-aware Thompson sampling (:class:`explorer.strategies.thompson_bqp.ThompsonBQP`) as a sampler for Optuna.

    study = optuna.create_study(sampler=ThompsonBQPSampler(seed=0))

For every trial the study's history is told to a new strategy, which is asked for one proposal. The sampler itself
remembers nothing: what it suggests follows from its seed, the number of the trial and the trials in the storage, so a
study goes on where it stopped, in any process, and one sampler serves any number of studies and threads.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState
from threadpoolctl import threadpool_limits

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies.thompson_bqp import ThompsonBQP
from simulators.protocol import BinaryVector, Bits, Design, Domain, InputError, Integer

__all__ = ["ThompsonBQPSampler"]

Array = NDArray[np.float64]

MODELLED_VALUES = 1024  # a parameter with more values is drawn at random: ten bits of the model for one number
SUGGESTED = "thompson_bqp:suggested"  # attribute of a trial: its point, for workers that ask before it has parameters

_ONE_AT_A_TIME = threading.Lock()  # a thread's point must be written down before the next one reads


class ThompsonBQPSampler(BaseSampler):
    """Thompson sampling over second-order models with horseshoe priors, maximised as binary quadratic programs.

    Made for expensive objectives over tens of bits and categories, of which single effects and effects of pairs explain
    most. Categories, integers and floats with a ``step`` are modelled up to 1024 values (two values are one bit, up to
    16 one bit each, more are written in binary); other numbers, and parameters that not every completed trial has, are
    drawn at random.

    - Any number of objectives. Constraints are those of ``Trial.set_constraint``: of an infeasible trial the objectives
      are learnt less its violation, at a price that makes none look better than the best feasible one. They must tell
      how far they are violated: from one that only tells whether, little is learnt, and another sampler does better.
    - A point that was tried, is running or is enqueued is not suggested again, unless trials have other parameters
      beside the modelled ones, or every point was tried: then the best of a draw from the posterior is suggested
      (during the random start, a random one), tried or not.
    - A trial that was pruned, failed or has a value that is not finite is not learnt from; its point counts as tried.
    - Workers of one study see each other's points. Only workers in different processes that ask within the same moment
      may, rarely, get the same one.

    Args:
        seed: suggestions follow from it, from the trial's number and from the study's trials; None for a random one.
        n_startup_trials: random points before the model is asked; default half the bits and two more.
        sweeps: Gibbs sweeps for each suggestion.

    Raises:
        InputError: an argument that is no whole number, or out of range.
    """

    def __init__(self, *, seed: int | None = None, n_startup_trials: int | None = None, sweeps: int = 1000) -> None:
        self._seed = _any_seed() if seed is None else _whole(seed, 0, "seed")
        initial = None if n_startup_trials is None else _whole(n_startup_trials, 1, "n_startup_trials")
        self._options = {"initial": initial, "cold_sweeps": _whole(sweeps, 1, "sweeps")}

    def reseed_rng(self) -> None:
        self._seed = _any_seed()

    def infer_relative_search_space(
        self,
        study: Study,
        trial: FrozenTrial,  # noqa: ARG002  # Optuna passes it
    ) -> dict[str, BaseDistribution]:
        common = intersection_search_space(study.get_trials(deepcopy=False))
        return {name: distribution for name, distribution in common.items() if not distribution.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        modelled = {name: distribution for name, distribution in search_space.items() if _is_modelled(distribution)}
        params = {
            name: self.sample_independent(study, trial, name, distribution)
            for name, distribution in search_space.items()
            if name not in modelled
        }
        if modelled:
            points = _Points(modelled, study.directions)
            with _ONE_AT_A_TIME, threadpool_limits(limits=1):
                others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
                numbers = points.numbers(self._next(points, others, _seed(self._seed, trial.number)))
                # private members: Optuna has no public way for a sampler to keep something with a trial
                study._storage.set_trial_system_attr(trial._trial_id, SUGGESTED, numbers)
            params.update(points.values(numbers))
        return params

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        random = RandomSampler(_seed(self._seed, trial.number, zlib.crc32(param_name.encode())))
        return random.sample_independent(study, trial, param_name, param_distribution)

    def _next(self, points: _Points, trials: Sequence[FrozenTrial], seed: int) -> Design:
        """The strategy's next point after ``trials``."""
        placed = [(trial, design) for trial in trials if (design := points.design(trial))]
        may_repeat = (
            any(points.has_more(trial) for trial, _ in placed)
            or len({design for _, design in placed}) >= points.problem.space.size
        )
        strategy = (_Repeating if may_repeat else ThompsonBQP)(points.problem, seed, self._options)
        finished = [(trial, design) for trial, design in placed if trial.state.is_finished()]
        running = [Proposal(design) for trial, design in placed if not trial.state.is_finished()]
        strategy.update(_evaluations(points.problem, finished), running)
        (proposal,) = strategy.suggest(1)
        return proposal.design


class _Repeating(ThompsonBQP):
    """The strategy where a point may be worth another trial."""

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        self._tried.clear()
        self._taken.clear()


def _whole(value: object, least: int, name: str) -> int:
    """An argument that must be a whole number, NumPy's included.

    Raises:
        InputError: it is none, or too small.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
        raise InputError(f"must be a whole number from {least} up, not {value!r}", name)
    return int(value)


def _any_seed() -> int:
    return int(np.random.SeedSequence().generate_state(1)[0])


def _seed(*numbers: int) -> int:
    """A seed for what ``numbers`` tell apart."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


# -- parameters and points ------------------------------------------------------------------------------------------


class _Points:
    """Parameters as the variables of a problem: each is the number of its value; those of two values are one vector.

    Args:
        distributions: of the parameters, by name; modelled ones.
        directions: of the study.
    """

    def __init__(self, distributions: Mapping[str, BaseDistribution], directions: Sequence[StudyDirection]) -> None:
        by_width = sorted(distributions.items(), key=lambda item: len(_values(item[1])) > 2)
        self._distributions = dict(by_width)
        self._values = {name: _values(distribution) for name, distribution in by_width}
        sizes = [len(values) for values in self._values.values()]
        self._bits = sizes.count(2)
        domains: dict[str, Domain] = {"bits": BinaryVector(self._bits)} if self._bits else {}
        domains.update({f"x{number}": Integer(0, size - 1) for number, size in enumerate(sizes) if size > 2})
        objectives = [f"y{number}" for number in range(len(directions))]
        self.problem = Problem.from_functions(
            Space(domains),
            dict.fromkeys(objectives, _evaluated_by_optuna),
            directions={
                name: "maximize" if direction == StudyDirection.MAXIMIZE else "minimize"
                for name, direction in zip(objectives, directions, strict=True)
            },
        )

    def design(self, trial: FrozenTrial) -> Design | None:
        """Where a trial is or will be; None if it has other parameters than these, or other values for them."""
        numbers: dict[str, int] = dict(trial.system_attrs.get(SUGGESTED, {}))
        given = {**trial.system_attrs.get("fixed_params", {}), **trial.params}
        for name, distribution in self._distributions.items():
            if trial.distributions.get(name, distribution) != distribution:
                return None
            if name in given:
                numbers[name] = _number(distribution, self._values[name], given[name])
            if not 0 <= numbers.get(name, -1) < len(self._values[name]):
                return None
        point = [numbers[name] for name in self._distributions]
        bits, others = Bits(point[: self._bits]), point[self._bits :]
        variables = self.problem.space.variables
        return Design(dict(zip(variables, [bits, *others] if bits else others, strict=True)))

    def numbers(self, design: Design) -> dict[str, int]:
        """The number of each parameter's value."""
        point = [int(number) for value in design.values() for number in (value if isinstance(value, Bits) else [value])]
        return dict(zip(self._distributions, point, strict=True))

    def values(self, numbers: Mapping[str, int]) -> dict[str, Any]:
        """The value of each parameter."""
        return {name: self._values[name][number] for name, number in numbers.items()}

    def has_more(self, trial: FrozenTrial) -> bool:
        """Whether a trial has parameters beside these that may vary."""
        return any(not d.single() for name, d in trial.distributions.items() if name not in self._distributions)


def _evaluated_by_optuna(design: Design) -> float:
    raise NotImplementedError(f"Optuna's trials evaluate {design}")


def _is_modelled(distribution: BaseDistribution) -> bool:
    return 1 < len(_values(distribution)) <= MODELLED_VALUES


def _values(distribution: BaseDistribution) -> Sequence[Any]:
    """The values that a parameter may take; none where there is no end of them."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices
    if isinstance(distribution, IntDistribution):
        return range(distribution.low, distribution.high + 1, distribution.step)
    if isinstance(distribution, FloatDistribution) and distribution.step is not None:
        low, high, step = distribution.low, distribution.high, distribution.step
        steps = round((high - low) / step)
        return [min(low + step * number, high) for number in range(steps + 1)] if steps < MODELLED_VALUES else ()
    return ()


def _number(distribution: BaseDistribution, values: Sequence[Any], value: object) -> int:
    """The place of a value among a distribution's ``values``; -1 if it is none of them."""
    try:
        internal = distribution.to_internal_repr(value)
    except ValueError:
        return -1
    if isinstance(distribution, CategoricalDistribution):
        return int(internal)
    return round((internal - values[0]) / (values[1] - values[0])) if math.isfinite(internal) else -1


# -- trials and evaluations -----------------------------------------------------------------------------------------


def _evaluations(problem: Problem, trials: Sequence[tuple[FrozenTrial, Design]]) -> list[Evaluation]:
    """Finished trials as the strategy learns from them."""
    usable = [trial for trial, _ in trials if _usable(trial)]
    signs = np.array([objective.sign for objective in problem.objectives])
    values = np.array([trial.values for trial in usable], dtype=np.float64).reshape(-1, len(signs))
    learnt = _penalised(values * signs, np.array([_violation(trial) for trial in usable])) * signs
    rows = {trial.number: row for trial, row in zip(usable, learnt.tolist(), strict=True)}
    names = [objective.name for objective in problem.objectives]
    replicates: Counter[Design] = Counter()
    found = []
    for trial, design in trials:
        row = rows.get(trial.number)
        found.append(
            Evaluation(
                design=design,
                family=problem.family(design),
                replicate=replicates[design],
                values=dict(zip(names, row, strict=True)) if row else {},
                failure="" if row else "pruned, failed or not finite",
            )
        )
        replicates[design] += 1
    return found


def _usable(trial: FrozenTrial) -> bool:
    return trial.state == TrialState.COMPLETE and bool(np.isfinite([*trial.values, _violation(trial)]).all())


def _violation(trial: FrozenTrial) -> float:
    return sum(max(value, 0.0) for value in trial.constraints.values())


def _penalised(values: Array, violations: Array) -> Array:
    """Values of which more is better, less a price of violation: the smallest at which no infeasible trial is worth
    more than the best feasible one. While none is feasible, violation is all that counts.

    Args:
        values: trials x objectives.
        violations: shape (trials,); 0 where feasible.
    """
    infeasible = violations > 0
    if not infeasible.any():
        return values
    if infeasible.all():
        return np.repeat(-violations[:, None], values.shape[1], axis=1)
    over = values[infeasible] - values[~infeasible].max(axis=0)
    price = np.maximum((over / violations[infeasible, None]).max(axis=0), 0.0)
    return np.asarray(values - price * violations[:, None])
