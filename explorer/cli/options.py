"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["DataDir", "Settings", "StoreOption", "StudyArgument", "Workers"]

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study: PATH, PATH#name or URL#name.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="File or database URL of the study [default: results/NAME.db].")
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Number of Ray workers.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a field of the search file, such as budget.evaluations=10."
    ),
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the full data sets.")]
