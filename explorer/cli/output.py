"""What commands print: tables on a terminal, plain text elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from simulators.protocol import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.tables import Rows

__all__ = ["console", "note", "print_rows", "write"]

PLAIN_WIDTH = 200  # columns of a pipe or a file, which have no width of their own


def console(stderr: bool = False) -> Console:
    """A console for standard output; a pipe gets wide lines without colours."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else PLAIN_WIDTH, highlight=False)


def note(text: str) -> None:
    """A line for the person on standard error: it does not get in the way of piped output."""
    console(stderr=True).print(text, markup=False)


def print_rows(rows: Rows) -> None:
    """A table of text; numbers right-aligned."""
    table = Table(title=rows.title, title_justify="left", title_style="bold")
    for index, column in enumerate(rows.columns):
        table.add_column(column, justify="left" if index == 0 or not _numeric(rows, index) else "right",
                         overflow="fold")  # fmt: skip
    for index, row in enumerate(rows.rows):
        new_group = bool(rows.emphasised) and index in rows.emphasised and index > 0
        if new_group:
            table.add_section()
        table.add_row(*row, style="bold" if index in rows.emphasised else None)
    out = console()
    out.print(table)
    for text in rows.notes:
        out.print(f"  {text}", markup=False, style="dim")


def _numeric(rows: Rows, column: int) -> bool:
    cells = [row[column] for row in rows.rows]
    return all(cell[:1].isdigit() or cell[:1] in "-+" for cell in cells) and any(cell[:1].isdigit() for cell in cells)


def write(text: str, out: Path | None) -> None:
    """Text to a file, or to standard output.

    Raises:
        InputError: the file is there already, or cannot be written.
    """
    if out is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    try:
        with out.open("x", encoding="utf-8") as file:  # never over something that is there
            file.write(text)
    except FileExistsError:
        raise InputError(f"{out} is there already; remove it or choose another name", "--out") from None
    except OSError as error:
        raise InputError(f"cannot write {out} ({error.strerror})", "--out") from None


def value_text(value: Any) -> str:
    """A cell of a simulator's table."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
