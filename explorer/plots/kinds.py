"""The pictures that there are, by name: ``rex plot STUDY --kind NAME``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.fronts import Front
from explorer.naming import Name, design_named
from explorer.plots.convergence import Over
from explorer.query import Query
from explorer.study import Study
from explorer.study_groups import grouped
from simulators.protocol import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure

__all__ = ["KINDS", "PAPERS", "Kind", "Wanted"]

SHOWN = 4  # designs of a breakdown that nobody chose


@dataclass(frozen=True)
class Wanted:
    """What a picture is to show.

    Args:
        studies: one; of some kinds several.
        query: whose front is shown.
        over: what convergence is shown over.
        designs: of a breakdown, as in :mod:`explorer.naming`; by default the knees of the front.
    """

    studies: Sequence[Study]
    query: Query = field(default_factory=Query)
    over: Over = "cost"
    designs: Sequence[Name] = ()

    @property
    def study(self) -> Study:
        """The only one.

        Raises:
            InputError: there are several.
        """
        if len(self.studies) != 1:
            raise InputError(f"this picture is of one study, here are {len(self.studies)}", "study")
        return self.studies[0]

    @property
    def front(self) -> Front:
        """That of the query to the only study.

        Raises:
            InputError: it is empty.
        """
        front = self.query.answer(self.study)
        if not front:
            raise InputError(f"the front is empty: {self.query.empty(self.study).why}", "study")
        return front


@dataclass(frozen=True)
class Kind:
    """A kind of picture.

    Args:
        summary: what it shows.
        figure: draws it to be looked at.
        paper: draws it for a paper, where that is offered.
    """

    summary: str
    figure: Callable[[Wanted], go.Figure]
    paper: Callable[[Wanted], Figure] | None = None


def _pairs(wanted: Wanted) -> Any:
    from explorer.plots.pairs import pairs

    front = wanted.front
    return pairs(front, wanted.query.results(wanted.study))


def _pairs_figure(wanted: Wanted) -> go.Figure:
    from explorer.plots.pairs import pairs_figure

    return pairs_figure(_pairs(wanted))


def _pairs_paper(wanted: Wanted) -> Figure:
    from explorer.plots.pairs import pairs_paper

    return pairs_paper(_pairs(wanted))


def _parallel(wanted: Wanted) -> go.Figure:
    from explorer.plots.parallel import parallel_figure

    return parallel_figure(wanted.front)


def _traces(wanted: Wanted) -> dict[str, Any]:
    from explorer.traces import box, check_alike, trace

    check_alike(wanted.studies)
    scale = box(wanted.studies)
    return {name: [trace(study, scale) for study in some] for name, some in grouped(wanted.studies).items()}


def _convergence(wanted: Wanted) -> go.Figure:
    from explorer.plots.convergence import convergence_figure

    return convergence_figure(wanted.studies[0].outline, _traces(wanted), wanted.over)


def _convergence_paper(wanted: Wanted) -> Figure:
    from explorer.plots.convergence import convergence_paper

    return convergence_paper(wanted.studies[0].outline, _traces(wanted), wanted.over)


def _attainment(wanted: Wanted) -> go.Figure:
    from explorer.plots.attainment import attainment_figure
    from explorer.traces import check_alike

    check_alike(wanted.studies)
    query = wanted.query
    if not query.objectives and len(wanted.studies[0].outline.objectives) > 1:
        first = [objective.name for objective in wanted.studies[0].outline.objectives[:2]]
        query = Query(query.where, first, query.at_fidelity, query.what_if)
    groups = grouped(wanted.studies)
    return attainment_figure({name: [query.answer(study) for study in some] for name, some in groups.items()})


def _placements_figure(wanted: Wanted) -> go.Figure:
    from explorer.plots.placements import placements, placements_figure

    return placements_figure(placements(wanted.front))


def _placements_paper(wanted: Wanted) -> Figure:
    from explorer.plots.placements import placements, placements_paper

    return placements_paper(placements(wanted.front))


def _fidelity(wanted: Wanted) -> go.Figure:
    from explorer.plots.fidelity import fidelity_figure

    return fidelity_figure(wanted.study.outline, wanted.study.evaluations)


def _found(wanted: Wanted) -> go.Figure:
    from explorer.plots.portfolio import found_figure
    from explorer.traces import box, trace

    return found_figure(trace(wanted.study, box([wanted.study])), wanted.study.outline)


def _breakdown(wanted: Wanted) -> go.Figure:
    from explorer.breakdown import breakdowns
    from explorer.plots.breakdown import breakdown_figure

    study = wanted.study
    if wanted.designs:
        designs = [design_named(study.outline, study.rows, name).design for name in wanted.designs]
    else:
        designs = [point.design for point in wanted.front.rank().first(SHOWN)]
    return breakdown_figure(breakdowns(study, designs), [study.outline.space.describe(design) for design in designs])


KINDS: Mapping[str, Kind] = {
    "pairs": Kind("every objective against every other: front and dominated designs", _pairs_figure, _pairs_paper),
    "parallel": Kind("the front as lines over axes of objectives and variables", _parallel),
    "convergence": Kind(
        "hypervolume and the best of each objective over what was paid; studies overlaid, seeds as areas",
        _convergence, _convergence_paper,
    ),
    "attainment": Kind("trade-offs of two objectives that half of the seeds attain; studies overlaid", _attainment),
    "placements": Kind("which layers keep their normalisation, over the front", _placements_figure, _placements_paper),
    "fidelity": Kind("how long trainings were, over what was paid", _fidelity),
    "found": Kind("the hypervolume that each strategy of a portfolio added", _found),
    "breakdown": Kind("time, energy and area of designs by layer and by component, side by side", _breakdown),
}  # fmt: skip
"""By name."""

PAPERS = (".svg", ".pdf", ".png")
"""Endings of pictures for papers."""
