"""All commands together. Each imports what it needs when it runs, so that ``rex --help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli import (
    comparison,
    enumeration,
    evaluation,
    importing,
    launching,
    optuna_view,
    plot,
    query,
    search,
    search_file,
    serving,
    simulator,
    status,
    sweep,
)

__all__ = ["app"]

app = typer.Typer(
    name="rex",
    help="Search neural networks and ReRAM/GPU accelerators together for the best accuracy, latency, energy and area.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="STUDY is a path, PATH#name or URL#name. Exit codes: 0 done, 1 ran without the result asked for, 2 bad "
    "input, 130 interrupted, 143 ended by SIGTERM, 141 the reader of the output is gone.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"reram-explorer {version('reram-explorer')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


app.command("run")(search.run)
app.command("resume")(search.resume)
app.command("launch")(launching.launch)
app.command("status")(status.status)
app.command("pareto")(query.pareto)
app.command("export")(query.export)
app.command("import")(importing.import_evaluations)
app.command("plot")(plot.plot)
app.command("report")(plot.report)
app.command("serve")(serving.serve)
app.command("compare")(comparison.compare)
app.command("explain")(query.explain)
app.command("optuna")(optuna_view.optuna)
app.command("dashboard")(optuna_view.dashboard)
app.command("model")(evaluation.model)
app.command("rerun")(evaluation.rerun)
app.command("enumerate")(enumeration.enumerate_designs)
app.command("check")(search_file.check)
app.command("schema")(search_file.schema)
app.command("list")(simulator.list_names)
app.command("simulate")(simulator.simulate)
app.command("sweep")(sweep.sweep)
app.command("validate")(simulator.validate)
