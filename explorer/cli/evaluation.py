"""``rex model`` and ``rex rerun``: the network of a design, and an evaluation repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import Format, written_as
from explorer.cli.options import StudyArgument, blamed_on

if TYPE_CHECKING:
    from explorer.evaluation import Evaluation
    from explorer.outline import Outline
    from explorer.trained_model import Retraining

__all__ = ["model", "rerun"]

ARGUMENTS = {
    "design": "DESIGN", "evaluation": "EVALUATION", "simulator": "--simulator", "out": "--out", "study": "STUDY",
}  # fmt: skip
"""The argument or option that gives what a study is asked."""

NAMED = "the number of an evaluation (as in rex pareto and rex status), the beginning of its key, or settings"


def model(
    study: StudyArgument,
    design: Annotated[str, typer.Argument(metavar="DESIGN", help=f"A design: {NAMED} such as bn=C5,C7,cell_bits=2.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.pt", help="Write to this file, which must not be there.")],
    simulator: Annotated[
        str, typer.Option("--simulator", metavar="NAME", help="Whose network, where several simulators train.")
    ] = "",
) -> None:
    """The trained network of a design as a file that needs no study: weights, BN placement, recipe, chip.

    The weights are those that were judged, from the study's checkpoints.
    A training that is not kept there is run again, with the same seed.
    """
    from explorer.cli.output import console, note
    from explorer.files import check_new
    from explorer.study import load_study

    check_new(out, "--out")
    with blamed_on(options={**ARGUMENTS, "evaluation": "DESIGN"}):
        found = load_study(study).model(design, simulator=simulator, begin=_announce)
        found.write(out)
    if found.trained and found.differences:
        told = ", ".join(f"{name} was {then!r}, is {now!r}" for name, (then, now) in found.differences.items())
        because = f" ({'; '.join(found.changes)})" if found.changes else ""
        note(f"trained again, it is not the network of the study{because}: {told}")
    elif found.trained:
        note("trained again, it is the network of the study: every number came out again")
    if found.repeats:
        numbers = ", ".join(map(str, found.repeats))
        note(f"its family was trained with other seeds, too: evaluation{'s' * (len(found.repeats) > 1)} {numbers}")
    console().print(
        f"{_described(found.outline, found.evaluation)}\nwrote {out}: read it with {found.reader}", markup=False,
        soft_wrap=True,
    )  # fmt: skip


def _announce(training: Retraining) -> None:
    """Say what is to be trained again, before it takes its time."""
    from explorer.cli.output import clock, note
    from explorer.units import counted

    where = f"{training.folder} does not hold this training" if training.folder else "trainings are not kept"
    took = "" if training.took_s is None else f", which took {clock(training.took_s)} then"
    note(f"{where}: training {counted(training.units, training.unit)} again{took}")
    if training.changes:
        note(f"the result may differ from the study's: {'; '.join(training.changes)}")


def _described(outline: Outline, evaluation: Evaluation) -> str:
    """A design with what is known of it by its training."""
    from explorer.units import counted, format_quantity

    values = [
        f"{o.name} {format_quantity(evaluation.values[o.name], o.unit)}"
        for o in outline.objectives
        if not o.cheap and o.name in evaluation.values
    ]
    fidelity = [] if evaluation.fidelity is None else [counted(evaluation.fidelity, outline.fidelity_name)]
    told = ", ".join([f"evaluation {evaluation.number}", *fidelity, f"seed {evaluation.seed}", *values])
    return f"{outline.space.describe(evaluation.design)}: {told}"


def rerun(
    study: StudyArgument,
    evaluation: Annotated[str, typer.Argument(metavar="EVALUATION", help=f"An evaluation: {NAMED} such as bn=C5,C7.")],
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file (.txt, .csv or .json), which must not be there.")
    ] = None,
) -> None:
    """Repeat an evaluation from scratch and compare every number with what is stored; the study stays as it is.

    The exit code is 1 if anything differs; times are not compared.
    Objectives from a Python file are run for that, as to resume the study.
    """
    import json

    from explorer.cli.output import note, print_rows, printed, write
    from explorer.files import check_new
    from explorer.rerun_table import rerun_rows
    from explorer.study import load_study

    written = written_as(Format, form, out)
    if out is not None:
        check_new(out, "--out")
    with blamed_on(options=ARGUMENTS):
        loaded = load_study(study)
        found = loaded.rerun(evaluation, begin=lambda stored: _announce_rerun(loaded.outline, stored))
    if written == Format.table:
        rows = rerun_rows(found)
        if out is not None:
            write(printed(lambda paper: print_rows(rows, paper)), out)
        else:
            print_rows(rows)
    elif written == Format.json:
        write(json.dumps(found.to_json(), indent=1), out)
    else:
        write(found.to_pandas().to_csv(index=False), out)
    if written != Format.table or out is not None:
        for reason in found.reasons:
            note(reason)
    if not found.equal:
        raise typer.Exit(1)


def _announce_rerun(outline: Outline, stored: Evaluation) -> None:
    """Say how long it may take."""
    from explorer.cli.output import clock, note

    took_s = max(stored.duration_s, stored.quantities.get("training_time_s", 0.0))
    if outline.fidelity_name and took_s >= 1:
        note(f"evaluation {stored.number} is repeated from scratch, which took {clock(took_s)} then")
