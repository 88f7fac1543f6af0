"""Trainings as a table: what each epoch of many trainings gave, and how they were trained, in one Parquet file.

A row is an epoch of a training; the settings stand in the file's metadata. A training with fewer rows than the table
has epochs diverged there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from simulators.protocol import InputError

if TYPE_CHECKING:
    import pandas

__all__ = ["MEASURES", "SHIPPED", "Curve", "Quality", "TableSettings", "TrainingTable", "quality", "read_table"]

SHIPPED = Path(__file__).parent / "data" / "bn_vgg11.parquet"
"""The table that comes with this package: every placement of a narrow VGG-11."""

FEWEST = 3  # placements, for their accuracies to have a range and an order

MAKER = "python examples/bn_table.py"

MEASURES = ("accuracy", "test_accuracy", "loss", "time_s")
COLUMNS: Mapping[str, str] = {
    "bn": "str", "replicate": "int16", "seed": "int32", "epoch": "int16",
    **dict.fromkeys(MEASURES, "float64"), "time_s": "float32",
}  # fmt: skip
"""Columns and their types. Accuracies and losses keep every digit, so that a replay is the training bit for bit."""

Array = NDArray[np.float64]


class TableSettings(BaseModel):
    """How the trainings of a table were made.

    Args:
        network, dataset, options: of the workload.
        width: fraction of the network's channels that was trained.
        trained: what was trained, in a few words.
        epochs: of every training.
        provenance: recipe, proxy, checksum of the images, versions; as the training simulator tells it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    network: str
    dataset: str
    options: dict[str, str] = {}
    width: float
    trained: str
    epochs: int
    provenance: dict[str, str]


@dataclass(frozen=True, eq=False)
class Curve:
    """One training, or the mean of several.

    Args:
        seed: of the training; None for a mean.
        measures: ``MEASURES`` after each epoch, shape (epochs, 4); the last results of a training that diverged stand
            for the epochs that it did not train, with a time of 0.
        trained: epochs that were really trained.
    """

    seed: int | None
    measures: Array
    trained: int


@dataclass(frozen=True, eq=False)
class TrainingTable:
    """Trainings of many placements.

    Args:
        rows: the columns ``COLUMNS``.
        settings: how they were made.
        checksum: SHA-256 of the file; empty if there is none.
    """

    rows: pandas.DataFrame
    settings: TableSettings
    checksum: str = ""

    @cached_property
    def curves(self) -> dict[str, tuple[Curve, ...]]:
        """Per placement (a bit string) its trainings in the order of their replicates."""
        found: dict[str, list[Curve]] = {}
        ordered = self.rows.sort_values(["bn", "replicate", "epoch"])
        measures = ordered[list(MEASURES)].to_numpy(np.float64)
        names, seeds = ordered["bn"].tolist(), ordered["seed"].tolist()
        begins = np.flatnonzero(ordered["epoch"].to_numpy() == 1)
        for begin, end in zip(begins, [*begins[1:], len(ordered)], strict=True):
            missing = np.repeat(measures[end - 1 : end], self.settings.epochs - (end - begin), axis=0)
            missing[:, MEASURES.index("time_s")] = 0.0
            curve = Curve(seeds[begin], np.concatenate([measures[begin:end], missing]), int(end - begin))
            found.setdefault(names[begin], []).append(curve)
        return {bn: tuple(curves) for bn, curves in found.items()}

    @cached_property
    def means(self) -> dict[str, Curve]:
        """Per placement the mean over its trainings."""
        return {
            bn: Curve(None, np.mean([curve.measures for curve in curves], axis=0), max(c.trained for c in curves))
            for bn, curves in self.curves.items()
        }

    def write(self, path: Path) -> None:
        """Write the table; the file appears whole."""
        rows = self.rows[list(COLUMNS)].astype(dict(COLUMNS))
        rows = rows.sort_values(["bn", "replicate", "epoch"], ignore_index=True)
        rows.attrs = dict(self.settings.model_dump().items())  # pandas keeps them in the metadata, as JSON
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        rows.to_parquet(partial, compression="zstd", index=False)
        partial.replace(path)


def read_table(path: Path) -> TrainingTable:
    """The table in a file; a process reads it again if it changed.

    Raises:
        InputError: there is no such file, or it holds no such table.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise InputError(f"there is no table {path}; make one with: {MAKER}", "table") from None
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a Parquet file", "table")
    return _read(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4)
def _read(path: Path, size: int, changed_ns: int) -> TrainingTable:  # noqa: ARG001  # written anew, it is another file
    import pandas

    try:
        rows = pandas.read_parquet(path)
        settings = TableSettings.model_validate(rows.attrs)
        rows = _checked(rows)
    except (OSError, ValueError) as error:  # pyarrow's errors and pydantic's are ValueErrors
        what = "its settings are not those of one" if isinstance(error, ValidationError) else str(error)
        raise InputError(f"{path} is no table of trainings ({what}); make one with: {MAKER}", "table") from None
    return TrainingTable(rows, settings, hashlib.sha256(path.read_bytes()).hexdigest())


def _checked(rows: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of trainings. Raises ValueError if they are none."""
    if lacking := [column for column in COLUMNS if column not in rows.columns]:
        raise ValueError(f"it lacks the columns {', '.join(lacking)}")
    if rows.empty:
        raise ValueError("it has no rows")
    for name in ("accuracy", "test_accuracy"):
        if (wrong := rows[~rows[name].between(0, 1)]).size:
            raise ValueError(f"row {wrong.index[0]}: {name} is {wrong[name].iloc[0]:g}, not from 0 to 1")
    return rows[list(COLUMNS)]


@dataclass(frozen=True)
class Quality:
    """How far differences between placements stand out from luck, at the last epoch where nothing else is said.

    Args:
        noise: standard deviation of accuracy over seeds, pooled over placements (those with at least two trainings).
        typical_noise: the median placement's.
        spread: of the placements' mean accuracies, from their 10 % to their 90 % quantile.
        rank_correlations: Spearman's, of each epoch's mean accuracies with those of the last; NaN where all placements
            are the same.
    """

    noise: float
    typical_noise: float
    spread: float
    rank_correlations: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Noise over spread; infinite where all placements are the same."""
        return self.noise / self.spread if self.spread else float("inf")


def quality(table: TrainingTable, least: float = 0.0) -> Quality:
    """The quality of a table as a benchmark.

    Args:
        table: the trainings.
        least: only placements are looked at that reach this accuracy with every seed.

    Raises:
        InputError: fewer than three placements are left, too few to tell anything.
    """
    accuracies = {
        bn: np.array([curve.measures[:, MEASURES.index("accuracy")] for curve in curves])
        for bn, curves in table.curves.items()
    }
    chosen = [values for values in accuracies.values() if values[:, -1].min() >= least]
    if len(chosen) < FEWEST:
        left = f"{len(chosen)} of {len(accuracies)} placements reach {least:.0%} with every seed"
        raise InputError(f"{left}; {FEWEST} are needed to compare them", "table")
    repeated = [values[:, -1] for values in chosen if len(values) > 1]
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated)
    freedom = sum(len(values) - 1 for values in repeated)
    means = np.array([values.mean(axis=0) for values in chosen])
    low, high = np.quantile(means[:, -1], [0.1, 0.9])
    return Quality(
        float(np.sqrt(squares / freedom)) if freedom else float("nan"),
        float(np.median([values.std(ddof=1) for values in repeated])) if repeated else float("nan"),
        float(high - low),
        tuple(_rank_correlation(epoch, means[:, -1]) for epoch in means.T),
    )


def _rank_correlation(first: Array, second: Array) -> float:
    """Spearman's; NaN where all values are the same, as before anything is learnt."""
    from scipy.stats import spearmanr

    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first, second).statistic)
