"""Questions to a study: the front of some designs, of some objectives, under other constraints, after fewer epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.expressions import Expression, full_name, parse
from explorer.fronts import Front, completion, front_among
from explorer.outline import ObjectiveInfo, Outline
from explorer.results import Results
from explorer.space import condition
from simulators.protocol import InputError, suggestion

if TYPE_CHECKING:
    from explorer.problem import Problem
    from explorer.study import Study

__all__ = ["Answer", "Query"]

STORED = "objectives of this study come from a Python file, which is not run: only stored designs were looked at"
ENDS = {"min": "minimize", "max": "maximize"}


@dataclass(frozen=True)
class Answer:
    """What a study says to a question.

    Args:
        front: the non-dominated designs.
        notes: what one has to know of them, a line each.
    """

    front: Front
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A question to a study.

    Args:
        where: only designs for which this is true are looked at.
        objectives: of which the front is; by default all of the study. Any other report field or variable will do that
            says which end is better: ``peak_temperature:min``.
        at_fidelity: after so many epochs, instead of all.
        what_if: constraints in place of those of the search that speak of the same quantities, and beside the others.
    """

    where: str | Expression | None = None
    objectives: Sequence[str] = ()
    at_fidelity: int | None = None
    what_if: Sequence[str] = ()

    def answer(self, study: Study) -> Answer:
        """Ask a study.

        Designs that were never proposed, but follow from a training, are looked at again under the question, unless
        objectives come from a user's file (which reading never runs): then only stored designs are.

        Raises:
            InputError: an expression that cannot be read, an unknown name, or a fidelity that there is not.
        """
        outline, notes = study.outline, list[str]()
        rows: Sequence[Evaluation] = study.rows
        where = None if self.where is None else condition(self.where, outline.units, outline.space.lengths, "where")
        assumed = [condition(text, outline.units, outline.space.lengths, "what_if") for text in self.what_if]
        asked = [_objective(outline, name) for name in self.objectives]
        if self.at_fidelity is not None:
            outline, rows = replace(outline, full_fidelity=self.at_fidelity), self._after(outline, rows)
            notes.append(
                f"after {self.at_fidelity} of {study.outline.full_fidelity} {outline.fidelity_name}; other fields of "
                "longer trainings are as they were at their end"
            )
        if assumed:
            outline = replace(outline, constraints=_others(outline.constraints, assumed))
        if (where is not None or assumed or any(info not in study.outline.objectives for info in asked)) and (
            self.at_fidelity is None
        ):
            if study.uses_files:
                notes.append(STORED)
            else:
                rows = [*rows, *_completed(study, where, assumed, asked)]
        outline, rows = _seen(outline, rows, asked)
        untouched = rows is study.rows and not asked
        results = study.results if untouched and outline == study.outline else Results(outline, rows)
        keep = results.feasible()
        for expression in [*assumed, *([] if where is None else [where])]:
            keep &= results.holding(expression)
        return Answer(front_among(results, keep), tuple(notes))

    def _after(self, outline: Outline, rows: Sequence[Evaluation]) -> list[Evaluation]:
        """Evaluations as they stood at this fidelity: shorter ones are left out."""
        fidelity, full = self.at_fidelity, outline.full_fidelity
        if full is None:
            raise InputError("this study has no fidelity: every evaluation is a whole one", "at_fidelity")
        if fidelity is None or not 1 <= fidelity <= full:
            raise InputError(f"{fidelity} is not between 1 and {full} {outline.fidelity_name}", "at_fidelity")
        found: dict[tuple[Any, int], Evaluation] = {}
        for row in sorted((row for row in rows if not row.derived_from), key=lambda row: row.fidelity or 0):
            if row.failed or row.fidelity is None or row.fidelity < fidelity:
                continue
            early = {name: curve[fidelity - 1] for name, curve in row.series.items() if len(curve) >= fidelity}
            lacking = [o.name for o in outline.objectives if not o.cheap and o.name not in early]
            if row.fidelity > fidelity:
                if lacking:
                    continue
                quantities = {name: early.get(name, value) for name, value in row.quantities.items()}
                values = {name: early.get(name, value) for name, value in row.values.items()}
                row = replace(row, values=values, quantities=quantities, fidelity=fidelity)
            found.setdefault((row.design, row.replicate), row)
        return list(found.values())


def _objective(outline: Outline, name: str) -> ObjectiveInfo:
    """An objective of the study, or a field that says which end is better.

    Raises:
        InputError: no such name, or none of these ends.
    """
    name, colon, end = name.strip().partition(":")
    known = {objective.name: objective for objective in outline.objectives}
    if colon and end not in ENDS:
        raise InputError(f"'{name}:{end}' ends with neither :min nor :max", "objectives")
    if name in known:
        if colon and ENDS[end] != known[name].direction:
            raise InputError(f"{name} is an objective of this study, to {known[name].direction}", "objectives")
        return known[name]
    full = full_name(name, outline.units)
    if full not in outline.units:
        raise InputError(f"unknown name '{name}'{suggestion(name, [*known, *outline.units])}", "objectives")
    if not colon:
        raise InputError(f"{full} is no objective of this study: write {name}:min or {name}:max", "objectives")
    direction = "minimize" if end == "min" else "maximize"
    return ObjectiveInfo(full, direction, outline.units[full], cheap=True)  # type: ignore[arg-type]  # one of the two


def _others(constraints: Sequence[Expression], assumed: Sequence[Expression]) -> tuple[Expression, ...]:
    """The constraints that speak of nothing that other ones speak of."""
    named = {name for expression in assumed for name in expression.names}
    return tuple(constraint for constraint in constraints if not constraint.names & named)


def _completed(
    study: Study, where: Expression | None, assumed: Sequence[Expression], asked: Sequence[ObjectiveInfo]
) -> list[Evaluation]:
    """Members of trained families that matter under a question."""
    spec = study.spec
    if spec is None:
        return []
    if assumed:
        kept = _others([parse(text) for text in spec.constraints], assumed)
        spec = spec.model_copy(update={"constraints": [*(c.text for c in kept), *(a.text for a in assumed)]})
    problem: Problem = study.assemble(spec, check_run=False).problem

    def holds(names: Mapping[str, Any]) -> NDArray[np.bool_]:
        return np.asarray(where.evaluate(names), dtype=bool) if where is not None else np.asarray(True)

    extra = [info for info in asked if info not in study.outline.objectives]
    return completion(problem, study.evaluations, holds, extra)


def _seen(
    outline: Outline, rows: Sequence[Evaluation], asked: Sequence[ObjectiveInfo]
) -> tuple[Outline, Sequence[Evaluation]]:
    """Evaluations as a study would hold them that had been searched for other objectives."""
    if not asked:
        return outline, rows
    fields = [info.name for info in asked if info not in outline.objectives]
    if fields:
        rows = [
            replace(row, values={**row.values, **{name: _field(row, name) for name in fields}})
            for row in rows
            if not row.failed and all(name in row.quantities or name in row.design for name in fields)
        ]
    return replace(outline, objectives=tuple(asked)), rows


def _field(row: Evaluation, name: str) -> float:
    value = row.quantities[name] if name in row.quantities else row.design[name]
    if not isinstance(value, int | float):
        raise InputError(f"{name} is no number", "objectives")
    return float(value)
