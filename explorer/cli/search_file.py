"""``rex check`` and ``rex schema``: search files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from explorer.cli.options import DataDir, Settings

__all__ = ["check", "schema"]


def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search file.")],
    settings: Settings = None,
    data_dir: DataDir = None,
) -> None:
    """Say everything that is wrong with a search file in one go, with line numbers; nothing is run or written."""
    from explorer.assembly import assemble_source
    from explorer.cli.output import console
    from explorer.launch import OPTIONS, describe
    from explorer.spec import override, read_search

    source = read_search(file, settings or [])
    if data_dir is not None:
        source = override(source, {"data_dir": str(data_dir.absolute())}, OPTIONS)
    assembly = assemble_source(source, file.absolute().parent, str(file))
    console().print(f"{file}: nothing wrong\n{describe(assembly)}", markup=False, soft_wrap=True)


def schema() -> None:
    """Print the JSON Schema of search files (editors complete and check with it)."""
    from explorer.spec import SearchSpec

    typer.echo(json.dumps(SearchSpec.model_json_schema(), indent=1))
