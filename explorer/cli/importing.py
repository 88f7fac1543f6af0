"""``rex import``: evaluations that were made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.options import StoreOption, blamed_on

__all__ = ["import_evaluations"]

SEARCH_FILES = (".yaml", ".yml")


def import_evaluations(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A study, or a search file (.yaml), of which one is begun.")
    ],
    file: Annotated[str, typer.Argument(metavar="FILE", help="CSV or Parquet; with --optuna a storage of Optuna's.")],
    optuna: Annotated[
        str, typer.Option("--optuna", metavar="NAME", help="FILE is a storage of Optuna's that holds this study.")
    ] = "",
    store: StoreOption = None,
) -> None:
    """Take designs that were evaluated elsewhere into a study, marked as such: a warm start.

    Columns are the variables that have a choice and the objectives that are trained for, as rex export writes them;
    also fidelity, replicate, seed and report fields. What is computed is computed here. They cost nothing and count for
    no budget; rex resume goes on with what they tell. Your own objective files are run, as to resume.
    """
    from explorer.cli.output import note
    from explorer.importing import read_rows, read_trials, take_in
    from explorer.launch import prepare, resume
    from explorer.units import counted

    with blamed_on(options={"file": "FILE", "storage": "FILE"}):
        begun = Path(study).suffix.lower() in SEARCH_FILES
        prepared = prepare(study, store=store) if begun else resume(study)
        target, problem = prepared.study, prepared.problem
        source = f"{file}#{optuna}" if optuna else file
        rows = read_trials(file, optuna, target) if optuna else read_rows(Path(file))
        with target.store.driven(target.name):
            found = take_in(problem, [] if prepared.new else target.refresh().rows, rows, source)
            if prepared.new:
                target.store.create(target.record)
            target.store.append(target.name, [*found.taken, *found.derived])
    taken, reference = counted(len(found.taken), "evaluations"), target.reference
    note(f"{taken} of {file} are in {reference} now, and {len(found.derived)} designs that follow")
    if found.there:
        note(f"{found.there} were there already")
    if found.failed:
        note(f"{found.failed} had failed and were left out")
    left_out = "are not feasible here and were left out"
    computed = "give another value for what is computed here, which was kept"
    for (count, first), words in ((found.infeasible, left_out), (found.differing, computed)):
        if count:
            note(f"{count} {words}; {first}")
    note(f"rex resume {reference} goes on from them")
