"""One search file run several times, with other settings each: what the studies of examples have in common."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas

from explorer import Study, load_study
from explorer.launch import prepare, resume
from explorer.search import Progress
from explorer.spec import read_search
from simulators.protocol import InputError

PLACES = {"name", "store", "checkpoints"}
"""Fields of a study that are its own."""


def searched(search: Path, name: str, settings: Sequence[str], folder: Path) -> Study:
    """Run ``search`` with some settings; what an earlier run finished is not done again.

    Args:
        search: the search file.
        name: of the study and of its file in ``folder``.
        settings: such as ``seed=1``.
        folder: of results.

    Raises:
        InputError: an earlier run had other settings, or the search cannot be run.
    """
    store = folder / f"{name}.db"
    if store.exists():
        now, then = read_search(search, settings).data, load_study(store).record.search
        if any(now.get(field) != then.get(field) for field in (now.keys() | then.keys()) - PLACES):
            raise InputError(f"{store} is there already, of other settings; choose another --out", "--set")
        return resume(str(store)).run(_told(name))
    return prepare(search, settings=settings, study=name, store=str(store)).run(_told(name))


def _told(name: str) -> Callable[[Progress], None]:
    """Tells of every training that is finished."""

    def listener(progress: Progress) -> None:
        if progress.latest is not None:
            print(f"{name}: {progress.finished} of {progress.wanted} trainings", file=sys.stderr, flush=True)

    return listener


def trainings(
    search: Path, variants: Mapping[str, Sequence[str]], options: argparse.Namespace, parser: argparse.ArgumentParser
) -> pandas.DataFrame:
    """All trainings of all variants, a row each, with the columns ``variant`` and ``run``.

    Args:
        search: the search file.
        variants: settings by name.
        options: of :func:`add_options`.
        parser: tells what is wrong.
    """
    parts = []
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for run in range(options.seeds):
            for name, settings in variants.items():
                own_name = f"{re.sub('[^A-Za-z0-9.]+', '-', name)}-{run}"
                study = searched(search, own_name, [*settings, f"seed={run}", *options.set], options.out)
                rows = study.to_pandas()
                parts.append(rows[rows.failure == ""].assign(variant=name, run=run))
    except FileExistsError:
        parser.error(f"--out: {options.out} is a file; name a folder")
    except OSError as error:
        parser.error(f"--out: {options.out} cannot be written ({error.strerror})")
    except InputError as error:
        parser.error(str(error))
    return pandas.concat(parts, ignore_index=True)


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Reads a whole number within limits."""
    allowed = f"a whole number from {low}" + (" up" if high is None else f" to {high}")

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"[+-]?\d+", text.strip()) else None
        if number is None or number < low or (high is not None and number > high):
            raise argparse.ArgumentTypeError(f"write {allowed}, not {text}")
        return number

    return read


def add_options(parser: argparse.ArgumentParser, out: str) -> None:
    """``--seeds``, ``--set`` and ``--out``."""
    parser.add_argument("--seeds", type=whole(1), default=1, help="trainings of everything")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="another value in the file")
    parser.add_argument("--out", type=Path, default=Path(out), help="folder of results")
