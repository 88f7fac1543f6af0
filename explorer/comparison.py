"""A search's front beside its initial designs, all else equal: All-BN and no BN on the same chip, say.

'The same chip' is a design whose cheap variables are the front's and whose trained variables are the initial
design's: its accuracy is known from the initial design's family, its hardware exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from explorer.archive import Archive
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import Front
from explorer.points import Point
from explorer.problem import Problem
from explorer.results import Results
from simulators.protocol import Design

__all__ = ["Comparison", "compare"]

DESIGNS = 3  # on each chip
LOOKS = 4  # designs that are looked at for each chip that is wanted: several may be on one chip


@dataclass(frozen=True)
class Comparison:
    """Designs of the front on one chip, and what the initial designs' families give on it.

    Args:
        chip: the variables that training does not read, in words.
        chosen: the front's designs, the best in the first objective first.
        others: the baselines on the same chip; empty where none can be built or was trained.
    """

    chip: str
    chosen: tuple[Point, ...]
    others: tuple[Point, ...]


def compare(problem: Problem, archive: Archive, initial: Sequence[Proposal], count: int = 3) -> list[Comparison]:
    """Compare designs of the front on up to ``count`` chips with the initial designs' families on the same chips.

    Designs whose families were trained most often are compared, on the chips that the front would miss most; on each
    chip those that are best in the first objective.

    Args:
        problem: what was searched.
        archive: of the finished search.
        initial: the initial designs; the first is the reference of differences.
        count: at most so many.
    """
    baselines = _baselines(problem, archive.evaluations, initial)
    families = {evaluation.family for evaluation in baselines}
    candidates = [point for point in archive.front if point.family not in families]
    repeated = max((point.replicates for point in candidates), default=1)
    well_known = Front(problem.outline, [point for point in candidates if point.replicates == repeated])
    first = problem.objectives[0]
    on_chip: dict[Design, list[Point]] = {}
    for point in well_known.sorted_by(first.name):
        on_chip.setdefault(_chip(problem, point), []).append(point)
    missed = well_known.representatives(LOOKS * count, archive.scale)
    chips = list(dict.fromkeys(_chip(problem, point) for point in missed))[:count]
    return [_beside(problem, archive.evaluations, on_chip[chip][:DESIGNS], baselines) for chip in chips]


def _chip(problem: Problem, point: Point) -> Design:
    """The variables that training does not read."""
    return Design({name: value for name, value in point.design.items() if name not in problem.reads})


def _baselines(problem: Problem, evaluations: Sequence[Evaluation], initial: Sequence[Proposal]) -> list[Evaluation]:
    """The first full-fidelity evaluation of every initial design's family, in the order of the initial designs."""
    first: dict[str, Evaluation] = {}
    for evaluation in evaluations:
        full = not evaluation.failed and evaluation.fidelity == problem.full_fidelity
        if full and not evaluation.derived_from and evaluation.replicate == 0:
            first.setdefault(evaluation.family, evaluation)
    families = dict.fromkeys(problem.family(proposal.design) for proposal in initial)
    return [first[family] for family in families if family in first]


def _beside(
    problem: Problem, evaluations: Sequence[Evaluation], chosen: Sequence[Point], baselines: Sequence[Evaluation]
) -> Comparison:
    others = []
    for baseline in baselines:
        design = Design({**chosen[0].design, **{name: baseline.design[name] for name in problem.reads}})
        point = _on_chip(problem, evaluations, baseline, design)
        if point:
            others.append(point)
    return Comparison(problem.space.describe(_chip(problem, chosen[0])), tuple(chosen), tuple(others))


def _on_chip(problem: Problem, evaluations: Sequence[Evaluation], baseline: Evaluation, design: Design) -> Point | None:
    """``design`` as a member of the baseline's family; None if it is none of the space or cannot be built."""
    designs = problem.space.designs([design])
    if not problem.space.satisfied(designs)[0]:
        return None
    known = problem.quantities(designs)
    if not known.feasible[0]:
        return None
    values = {name: float(value[0]) for name, value in problem.derive(designs, known, baseline).items()}
    fields: Mapping[str, float] = {name: float(value[0]) for name, value in known.fields.items()}
    member = replace(
        baseline, design=design, values=values, quantities={**baseline.quantities, **fields}, derived_from=baseline.key
    )
    run = [evaluation for evaluation in evaluations if not evaluation.derived_from]  # all: they tell what is usual
    return next(point for point in Results(problem.outline, [*run, member]) if point.design == design)
