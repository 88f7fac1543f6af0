"""What a person writes for an evaluation or a design of a study: a number, the beginning of a key, or settings.

Numbers are those of evaluations in order of arrival, as tables show them. Keys are the same in every study. Settings,
``bn=C5,C7,cell_bits=2``, name as many variables as it takes to tell designs apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from explorer.evaluation import Evaluation
from explorer.outline import Outline
from explorer.space import read_value
from explorer.units import counted
from simulators.protocol import Design, InputError, suggestion

__all__ = ["SHORT", "Name", "design_named", "evaluation_named"]

Name: TypeAlias = str | int | Mapping[str, object]
"""A number, a key or its beginning, or settings: as text or by variable."""

SHORT = 8
"""Hexadecimal digits of a key that are shown."""

LEAST = 4  # hexadecimal digits that are taken for the beginning of a key
SHOWN = 5  # of those that are meant equally

WAYS = "write the number of an evaluation, the beginning of its key, or settings such as {example}"


def evaluation_named(outline: Outline, rows: Sequence[Evaluation], name: Name) -> Evaluation:
    """The evaluation that was run and is meant.

    Args:
        outline: of the study.
        rows: all of the study, as the store gives them.
        name: number, key or settings.

    Raises:
        InputError: none is meant, or several are.
    """
    run = [row for row in rows if not row.derived_from]
    found = _by_number_or_key(rows, name)
    if found is not None:
        if found.derived_from:
            described = outline.space.describe(found.design)
            raise InputError(
                f"{described} was not evaluated itself, all of it follows from evaluation {found.number}: name that",
                "evaluation",
            )
        return found
    settings = _settings(outline, name, "evaluation")
    return _only(outline, _agreeing(run, settings), run, "evaluation")


def design_named(outline: Outline, rows: Sequence[Evaluation], name: Name) -> Evaluation:
    """The design that is meant, with the evaluation whose training is that of its family.

    Args:
        outline: of the study.
        rows: all of the study, as the store gives them.
        name: number, key or settings. Settings may leave out what makes no difference to a training, and may name a
            member of a trained family that nobody looked at.

    Returns:
        The evaluation itself, or what is derived from one: its fidelity, replicate and seed are those of the training.
        Of a member that nobody looked at it holds what all of its family share.

    Raises:
        InputError: none is meant, several are, or the evaluation failed.
    """
    found = _by_number_or_key(rows, name)
    if found is None:
        found = _trained(outline, rows, _settings(outline, name, "design"))
    if found.failed:
        raise InputError(f"evaluation {found.number} failed ({found.failure}): there is nothing of it", "design")
    return found


def _by_number_or_key(rows: Sequence[Evaluation], name: Name) -> Evaluation | None:
    """What a number or a key means; None for settings.

    A number that nobody has may still begin a key.
    """
    if isinstance(name, Mapping) or (isinstance(name, str) and "=" in name):
        return None
    text = str(name).strip().lower()
    run = [row for row in rows if not row.derived_from]
    if re.fullmatch("[1-9][0-9]*", text) and int(text) <= len(run):
        return run[int(text) - 1]
    known = f"there are evaluations 1 to {len(run)}" if run else "there is no evaluation yet"
    if re.fullmatch(f"[0-9a-f]{{{LEAST},64}}", text) and not isinstance(name, int):
        of_key = {row.digest: row for row in reversed([*run, *(row for row in rows if row.derived_from)])
                  if row.digest.startswith(text)}  # fmt: skip
        if len(of_key) > 1:
            raise InputError(f"{len(of_key)} keys begin with '{text}'; write more of it", "evaluation")
        if of_key:
            return next(iter(of_key.values()))
        known = f"no key begins so, and {known}"
    raise InputError(f"'{name}' is nothing of this study: {known}; {WAYS.format(example=_example(run))}", "evaluation")


def _example(run: Sequence[Evaluation]) -> str:
    """Settings that name the family of the first evaluation, those that training reads before others."""
    for row in run[:1]:
        values = row.design.to_json()
        names = [name for name in dict.fromkeys([*_read(row), *values]) if name in values]
        for count in range(1, len(names) + 1):
            alike = _agreeing(run, {name: row.design[name] for name in names[:count]})
            if count == len(names) or {other.family for other in alike} == {row.family}:
                return ",".join(f"{name}={values[name]}" for name in names[:count])
    return "bn=all"


def _settings(outline: Outline, name: Name, field: str) -> dict[str, Any]:
    """The values that are asked of variables.

    Raises:
        InputError: one is no value of a variable, or a variable is named twice.
    """
    space = outline.space
    written: dict[str, object] = {}
    if isinstance(name, Mapping):
        written = dict(name)
    else:
        for part in re.split(r"[,\s]+(?=[A-Za-z_]\w*\s*=)", str(name).strip().strip(",")):
            variable, equals, value = (text.strip() for text in part.partition("="))
            if not equals:
                raise InputError(f"'{part}' is not VARIABLE=VALUE", field)
            if variable in written:
                raise InputError(f"{variable} is given twice; keep one", field)
            written[variable] = value
    for variable in written:
        if variable not in space.variables:
            raise InputError(f"unknown variable '{variable}'{suggestion(variable, space.variables)}", field)
    found = {}
    for variable, value in written.items():
        try:
            found[variable] = read_value(space.variables[variable], value)
        except InputError as error:
            raise InputError(f"{variable}: {error.message}", field) from None
    return found


def _agreeing(rows: Sequence[Evaluation], settings: Mapping[str, Any]) -> list[Evaluation]:
    return [row for row in rows if all(row.design[name] == value for name, value in settings.items())]


def _trained(outline: Outline, rows: Sequence[Evaluation], settings: Mapping[str, Any]) -> Evaluation:
    """The design of settings, with the longest training of its family."""
    run = [row for row in rows if not row.derived_from]
    finished = [row for row in rows if not row.failed]
    reads = {name for row in finished for name in _read(row)}
    exactly = _agreeing(finished, settings)
    alike = exactly or _agreeing(finished, {name: value for name, value in settings.items() if name in reads})
    if not alike:  # perhaps it failed
        return _only(outline, _agreeing(run, settings)[:1], run, "design")
    trained = _longest(row for row in finished if not row.derived_from)
    families = {row.family: trained[row.family] for row in alike}
    (of_family, *others) = families.values()
    if others:
        return _only(outline, [of_family, *others], run, "design")
    training = (of_family.fidelity, of_family.replicate)
    of_training = [row for row in exactly if (row.fidelity, row.replicate) == training]
    if of_training:
        return min(of_training, key=lambda row: bool(row.derived_from))
    design = Design({**of_family.design, **settings})
    if not outline.space.satisfied(outline.space.designs([design]))[0]:
        constraints = "; ".join(constraint.text for constraint in outline.space.constraints)
        described = outline.space.describe(design)
        raise InputError(f"{described} is not in the space that was searched: {constraints}", "design")
    shared = {o.name: of_family.values[o.name] for o in outline.objectives if o.shared}
    return replace(of_family, design=design, values=shared, quantities={}, derived_from=of_family.key)


def _longest(run: Iterable[Evaluation]) -> dict[str, Evaluation]:
    """Per family its longest training; of replicates the first, whose number tables show."""
    longest: dict[str, Evaluation] = {}
    for row in sorted(run, key=lambda row: (-(row.fidelity or 0), row.replicate, row.number)):
        longest.setdefault(row.family, row)
    return longest


def _read(row: Evaluation) -> list[str]:
    """The variables that training reads: those that a family is called by."""
    return list(json.loads(row.family)) if row.family else []


def _only(outline: Outline, found: Sequence[Evaluation], run: Sequence[Evaluation], field: str) -> Evaluation:
    """The only one that is found.

    Raises:
        InputError: there is none, or more than one.
    """
    if len(found) == 1:
        return found[0]
    if found:
        listed = "; ".join(_told(outline, row) for row in found[:SHOWN])
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise InputError(f"it may be one of {len(found)}: {listed}{more}. Name more variables, or the number", field)
    raise InputError(
        f"none of {counted(len(run), 'evaluations')} is of such a design; rex pareto shows the best of those that are "
        "known, with their numbers",
        field,
    )


def _told(outline: Outline, row: Evaluation) -> str:
    """An evaluation in words that tell it from others of its design."""
    short = outline.short(row.fidelity)
    return f"{row.number} ({outline.space.describe(row.design)}{f', {short}' if short else ''}, seed {row.seed})"
