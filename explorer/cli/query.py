"""``rex pareto``, ``rex export`` and ``rex explain``: questions to a study.

Neither runs a user's Python file, but ``rex explain`` of an objective that is computed, not trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import DataFormat, FrontFormat, PageFormat, written_as
from explorer.cli.options import StudyArgument, blamed_on, names_of, numbers
from simulators.protocol.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from explorer.fronts import Front
    from explorer.query import Query
    from explorer.study import Study

__all__ = ["explain", "export", "pareto"]

OPTIONS = {
    "where": "--where", "sort": "--sort", "objective": "--objective", "objectives": "--objectives",
    "at_fidelity": "--at-fidelity", "what_if": "--what-if", "weights": "--weights", "ideal": "--ideal",
}  # fmt: skip
"""The option that gives what a study is asked."""


def pareto(
    study: StudyArgument,
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Such as 'accuracy >= 85 % and area < 250 mm2'.")
    ] = None,
    objectives: Annotated[
        str,
        typer.Option(
            "--objectives", metavar="A,B", help="Front of these; also of others: 'accuracy,power:min'. Default: all."
        ),
    ] = "",
    at_fidelity: Annotated[
        int | None, typer.Option("--at-fidelity", metavar="N", help="After N epochs.", show_default=False)
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if", metavar="EXPR", help="As if this were the constraint on its quantities: 'area < 60 mm2'."
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="NAME", help="Objective, variable or report field; by default best first."),
    ] = None,
    descending: Annotated[
        bool | None, typer.Option("--descending/--ascending", help="Largest or smallest first.", show_default=False)
    ] = None,
    weights: Annotated[
        str, typer.Option("--weights", metavar="A=2,B=1", help="Best weighted mean first; with --ideal, of distances.")
    ] = "",
    ideal: Annotated[
        str, typer.Option("--ideal", metavar="A=90 %,B=1 us", help="Nearest first; the rest: the best on the front.")
    ] = "",
    knee: Annotated[bool, typer.Option("--knee", help="First those that one would miss most.")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Rows; by default all.", show_default=False)
    ] = None,
    form: Annotated[
        FrontFormat | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file (.txt, .csv, .json or .parquet), which must not be there."),
    ] = None,
) -> None:
    """The Pareto front of a study, at full fidelity and completed over families; or that of a question to it.

    --where looks for the best of the designs that satisfy it, also among those that follow from what was trained.
    --weights, --ideal and --knee say in which order one might take them: 0 is the worst on the front, 1 the best.
    """
    from explorer.cli.output import console, note, print_rows, printed, write, write_frame
    from explorer.query import Query
    from explorer.study import load_study
    from explorer.tables import front_rows

    written = written_as(FrontFormat, form, out)
    loaded = load_study(study)
    query = Query(where, names_of(objectives), at_fidelity, what_if or ())
    with blamed_on(options=OPTIONS):
        front = query.answer(loaded)
        front = _ordered(front, sort, descending, weights, ideal, knee)
    named = _named(query, sort, loaded.outline.units)
    if limit is not None and written != FrontFormat.table:
        front = front.first(limit)
    if not front:
        empty = query.empty(loaded)
        note(f"the front is empty: {empty.why}")
        if empty.nearest:
            print_rows(front_rows(empty.nearest, "The nearest, which do not satisfy it", named=named), console(True))
    if written == FrontFormat.table:
        rows = front_rows(front, _title(loaded, query), limit=limit, named=named)
        if out is not None:
            write(printed(lambda paper: print_rows(rows, paper)), out)
        elif front:
            print_rows(rows)
        return
    for text in front.notes:
        note(text)
    if written == FrontFormat.parquet:
        write_frame(front.to_pandas(), front.outline.units, out)
    else:
        write(front.to_json() if written == FrontFormat.json else front.to_csv(), out)


def _ordered(front: Front, sort: str | None, descending: bool | None, weights: str, ideal: str, knee: bool) -> Front:
    """A front in the order that is asked for.

    Raises:
        InputError: several orders at once, or one that cannot be read.
    """
    ranked = {"--weights": bool(weights and not ideal), "--ideal": bool(ideal), "--knee": knee}
    orders = [option for option, given in {"--sort": sort is not None, **ranked}.items() if given]
    if len(orders) > 1:
        raise InputError(f"{' and '.join(orders)} are orders of their own; give one of them", orders[1])
    if not any(ranked.values()):
        return front.sorted_by(sort or front.outline.objectives[0].name, descending=descending)
    if descending is not None:
        raise InputError(f"{orders[0]} shows the best first; leave it out", "--descending")
    heavy = numbers(weights, dict.fromkeys(front.outline.units, ""), "--weights") or None
    near = numbers(ideal, front.outline.units, "--ideal") or None
    return front.rank(weights=heavy, ideal=near)


def _title(study: Study, query: Query) -> str:
    parts = [
        *([f"of {', '.join(query.objectives)}"] if query.objectives else []),
        *([f"where {query.where}"] if query.where else []),
        *([f"if {' and '.join(query.what_if)}"] if query.what_if else []),
    ]
    return " ".join([f"Pareto front of {study.name}", *parts])


def _named(query: Query, sort: str | None, units: Mapping[str, str]) -> list[str]:
    """The variables and fields that a question names: they are shown."""
    from explorer.expressions import full_name, parse

    asked = [*([sort] if sort else [])]
    for expression in (query.where, *query.what_if):
        asked += sorted(parse(str(expression)).names) if expression else []
    return [full_name(name, units) for name in asked]


def export(
    study: StudyArgument,
    derived: Annotated[
        bool, typer.Option("--derived", help="Also the designs that follow from what was run, as far as they are kept.")
    ] = False,
    curves: Annotated[
        bool, typer.Option("--curves", help="Also what was measured after each epoch, as lists.")
    ] = False,
    form: Annotated[
        DataFormat | None, typer.Option("--format", help="Default: as --out ends, else csv.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file (.csv, .json or .parquet), which must not be there."),
    ] = None,
) -> None:
    """All evaluations of a study as one table, failed ones included, for pandas, DuckDB, a spreadsheet ...

    Numbers are SI, areas mm2; Parquet keeps the unit of each column. on_front: whether the design is on the front.
    """
    import json

    from explorer.cli.output import write, write_frame
    from explorer.frames import evaluations_frame
    from explorer.study import load_study

    written = written_as(DataFormat, form, out) if out else form or DataFormat.csv
    if curves and written == DataFormat.csv:
        raise InputError("csv has no lists; write parquet or json", "--curves")
    loaded = load_study(study)
    frame = evaluations_frame(loaded, derived=derived, curves=curves)
    if written == DataFormat.parquet:
        write_frame(frame, loaded.outline.units, out)
    elif written == DataFormat.json:
        write(json.dumps(frame.astype(object).where(frame.notna(), None).to_dict("records"), indent=1), out)
    else:
        write(frame.to_csv(index=False), out)


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
