"""``rex plot`` and ``rex report``: pictures of studies, and the page of one."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.options import StudyArgument, blamed_on, names_of
from simulators.protocol.errors import InputError

__all__ = ["plot", "report"]


class KindName(StrEnum):
    """See :mod:`explorer.plots.kinds`, which is not imported before it is needed: plotly takes a second."""

    pairs = "pairs"
    parallel = "parallel"
    convergence = "convergence"
    attainment = "attainment"
    placements = "placements"
    fidelity = "fidelity"
    found = "found"
    breakdown = "breakdown"


class OverName(StrEnum):
    """What convergence is shown over."""

    cost = "cost"
    time = "time"


OPTIONS = {
    "where": "--where", "objectives": "--objectives", "at_fidelity": "--at-fidelity", "what_if": "--what-if",
    "kind": "--kind", "study": "STUDY",
}  # fmt: skip


def plot(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY...", help="Studies: PATH, PATH#name or URL#name.", show_default=False)
    ],
    kind: Annotated[KindName, typer.Option("--kind", help="What it shows; rex plot --help lists them.")],
    out: Annotated[
        Path,
        typer.Option("--out", help="A page (.html), or for a paper .svg, .pdf or .png; it must not be there."),
    ],
    where: Annotated[str | None, typer.Option("--where", metavar="EXPR", help="Front of designs like these.")] = None,
    objectives: Annotated[
        str, typer.Option("--objectives", metavar="A,B", help="Front of these, as in rex pareto; default: all.")
    ] = "",
    at_fidelity: Annotated[
        int | None, typer.Option("--at-fidelity", metavar="N", help="Front after N epochs.", show_default=False)
    ] = None,
    what_if: Annotated[
        list[str] | None, typer.Option("--what-if", metavar="EXPR", help="As if this were the constraint.")
    ] = None,
    over: Annotated[OverName, typer.Option("--over", help="Of convergence: what was paid, or time.")] = OverName.cost,
    design: Annotated[
        list[str] | None,
        typer.Option(
            "--design", metavar="DESIGN", help="Of breakdown, again for more: number, key or settings; default: knees."
        ),
    ] = None,
) -> None:
    """A picture of a study, or of several.

    pairs: every objective against every other. parallel: the front over axes of objectives and variables.
    convergence: hypervolume and best of each objective over cost; several studies overlaid, seeds as areas.
    attainment: trade-offs of two objectives that half of the seeds attain. placements: which layers keep their BN.
    fidelity: how long trainings were. found: what each strategy of a portfolio added.
    breakdown: time, energy and area by layer and component. For papers: pairs, convergence and placements.
    """
    from explorer.cli.output import note
    from explorer.files import check_new, write_new
    from explorer.plots.kinds import KINDS, PAPERS, Wanted
    from explorer.query import Query
    from explorer.report import figure_page
    from explorer.study import load_study

    chosen, ending = KINDS[kind], out.suffix.lower()
    if ending not in (".html", *PAPERS):
        raise InputError(f"{out.name} ends with none of .html, {', '.join(PAPERS)}", "--out")
    if ending in PAPERS and chosen.paper is None:
        papers = ", ".join(name for name, one in KINDS.items() if one.paper)
        raise InputError(f"{kind} is only drawn to be looked at: write .html; for papers there are {papers}", "--out")
    check_new(out, "--out")
    query = Query(where, names_of(objectives), at_fidelity, what_if or ())
    wanted = Wanted([load_study(study) for study in studies], query, over.value, design or ())
    with blamed_on(options=OPTIONS):
        if ending in PAPERS:
            from explorer.plots.papers import drawn

            content = drawn(chosen.paper(wanted), ending.lstrip(".")) if chosen.paper else b""
        else:
            names = ", ".join(study.name for study in wanted.studies)
            content = figure_page(f"{names}: {kind}", [chosen.summary, chosen.figure(wanted)]).encode()
    write_new(out, content, "--out")
    note(f"wrote {out}")


def report(
    study: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The page, which must not be there; default: NAME.report.html.", show_default=False),
    ] = None,
) -> None:
    """The page of a study: one file, works offline, with plots and a table that share one selection.

    Limits are set by sliders, or by dragging over a plot; the address keeps the view, so that it can be shared.
    No Python file that the study names is run.
    """
    from explorer.cli.output import note
    from explorer.files import check_new, write_new
    from explorer.page import report_page
    from explorer.study import load_study

    loaded = load_study(study)
    out = out or Path(f"{loaded.name}.report.html")
    if out.suffix.lower() != ".html":
        raise InputError(f"{out.name} does not end with .html", "--out")
    check_new(out, "--out")
    write_new(out, report_page(loaded).encode(), "--out")
    note(f"wrote {out}")
