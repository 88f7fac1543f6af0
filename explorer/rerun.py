"""An evaluation repeated from scratch, beside what is stored of it: does it come out again?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from explorer.clock import Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.naming import Name, evaluation_named
from explorer.problem import Problem
from explorer.provenance import changes, provenance_of
from explorer.study import Study
from explorer.workers.wanted import Workers
from simulators.protocol import InputError

if TYPE_CHECKING:
    import pandas

__all__ = ["Compared", "Rerun", "rerun"]

WAIT_S = 1.0  # between looks at whether somebody wants to stop


@dataclass(frozen=True)
class Compared:
    """One number, then and now.

    Args:
        name: of the number; of a curve's with its place, ``accuracy[3]`` after the third epoch.
        kind: what it is: an objective, a report's field, a point of a curve, or the violation of constraints.
        unit: SI, ``mm2`` for areas.
        stored, now: None where there is no such number.
    """

    name: str
    kind: Literal["objective", "field", "curve", "violation"]
    unit: str
    stored: float | None
    now: float | None

    @property
    def equal(self) -> bool:
        """Whether they are the same to the last bit."""
        if self.stored is None or self.now is None:
            return self.stored is self.now
        return self.stored == self.now or (math.isnan(self.stored) and math.isnan(self.now))

    @property
    def difference(self) -> float | None:
        """Now less then; None where one of them is missing."""
        if self.stored is None or self.now is None:
            return None
        return 0.0 if self.equal else self.now - self.stored


@dataclass(frozen=True, eq=False)
class Rerun:
    """What an evaluation gave when it was stored, and what it gives now.

    Args:
        description: of the design.
        stored, now: the evaluation.
        numbers: of both, objectives first.
        reasons: why they differ, as far as that is known; empty if they do not.
    """

    description: str
    stored: Evaluation
    now: Evaluation
    numbers: tuple[Compared, ...]
    reasons: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether everything came out again: all numbers, or the failure with its reason."""
        return self.stored.failure == self.now.failure and all(number.equal for number in self.numbers)

    @property
    def differing(self) -> list[Compared]:
        """The numbers that did not come out again."""
        return [number for number in self.numbers if not number.equal]

    def to_pandas(self) -> pandas.DataFrame:
        """All numbers, a row each."""
        import pandas

        return pandas.DataFrame([_row(number) for number in self.numbers])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; a number that is not finite is null."""
        rows = [{name: _plain(value) for name, value in _row(number).items()} for number in self.numbers]
        return {
            "evaluation": self.stored.number,
            "key": self.stored.digest,
            "design": self.stored.design.to_json(),
            "description": self.description,
            "fidelity": self.stored.fidelity,
            "replicate": self.stored.replicate,
            "seed": self.stored.seed,
            "equal": self.equal,
            "failure": {"stored": self.stored.failure, "now": self.now.failure},
            "numbers": rows,
            "reasons": list(self.reasons),
        }


def rerun(
    study: Study, name: Name, problem: Problem | None = None, *, begin: Callable[[Evaluation], None] = lambda _: None
) -> Rerun:
    """Repeat an evaluation with its own seed and fidelity, from scratch, on a Ray worker as in the search.

    No checkpoint is read or written, and nothing of the study is changed. Times are not compared, nor what was paid.

    Args:
        study: that was run.
        name: of the evaluation, see :mod:`explorer.naming`.
        problem: of a study that was made from functions: a new one, since one remembers what was paid for.
        begin: called with what is stored before it is repeated.

    Raises:
        InputError: there is no such evaluation, the search cannot be put together again, a run of it lacks something
            here, such as data, or the machines cannot do it.
    """
    stored = evaluation_named(study.outline, study.rows, name)
    noted: dict[str, str] = {}
    wanted = Workers(1)
    if problem is None:
        if study.spec is None:
            raise InputError(
                f"study '{study.name}' was made from Python functions, which it does not hold: call "
                f"load_study('{study.reference}').rerun({stored.number}, problem) with the same problem, made anew",
                "study",
            )
        assembly = study.assemble(check_run=False)
        problem, workers = assembly.problem, assembly.spec.workers
        wanted = workers.wanted(Path(study.record.folder), 1)
        assembly.problem.check()
        noted = provenance_of(assembly.problem, assembly.spec, Path(study.record.folder))
    _check_same_variables(study, problem)
    begin(stored)
    now = _evaluated(problem, Proposal(stored.design, stored.fidelity, stored.replicate, stored.strategy), wanted)
    found = Rerun(study.outline.space.describe(stored.design), stored, now, tuple(_compared(problem, stored, now)))
    if found.equal:
        return found
    return Rerun(found.description, stored, now, found.numbers, tuple(_reasons(study, found, noted)))


def _hired(problem: Problem, wanted: Workers) -> Pool:
    """A worker as in the search: one that dies takes nothing along."""
    from explorer.workers.pool import RayPool

    return RayPool(problem, wanted)


def _evaluated(problem: Problem, proposal: Proposal, wanted: Workers) -> Evaluation:
    pool = _hired(problem, wanted)
    try:
        pool.submit(proposal)
        while not (found := pool.wait(WAIT_S)):
            pass
    finally:
        pool.close()
    return found[0]


def _check_same_variables(study: Study, problem: Problem) -> None:
    """Raises InputError if a problem's designs are not those of the study."""
    then, now = set(study.outline.space.variables), set(problem.space.variables)
    if then != now:
        raise InputError(
            f"the study is of {', '.join(sorted(then))}, this problem of {', '.join(sorted(now))}: its evaluations "
            "cannot be repeated",
            "problem",
        )


def _compared(problem: Problem, stored: Evaluation, now: Evaluation) -> Iterator[Compared]:
    """All numbers but those that vary from run to run."""
    units, varying = problem.outline.units, problem.varying
    for objective in problem.objectives:
        if objective.name not in varying and (stored.values or now.values):
            name, unit = objective.name, objective.unit
            yield Compared(name, "objective", unit, stored.values.get(name), now.values.get(name))
    for name in dict.fromkeys([*stored.quantities, *now.quantities]):
        then, again = stored.quantities.get(name), now.quantities.get(name)
        told = (then, again) == (stored.values.get(name), now.values.get(name))  # accuracy is an objective, too
        if name not in varying and not told:
            yield Compared(name, "field", units.get(name, ""), then, again)
    for name in dict.fromkeys([*stored.series, *now.series]):
        curves = [evaluation.series.get(name, []) for evaluation in (stored, now)]
        for index in range(max(map(len, curves))) if name not in varying else ():
            points = (curve[index] if index < len(curve) else None for curve in curves)
            yield Compared(f"{name}[{index + 1}]", "curve", units.get(name, ""), *points)
    constraints = problem.outcome_constraints
    if constraints and not any(constraint.names & varying for constraint in constraints):
        yield Compared("violation", "violation", "", stored.violation, now.violation)


def _reasons(study: Study, found: Rerun, noted: Mapping[str, str]) -> list[str]:
    """Why an evaluation did not come out again, as far as what was noted tells."""
    stored, now = found.stored, found.now
    told = []
    if not stored.family or (stored.kind and stored.kind.of_place):  # without a family: of before there were kinds
        told.append(f"{stored.kind or 'its worker died'} then, which need not be the design's fault")
    elif stored.seed != now.seed:
        told.append(f"its seed was {stored.seed}, and would be {now.seed} now: training reads other variables")
    if noted:
        then = {"reram-explorer": study.record.code_version, **study.record.provenance}
        told += changes(then, {"reram-explorer": version("reram-explorer"), **noted})
    told += changes({n: text for n, text in stored.provenance.items() if n in now.provenance}, now.provenance)
    unknown = now.provenance.keys() - stored.provenance.keys()
    told += [f"{name} is {now.provenance[name]}, and was not noted then" for name in sorted(unknown) if stored.values]
    return told or [
        "nothing has changed of what was noted of data, files, versions and machine: then the code has, under the same "
        "version, or what is evaluated does not follow from its seed alone"
    ]


def _row(number: Compared) -> dict[str, Any]:
    return {**asdict(number), "difference": number.difference, "equal": number.equal}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
