"""``rex sweep FILE --assumptions``: do the conclusions survive if an assumption is wrong?"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from explorer.cli.formats import written_as
from simulators.protocol.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from explorer.sensitivity import Sensitivity
    from explorer.space import Space

__all__ = ["sweep_assumptions"]

ROWS = 15  # designs of the front that a terminal shows


class Written(StrEnum):
    """How the answer is written."""

    table = "table"
    json = "json"
    html = "html"


def sweep_assumptions(
    file: Path, settings: list[str], per: str, study: str | None, design: int | None, form: str | None, out: Path | None
) -> None:
    """Move every assumption of a search file's hardware simulators, and tell what changes.

    Args:
        file: the search file.
        settings: of ``--set``.
        per: a front for each value of this name.
        study: whose front is looked at, in place of that of all designs.
        design: number of the initial design whose effects are told.
        form: of ``--format``.
        out: of ``--out``.

    Raises:
        InputError: bad input, told by its option.
    """
    from explorer.cli.output import console, note, printed, write

    written = written_as(Written, None if form is None else _form(form), out)
    if study is not None and per:
        raise InputError("a study has one front, over all of its objectives; leave --per or --study out", "--per")
    try:
        found, space, title = _found(file, settings, per, study, design)
    except KeyboardInterrupt:
        note("interrupted; nothing was written")
        raise typer.Exit(130) from None
    if written == Written.html:
        from explorer.report import figure_page
        from explorer.sensitivity_tables import (
            effect_rows,
            flip_rows,
            regrouping_rows,
            summary,
            survivor_rows,
            tornado_figure,
        )

        turned = [flip_rows(found)] if found.flips else []
        turned += [regrouping_rows(found)] if found.regroupings else []
        parts = [
            *summary(found),
            survivor_rows(found, space),
            *turned,
            effect_rows(found, space),
            tornado_figure(found),
        ]
        write(figure_page(title, parts), out)
    elif written == Written.json:
        write(json.dumps(found.to_json(), indent=1), out)
    elif out is not None:
        write(printed(lambda paper: _show(found, space, title, paper)), out)
    else:
        _show(found, space, title, console())


def _form(form: str) -> Written:
    if form not in list(Written):
        raise InputError(f"'{form}' is not offered here; choose {', '.join(Written)}", "--format")
    return Written(form)


def _found(
    file: Path, settings: list[str], per: str, study: str | None, number: int | None
) -> tuple[Sensitivity, Space, str]:  # fmt: skip
    from explorer.assembly import assemble_source
    from explorer.assembly.loading import with_sections
    from explorer.cli.bar import counting
    from explorer.cli.options import blamed_on
    from explorer.enumeration import MOST, question
    from explorer.rivals import Enumerated, Evaluated, Rivals
    from explorer.sensitivity import sensitivity
    from explorer.spec import read_search
    from explorer.study import load_study
    from explorer.worlds import possible_shifts

    folder = file.absolute().parent
    assembly = assemble_source(read_search(file, settings), folder, str(file), check_run=False)
    problem, spec = assembly.problem, assembly.spec
    given = {
        name: with_sections(type(simulator), spec.simulators[name], spec, folder)
        for name, simulator in problem.simulators.items()
    }
    initial = [proposal.design for proposal in assembly.initial]
    chosen = None
    if number is not None:
        if number > len(initial):
            raise InputError(f"the file has {len(initial)} initial designs, there is no number {number}", "--design")
        chosen = initial[number - 1]
    worlds = sum(len(shift.ends) for shift in possible_shifts(problem, given))
    rivals: Rivals
    if study is not None:
        loaded = load_study(study)
        if loaded.outline.space.variables.keys() != problem.space.variables.keys():
            raise InputError(f"it searched {loaded.outline.space}, and {file} searches {problem.space}", "--study")
        rivals, size = Evaluated(problem, loaded.evaluations), 1
        title = f"What depends on assumptions: the front of {loaded.name}"
    else:
        with blamed_on(options={"per": "--per"}):
            asked = question(problem, per=per)
        size = problem.space.size
        if size * (worlds + 2) > MOST:
            raise InputError(
                f"{size:,} designs in {worlds} worlds are more than the {MOST:,} that can be enumerated; name some "
                "values of a variable only (--set variables.NAME=[...]), or a study's front (--study)"
            )
        rivals = Enumerated(problem, asked)
        title = f"What depends on assumptions: all designs of {file}" + (f", one front per {per}" if per else "")
    with (
        counting(size * worlds, "designs" if size > 1 else "worlds") as listener,
        blamed_on(options={"design": "--design"}),
    ):
        found = sensitivity(problem, given, rivals, initial, chosen, lambda done, rows: listener(done * size + rows))
    return found, problem.space, title


def _show(found: Sensitivity, space: Space, title: str, on: Console) -> None:
    from explorer.cli.output import print_rows
    from explorer.sensitivity import turns
    from explorer.sensitivity_tables import effect_rows, regrouping_rows, summary, survivor_rows

    on.print(title, style="bold", markup=False)
    for line in summary(found):
        on.print(f"  {line}", markup=False, soft_wrap=True)
    print_rows(survivor_rows(found, space, ROWS), on)
    if found.flips:
        on.print("What turns round", style="bold", markup=False)
        for turn in turns(found.flips):
            for line in str(turn).splitlines():
                on.print(f"  {line}", markup=False, soft_wrap=True)
    if found.regroupings:
        print_rows(regrouping_rows(found), on)
    print_rows(effect_rows(found, space), on)
