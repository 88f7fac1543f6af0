"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from simulators.protocol.errors import InputError

__all__ = ["WORKLOAD", "DataDir", "Settings", "StoreOption", "StudyArgument", "Workers", "blamed_on"]

WORKLOAD = {"network": "--network", "dataset": "--dataset", "mode": "--mode"}
"""The option that gives a field of the workload."""

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study: PATH, PATH#name or URL#name.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="File or database URL of the study (default: results/NAME.db).")
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Number of Ray workers.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a field of the search file, such as budget.evaluations=10."
    ),
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the full data sets.")]


@contextmanager
def blamed_on(option: str = "", options: Mapping[str, str] | None = None) -> Iterator[None]:
    """Within it, bad input is told by the option that gave it: ``--network`` instead of ``workload.network``.

    Args:
        option: what gave the fields, such as ``--set``; without it those that have no option keep their names.
        options: the fields that have an option of their own.
    """
    try:
        yield
    except InputError as error:
        if not error.field:
            raise
        field = error.field.removeprefix("workload").lstrip(".")
        place = (options or {}).get(field, f"{option} {field}".strip())
        raise InputError(error.message, place) from None
