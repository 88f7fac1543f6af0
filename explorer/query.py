"""Questions to a study: the front of some designs, of some objectives, under other constraints, after fewer epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation
from explorer.expressions import Expression, full_name
from explorer.fronts import Front, completion, front_among
from explorer.outline import HELD_OUT, ObjectiveInfo, Outline
from explorer.results import Results
from explorer.space import condition
from explorer.units import counted
from simulators.protocol import Design, InputError, suggestion

if TYPE_CHECKING:
    from explorer.spec import SearchSpec
    from explorer.study import Study

__all__ = ["NoFront", "Query"]

STORED = "objectives of this study come from a Python file, which is not run: only stored designs were looked at"
NEAREST = 3  # designs that are shown where none satisfies a question
DIRECTIONS = {"min": "minimize", "max": "maximize"}


@dataclass(frozen=True)
class NoFront:
    """Why a front is empty.

    Args:
        why: in words.
        nearest: the designs that come nearest to what is asked, the nearest first; none where none is finished.
    """

    why: str
    nearest: Front


@dataclass(frozen=True)
class Query:
    """A question to a study; without any field, the front of the search.

    Args:
        where: only designs for which this is true are looked at.
        objectives: of which the front is; by default all of the study. A variable or another report field will do that
            says which end is better: ``peak_temperature:min``.
        at_fidelity: after so many epochs, instead of all.
        what_if: constraints in place of those of the search that speak of the same quantities, and beside the others.
    """

    where: str | Expression | None = None
    objectives: Sequence[str] = ()
    at_fidelity: int | None = None
    what_if: Sequence[str] = ()

    def answer(self, study: Study) -> Front:
        """Ask a study.

        Designs that were never proposed, but follow from a training, are looked at again under the question, unless
        objectives come from a user's file (which reading never runs): then only stored designs are.

        Raises:
            InputError: an expression that cannot be read, an unknown name, or a fidelity that there is not.
        """
        looked = self._look(study)
        keep = np.ones(len(looked.results), dtype=bool)
        for expression in looked.limits:
            keep &= looked.results.holding(expression)
        return front_among(looked.results, keep, looked.objectives, looked.notes)

    def results(self, study: Study) -> Results:
        """All designs that are looked at, also those that do not satisfy the question."""
        return self._look(study).results

    def empty(self, study: Study) -> NoFront:
        """Why no design is on the front: nothing finished yet, or something that every design breaks."""
        looked = self._look(study)
        results, whole = looked.results, replace(looked.results.outline, objectives=looked.objectives)
        if not len(results):
            finished = [evaluation for evaluation in study.evaluations if not evaluation.failed]
            told = f"{counted(len(finished), 'evaluations')}, {whole.whole(0)}" if finished else "nothing finished yet"
            return NoFront(told, Front(whole, []))
        missed = [(limit, ~results.holding(limit)) for limit in looked.limits]
        broken = sorted(((int(wrong.sum()), limit.text) for limit, wrong in missed), key=lambda found: -found[0])
        told = ", ".join(f"{count} break{'s' * (count == 1)} {text}" for count, text in broken if count)
        far = sum((_relative(results.violation(limit)) for limit in looked.limits), np.zeros(len(results)))
        nearest = [results[design] for design in np.argsort(far, kind="stable")[:NEAREST].tolist()]
        return NoFront(f"of {counted(len(results), 'designs')} {told}", Front(whole, nearest))

    def _look(self, study: Study) -> _Looked:
        """All designs that a question is about, whether they satisfy it or not."""
        outline, notes = study.outline, list[str]()
        rows: Sequence[Evaluation] = study.rows
        asked = _Asked.of(self, outline)
        if asked == _Asked():
            return _Looked(study.results, outline.objectives, outline.constraints)
        if asked.fidelity is not None:
            outline = replace(outline, full_fidelity=asked.fidelity)
            rows, cut = _after(asked.fidelity, outline, rows)
            notes += [
                f"after {asked.fidelity} of {study.outline.full_fidelity} {outline.fidelity_name}; of "
                f"{cut} of {len(rows)} trainings, which went on, other fields are those of their end"
            ] * bool(cut)
        spec = study.spec
        if asked.assumed:
            own = outline.constraints if spec is None else _constraints(spec, outline)
            dropped = [constraint.text for constraint in own if asked.replaces(constraint)]
            notes += [f"instead of: {', '.join(dropped)}"] * bool(dropped)
            outline = replace(outline, constraints=tuple(c for c in outline.constraints if not asked.replaces(c)))
        if asked.looks_further(study.outline):
            if spec is None or spec.user_names:
                notes.append(STORED)
            else:
                rows = [*rows, *_completed(study, spec, outline, asked, rows)]
        objectives = asked.objectives or outline.objectives
        if fields := asked.new(outline):
            rows = list(_with_fields(rows, fields))
            outline = replace(outline, objectives=(*outline.objectives, *fields))
        same = outline == study.outline and rows is study.rows
        results = study.results if same else Results(outline, rows)
        return _Looked(results, objectives, (*outline.constraints, *asked.filters), tuple(notes))


@dataclass(frozen=True)
class _Looked:
    """What a question is about.

    Args:
        results: all designs.
        objectives: what the front is of.
        limits: what they have to satisfy.
        notes: what one has to know of them.
    """

    results: Results
    objectives: tuple[ObjectiveInfo, ...]
    limits: tuple[Expression, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Asked:
    """A question in the terms of a study."""

    where: Expression | None = None
    assumed: tuple[Expression, ...] = ()
    objectives: tuple[ObjectiveInfo, ...] = ()
    fidelity: int | None = None

    @classmethod
    def of(cls, query: Query, outline: Outline) -> _Asked:
        def read(text: str | Expression, field: str) -> Expression:
            return condition(text, outline.units, outline.space.lengths, field)

        objectives = tuple(_objective(outline, name) for name in query.objectives)
        for name in {info.name for info in objectives if [other.name for other in objectives].count(info.name) > 1}:
            raise InputError(f"{name} is there twice", "objectives")
        fidelity, full = query.at_fidelity, outline.full_fidelity
        if fidelity is not None:
            if full is None:
                raise InputError("this study has no fidelity: every evaluation is a whole one", "at_fidelity")
            if not 1 <= fidelity <= full:
                raise InputError(f"{fidelity} is not between 1 and {full} {outline.fidelity_name}", "at_fidelity")
        return cls(
            None if query.where is None else read(query.where, "where"),
            tuple(read(text, "what_if") for text in query.what_if),
            () if objectives == outline.objectives else objectives,
            None if fidelity == full else fidelity,
        )

    @property
    def filters(self) -> tuple[Expression, ...]:
        """What a design has to satisfy beside the constraints of the search."""
        return self.assumed if self.where is None else (*self.assumed, self.where)

    def replaces(self, constraint: Expression) -> bool:
        """Whether a constraint of the search speaks of a quantity that a constraint of the question speaks of."""
        return any(constraint.names & assumed.names for assumed in self.assumed)

    def new(self, outline: Outline) -> list[ObjectiveInfo]:
        """The objectives that are none of the search's."""
        return [info for info in self.objectives if info not in outline.objectives]

    def looks_further(self, outline: Outline) -> bool:
        """Whether designs may matter that did not matter to the search.

        Not for some of its objectives alone: what is best in these is not worse than another in all of them, or there
        is another as good.
        """
        return bool(self.filters or self.new(outline) or self.fidelity is not None)


def _objective(outline: Outline, written: str) -> ObjectiveInfo:
    """An objective of the study, or a field that says which end is better.

    Raises:
        InputError: no such name, no number, or none of these ends.
    """
    name, colon, end = (part.strip() for part in written.partition(":"))
    direction = DIRECTIONS.get(end, "")
    if colon and not direction:
        raise InputError(f"'{written}' ends with neither :min nor :max", "objectives")
    for objective in outline.objectives:
        if objective.name == name:
            if colon and direction != objective.direction:
                raise InputError(f"{name} is an objective of this study, to {objective.direction}", "objectives")
            return objective
    full = full_name(name, outline.units)
    if full not in outline.units:
        known = [*(objective.name for objective in outline.objectives), *outline.units]
        raise InputError(f"unknown name '{name}'{suggestion(name, known)}", "objectives")
    variable = outline.space.variables.get(full)
    if variable is not None and not isinstance(variable.default, int | float):
        raise InputError(f"{full} is no number", "objectives")
    if not colon:
        raise InputError(f"{full} is no objective of this study: write {name}:min or {name}:max", "objectives")
    measured = full.startswith(HELD_OUT)  # with the training: averaged over replicates
    return ObjectiveInfo(full, direction, outline.units[full], cheap=not measured, shared=measured)  # type: ignore[arg-type]  # one of the two


def _after(fidelity: int, outline: Outline, rows: Iterable[Evaluation]) -> tuple[list[Evaluation], int]:
    """Evaluations as they stood at a fidelity, and how many of them went on; shorter ones are left out."""
    found: dict[tuple[Design, int], Evaluation] = {}
    went_on = 0
    run = [row for row in rows if not row.derived_from and not row.failed and (row.fidelity or 0) >= fidelity]
    for row in sorted(run, key=lambda row: row.fidelity or 0):
        early = _cut(row, fidelity, outline)
        if early is not None and (row.design, row.replicate) not in found:
            found[row.design, row.replicate] = early
            went_on += early is not row
    return list(found.values()), went_on


def _cut(row: Evaluation, fidelity: int, outline: Outline) -> Evaluation | None:
    """An evaluation as it stood at a fidelity; None if nobody wrote down how that was."""
    if row.fidelity == fidelity:
        return row
    early = {name: curve[fidelity - 1] for name, curve in row.series.items() if len(curve) >= fidelity}
    if any(objective.name not in early for objective in outline.objectives if not objective.cheap):
        return None
    values, quantities = (
        {name: early.get(name, value) for name, value in known.items()} for known in (row.values, row.quantities)
    )
    return replace(row, values=values, quantities=quantities, fidelity=fidelity)


def _constraints(spec: SearchSpec, outline: Outline) -> list[Expression]:
    """All constraints of a search, also those on variables and on what is computed."""
    return [condition(text, outline.units, outline.space.lengths, "constraints") for text in spec.constraints]


def _completed(
    study: Study, spec: SearchSpec, outline: Outline, asked: _Asked, rows: Iterable[Evaluation]
) -> list[Evaluation]:
    """Members of trained families that matter under a question."""
    kept = [own.text for own in _constraints(spec, study.outline) if not asked.replaces(own)]
    constraints = [*kept, *(assumed.text for assumed in asked.assumed)]
    changed = spec.model_copy(update={"constraints": constraints, "initial": []})  # which need not satisfy them
    where = asked.where

    def holds(names: Mapping[str, Any]) -> NDArray[np.bool_]:
        return np.asarray(where is None or where.evaluate(names), dtype=bool)

    problem = study.assemble(changed, check_run=False).problem
    run = [row for row in rows if not row.derived_from]
    return completion(problem, run, holds, asked.new(study.outline), outline)


def _relative(violation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Violations as shares of the largest, so that those of several limits can be added; 2 where nothing is known."""
    known = np.isfinite(violation)
    largest = violation[known].max(initial=0.0)
    return np.where(known, violation / (largest or 1.0), 2.0)


def _with_fields(rows: Iterable[Evaluation], fields: Sequence[ObjectiveInfo]) -> Iterable[Evaluation]:
    """Evaluations as a study would hold them that had these fields as objectives; without them, none."""
    names = [info.name for info in fields]
    for row in rows:
        known: dict[str, Any] = {**row.design, **row.quantities}
        if not row.failed and all(np.isfinite(known.get(name, np.nan)) for name in names):
            yield replace(row, values={**row.values, **{name: float(known[name]) for name in names}})
