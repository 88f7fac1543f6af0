"""Trainings kept in a folder, so that asking for more epochs continues and asking for fewer costs nothing.

One file per training: the state after the most epochs that anyone trained, with the results after every epoch before
it. Files appear whole and training is deterministic: any number of workers may share a folder, and the worst that two
with the same key can do is to write the same thing twice. A folder that does not answer costs time, never a result.

Kinds of device and versions of PyTorch round differently: both are part of the key, so that machines may share a folder
and yet no curve goes on where another kind of arithmetic began it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.protocol import Folder
from simulators.training.tensors import read_tensors, tensor_file

__all__ = ["Checkpoint", "Epoch", "checkpoint_key", "read_checkpoint", "write_checkpoint"]

LAYOUT = 3
"""Raised when what a checkpoint holds, or how training goes, changes: older files are then no longer used."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """Results after one epoch.

    Args:
        accuracy: on the validation images, as a fraction.
        test_accuracy: on the test images, as a fraction.
        loss: mean cross-entropy on the validation images, in nats.
        time_s: what training and judging this epoch took.
        images_error: standard error of accuracy on so many images.
        draws: accuracy on the validation images of each of several chips that the network was written to; then
            ``accuracy``, ``test_accuracy`` and ``loss`` are means over these.
        change: part of its range that a cell's conductance changes by in the epoch's last update, see
            :func:`simulators.training.chip.wear.conductance_change`; 0 without a chip.
        change_most: the same for those digits that change most.
    """

    accuracy: float
    test_accuracy: float
    loss: float
    time_s: float
    images_error: float = 0.0
    draws: tuple[float, ...] = ()
    change: float = 0.0
    change_most: float = 0.0


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training after ``len(curve)`` epochs.

    Args:
        curve: results after each epoch.
        diverged: whether numbers ceased to be finite; such a training never goes on.
        state: state dictionaries of the network and its average, and momenta. No random state: every epoch draws its
            numbers from the seed and its own number.
        machine: that trained the last epoch; empty where an older file does not say it.
    """

    curve: tuple[Epoch, ...]
    diverged: bool
    state: Mapping[str, Any]
    machine: str = ""

    def answers(self, epochs: int) -> bool:
        """Whether results after ``epochs`` are known without training."""
        return self.diverged or len(self.curve) >= epochs

    def ends_at(self, epochs: int) -> bool:
        """Whether its state is the one that results after ``epochs`` are of."""
        return len(self.curve) == epochs or (self.diverged and len(self.curve) < epochs)


def checkpoint_key(**identity: Any) -> str:
    """A name for everything that a training's results depend on (plain JSON values): 32 hexadecimal digits."""
    text = json.dumps({"layout": LAYOUT, **identity}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_checkpoint(folder: Folder, name: str) -> Checkpoint | None:
    """The checkpoint in a file; None where there is none.

    A file that is damaged or cannot be read counts as none, with a warning: the training starts afresh.
    """
    try:
        return _read(folder, name)
    except OSError as error:
        logger.warning("checkpoint %s/%s cannot be read (%s): training starts afresh", folder, name, error)
        return None


def write_checkpoint(folder: Folder, name: str, checkpoint: Checkpoint) -> None:
    """Keep ``checkpoint`` in a file, unless the file there holds as many epochs already.

    Where that cannot be done there is a warning: the training goes on.
    """
    try:
        present = _read(folder, name)
        if not present or not present.answers(len(checkpoint.curve)):
            folder.write(name, _content(checkpoint))
    except OSError as error:
        logger.warning("checkpoint %s/%s cannot be kept (%s): training goes on", folder, name, error)


def _read(folder: Folder, name: str) -> Checkpoint | None:
    content = folder.read(name)
    if content is None:
        return None
    try:
        stored = read_tensors(content)
        curve = tuple(
            Epoch(accuracy, test_accuracy, loss, time_s, images_error, tuple(draws), change, change_most)
            for accuracy, test_accuracy, loss, time_s, images_error, draws, change, change_most in stored["curve"]
        )
        return Checkpoint(curve, stored["diverged"], stored["state"], stored.get("machine", ""))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        logger.warning("checkpoint %s/%s is damaged (%s): training starts afresh", folder, name, error)
        return None


def _content(checkpoint: Checkpoint) -> bytes:
    return tensor_file({
        "curve": [
            [
                epoch.accuracy, epoch.test_accuracy, epoch.loss, epoch.time_s, epoch.images_error, list(epoch.draws),
                epoch.change, epoch.change_most,
            ]
            for epoch in checkpoint.curve
        ],
        "diverged": checkpoint.diverged,
        "state": checkpoint.state,
        "machine": checkpoint.machine,
    })  # fmt: skip
