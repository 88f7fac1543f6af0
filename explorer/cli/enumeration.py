"""``rex enumerate``: the exact front of what needs no training, over every design of a search file's space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import Format, written_as
from explorer.cli.options import Settings, blamed_on, names_of

if TYPE_CHECKING:
    from explorer.enumeration import ExactFront

__all__ = ["enumerate_designs"]

OPTIONS = {"objectives": "--objectives", "where": "--where", "per": "--per"}
"""The option that gives what is asked."""

ROWS = 30  # of the table of one front
ROWS_EACH = 3  # of each front where there is one for every group


def enumerate_designs(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search file.")],
    where: Annotated[
        str | None, typer.Option("--where", metavar="EXPR", help="Only designs like these: 'area < 250 mm2'.")
    ] = None,
    objectives: Annotated[
        str, typer.Option("--objectives", metavar="A,B", help="Default: all of the file's that need no training.")
    ] = "",
    per: Annotated[
        str,
        typer.Option(
            "--per", metavar="NAME", help="A front for each value of a variable or of a field that counts: bn_layers."
        ),
    ] = "",
    settings: Settings = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="Rows of each front; default: all in csv and json, few in a table."),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file (.txt, .csv or .json), which must not be there.")
    ] = None,
) -> None:
    """The exact Pareto front of all that needs no training, over every design of a search file.

    Objectives that are trained for are left out, and so are constraints over them.
    Fewer normalisations are always faster: --per bn_layers tells what is best with none, one, two ...
    """
    import time

    from explorer.assembly import assemble_source
    from explorer.cli.bar import counting
    from explorer.cli.output import note
    from explorer.enumeration import enumerate_front, question
    from explorer.enumeration_tables import left_out
    from explorer.spec import override, read_search

    written = written_as(Format, form, out)
    try:
        source = override(read_search(file, settings or []), {"initial": []})  # they need not satisfy what --set says
        problem = assemble_source(source, file.absolute().parent, str(file), check_run=False).problem
        with blamed_on(options=OPTIONS):
            asked = question(problem, objectives=names_of(objectives), where=where, per=per)
            began = time.perf_counter()
            with counting(problem.space.size, "designs") as listener:
                front = enumerate_front(problem, asked, listener=listener)
        seconds = time.perf_counter() - began
    except KeyboardInterrupt:
        note("interrupted; nothing was written")
        raise typer.Exit(130) from None
    named = sorted(asked.where.names - set(problem.space.lengths)) if asked.where else []
    _write(front, written, out, str(file), limit, named, str(problem.bench.workload))
    if written != Format.table:
        for line in left_out(problem):
            note(line)
    note(
        f"{front.enumerated:,} designs, {front.feasible:,} of them feasible, {seconds:.2f} s, "
        f"{_rate(front.enumerated / max(seconds, 1e-9))}"
    )
    if not front:
        _explain_empty(front)
        raise typer.Exit(1)


def _rate(designs_per_s: float) -> str:
    if designs_per_s < 1e6:
        return f"{float(f'{designs_per_s:.2g}'):,.0f} designs/s"
    return f"{designs_per_s / 1e6:.1f} million designs/s"


def _write(
    front: ExactFront, written: str, out: Path | None, name: str, limit: int | None, named: list[str], workload: str
) -> None:
    from explorer.cli.output import print_rows, printed, write
    from explorer.enumeration_tables import exact_columns, exact_records, exact_rows
    from explorer.records import records_csv, records_json
    from explorer.units import counted

    asked = front.question
    if written == Format.json:
        write(records_json(list(exact_records(front, limit=limit, named=named))), out)
    elif written == Format.csv:
        columns = exact_columns(front, named)
        write(records_csv(list(exact_records(front, limit=limit, named=named)), columns), out)
    else:
        title = f"Exact front of {name}: {counted(len(front), 'designs')}"
        title += f", one front per {asked.per}" if asked.per else ""
        title += f", where {asked.where}" if asked.where else ""
        few = limit or (ROWS_EACH if asked.per else ROWS)
        rows = exact_rows(front, title, limit=few, named=named, workload=workload)
        if out is not None:
            write(printed(lambda paper: print_rows(rows, paper)), out)
        elif front:
            print_rows(rows)


def _explain_empty(front: ExactFront) -> None:
    """Say what leaves no design."""
    from explorer.cli.output import note
    from simulators.protocol import InputError

    try:
        front.problem.check_feasible()
    except InputError as error:
        note(error.message)
        return
    note(f"no design satisfies {front.question.where}")
