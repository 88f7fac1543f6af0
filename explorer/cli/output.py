"""What commands print: tables on a terminal, plain text elsewhere."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rich.columns import Columns
from rich.console import Console
from rich.table import Table
from rich.text import Text

from explorer.files import write_new
from explorer.units import format_quantity
from simulators.protocol import InputError, Maps, Quantity

if TYPE_CHECKING:
    from pathlib import Path

    import pandas

    from explorer.explanation import Explanation
    from explorer.tables import Rows

__all__ = ["cell_text", "clock", "console", "note", "print_heat_map", "print_maps", "print_rows", "printed",
           "quantity_text", "write", "write_frame"]  # fmt: skip

UNLIMITED = 10_000
CELL = 4  # columns of a cell of a heat map
PLAIN_WIDTH = 200  # columns of a pipe or a file, which have no width of their own


def console(stderr: bool = False) -> Console:
    """A console for standard output; a pipe gets wide lines without colours."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)


def note(text: str) -> None:
    """A line for the person on standard error: it does not get in the way of piped output."""
    console(stderr=True).print(text, markup=False, soft_wrap=True)


def printed(show: Callable[[Console], None]) -> str:
    """What ``show`` prints, as plain text for a file."""
    text = io.StringIO()
    show(Console(file=text, width=PLAIN_WIDTH, highlight=False))
    return text.getvalue()


def print_rows(rows: Rows, out: Console | None = None) -> None:
    """A table of text; numbers right-aligned. Where it is too wide, units and differences go on lines of their own.

    Args:
        rows: the table.
        out: where to; by default standard output.
    """
    out = out or console()
    table = _table(rows, narrow=False)
    if out.measure(table, options=out.options.update(max_width=UNLIMITED)).maximum > out.width:
        table = _table(rows, narrow=True)
    for text in rows.warnings:
        out.print(text, markup=False, style="bold", soft_wrap=True)
    out.print(table)
    for text in rows.notes:
        out.print(f"  {text}", markup=False, style="dim")


def _table(rows: Rows, *, narrow: bool) -> Table:
    def text(cell: str) -> Text:  # no markup: [mm2] and names with brackets stay as they are
        return Text(cell.replace(" [", "\n[").replace(" (", "\n(") if narrow else cell)

    table = Table(title=Text(rows.title), title_justify="left", title_style="bold")
    for index, column in enumerate(rows.columns):
        table.add_column(text(column), justify="left" if index == 0 or not rows.is_numeric(index) else "right",
                         overflow="fold")  # fmt: skip
    for index, row in enumerate(rows.rows):
        if index > 0 and index in rows.emphasised and index - 1 not in rows.emphasised:
            table.add_section()
        table.add_row(*map(text, row), style="bold" if index in rows.emphasised else None)
    return table


def print_heat_map(explanation: Explanation, out: Console | None = None) -> None:
    """Effects on the diagonal, interactions below it: one cell each, of its sign and size; wide ones are left to the
    page.

    Args:
        explanation: of an objective.
        out: where to; by default standard output.
    """
    import numpy as np

    out = out or console()
    labels, matrix = [effect.label for effect in explanation.effects], explanation.matrix()
    width = max(map(len, labels))
    if width + 1 + CELL * len(labels) > out.width:
        out.print(f"  {len(labels)} choices are too wide for a heat map here: --out page.html", style="dim")
        return
    largest = float(np.nanmax(abs(matrix))) or 1.0
    out.print(
        f"\n{'':>{width}} " + "".join(f"{label.rpartition('=')[2][1 - CELL :]:>{CELL}}" for label in labels),
        markup=False,
    )
    for row, label in enumerate(labels):
        line = Text(f"{label:>{width}} ")
        for value in matrix[row, : row + 1]:
            line.append(*_heat(float(value) * explanation.objective.sign / largest, "+" if value > 0 else "-"))
        out.print(line)
    out.print("  ++ large, + some, . little; blue: better, orange: worse", style="dim", markup=False)


def _heat(share: float, sign: str) -> tuple[str, str]:
    """A cell of the heat map and its style: ``share`` is 1 for the largest that is better, -1 for the worst."""
    if math.isnan(share):  # two values of one variable
        return " " * CELL, ""
    strength = sum(abs(share) > level for level in (0.15, 0.5))
    weight, colour = "bold " if strength > 1 else "", "blue" if share > 0 else "dark_orange"
    return f"{sign * strength or '.':>{CELL}}", weight + colour


def print_maps(maps: Maps, out: Console | None = None) -> None:
    """Maps side by side where they fit: per cell the share of the largest number in percent.

    Args:
        maps: of a view.
        out: where to; by default standard output.
    """
    import numpy as np

    out = out or console()
    out.print(Text(maps.title, style="bold"))
    largest = max((float(np.nanmax(panel)) for panel in maps.panels.values()), default=0.0)
    row: list[Table] = []
    for name, panel in maps.panels.items():
        cells = [["" if math.isnan(value) else f"{100 * value / (largest or 1.0):.0f}" for value in line]
                 for line in panel[::-1]]  # fmt: skip
        grid = Table.grid(*[""] * panel.shape[1], padding=(0, 1))
        for column in grid.columns:
            column.justify, column.min_width = "right", 3
        for line in cells:
            grid.add_row(*(Text(cell, style="bold" if cell == "100" else "") for cell in line))
        titled = Table(title=Text(name), title_justify="left", show_header=False, box=None)
        titled.add_row(grid)
        row.append(titled)
    if row:
        out.print(Columns(row, padding=(0, 3)))
        out.print(f"  percent of the largest: {quantity_text(largest, maps.unit)} {maps.quantity}; "
                  f"{maps.axes[1]} to the right, {maps.axes[0]} upwards", style="dim", markup=False)  # fmt: skip
    for text in maps.notes:
        out.print(f"  {text}", markup=False, style="dim")


def write(text: str, out: Path | None) -> None:
    """Text to a file, which is said on standard error, or to standard output.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    if out is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    write_new(out, text.encode(), "--out")
    note(f"wrote {out}")


def write_frame(frame: pandas.DataFrame, units: Mapping[str, str], out: Path | None) -> None:
    """A data frame to a Parquet file, which is said on standard error.

    Raises:
        InputError: no file is given, it is there already, or cannot be written.
    """
    from explorer.parquet import write_parquet

    if out is None:
        raise InputError("parquet is no text; name a file", "--out")
    write_parquet(frame, units, out, "--out")
    note(f"wrote {out}")


def quantity_text(value: float | None, unit: str) -> str:
    """A number of a simulator with its unit, counts with all of their digits; None and NaN as ``-``."""
    if not unit and value is not None and float(value).is_integer():
        return str(int(value))
    return format_quantity(value, unit)


def cell_text(cell: Any) -> str:
    """A cell of a simulator's table."""
    if isinstance(cell, Quantity):
        return quantity_text(cell.value, cell.unit)
    return quantity_text(cell, "") if isinstance(cell, float) else str(cell)


def clock(seconds: float | None) -> str:
    """A duration as ``1:02:05`` or ``0:42``."""
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
