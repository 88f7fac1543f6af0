"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from simulators.protocol.errors import InputError

__all__ = [
    "WORKLOAD", "Cluster", "DataDir", "Settings", "StoreOption", "StudyArgument", "Workers", "blamed_on", "names_of",
    "numbers",
]  # fmt: skip

WORKLOAD = {"network": "--network", "dataset": "--dataset", "mode": "--mode"}
"""The option that gives a field of the workload."""

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="A study: PATH, PATH#name or URL#name.")]
StoreOption = Annotated[
    str | None, typer.Option("--store", help="File or database URL of the study (default: results/NAME.db).")
]


def _number_or_all(text: str) -> int | str:
    if text == "all":
        return text
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise typer.BadParameter(f"'{text}' is neither a whole number from 1 up nor 'all'.")
    return number


Workers = Annotated[
    Any,
    typer.Option(
        "--workers", metavar="N", parser=_number_or_all, show_default=False,
        help="Number of Ray workers; 'all': as many as there is room for.",
    ),
]  # fmt: skip
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", help="Ray cluster: HOST:PORT, ray://HOST:PORT, 'auto' for the one that runs on "
        "this machine, 'local' for a new one (default: RAY_ADDRESS, else local).",
    ),
]  # fmt: skip
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a field of the search file, such as budget.evaluations=10."
    ),
]
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of the full data sets.")]


def names_of(text: str) -> list[str]:
    """Names that a comma parts."""
    return [name.strip() for name in text.split(",") if name.strip()]


def numbers(text: str, units: Mapping[str, str], field: str) -> dict[str, float]:
    """Numbers by name, such as ``accuracy=90 %, latency=1 us``, in SI.

    Args:
        text: as a person writes it.
        units: of the names that may have one.
        field: what gave them, for messages.

    Raises:
        InputError: an item is none, or a name is there twice.
    """
    from explorer.expressions import full_name
    from explorer.units import read_quantity

    found: dict[str, float] = {}
    for item in names_of(text):
        name, _, value = (part.strip() for part in item.partition("="))
        try:
            number = read_quantity(value, units.get(full_name(name, units), ""))
            number = float(value) if number is None else number
        except InputError as error:
            raise error.under(field) from None
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"'{item}' is not NAME=NUMBER", field)
        if name in found:
            raise InputError(f"{name} is there twice", field)
        found[name] = number
    return found


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
