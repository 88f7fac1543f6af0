"""Trainings replayed from a table: real accuracies and costs, in microseconds."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from simulators.protocol import (
    Bits,
    Design,
    Fidelity,
    Field,
    Folder,
    InputError,
    Report,
    TrainingSimulator,
    Variable,
    Workload,
    field_path,
    plain_words,
)
from simulators.training.simulator import FIELDS
from simulators.training.table import MAKER, SHIPPED, Curve, TrainingTable, read_table
from simulators.workloads import bn_variable, dataset_shape, network_for

__all__ = ["TabulatedSettings", "TabulatedTraining"]

logger = logging.getLogger(__name__)

FIXED = ("data_dir", "proxy", "recipe")
"""Settings of the training simulator that a table has fixed."""


class TabulatedSettings(BaseModel):
    """Settings of the tabulated training simulator.

    Args:
        table: the file, made by ``examples/bn_table.py``.
        average: replay the mean over a placement's trainings, whatever the seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Path = SHIPPED
    average: bool = False


class TabulatedTraining(TrainingSimulator):
    """Replays real trainings: the same reports as :class:`.ImageTraining`'s, read from a table.

    A seed that was trained replays that training, bit for bit; any other picks one of the placement's trainings by its
    hash. What was asked before of the same design and seed is remembered in the folder of checkpoints, so that going on
    costs the difference; without a folder every call pays in full.

    Args:
        settings: see :class:`TabulatedSettings`.

    Raises:
        InputError: a setting is wrong, or the table that it names cannot be read.
    """

    name = "tabulated"
    meaning = "accuracy replayed from a table of real trainings"
    fields: Mapping[str, Field] = MappingProxyType(
        {name: field for name, field in FIELDS.items() if name != "accuracy_images_error"}  # tables do not tell it
    )
    paths = frozenset({"table"})

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        given = dict(settings or {})
        for name in FIXED:
            if name in given:
                raise InputError("what was trained stands in the table; remove this", name)
        try:
            parsed = TabulatedSettings.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise InputError(plain_words(first, TabulatedSettings), field_path(first, TabulatedSettings)) from None
        self.average = parsed.average
        self.path = parsed.table.expanduser().absolute()  # workers have working folders of their own
        if "table" in given:
            read_table(self.path)

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        """``bn``: the convolutions that are followed by batch normalisation."""
        return (bn_variable(workload),)

    def fidelity(self) -> Fidelity:
        """Epochs, from 1 to those of the table.

        Raises:
            InputError: there is no table.
        """
        return Fidelity("epochs", 1, read_table(self.path).settings.epochs)

    def trained(self, workload: Workload) -> str:  # noqa: ARG002  # the same for every workload
        """What the table's trainings were of."""
        return f"{read_table(self.path).settings.trained} (replayed from a table)"

    def check(self, workload: Workload) -> None:
        """Read the table, and warn where it lacks placements.

        Raises:
            InputError: there is none, or it was made for something else.
        """
        table, variable = self._table(workload), bn_variable(workload)
        if (lacking := variable.domain.size - len(table.curves)) > 0:
            logger.warning(
                "%s lacks %d of %d placements, whose evaluations will fail; to train them: %s", self.path.name, lacking,
                variable.domain.size, MAKER,
            )  # fmt: skip

    def provenance(self, workload: Workload) -> dict[str, str]:
        """The table with its checksum, and how it was made."""
        table = self._table(workload)
        own = {"table": self.path.name, "table_sha256": table.checksum, "average": str(self.average).lower()}
        return {**table.settings.provenance, **own}

    def simulate(
        self, design: Design, workload: Workload, *, fidelity: int, seed: int = 0, checkpoints: Folder | None = None
    ) -> Report:
        """Replay one design; see :meth:`simulators.protocol.TrainingSimulator.simulate`.

        Returns:
            The report that :meth:`.ImageTraining.simulate` gives of such a training.

        Raises:
            InputError: the table holds no such training.
        """
        table = self._table(workload)
        epochs = self.fidelity().parse(fidelity)
        variable = bn_variable(workload)
        bn = Bits(variable.domain.parse(design.get("bn", variable.default)))  # type: ignore[arg-type]  # a binary vector's values are Bits
        curve = self._curve(table, str(bn), seed)
        before = 0
        if checkpoints is not None:
            key = hashlib.sha256(json.dumps([table.checksum, str(bn), seed]).encode()).hexdigest()[:32]
            before = _reached_before(checkpoints, key, min(epochs, curve.trained), table.settings.epochs)
        parameters = network_for(workload, table.settings.width).parameters(bn)
        return _report(curve, epochs, before, parameters)

    def _curve(self, table: TrainingTable, bn: str, seed: int) -> Curve:
        if bn not in table.curves:
            raise InputError(
                f"{self.path.name} holds {len(table.curves)} of {2 ** len(bn)} placements, and not this one; to train "
                f"the others: {MAKER}",
                "bn",
            )
        if self.average:
            return table.means[bn]
        curves = table.curves[bn]
        trained = {curve.seed: curve for curve in curves}
        digest = hashlib.sha256(str(seed).encode()).digest()
        return trained.get(seed) or curves[int.from_bytes(digest[:8], "big") % len(curves)]

    def _table(self, workload: Workload) -> TrainingTable:
        """The table, checked against the workload."""
        table = read_table(self.path)
        made, shape = table.settings, dataset_shape(workload.dataset)
        for name, asked, given in (
            ("network", workload.network, made.network),
            ("dataset", workload.dataset, made.dataset),
            ("options", dict(workload.options), made.options),
            ("input_size", workload.input_size or shape.size, shape.size),
            ("classes", workload.classes or shape.classes, shape.classes),
        ):
            if asked != given:
                raise InputError(f"{asked}: {self.path.name} was made for {given}", f"workload.{name}")
        return table


def _reached_before(folder: Folder, key: str, trained: int, most: int) -> int:
    """Epochs of a training that calls before this one paid for; notes what this one reaches.

    There is an empty file for every number of epochs that was reached: it is there or not, so that any number of
    workers may share the folder. A folder that does not answer remembers nothing, with a warning.
    """
    before = 0
    try:
        before = next((n for n in range(most, 0, -1) if folder.read(f"{key}.{n}") is not None), 0)
        if trained > before:
            folder.write(f"{key}.{trained}", b"")
    except OSError as error:
        logger.warning("what was paid for cannot be looked up or noted in %s (%s)", folder, error)
    return before


def _report(curve: Curve, epochs: int, before: int, parameters: int) -> Report:
    """Results after ``epochs`` epochs of a training of which ``before`` epochs were paid for."""
    accuracy, test_accuracy, loss, time_s = curve.measures[:epochs].T
    trained = min(epochs, curve.trained)
    totals = {
        "accuracy": accuracy[-1],
        "test_accuracy": test_accuracy[-1],
        "loss": loss[-1],
        "epochs": trained,
        "paid": max(0, trained - before),
        "training_time_s": time_s.sum(),
        "parameters": parameters,
        "diverged": curve.trained <= epochs and curve.trained < len(curve.measures),
    }
    return Report(
        totals={name: np.array([value], dtype=np.float64) for name, value in totals.items()},
        series={
            "accuracy": accuracy,
            "test_accuracy": test_accuracy,
            "loss": loss,
            "paid_time_s": np.where(np.arange(epochs) < before, 0.0, time_s),
        },
    )
