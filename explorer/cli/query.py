"""``rex pareto`` and ``rex explain``: questions to a study.

Neither runs a user's Python file, but ``rex explain`` of an objective that is computed, not trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import Format, PageFormat, written_as
from explorer.cli.options import StudyArgument, blamed_on

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["explain", "pareto"]

OPTIONS = {"where": "--where", "sort": "--sort", "objective": "--objective"}
"""The option that gives what a study is asked."""


def pareto(
    study: StudyArgument,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Such as 'accuracy >= 85 % and area < 250 mm2'.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="NAME", help="Objective, variable or report field; by default best first."),
    ] = None,
    descending: Annotated[
        bool | None, typer.Option("--descending/--ascending", help="Largest or smallest first.", show_default=False)
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file (.txt, .csv or .json), which must not be there.")
    ] = None,
) -> None:
    """The Pareto front of a study, at full fidelity and completed over families."""
    from explorer.cli.output import note, print_rows, printed, write
    from explorer.expressions import full_name, parse
    from explorer.study import load_study
    from explorer.tables import front_rows

    written = written_as(Format, form, out)
    loaded = load_study(study)
    with blamed_on(options=OPTIONS):
        front = loaded.front(where).sorted_by(sort or loaded.outline.objectives[0].name, descending=descending)
    asked = [*([sort] if sort else []), *(sorted(parse(where).names) if where else [])]
    named = [full_name(name, loaded.outline.units) for name in asked]
    if where and loaded.uses_files:
        note("objectives of this study come from a Python file, which is not run: only stored designs were looked at")
    if not front:
        some = where and loaded.front()
        note(f"no design on the front satisfies {where}" if some else f"the front is empty: {loaded.why_empty()}")
    if written == Format.table:
        title = f"Pareto front of {loaded.name}" + (f" where {where}" if where else "")
        rows = front_rows(front, title, named=named)
        if out is not None:
            write(printed(lambda paper: print_rows(rows, paper)), out)
        elif front:
            print_rows(rows)
    elif written == Format.json:
        write(front.to_json(), out)
    else:
        write(front.to_csv(), out)


def explain(
    study: StudyArgument,
    objective: Annotated[
        str, typer.Option("--objective", metavar="NAME", help="Default: the first that is trained for.")
    ] = "",
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="EXPR", help="Only evaluations or designs like these: 'area < 250 mm2'."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows of the table.")] = 15,
    mass: Annotated[float, typer.Option("--mass", min=0.01, max=0.999, help="Of the intervals.")] = 0.9,
    form: Annotated[
        PageFormat | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write to this file (.txt, .csv, .json, or .html: a page with the heat map), which must not be there.",
        ),
    ] = None,
) -> None:
    """Which choices matter: effects and interactions with intervals, as a table and a heat map.

    What is trained is explained by the study's evaluations.
    What is computed is computed for thousands of random designs, exactly.
    Objectives from a Python file are run for that, as to resume the study.
    """
    from explorer.cli.output import console, print_heat_map, print_rows, printed, write
    from explorer.study import load_study
    from explorer.tables import effect_rows

    written = written_as(PageFormat, form, out)
    loaded = load_study(study)
    with blamed_on(options=OPTIONS):
        found = loaded.explain(objective, where=where, mass=mass)
    title = f"What moves {found.objective.name} in {loaded.name}" + (f" where {where}" if where else "")

    def show(on: Console) -> None:
        print_rows(effect_rows(found, title, limit), on)
        print_heat_map(found, on)

    if written == PageFormat.html:
        from explorer.report import explanation_page

        write(explanation_page(found, title), out)
    elif written == PageFormat.json:
        write(found.to_json(), out)
    elif written == PageFormat.csv:
        write(found.to_pandas().to_csv(index=False), out)
    elif out is not None:
        write(printed(show), out)
    else:
        show(console())
