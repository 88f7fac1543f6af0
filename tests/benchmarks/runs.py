"""What comparisons of strategies share: hypervolumes in units of a true front, and runs that are kept as files."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import moocore
import numpy as np
import pandas
from numpy.typing import NDArray

from explorer.outline import ObjectiveInfo

__all__ = ["collect", "hypervolume", "parsed", "parser_of", "positive"]

Array = NDArray[np.float64]
Task = tuple[str | int, ...]

MARGIN = 0.1  # what is added to the front's box at its worst corner, so that its ends count


def hypervolume(points: Array, front: Array, objectives: Sequence[ObjectiveInfo]) -> float:
    """Of points x objectives, in units of the box of a front, a tenth of it added at the worst corner.

    Points beyond the front count for what they are.
    """
    if not len(points):
        return 0.0
    signs = np.array([objective.sign for objective in objectives])
    best, worst = (signs * front).max(axis=0), (signs * front).min(axis=0)
    unit = (signs * points - worst) / np.where(best > worst, best - worst, 1.0)
    return float(moocore.hypervolume(unit, ref=[-MARGIN] * len(signs), maximise=True))


def parser_of(description: str, problems: Iterable[str], strategies: Iterable[str]) -> argparse.ArgumentParser:
    """The options that comparisons share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("benchmark-results"), help="folder of runs, table and picture")
    parser.add_argument("--problems", nargs="+", default=list(problems), choices=list(problems),
                        metavar="NAME", help=_of(problems))  # fmt: skip
    parser.add_argument("--strategies", nargs="+", default=list(strategies), choices=list(strategies),
                        metavar="NAME", help=_of(strategies))  # fmt: skip
    parser.add_argument("--seeds", type=positive, default=5, help="searches of each problem (default: %(default)s)")
    parser.add_argument("--show", action="store_true", help="run nothing: tell what was run before")
    parser.add_argument("--processes", type=positive, default=1, help="searches at once (default: %(default)s)")
    return parser


def _of(names: Iterable[str]) -> str:
    """Names as they are written on a command line."""
    return "of " + " ".join(shlex.quote(name) for name in names)


def positive(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"give a whole number from 1 up, not {text!r}")
    return int(text)


def parsed(parser: argparse.ArgumentParser, arguments: Iterable[str] | None) -> argparse.Namespace:
    """The options, on one thread."""
    options = parser.parse_args(None if arguments is None else list(arguments))
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1: CPU seconds are those of one thread")
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: {options.out} cannot be written: {error.strerror}")
    return options


def collect(
    table: Path, run: Callable[..., pandas.DataFrame], tasks: Sequence[Task], processes: int
) -> pandas.DataFrame:
    """The rows of all runs, these and those that the table holds already; column ``run`` tells which.

    Each run is first a file of its own in a folder of the table's name, so that what is interrupted goes on; at the end
    all are in the table.

    Args:
        table: a Parquet file.
        run: makes the rows of one, in a process of its own; a function of a module.
        tasks: its arguments, run by run, which name the run, too.
        processes: at once.
    """
    folder = table.with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    recorded = [pandas.read_parquet(table)] if table.exists() else []
    names = {name for rows in recorded for name in rows.run}
    missing = [task for task in tasks if _name(task) not in names and not (folder / f"{_name(task)}.parquet").exists()]
    with ProcessPoolExecutor(processes) as pool:
        futures = [pool.submit(_keep, folder, run, task) for task in missing]
        for number, future in enumerate(as_completed(futures), 1):
            print(f"{number}/{len(missing)} {future.result()}", flush=True)
    files = [path for path in folder.glob("*.parquet") if path.stem not in names]
    new = [pandas.read_parquet(path).assign(run=path.stem) for path in files]
    if not recorded and not new:
        raise SystemExit(f"{table}: nothing was run yet")
    rows = pandas.concat([*recorded, *new]).sort_values("run", kind="stable", ignore_index=True)
    if new:
        partial = table.with_suffix(".partial")
        rows.to_parquet(partial)
        partial.rename(table)
    return rows


def _name(task: Task) -> str:
    return "-".join(map(str, task)).replace(", ", "-").replace(" ", "-")


def _keep(folder: Path, run: Callable[..., pandas.DataFrame], task: Task) -> str:
    """Run and write; its name."""
    path = folder / f"{_name(task)}.parquet"
    partial = path.with_suffix(".partial")
    run(*task).to_parquet(partial)
    partial.rename(path)
    return path.stem
