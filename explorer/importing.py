"""Evaluations that were made elsewhere, taken into a study with their source: a warm start, or a comparison.

A row names a design by its variables and says what training it gave; what is computed is computed here. Such
evaluations are stored like any other, under the strategy :data:`IMPORTED`, cost nothing and count for no budget. A
search that goes on knows them from its first proposal on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.answers import IMPORTED, SOURCE
from explorer.archive import Archive
from explorer.evaluation import Evaluation
from explorer.optuna_space import design_of
from explorer.problem import Problem
from explorer.space import read_value
from explorer.units import read_quantity
from simulators.protocol import Design, InputError, suggestion

if TYPE_CHECKING:
    from explorer.study import Study

__all__ = ["Intake", "Row", "read_rows", "read_trials", "take_in"]

AGREES = 1e-6
"""Relative difference up to which a computed value is the one of a file: files are often written with few digits."""

Row = Mapping[str, Any]
"""A row by column; empty cells are left out."""


@dataclass(frozen=True)
class Intake:
    """What became of the rows of a file.

    Args:
        taken: evaluations that are new.
        derived: members of their families that come to the front with them.
        there: rows whose evaluation was there already.
        failed: rows that say that they failed.
        infeasible: rows that break a constraint here, with the reason of the first.
        differing: rows that give another value for what is computed here, with the first such difference.
    """

    taken: list[Evaluation]
    derived: list[Evaluation]
    there: int
    failed: int
    infeasible: tuple[int, str]
    differing: tuple[int, str]


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV or Parquet file, as ``rex export`` writes them or anybody else.

    Raises:
        InputError: it is not there, is none of these, or cannot be read.
    """
    import pandas

    if not path.is_file():
        raise InputError(f"there is no file {path}", "file")
    try:
        if path.suffix.lower() == ".parquet":
            frame = pandas.read_parquet(path)
        elif path.suffix.lower() == ".csv":
            frame = pandas.read_csv(path, dtype=str, keep_default_na=False)  # 00010111 is no number
        else:
            raise InputError(f"{path.name} ends with neither .csv nor .parquet", "file")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path} cannot be read ({reason})", "file") from None
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]  # names are text
    return [{str(name): value for name, value in row.items() if not _empty(value)} for row in records]


def _empty(value: Any) -> bool:
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )


def read_trials(storage: str, name: str, study: Study) -> list[Row]:
    """The complete trials of an Optuna study: parameters as the view of this study has them, or named as its variables.

    Args:
        storage: a file or a URL, as :func:`explorer.integrations.optuna_view.to_optuna` takes it.
        name: of the Optuna study.
        study: that they are read for.

    Raises:
        InputError: there is no such study of Optuna, or it is after something else.
    """
    from explorer.integrations.optuna_view import open_view

    view = open_view(storage, name)
    objectives = [objective.name for objective in study.outline.objectives]
    named = view.metric_names or objectives
    if len(named) != len(view.directions) or set(objectives) - set(named):
        raise InputError(
            f"study '{name}' is after {', '.join(view.metric_names or ['something without a name'])}, not after "
            f"{', '.join(objectives)}",
            "--optuna",
        )
    rows: list[Row] = []
    for trial in view.get_trials(deepcopy=False):
        if trial.state.name != "COMPLETE" or trial.user_attrs.get("derived_from"):
            continue
        params = dict(trial.params)
        with suppress(KeyError, InputError):  # named in its own way: the columns tell what is missing
            params = dict(design_of(study.outline.space, params))
        rows.append({**trial.user_attrs, **params, **dict(zip(named, trial.values, strict=True))})
    return rows


def take_in(problem: Problem, stored: Sequence[Evaluation], rows: Sequence[Row], source: str) -> Intake:
    """What rows say, as evaluations of a study; nothing is stored.

    Args:
        problem: of the study.
        stored: its evaluations, derived ones included.
        rows: by column: the variables that have a choice, the objectives that are trained for; also ``fidelity``,
            ``replicate``, ``seed``, ``failure``, and any report field. Columns of other names are passed over.
        source: where the rows come from.

    Raises:
        InputError: a column is missing, or a row cannot be read; names it by its number, from 1 on.
    """
    _check_columns(problem, rows)
    archive = Archive(problem, stored)
    known = {evaluation.key for evaluation in stored if not evaluation.derived_from}
    taken: list[Evaluation] = []
    there = failed = 0
    infeasible, differing = list[str](), list[str]()
    for number, row in enumerate(rows, 1):
        if str(row.get("failure", "")).strip():
            failed += 1
            continue
        try:
            evaluation, differences, reason = _evaluation(problem, row, source)
        except InputError as error:
            raise InputError(f"row {number}: {error.message}", error.field or "file") from None
        if reason:
            infeasible.append(f"row {number}: {reason}")
        elif evaluation.key in known:
            there += 1
        else:
            known.add(evaluation.key)
            taken.append(evaluation)
            differing += [f"row {number}: {text}" for text in differences[:1]]
    derived = [member for evaluation in taken for member in archive.add(evaluation)]
    return Intake(taken, derived, there, failed, _first(infeasible), _first(differing))


def _first(told: Sequence[str]) -> tuple[int, str]:
    return len(told), told[0] if told else ""


def _check_columns(problem: Problem, rows: Sequence[Row]) -> None:
    """Raises InputError for columns that are in no row at all, but have to be."""
    found = {name for row in rows for name in row}
    chosen = [name for name, variable in problem.space.variables.items() if variable.domain.size > 1]
    wanted = [*chosen, *(objective.name for objective in problem.expensive)]
    missing = [name for name in wanted if name not in found]
    if rows and missing:
        told = ", ".join(f"'{name}'{suggestion(name, found)}" for name in missing)
        raise InputError(f"no column {told}; there have to be {', '.join(wanted)}", "file")


def _evaluation(problem: Problem, row: Row, source: str) -> tuple[Evaluation, list[str], str]:
    """What a row says, which of its values differ from what is computed here, and why it is not feasible."""
    design = _design(problem, row)
    known = problem.known(problem.space.designs([design]))
    fields = {name: float(value[0]) for name, value in known.fields.items() if np.isfinite(value[0])}
    cheap = {name: float(value[0]) for name, value in known.objectives.items()}
    if not known.feasible[0]:
        return Evaluation(design, ""), [], problem.why_infeasible(design)
    values, differences = dict(cheap), list[str]()
    for objective in problem.objectives:
        given = _number(row, objective.name, objective.unit)
        if not objective.cheap:
            if given is None:
                raise InputError(f"{objective.name} is missing")
            values[objective.name] = given
        elif given is not None and not math.isclose(given, cheap[objective.name], rel_tol=AGREES):
            differences.append(f"{objective.name} is {cheap[objective.name]:g} here, {given:g} there")
    for name, unit in problem.outline.units.items():
        if name not in problem.space.variables and name not in values and name not in fields:
            given = _number(row, name, unit)
            if given is not None:
                fields[name] = given
    family, replicate = problem.family(design), _whole(row, "replicate", 0, 0)
    fidelity = problem.full_fidelity
    if problem.fidelity is not None and "fidelity" in row:
        fidelity = problem.fidelity.parse(_whole(row, "fidelity", 0, 1))
    evaluation = Evaluation(
        design, family, fidelity, replicate or 0, IMPORTED, _whole(row, "seed", 0, 0) or 0,
        {objective.name: values[objective.name] for objective in problem.objectives}, fields,
        problem.outline.violation(design, {**fields, **values}), provenance={SOURCE: source},
    )  # fmt: skip
    return evaluation, differences, ""


def _design(problem: Problem, row: Row) -> Design:
    values: dict[str, Any] = {}
    for name, variable in problem.space.variables.items():
        if name not in row:
            if variable.domain.size > 1:
                raise InputError(f"{name} is missing")
            continue
        try:
            values[name] = read_value(variable, row[name])
        except InputError as error:
            raise InputError(f"{name}: {error.message}") from None
    return problem.space.design(values)


def _number(row: Row, name: str, unit: str) -> float | None:
    """A finite number, also one with a unit; None where the row has none."""
    if name not in row:
        return None
    value = row[name]
    try:
        number = read_quantity(value, unit) if isinstance(value, str) else None
        number = float(value) if number is None else number
    except (TypeError, ValueError) as error:
        reason = f" ({error.message})" if isinstance(error, InputError) else ""
        raise InputError(f"{name} is {value!r}, which is no number{reason}") from None
    if not math.isfinite(number):
        raise InputError(f"{name} is {value!r}, which is no finite number")
    return number


def _whole(row: Row, name: str, default: int, least: int) -> int:
    number = _number(row, name, "")
    if number is None:
        return default
    if not number.is_integer() or number < least:
        raise InputError(f"{name} is {row[name]!r}; give a whole number from {least} on")
    return int(number)
