"""``rex compare``: studies beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import PageFormat, written_as
from explorer.cli.options import blamed_on, names_of
from simulators.protocol.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from explorer.study_comparison import StudyComparison

__all__ = ["compare"]


def compare(
    studies: Annotated[
        list[str], typer.Argument(metavar="STUDY...", help="Studies: PATH, PATH#name or URL#name.", show_default=False)
    ],
    targets: Annotated[
        str, typer.Option("--targets", metavar="P,Q", help="Percent of the hypervolume of all fronts together.")
    ] = "80,90,95",
    form: Annotated[
        PageFormat | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Write to this file (.txt, .csv, .json, or .html: with plots), which must not be there.",
        ),
    ] = None,
) -> None:
    """Compare studies: hypervolume, coverage, cost to targets, and whether differences may be luck.

    Studies of one search with other seeds are shown together, with a test over the seeds.
    """
    from explorer.cli.output import print_rows, printed, write
    from explorer.study import load_study
    from explorer.study_comparison import compare_studies
    from explorer.study_comparison_tables import comparison_tables

    written = written_as(PageFormat, form, out)
    with blamed_on(options={"study": "STUDY", "targets": "--targets"}):
        found = compare_studies([load_study(study) for study in studies], _shares(targets))

    def show(on: Console | None = None) -> None:
        for rows in comparison_tables(found):
            print_rows(rows, on)

    if written == PageFormat.html:
        write(_page(found), out)
    elif written == PageFormat.json:
        write(found.to_json(), out)
    elif written == PageFormat.csv:
        write(found.to_pandas().to_csv(index=False), out)
    elif out is not None:
        write(printed(show), out)
    else:
        show()


def _shares(text: str) -> list[float]:
    """Percents as shares.

    Raises:
        InputError: one is no number.
    """
    try:
        return [float(item.rstrip("% ")) / 100 for item in names_of(text)]
    except ValueError:
        raise InputError(f"'{text}' is no list of percents such as 80,90,95", "--targets") from None


def _page(found: StudyComparison) -> str:
    from explorer.plots.attainment import attainment_figure
    from explorer.plots.convergence import convergence_figure
    from explorer.report import figure_page
    from explorer.study_comparison_tables import comparison_tables

    outline = next(iter(found.studies.values()))[0].outline
    parts = [*comparison_tables(found), convergence_figure(outline, found.traces)]
    if len(found.objectives) > 1:
        first = [objective.name for objective in found.objectives[:2]]
        groups = {name: [study.front(objectives=first) for study in some] for name, some in found.studies.items()}
        parts += [f"What half of the studies attain of {' and '.join(first)}:", attainment_figure(groups)]
    return figure_page(" and ".join(found.studies), parts)
