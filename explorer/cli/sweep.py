"""``rex sweep``: one or two variables of a simulator over their values, or the assumptions of a search file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.formats import PageFormat, written_as
from explorer.cli.options import WORKLOAD, blamed_on
from explorer.cli.simulator import (
    NETWORK,
    Dataset,
    Mode,
    Network,
    NetworkOptions,
    SimulatorSettings,
    configured,
    pairs,
    workload_of,
)
from simulators.protocol.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from explorer.sweep import Sweep

__all__ = ["sweep"]

ASSUMPTIONS = "With --assumptions"
"""The options that only make sense there."""

OPTIONS = {"over": "--over", "set": "--set"}
"""The option that gives what is swept."""


def sweep(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SIMULATOR|FILE", help="A hardware simulator; with --assumptions a search file instead."
        ),
    ],
    over: Annotated[
        list[str] | None,
        typer.Option(
            "--over", metavar="VARIABLE[=VALUES]",
            help="One or two: cell_bits (all values), reram_layers=1:5, frequency_hz=5e6,10e6, 'bn=all;none;C5,C7'.",
        ),
    ] = None,
    network: Network = NETWORK,
    dataset: Dataset = "cifar10",
    mode: Mode = "training",
    options: NetworkOptions = None,
    choices: Annotated[
        list[str] | None, typer.Option("--set", metavar="VARIABLE=VALUE", help="Of the variables that do not move.")
    ] = None,
    show: Annotated[
        str, typer.Option("--show", metavar="A,B", help="Fields; default: those that objectives read.")
    ] = "",
    settings: SimulatorSettings = None,
    assumptions: Annotated[
        bool,
        typer.Option(
            "--assumptions",
            help="Of a search file: move each over its likely range, and tell which conclusions hang on it.",
            rich_help_panel=ASSUMPTIONS,
        ),
    ] = False,
    per: Annotated[
        str,
        typer.Option(
            "--per", metavar="NAME", help="A front for each value of this: bn_layers.", rich_help_panel=ASSUMPTIONS
        ),
    ] = "",
    study: Annotated[
        str | None,
        typer.Option(
            "--study", metavar="STUDY", help="Its front, with what was trained, in place of that of all designs.",
            rich_help_panel=ASSUMPTIONS,
        ),
    ] = None,
    design: Annotated[
        int | None,
        typer.Option(
            "--design", min=1, help="Number of the initial design whose changes are told; default: the first.",
            rich_help_panel=ASSUMPTIONS,
        ),
    ] = None,
    form: Annotated[
        PageFormat | None, typer.Option("--format", help="Default: as --out ends, else a table.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file (.txt, .csv, .json, or .html with plots), not there yet."),
    ] = None,
) -> None:  # fmt: skip
    """What one or two variables change, all others fixed; or, with --assumptions, what hangs on assumptions.

    Without --assumptions --set gives variables of the design, with it fields of the search file.
    """
    if assumptions:
        from explorer.cli.sensitivity import sweep_assumptions

        for option, given in (("--over", over), ("--option", options), ("--setting", settings), ("--show", show)):
            if given:
                raise InputError("is of a sweep over variables; with --assumptions the search file says it", option)
        sweep_assumptions(Path(name), choices or [], per, study, design, form, out)
        return
    for option, unfit in (("--per", per), ("--study", study), ("--design", design)):
        if unfit:
            raise InputError("is of a sweep of assumptions: add --assumptions and name a search file", option)
    _check_no_file(name)
    written = written_as(PageFormat, form, out)
    workload = workload_of(network, dataset, mode, options)
    from explorer.space import Space
    from explorer.sweep import read_axis, shown_fields
    from explorer.sweep import sweep as simulated
    from simulators.protocol import HardwareSimulator

    simulator = configured(name, settings)
    if not isinstance(simulator, HardwareSimulator):
        raise InputError(f"{name} is a {simulator.kind} simulator; only hardware simulators compute designs in no time")
    with blamed_on("--option", WORKLOAD):
        space = Space(simulator.variables(workload))
    if not over:
        raise InputError(f"name what moves: one or two of {', '.join(space.variables)}", "--over")
    with blamed_on("--over"):
        axes = [read_axis(space, text) for text in over]
    try:
        fields = shown_fields(simulator, [field.strip() for field in show.split(",") if field.strip()])
    except InputError as error:
        raise error.under("--show") from None
    chosen = pairs(choices, "--set")
    with blamed_on("--set", OPTIONS):
        found = simulated(simulator, workload, chosen, axes, fields)
    moved = " and ".join(axis.title for axis in axes)
    _write(found, f"{name} over {moved}", str(workload), written, out)


def _check_no_file(name: str) -> None:
    """Raises InputError if a search file stands where a simulator's name belongs."""
    from simulators.protocol import SIMULATORS, plugin_names

    if name not in plugin_names(SIMULATORS) and (Path(name).suffix in (".yaml", ".yml") or Path(name).is_file()):
        raise InputError(
            f"{name} is a search file: add --assumptions to move its assumptions, or name a simulator to move variables"
        )


def _write(found: Sweep, title: str, workload: str, written: str, out: Path | None) -> None:
    from explorer.cli.output import console, print_rows, printed, write
    from explorer.records import records_csv, records_json
    from explorer.sweep_tables import sweep_rows

    tables = sweep_rows(found, title, workload)

    def show(on: Console) -> None:
        for rows in tables:
            print_rows(rows, on)

    if written == PageFormat.html:
        from explorer.report import figure_page
        from explorer.sweep_plots import sweep_figure

        write(figure_page(title, [sweep_figure(found), *tables]), out)
    elif written == PageFormat.json:
        write(records_json(list(found.records())), out)
    elif written == PageFormat.csv:
        records = list(found.records())
        write(records_csv(records, list(records[0])), out)
    elif out is not None:
        write(printed(show), out)
    else:
        show(console())
