"""A study as an Optuna study, for Optuna's dashboard, plots and importances.

A view: it is written from the store and never read back. Trials are what :meth:`explorer.Study.front` is made of:
whole evaluations are complete; shorter ones, and repeats of a whole one, are pruned, with what came out as attributes,
so that Optuna's ``best_trials`` holds no design for an accuracy after one epoch or for its luckiest seed; failed ones
have failed. Members of trained families that the search valued are complete, with the key of the evaluation that they
follow from as ``derived_from``.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from explorer.evaluation import Evaluation
from explorer.optuna_space import distributions_of, parameters_of
from explorer.outline import Outline
from explorer.store import shown, store_file
from explorer.study import Study
from simulators.protocol import InputError, suggestion

__all__ = ["open_view", "to_optuna"]

KEY = "key"  # attribute of a trial: SHA-256 of the evaluation's key
JOURNALS = (".journal", ".log")


def to_optuna(study: Study, storage: str | Path | BaseStorage | None = None, name: str = "") -> optuna.Study:
    """Write a study into an Optuna storage; what is there already of it stays, so that a second call brings it up to
    date.

    Args:
        study: the study, read anew.
        storage: a file (``.journal`` or ``.log``: a journal, which takes a hundredth of the time of a database; any
            other: SQLite), a URL of SQLAlchemy's, or a storage of Optuna's; None: in memory.
        name: of the Optuna study; by default the study's own.

    Returns:
        the Optuna study.

    Raises:
        InputError: the storage cannot be used, or holds another study of this name.
    """
    name = name or study.name
    directions = [objective.direction for objective in study.outline.objectives]
    with _quiet(), _told(storage):
        place = _storage(study, storage)
        view = optuna.create_study(storage=place, study_name=name, directions=directions, load_if_exists=True)
        rows, there = study.refresh().rows, _written(view)
        known: dict[str, Evaluation] = {}
        for evaluation in rows:  # of a member that was run, too, the run
            if evaluation.digest not in known or known[evaluation.digest].derived_from:
                known[evaluation.digest] = evaluation
        if strangers := there - known.keys():
            raise InputError(
                f"{_named(storage)} holds a study '{name}' with {len(strangers)} trials that are not "
                f"of {study.reference}; give another name or another file",
                "name",
            )
        if view.metric_names is None:
            view.set_metric_names([objective.name for objective in study.outline.objectives])
        distributions = distributions_of(study.outline.space)
        view.add_trials(
            _trial(study.outline, evaluation, distributions) for key, evaluation in known.items() if key not in there
        )
    return view


def open_view(storage: str | Path, name: str) -> optuna.Study:
    """An Optuna study that is there already.

    Args:
        storage: a file or a URL, as :func:`to_optuna` takes it.
        name: of the Optuna study.

    Raises:
        InputError: the storage cannot be used, or has no such study.
    """
    if "://" not in str(storage) and not Path(storage).is_file():
        raise InputError(f"there is no file {storage}", "storage")
    with _quiet(), _told(storage):
        opened = _opened(storage)
        names = [summary.study_name for summary in optuna.get_all_study_summaries(opened)]
        if name not in names:
            raise InputError(f"{_named(storage)} has no study '{name}'{suggestion(name, names)}", "--optuna")
        return optuna.load_study(study_name=name, storage=opened)


def _opened(storage: str | Path) -> BaseStorage:
    """A file or a database of Optuna's."""
    if "://" not in str(storage):
        if Path(storage).suffix in JOURNALS:
            return JournalStorage(JournalFileBackend(str(storage)))
        storage = f"sqlite:///{storage}"
    return RDBStorage(str(storage))


def _storage(study: Study, storage: str | Path | BaseStorage | None) -> BaseStorage:
    if isinstance(storage, BaseStorage):
        return storage
    if storage is None:
        return InMemoryStorage()
    if "://" not in str(storage):
        own = store_file(study.store.url)
        if own is not None and Path(storage).resolve() == own.resolve():
            raise InputError(f"{storage} is the study's own store; name another file for the view", "storage")
        if not Path(storage).parent.is_dir():
            raise InputError(f"there is no folder {Path(storage).parent}", "storage")
    return _opened(storage)


def _written(view: optuna.Study) -> set[str]:
    """Keys of the evaluations that are in a view; of a trial that is of none, its number in words."""
    trials = view.get_trials(deepcopy=False)
    return {trial.user_attrs.get(KEY, f"trial {trial.number}") for trial in trials}


def _trial(outline: Outline, evaluation: Evaluation, distributions: Mapping[str, BaseDistribution]) -> FrozenTrial:
    state = TrialState.COMPLETE
    if evaluation.failed:
        state = TrialState.FAIL
    elif evaluation.fidelity != outline.full_fidelity or evaluation.replicate:
        state = TrialState.PRUNED
    complete = state is TrialState.COMPLETE
    objectives = [objective.name for objective in outline.objectives]
    trial = optuna.create_trial(
        state=state,
        values=[evaluation.values[name] for name in objectives] if complete else None,
        params=parameters_of(outline.space, evaluation.design),
        distributions=dict(distributions),
        user_attrs=_attributes(outline, evaluation, complete),
        constraints={"violation": evaluation.violation} if complete and outline.constraints else {},
        intermediate_values=_curve(evaluation, objectives),
    )
    if evaluation.started_at:
        trial.datetime_start = datetime.fromtimestamp(evaluation.started_at)
        trial.datetime_complete = trial.datetime_start + timedelta(seconds=evaluation.duration_s)
    return trial


def _attributes(outline: Outline, evaluation: Evaluation, complete: bool) -> dict[str, Any]:
    values = {} if complete else evaluation.values
    told = {
        "evaluation": evaluation.number, KEY: evaluation.digest, **values,
        **{name: value for name, value in evaluation.quantities.items() if name not in evaluation.values},
        "strategy": evaluation.strategy, "family": evaluation.family, "derived_from": evaluation.derived_from,
        "seed": evaluation.seed, "cost": evaluation.cost, "failure": evaluation.failure,
        "kind": evaluation.kind and evaluation.kind.value, "worker": evaluation.worker, "node": evaluation.node,
    }  # fmt: skip
    if outline.fidelity_name:
        told[outline.fidelity_name] = evaluation.fidelity
    if evaluation.replicate:
        told["replicate"] = evaluation.replicate
    return {
        name: value
        for name, value in told.items()
        if value not in ("", None) and not (isinstance(value, float) and not math.isfinite(value))
    }


def _curve(evaluation: Evaluation, objectives: list[str]) -> dict[int, float]:
    """The only objective after each epoch, where it was followed: Optuna knows curves of single objectives only."""
    curve = evaluation.series.get(objectives[0], []) if len(objectives) == 1 else []
    return {step: value for step, value in enumerate(curve, 1) if math.isfinite(value)}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's line in the log that a study was made, and its notices of what is new in it."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(level)


@contextmanager
def _told(storage: str | Path | BaseStorage | None) -> Iterator[None]:
    """Raises InputError for what a storage refuses."""
    try:
        yield
    except (SQLAlchemyError, OSError, ImportError, ValueError, optuna.exceptions.OptunaError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).partition("\n")[0].removesuffix(".")
        raise InputError(f"{_named(storage)} cannot be used as an Optuna storage ({reason})", "storage") from error


def _named(storage: str | Path | BaseStorage | None) -> str:
    """A storage without its password."""
    return shown(str(storage)) if "://" in str(storage) else str(storage)
