"""How an answer is written: as a table, CSV, JSON or a page, as an option or the name of a file says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from simulators.protocol.errors import InputError

__all__ = ["DataFormat", "Format", "FrontFormat", "PageFormat", "written_as"]


class Format(StrEnum):
    """How an answer is written."""

    table = "table"
    csv = "csv"
    json = "json"


class FrontFormat(StrEnum):
    """How designs are written."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


class DataFormat(StrEnum):
    """How all that a study holds is written."""

    csv = "csv"
    json = "json"
    parquet = "parquet"


class PageFormat(StrEnum):
    """How an answer is written that may also be a page."""

    table = "table"
    csv = "csv"
    json = "json"
    html = "html"


ENDINGS = {".txt": "table", ".csv": "csv", ".json": "json", ".html": "html", ".parquet": "parquet"}
"""What the name of a file says of how it is written."""


def written_as(offered: type[StrEnum], given: StrEnum | None, out: Path | None) -> str:
    """How an answer is written: as ``--format`` says, else as the name of the file says, else as a table.

    Args:
        offered: the ways that a command knows.
        given: ``--format``.
        out: the file that ``--out`` names.

    Raises:
        InputError: they contradict each other, or neither says it.
    """
    if out is None:
        return given or Format.table
    named = ENDINGS.get(out.suffix.lower(), "")
    if given is None and named not in list(offered):
        endings = ", ".join(ending for ending, form in ENDINGS.items() if form in list(offered))
        raise InputError(
            f"the name {out.name} does not say how to write it: let it end with one of {endings}, or give --format",
            "--out",
        )
    if given is not None and named not in ("", given):
        raise InputError(f"{out.name} would be {named}, but --format says {given}: change one of them", "--out")
    return given or named
