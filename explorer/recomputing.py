"""The problem of a study put together again, to compute what needs no evaluation as it was computed then."""

from __future__ import annotations

import numpy as np

from explorer.expressions import Expression
from explorer.problem import Problem
from explorer.study import Study
from simulators.protocol import InputError

__all__ = ["computing"]


def computing(study: Study, objective: str, where: Expression | None = None) -> Problem:
    """The problem that computes an objective as it did when the study ran.

    Objectives from a user's Python file are imported for that, as to resume the study.

    Args:
        study: that was run from a search file.
        objective: the name of a cheap one.
        where: a further constraint on its designs.

    Raises:
        InputError: the problem cannot be had or computes something else now, or ``where`` names what is not computed.
    """
    if study.spec is None:
        raise InputError(
            f"'{objective}' is computed by a Python function, which study '{study.name}' does not hold: call "
            f"explorer.exact_explanation.explain_exact(problem, '{objective}') with the problem of the study",
            "study",
        )
    try:
        problem = study.assemble(check_run=False).problem
    except InputError as error:
        raise InputError(
            f"'{objective}' is computed: to explain it the search is put together again, which fails ({error}). Put "
            "back what is missing; an objective that is trained is explained by the study alone",
            "study",
        ) from None
    _check_same(study, problem, objective)
    if where is None:
        return problem
    cheap = {*problem.space.variables, *problem.cheap_names, *(o.name for o in problem.objectives if o.cheap)}
    if unknown := sorted(where.names - (cheap - {o.name for o in problem.expensive})):
        raise InputError(
            f"'{unknown[0]}' is known of evaluated designs only, but '{objective}' is computed for random ones: name "
            "variables and what hardware simulators report",
            "where",
        )
    # initial designs need not satisfy it
    changes = {"constraints": [*study.spec.constraints, where.text], "initial": []}
    limited = study.spec.model_copy(update=changes)
    return study.assemble(limited, check_run=False).problem


def _check_same(study: Study, problem: Problem, objective: str) -> None:
    """Raises InputError if an objective of an evaluated design is not what it was."""
    evaluations = [evaluation for evaluation in study.evaluations if not evaluation.failed]
    if not evaluations:
        return
    designs = [evaluation.design for evaluation in evaluations]
    then = np.array([evaluation.values[objective] for evaluation in evaluations])
    now = problem.known(problem.space.designs(designs)).objectives[objective]
    for index in np.flatnonzero(~np.isclose(now, then, rtol=1e-9, atol=0.0))[:1]:
        raise InputError(
            f"'{objective}' of {study.outline.space.describe(designs[index])} was {then[index]:g} when the study ran, "
            f"and is {now[index]:g} now: a simulator, its settings or an objective's file has changed. Put back what "
            "it was, or start a new study",
            "study",
        )
