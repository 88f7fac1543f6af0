"""``rex status``, ``rex pareto`` and ``rex explain``: questions to a study. They never run a user's Python file."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.options import StudyArgument, blamed_on

__all__ = ["explain", "pareto", "status"]

OPTIONS = {"where": "--where", "sort": "--sort", "objective": "--objective"}
"""The option that gives what a study is asked."""


class Format(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"


def status(study: StudyArgument) -> None:
    """How a study stands: workload, evaluations, cost, time, front, failures by reason."""
    import time

    from explorer.cli.output import clock, console
    from explorer.launch import budget_of
    from explorer.search import Budget
    from explorer.study import load_study
    from explorer.units import counted

    loaded = load_study(study)
    evaluations = loaded.evaluations
    searched = [evaluation for evaluation in evaluations if evaluation.replicate == 0]
    failures = Counter(evaluation.failure for evaluation in evaluations if evaluation.failed)
    spec, outline, out = loaded.spec, loaded.outline, console()
    budget = budget_of(spec.budget, outline) if spec else Budget()
    wanted = budget.evaluations
    first_s = min((evaluation.started_at for evaluation in evaluations), default=0.0)
    last_s = max((evaluation.started_at + evaluation.duration_s for evaluation in evaluations), default=0.0)
    evaluating_s = sum(evaluation.duration_s for evaluation in evaluations)
    lines = [
        f"study {loaded.name}, begun {time.strftime('%Y-%m-%d %H:%M', time.localtime(loaded.record.created_at))}, "
        f"reram-explorer {loaded.record.code_version}",
        *([f"workload: {outline.workload}"] if outline.workload else []),
        *([f"strategy {spec.strategy.name}, seed {spec.seed}"] if spec else []),
        f"evaluations: {len(searched)}" + (f" of {wanted}" if wanted else "")
        + f", {counted(len(evaluations) - len(searched), 'repeats')}, {sum(failures.values())} failed",
        f"cost: {counted(sum(evaluation.cost for evaluation in evaluations), outline.fidelity_name)}",
        f"time: {clock(last_s - first_s)} from the first evaluation to the last, {clock(evaluating_s)} evaluating",
        f"front: {counted(len(loaded.front()), 'designs')}",
        *(f"failed {count} x: {reason}" for reason, count in failures.most_common()),
    ]  # fmt: skip
    if (wanted or budget.cost) and not budget.used_up(searched):
        lines.append(f"not finished: rex resume {loaded.reference}")
    out.print("\n".join(lines), markup=False, soft_wrap=True)


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
    form: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.table,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file (which must not be there).")] = None,
) -> None:
    """The Pareto front of a study, at full fidelity and completed over families."""
    from explorer.cli.output import note, print_rows, write
    from explorer.expressions import parse
    from explorer.study import load_study
    from explorer.tables import front_rows

    loaded = load_study(study)
    with blamed_on(options=OPTIONS):
        front = loaded.front(where).sorted_by(sort or loaded.outline.objectives[0].name, descending=descending)
    named = [*([sort] if sort else []), *(sorted(parse(where).names) if where else [])]
    if where and loaded.uses_files:
        note("objectives of this study come from a Python file, which is not run: only stored designs were looked at")
    if not front:
        note("no design on the front" + (f" satisfies {where}" if where else " yet"))
    if form is Format.table and out is None:
        if front:
            title = f"Pareto front of {loaded.name}" + (f" where {where}" if where else "")
            print_rows(front_rows(front, title, named=named))
    elif form is Format.json:
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
        typer.Option("--where", metavar="EXPR", help="Only evaluations like these, such as 'accuracy > 50 %'."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows of the table.")] = 15,
    mass: Annotated[float, typer.Option("--mass", min=0.01, max=0.999, help="Of the credible intervals.")] = 0.9,
    form: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.table,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file (which must not be there); .html: a page with the heat map."),
    ] = None,
) -> None:
    """Which choices matter: effects and interactions with credible intervals, as a table and a heat map."""
    from explorer.cli.output import print_heat_map, print_rows, write
    from explorer.study import load_study
    from explorer.tables import effect_rows

    loaded = load_study(study)
    with blamed_on(options=OPTIONS):
        found = loaded.explain(objective, where=where, mass=mass)
    title = f"What moves {found.objective.name} in {loaded.name}" + (f" where {where}" if where else "")
    if out is not None and out.suffix == ".html":
        from explorer.report import explanation_page

        write(explanation_page(found, title), out)
    elif form is Format.json:
        write(found.to_json(), out)
    elif form is Format.csv or out is not None:
        write(found.to_pandas().to_csv(index=False), out)
    else:
        print_rows(effect_rows(found, title, limit))
        print_heat_map(found)
