"""The exact front of what needs no training: every design of a space is asked about, none is kept but the best.

Objectives that are trained for, and constraints over them, are left out. Without batch normalisation a chip is always
faster, so that the front of cheap objectives alone has none: a front for each number of normalisations (``per``) tells
what each costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.expressions import Expression
from explorer.outline import ObjectiveInfo
from explorer.problem import Known, Problem
from explorer.running_front import RunningFront
from explorer.space import condition, written
from explorer.units import counted
from explorer.walk import CHUNK, Walk
from simulators.protocol import BinaryVector, Design, Designs, InputError, Value, suggestion

__all__ = ["MOST", "ExactFront", "Question", "enumerate_front", "groups_of", "question"]

MOST = 2_000_000_000  # designs that are enumerated: minutes
GROUPS = 1000  # fronts beside each other

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """What is asked of all designs; made by :func:`question`.

    Args:
        objectives: cheap ones.
        where: keeps only designs for which it is true.
        per: a variable or a field of whole numbers: a front for each of its values; empty: one front.
    """

    objectives: tuple[ObjectiveInfo, ...]
    where: Expression | None = None
    per: str = ""


@dataclass(frozen=True, eq=False)
class ExactFront:
    """The non-dominated designs of a space, a front for each group.

    Args:
        problem: whose.
        question: what was asked.
        designs: those of the fronts: of equal ones the first, by group and then best first in the first objective.
        groups: of each what it has of ``question.per``, shape (count,): the position of its value among a variable's
            values, or the whole number of a field; 0 without.
        values: their objectives, shape (count, objectives).
        others: how many more designs of the group have the same objectives, shape (count,).
        enumerated: how many designs were looked at: the whole space.
        feasible: how many of them satisfy all that was asked.
    """

    problem: Problem
    question: Question
    designs: Designs
    groups: Index
    values: Array
    others: Index
    enumerated: int
    feasible: int

    def __len__(self) -> int:
        return len(self.designs)

    def design(self, row: int) -> Design:
        """A design of the front."""
        return self.problem.space.unpack(self.designs.take(np.array([row])))[0]

    def group(self, row: int) -> Value:
        """What a design of the front has of ``question.per``."""
        number = self.groups[row]
        variable = self.problem.space.variables.get(self.question.per)
        return int(number) if variable is None else variable.domain.value(variable.domain.at(np.array([number]))[0])

    def group_text(self, row: int) -> str:
        """The same as a person writes it."""
        variable = self.problem.space.variables.get(self.question.per)
        return str(self.group(row)) if variable is None else written(variable, self.group(row))

    def known(self) -> Known:
        """What is known of its designs beside: the fields of reports."""
        return self.problem.known(self.designs)


def question(
    problem: Problem, *, objectives: Sequence[str] = (), where: str | Expression | None = None, per: str = ""
) -> Question:
    """What is to be asked of all designs of a problem, checked.

    Args:
        problem: what is searched.
        objectives: cheap ones; by default all of them.
        where: keeps only designs for which this expression over variables, fields and cheap objectives is true.
        per: a variable, or a field of whole numbers.

    Raises:
        InputError: a name is unknown or only known after training; nothing is computed without training; or the space
            is too large. ``field`` is the argument.
    """
    outline = problem.outline
    by_name = {objective.name: objective for objective in problem.objectives}
    for name in objectives:
        if name not in by_name:
            raise InputError(f"'{name}' is no objective of this search{suggestion(name, by_name)}", "objectives")
        if not by_name[name].cheap:
            raise InputError(f"'{name}' is known of trained designs only; leave it out", "objectives")
    if len(set(objectives)) < len(objectives):
        raise InputError(f"an objective is named twice in {', '.join(objectives)}", "objectives")
    chosen = [by_name[name] for name in objectives] or [o for o in problem.objectives if o.cheap]
    if not chosen:
        raise InputError(
            f"every objective of this search ({', '.join(by_name)}) is trained for, none follows from a design alone: "
            "name one that reads hardware only, such as --set objectives=[area]",
            "objectives",
        )
    known = {*problem.space.variables, *problem.cheap_names, *(o.name for o in problem.objectives if o.cheap)}
    known -= {objective.name for objective in problem.expensive}
    expression = None
    if where is not None:
        expression = condition(where, outline.units, outline.space.lengths, "where")
        if unknown := sorted(expression.names - known):
            raise InputError(f"'{unknown[0]}' is known of trained designs only, and nothing is trained here", "where")
    if per:
        _check_per(problem, per, known)
    if problem.space.size > MOST:
        raise InputError(_too_many(problem))
    return Question(tuple(chosen), expression, per)


def _check_per(problem: Problem, per: str, known: set[str]) -> None:
    if per not in known:
        raise InputError(f"'{per}' is not known without training{suggestion(per, known)}", "per")
    variable = problem.space.variables.get(per)
    if variable is not None and variable.domain.size > GROUPS:
        vector = isinstance(variable.domain, BinaryVector)
        instead = "what is counted of it, a field of whole numbers" if vector else "another variable"
        raise InputError(f"'{per}' has {variable.domain.size} values, too many for a front each; name {instead}", "per")


def _too_many(problem: Problem) -> str:
    name, largest = max(problem.space.variables.items(), key=lambda item: item[1].domain.size)
    vector = isinstance(largest.domain, BinaryVector)
    fewer = f"--set variables.{name}=[all,none]" if vector else f"--set variables.{name}={largest.default}"
    return (
        f"the space has {problem.space.size:,} designs ({problem.space}), more than the {MOST:,} that can be "
        f"enumerated; name some values of '{name}' only ({fewer}), or fix other variables"
    )


def enumerate_front(
    problem: Problem, asked: Question, *, chunk: int = CHUNK, listener: Callable[[int], None] | None = None
) -> ExactFront:
    """Ask about every design and keep the best.

    Args:
        problem: what is searched.
        asked: about it.
        chunk: designs at a time, of which memory depends; the result does not.
        listener: hears how many designs were looked at, after each chunk.

    Raises:
        InputError: ``asked.per`` is no whole number in some design, or takes too many values.
    """
    walk = Walk(problem.space)
    running = RunningFront(len(asked.objectives))
    signs = np.array([-objective.sign for objective in asked.objectives], dtype=np.float64)
    feasible, seen = 0, set[int]()
    for part in walk.chunks(chunk):
        designs, rows = part.designs, np.arange(len(part.designs))
        allowed = problem.space.satisfied(designs)
        if not allowed.all():  # taken out here, where no field that nobody reads has to be filled with gaps
            designs, rows = designs.take(allowed), np.flatnonzero(allowed)
        if len(rows):
            known = problem.known(designs)
            names = known.names(designs)
            kept = np.flatnonzero(_asked(known, asked, names, len(rows)))
            index = part.start + rows[kept]
            groups = _groups(walk, asked.per, index, names, kept)
            seen.update(np.unique(groups).tolist())
            if len(seen) > GROUPS:
                raise InputError(
                    f"'{asked.per}' takes more than {counted(GROUPS, 'values')}: name a smaller count", "per"
                )
            values = np.stack([known.objectives[o.name][kept] for o in asked.objectives]) * signs[:, None]
            running.add(values, index, groups)
            feasible += len(kept)
        if listener is not None:
            listener(part.start + len(part.designs))
    return ExactFront(
        problem, asked, walk.at(running.index), running.groups, running.values * signs, running.equals - 1,
        problem.space.size, feasible,
    )  # fmt: skip


def groups_of(problem: Problem, per: str, designs: Designs, known: Known) -> Index:
    """The group of designs that are not a part of a walk, see :class:`ExactFront`; -1 where a field has no value.

    Args:
        problem: whose.
        per: as in :class:`Question`.
        designs: any.
        known: of them.
    """
    variable = problem.space.variables.get(per)
    if not per:
        return np.zeros(len(designs), dtype=np.int64)
    if variable is not None:
        numbered = {
            variable.domain.value(e): at for at, e in enumerate(variable.domain.at(np.arange(variable.domain.size)))
        }
        return np.array([numbered[variable.domain.value(entry)] for entry in designs.expanded()[per]], dtype=np.int64)
    values = np.asarray(known.names(designs)[per])
    return np.where(np.isfinite(values), np.rint(values), -1).astype(np.int64)


def _asked(known: Known, asked: Question, names: Mapping[str, Any], count: int) -> NDArray[np.bool_]:
    """Which designs are asked about: they can be built and satisfy everything."""
    if asked.where is None:
        return known.feasible
    satisfied: NDArray[np.bool_] = np.broadcast_to(asked.where.evaluate(names), count)
    return known.feasible & satisfied


def _groups(walk: Walk, per: str, index: Index, names: Mapping[str, Any], kept: NDArray[np.intp]) -> Index:
    """The group of each design, see :class:`ExactFront`."""
    if not per:
        return np.zeros(len(index), dtype=np.int64)
    if per in walk.space.variables:
        return walk.digit(per, index)
    values = np.asarray(names[per])[kept]
    whole = np.rint(values)
    if (wrong := np.flatnonzero(~(values == whole))).size:
        raise InputError(
            f"'{per}' is {values[wrong[0]]:g} in one design: there is a front for each whole number only; name a count",
            "per",
        )
    groups: Index = whole.astype(np.int64)
    return groups
