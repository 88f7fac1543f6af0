"""Any Optuna sampler as a strategy: NSGA-II, TPE and GPSampler by name.

The sampler sees a black box: bits, integers and categories as its parameters, all objectives as values at full
fidelity, constraints on outcomes as Optuna's constraints. Proposals that the exact simulators or the space's
constraints rule out, and repeats, are told to it as failed and asked for again; after a few of them a random new design
takes their place.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import optuna
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.trial import TrialState

from explorer.evaluation import Evaluation, Proposal
from explorer.optuna_space import design_of, distributions_of, parameters_of
from explorer.problem import Problem
from explorer.strategies.base import Strategy
from objectives.objective import Direction
from simulators.protocol import InputError, suggestion

__all__ = ["OptunaStrategy", "gp_sampler", "nsga2", "tpe"]


class OptunaStrategy(Strategy):
    """A strategy around an Optuna sampler.

    Args:
        problem: what is searched.
        seed: of the sampler.
        options: keyword arguments of the sampler.
        sampler: makes the sampler from ``seed`` and the options.
        name: of the strategy.
        opening: the sampler's parameter that tells how many random trials come first.
        asks: how often to ask for one proposal: a sampler that has settled on taken designs would go on for ever.

    Raises:
        InputError: the sampler does not take the options.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int = 0,
        options: Mapping[str, object] | None = None,
        *,
        sampler: Callable[..., BaseSampler],
        name: str,
        opening: str,
        asks: int = 25,
    ) -> None:
        super().__init__(problem, seed, options)
        self.name = name  # type: ignore[misc]  # one class serves several samplers: the name is the instance's
        _check_options(name, self.options, sampler)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                made = sampler(seed=seed, **self.options)
        except (TypeError, ValueError) as error:
            raise InputError(*_refusal(str(error), self.options)) from error
        self._study = _quiet_study([objective.direction for objective in problem.objectives], made)
        self._distributions = distributions_of(problem.space)
        first: Any = self.options.get(opening, inspect.signature(sampler).parameters[opening].default)
        self._opening: int = first
        self._known = 0  # trials that were told with values
        self._asks = asks
        self._trials: dict[str, optuna.Trial] = {}

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self._ask() or self._random()):
            proposals.append(proposal)
        return proposals

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            if evaluation.fidelity == self.problem.full_fidelity and not evaluation.derived_from:
                self._tell(evaluation)
        for proposal in running:
            if proposal.key not in self._trials and proposal.fidelity == self.problem.full_fidelity:
                self._begin(proposal)

    @property
    def opening_cost(self) -> float:
        return self._whole_cost(self._opening - self._known)

    def _ask(self) -> Proposal | None:
        for _ in range(self._asks):
            trial = self._study.ask(self._distributions)
            design = design_of(self.problem.space, trial.params)
            feasible = self.problem.known(self.problem.space.designs([design])).feasible[0]
            proposal = self.propose(design) if feasible else None
            if proposal:
                self._trials[proposal.key] = trial
                return proposal
            self._study.tell(trial, state=TrialState.FAIL)
        return None

    def _random(self) -> Proposal | None:
        proposal = self.anything_new()
        if proposal:
            self._begin(proposal)
        return proposal

    def _begin(self, proposal: Proposal) -> None:
        """Tell the sampler of a design that it did not propose and that runs now."""
        self._study.enqueue_trial(parameters_of(self.problem.space, proposal.design))
        self._trials[proposal.key] = self._study.ask(self._distributions)

    def _tell(self, evaluation: Evaluation) -> None:
        values = [evaluation.values[o.name] for o in self.problem.objectives] if not evaluation.failed else None
        constraints = {"violation": evaluation.violation} if self.problem.outcome_constraints else {}
        trial = self._trials.pop(evaluation.key, None)
        self._known += values is not None
        if trial is None and values:
            self._study.add_trial(
                optuna.create_trial(
                    values=values,
                    params=parameters_of(self.problem.space, evaluation.design),
                    distributions=self._distributions,
                    constraints=constraints,
                )
            )
        elif trial is not None:
            if values:
                for name, value in constraints.items():
                    trial.set_constraint(name, value)
            self._study.tell(trial, values, state=TrialState.COMPLETE if values else TrialState.FAIL)


_PLAIN: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "int": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "bool": ("true or false", (bool,)),
    "None": ("nothing", (type(None),)),
}
"""Per type of a sampler's signature what a search file writes for it."""


def _check_options(strategy: str, options: Mapping[str, object], sampler: Callable[..., BaseSampler]) -> None:
    """Compare options with a sampler's signature.

    Raises:
        InputError: the sampler has no such option, or wants a value of another type.
    """
    parameters = dict(inspect.signature(sampler).parameters)
    del parameters["seed"]  # the search file has one for everything
    types = {name: str(parameter.annotation).split(" | ") for name, parameter in parameters.items()}
    plain = {name: kinds for name, kinds in types.items() if set(kinds) <= set(_PLAIN)}
    for name, value in options.items():
        field = f"strategy.options.{name}"
        if name not in types:
            close = suggestion(name, plain)
            listed = "" if close.startswith("; known") else f"; there are {', '.join(sorted(plain))}"
            raise InputError(f"{strategy} has no such option{close}{listed}", field)
        if name in plain:
            words, allowed = zip(*(_PLAIN[kind] for kind in plain[name]), strict=True)
            classes = tuple(kind for kinds in allowed for kind in kinds)
            if not isinstance(value, classes) or (isinstance(value, bool) and bool not in classes):
                raise InputError(f"write {' or '.join(words)}, not {value!r}", field)
        elif value is None or isinstance(value, str | int | float | list | dict):
            raise InputError(f"takes an object of Python ({' | '.join(types[name])}); leave it out", field)


def _refusal(reason: str, options: Mapping[str, object]) -> tuple[str, str]:
    """What a sampler says of its options, and the field of the one that it speaks of."""
    named = [name for name in options if re.search(rf"\b{name}\b", reason)]
    field = f"strategy.options.{named[0]}" if len(named) == 1 else "strategy.options"
    return f"{reason.replace('`', '').rstrip('.')}; the file has {dict(options)}", field


def _quiet_study(directions: Sequence[Direction], sampler: BaseSampler) -> optuna.Study:
    """A study in memory, without Optuna's line in the log that it was made."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler, directions=directions)
    finally:
        optuna.logging.set_verbosity(level)


def nsga2(problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> OptunaStrategy:
    """NSGA-II (Deb et al., 2002) from Optuna; options are ``optuna.samplers.NSGAIISampler``'s."""
    return OptunaStrategy(problem, seed, options, sampler=NSGAIISampler, name="nsga2", opening="population_size")


def tpe(problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> OptunaStrategy:
    """Tree-structured Parzen estimators from Optuna; options are ``optuna.samplers.TPESampler``'s.

    ``multivariate`` is on unless the options say otherwise: a model for each bit repeats itself and takes far longer.
    """
    options = {"multivariate": True, **(options or {})}
    return OptunaStrategy(problem, seed, options, sampler=TPESampler, name="tpe", opening="n_startup_trials")


def gp_sampler(problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> OptunaStrategy:
    """Optuna's Gaussian-process sampler; options are ``optuna.samplers.GPSampler``'s."""
    return OptunaStrategy(
        problem, seed, options, sampler=GPSampler, name="gp-sampler", opening="n_startup_trials",
        asks=3,  # each takes a second
    )  # fmt: skip
