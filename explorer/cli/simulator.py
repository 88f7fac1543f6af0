"""``rex list``, ``rex simulate`` and ``rex validate``: generic over every simulator behind the protocol."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from explorer.cli.options import WORKLOAD, DataDir, blamed_on

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from simulators.protocol import Design, Designs, InputError, Report, Simulator, ValidationCase, Workload

__all__ = [
    "NETWORK", "Dataset", "Mode", "Network", "NetworkOptions", "SimulatorSettings", "configured", "list_names", "pairs",
    "simulate", "validate", "workload_of",
]  # fmt: skip


NETWORK = "vgg16"
"""The network where none is named."""

SUMMARY = "summary"
"""The view of a design that is shown where none is named; without one, its totals."""


class Kind(StrEnum):
    """What can be listed."""

    objectives = "objectives"
    simulators = "simulators"
    strategies = "strategies"
    networks = "networks"
    variables = "variables"
    fields = "fields"


class Format(StrEnum):
    """How a result is written."""

    table = "table"
    json = "json"


class ValidationFormat(StrEnum):
    """How a validation table is written."""

    table = "table"
    json = "json"
    markdown = "markdown"


Network = Annotated[str, typer.Option("--network", help="A network (rex list networks).")]
Dataset = Annotated[str, typer.Option("--dataset", help="The data set that fixes input size and classes.")]
NetworkOptions = Annotated[
    list[str] | None,
    typer.Option("--option", metavar="KEY=VALUE", help="The network's own option, such as stem=imagenet."),
]
SimulatorSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        metavar="KEY=VALUE",
        help="The simulator's own setting, as in a search file, such as proxy.width=1.",
    ),
]
Mode = Annotated[str, typer.Option("--mode", help="training or inference.")]


def pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """Texts ``KEY=VALUE`` as a mapping.

    Raises:
        InputError: one is something else, or a key is given twice.
    """
    from simulators.protocol import InputError

    found = {}
    for text in texts or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"'{text}' is not KEY=VALUE", option)
        if key in found:
            raise InputError("it is given twice; keep one", f"{option} {key}")
        found[key] = value
    return found


def workload_of(network: str, dataset: str, mode: str, options: list[str] | None) -> Workload:
    """The workload that options name.

    Raises:
        InputError: there is no such mode, or an option is not ``KEY=VALUE``.
    """
    from simulators.protocol import InputError, Workload

    if mode not in ("training", "inference"):
        raise InputError(f"'{mode}' is not allowed; choose training or inference", "--mode")
    own = tuple(sorted(pairs(options, "--option").items()))
    return Workload(network, dataset, "training" if mode == "training" else "inference", options=own)


def configured(name: str, settings: list[str] | None, data_dir: Path | None = None) -> Simulator:
    """The simulator of a name with the settings that ``--setting`` gives it.

    Raises:
        InputError: there is no such simulator, or a setting is not allowed.
    """
    from explorer.assumptions import with_plain_assumptions
    from explorer.spec import override, read_settings
    from explorer.yaml_source import Source
    from simulators.protocol import load_simulator

    given = [*(settings or []), *([f"data_dir={json.dumps(str(data_dir.absolute()))}"] if data_dir else [])]
    kind, values = load_simulator(name), override(Source({}, name), read_settings(given, "--setting")).data
    with blamed_on("--setting", {"data_dir": "--data-dir"}):
        return kind(with_plain_assumptions(kind, values))


def list_names(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What to list.")],
    simulator: Annotated[
        str | None, typer.Argument(metavar="SIMULATOR", help="For variables and fields: of this simulator only.")
    ] = None,
    network: Network = NETWORK,
    dataset: Dataset = "cifar10",
) -> None:
    """List objectives, simulators, strategies, networks, a simulator's variables, or the names for expressions."""
    from explorer.cli.output import print_rows
    from explorer.tables import Rows
    from objectives import find_objective, objective_names
    from simulators.protocol import (
        NETWORKS,
        SIMULATORS,
        STRATEGIES,
        find_plugin,
        load_simulator,
        plugin_names,
    )

    if kind is Kind.objectives:
        found = [find_objective(name) for name in objective_names()]
        columns: tuple[str, ...] = ("objective", "direction", "unit", "reads", "meaning")
        rows: list[tuple[str, ...]] = [(o.name, o.direction, o.unit, ", ".join(o.reads), o.meaning) for o in found]
    elif kind is Kind.simulators:
        columns = ("simulator", "kind", "meaning")
        classes = {name: load_simulator(name) for name in plugin_names(SIMULATORS)}
        rows = [(name, found.kind, found.meaning) for name, found in classes.items()]
    elif kind in (Kind.strategies, Kind.networks):
        group, what = (STRATEGIES, "strategy") if kind is Kind.strategies else (NETWORKS, "network")
        columns = (what, "meaning")
        rows = [(name, _first_line(find_plugin(group, name, what))) for name in plugin_names(group)]
    else:
        names = [simulator] if simulator else plugin_names(SIMULATORS)
        simulators = {name: load_simulator(name)() for name in names}
        with blamed_on("--option", WORKLOAD):
            columns, rows = _variables(simulators, network, dataset) if kind is Kind.variables else _fields(simulators)
    print_rows(Rows("", columns, tuple(rows)))


Listing = tuple[tuple[str, ...], list[tuple[str, ...]]]


def _variables(simulators: Mapping[str, Simulator], network: str, dataset: str) -> Listing:
    from explorer.space import allowed_values, written
    from simulators.protocol import Workload

    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, told, found in _with_other_settings(simulators):
        for v in found.variables(Workload(network, dataset)):
            searched = "yes" if v.searched else "if named"
            row = (v.name, name, v.unit, allowed_values(v), written(v, v.default), searched, v.meaning + told)
            rows.setdefault((name, v.name), row)
    return ("variable", "of", "unit", "allowed", "default", "searched", "meaning"), list(rows.values())


def _fields(simulators: Mapping[str, Simulator]) -> Listing:
    rows: dict[tuple[str, str], tuple[str, ...]] = {}
    for name, told, found in _with_other_settings(simulators):
        for field, about in found.fields.items():
            rows.setdefault((name, field), (field, name, about.unit, about.meaning + told))
    return ("field", "of", "unit", "meaning"), list(rows.values())


def _with_other_settings(simulators: Mapping[str, Simulator]) -> Iterator[tuple[str, str, Simulator]]:
    """Simulators as they are, and with each setting that brings variables or fields; what to say of these."""
    for name, simulator in simulators.items():
        yield name, "", simulator
        for setting, other in _otherwise(simulator).items():
            yield name, f" (with `{setting}`)", other


def _otherwise(simulator: Simulator) -> dict[str, Simulator]:
    """The simulator with each setting alone that brings variables, fields or views."""
    import yaml

    settings = dict.fromkeys(simulator.optional.values())
    return {setting: type(simulator)(yaml.safe_load(f"{{{setting}}}")) for setting in settings}


def _as_option(setting: str) -> str:
    """A setting as it is in a search file, as an option of the command line."""
    key, _, value = setting.partition(": ")
    return f"--setting {shlex.quote(f'{key}={value}')}"


def _first_line(thing: Any) -> str:
    line = (thing.__doc__ or "").strip().partition("\n")[0]
    return re.sub(r"(?::\w+:)?`+([^`]*)`+", r"\1", line)  # without the marks of reStructuredText


def simulate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A simulator (rex list simulators).")],
    network: Network = NETWORK,
    dataset: Dataset = "cifar10",
    mode: Mode = "training",
    options: NetworkOptions = None,
    choices: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="VARIABLE=VALUE", help="Such as reram_layers=3 or bn=C5,C7 (rex list variables)."
        ),
    ] = None,
    view: Annotated[str | None, typer.Option("--view", help="A named view instead of the totals.")] = None,
    fidelity: Annotated[int | None, typer.Option("--fidelity", help="Of a training simulator: epochs.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of a training simulator.")] = 0,
    settings: SimulatorSettings = None,
    data_dir: DataDir = None,
    form: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.table,
    out: Annotated[
        Path | None, typer.Option("--out", help="A page (.html) for a view that is a picture; it must not be there.")
    ] = None,
) -> None:
    """Simulate one design.

    A design that cannot be built is an answer too: it is shown with the reason, and the exit code is 0.
    """
    from explorer.space import Space
    from simulators.protocol import InputError

    simulator = configured(name, settings, data_dir)
    workload = workload_of(network, dataset, mode, options)
    with blamed_on("--option", WORKLOAD):
        space = Space(simulator.variables(workload))
    chosen = pairs(choices, "--set")
    if wrong := space.mistakes(chosen):
        raise InputError("\n     ".join(f"--set {_with_hint(mistake, simulator)}" for mistake in wrong))
    design = space.design(chosen)
    designs = space.designs([design])
    if view is not None:
        _print_view(simulator, view, designs, workload, form, out)
        return
    if out is not None:
        raise InputError("only a view that is a picture is written to a page: name one with --view", "--out")
    report = _report(simulator, design, designs, workload, fidelity, seed)
    if form is Format.table and any(offered.name == SUMMARY for offered in simulator.views()):
        _print_view(simulator, SUMMARY, designs, workload, form, out)  # knows more of the design than its totals
        return
    _print_report(simulator, report, f"{name}: {workload}; {space.describe(design, brief=True)}", form)


def _with_hint(mistake: InputError, simulator: Simulator) -> str:
    """A mistake in ``--set``, and which setting there is a variable with."""
    setting = simulator.optional.get(mistake.field)
    return str(mistake) + (f"; {simulator.name} has it with {_as_option(setting)}" if setting else "")


def _report(
    simulator: Simulator, design: Design, designs: Designs, workload: Workload, fidelity: int | None, seed: int
) -> Report:
    from simulators.protocol import HardwareSimulator, InputError, TrainingSimulator

    if isinstance(simulator, TrainingSimulator):
        with blamed_on("--setting", {"data_dir": "--data-dir", **WORKLOAD}):
            simulator.check(workload)
        try:
            epochs = simulator.fidelity().parse(fidelity) if fidelity is not None else simulator.fidelity().low
        except InputError as error:
            raise error.under("--fidelity") from None
        return simulator.simulate(design, workload, fidelity=epochs, seed=seed)
    if not isinstance(simulator, HardwareSimulator):
        raise InputError(f"{simulator.name} is neither a hardware nor a training simulator")
    if fidelity is not None:
        raise InputError(f"{simulator.name} is exact, it has none; leave it out", "--fidelity")
    return simulator.simulate(designs, workload)


def _print_report(simulator: Simulator, report: Report, title: str, form: Format) -> None:
    from explorer.cli.output import console, print_rows, quantity_text
    from explorer.tables import Rows

    feasible = bool(report.feasible[0])
    if form is Format.json:
        series = {name: [_number(value) for value in values] for name, values in report.series.items()}
        row = {name: _number(value, simulator.fields[name].unit) for name, value in report.row().items()}
        about = {"feasible": feasible, "reason": report.reason(), **({"series": series} if series else {})}
        typer.echo(json.dumps({**row, **about}, indent=1))
        return
    rows = [
        (name, quantity_text(value, simulator.fields[name].unit), simulator.fields[name].meaning)
        for name, value in report.row().items()
    ]
    print_rows(Rows(title, ("field", "value", "meaning"), tuple(rows)))
    if not feasible:
        console().print(f"cannot be built: {report.reason()}", style="bold red", markup=False)


def _number(value: Any, unit: str = "") -> Any:
    """A cell as JSON has it: numbers as they stand, whole ones without a unit as integers; those that are not finite do
    not exist there.
    """
    from simulators.protocol import Quantity

    if isinstance(value, Quantity):
        value, unit = value.value, value.unit
    if hasattr(value, "item"):
        value = value.item()
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if not unit and value.is_integer() else value


def _print_view(
    simulator: Simulator, view: str, designs: Designs, workload: Workload, form: Format, out: Path | None
) -> None:
    from explorer.cli.output import cell_text, console, print_maps, print_rows, write
    from explorer.tables import Rows
    from simulators.protocol import InputError, Maps, Text, nearest, suggestion

    views = {offered.name: offered for offered in simulator.views()}
    if view not in views:
        instead = suggestion(view, views) if nearest(view, views) else f"; it has {', '.join(views)}"
        for setting, other in _otherwise(simulator).items():
            if view in {offered.name for offered in other.views()}:
                instead = f"; it has one with {_as_option(setting)}"
                break
        raise InputError(f"{simulator.name} has no view '{view}'{instead}", "--view")
    if out is not None and out.suffix.lower() != ".html":
        raise InputError(f"{out.name} is no page: let it end with .html", "--out")
    shown = views[view].render(designs, workload)
    if isinstance(shown, Maps):
        from explorer.maps import maps_json, maps_page

        if out is not None:
            write(maps_page(shown), out)
        elif form is Format.json:
            typer.echo(json.dumps(maps_json(shown), indent=1))
        else:
            print_maps(shown)
    elif out is not None:
        raise InputError(f"the view {view} is no picture: leave --out out", "--out")
    elif isinstance(shown, Text):
        if form is Format.json:
            typer.echo(json.dumps({"title": shown.title, "body": shown.body}, indent=1))
        else:
            console().print(f"{shown.title}\n{shown.body}", markup=False, soft_wrap=True)
    elif form is Format.json:
        rows = [dict(zip(shown.columns, map(_number, row), strict=True)) for row in shown.rows]
        typer.echo(json.dumps({"title": shown.title, "rows": rows, "notes": list(shown.notes)}, indent=1))
    else:
        cells = tuple(tuple(cell_text(cell) for cell in row) for row in shown.rows)
        print_rows(Rows(shown.title, tuple(shown.columns), cells, tuple(shown.notes)))


def validate(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A simulator (rex list simulators).")],
    settings: SimulatorSettings = None,
    form: Annotated[
        ValidationFormat, typer.Option("--format", help="table, json, or markdown for a document.")
    ] = ValidationFormat.table,
) -> None:
    """Published figures beside modelled ones: what is accepted, whether it holds, and the assumption it hangs on.

    Holds: yes or NO; input where a constant was fitted to it; predicted where there is no published figure to compare
    with; mismatch where it is known not to come out.

    The exit code is 1 if anything says NO.
    """
    from dataclasses import asdict

    from explorer.cli.output import note, print_rows, quantity_text
    from explorer.tables import Rows

    cases = list(configured(name, settings).validation())
    if form is ValidationFormat.json:
        derived = ("deviation", "tolerance", "verdict", "holds")
        rows = [{**asdict(case), **{about: getattr(case, about) for about in derived}} for case in cases]
        typer.echo(json.dumps(rows, indent=1))
    elif not cases:
        note(f"{name} offers no validation cases")
    else:
        cells = tuple(
            (
                case.name, quantity_text(case.published, case.unit), _accepted(case),
                quantity_text(case.modelled, case.unit),
                "-" if case.deviation is None else f"{100 * case.deviation:+.1f} %", case.tier, case.verdict,
                case.source, case.assumption,
            )
            for case in cases
        )  # fmt: skip
        columns = ("case", "published", "accepted", "modelled", "deviation", "tier", "holds", "source", "hangs on")
        title = ", ".join([f"{name}: published against modelled", *(settings or [])])
        if form is ValidationFormat.markdown:
            command = ["rex", "validate", name, *(part for text in settings or [] for part in ("--setting", text))]
            typer.echo(_document(title, shlex.join(command), columns, cells, _count_verdicts(cases)))
        else:
            print_rows(Rows(title, columns, cells, (_count_verdicts(cases),)))
    if not all(case.holds for case in cases):
        raise typer.Exit(1)


def _document(title: str, command: str, columns: Sequence[str], cells: Sequence[Sequence[str]], summary: str) -> str:
    lines = [columns, ["---"] * len(columns), *cells]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"# {title}\n\nPrinted by `{command} --format markdown`.\n\n{summary}.\n\n{table}"


def _accepted(case: ValidationCase) -> str:
    """What the modelled figure may be, in words."""
    from explorer.cli.output import quantity_text

    low, high = (quantity_text(limit, case.unit) for limit in (case.low, case.high))
    if case.tolerance is not None:
        return f"within {100 * case.tolerance:g} %"
    if case.low is not None and case.high is not None:
        return f"{low} to {high}"
    if case.low is not None:
        return f">= {low}"
    return "-" if case.high is None else f"<= {high}"


def _count_verdicts(cases: Sequence[ValidationCase]) -> str:
    """One line on all cases."""
    of = Counter(case.verdict for case in cases)
    return (
        f"{len(cases)} cases: {of['yes']} hold, {of['NO']} do not, {of['input']} are inputs (calibrated), "
        f"{of['predicted']} are predictions (no figure to compare with), {of['mismatch']} are known mismatches"
    )
