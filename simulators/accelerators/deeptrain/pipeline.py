"""Times: convolutions on ReRAM and normalisations on GPU tiles as stages of one pipeline (paper, section V.A)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import weighted_bits
from simulators.accelerators.deeptrain.settings import Settings

__all__ = ["Pipeline", "bn_work", "schedule"]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """Times of many designs, arrays of shape (designs,).

    Args:
        image_latency_s: from an image's entrance to its last weight gradient (inference: to its label).
        batch_time_s: one batch with filling, draining and, in training, the weight update.
        epoch_time_s: all training images once.
    """

    image_latency_s: NDArray[np.float64]
    batch_time_s: NDArray[np.float64]
    epoch_time_s: NDArray[np.float64]


def bn_work(
    bits: NDArray[np.uint8], elements: NDArray[np.int64], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """What a placement of normalisations asks of the GPU tiles.

    Args:
        bits: shape (designs, convolutions).
        elements: normalised elements per image behind each convolution, shape (convolutions,).
        settings: whether all normalisations share the tiles in time, or the slowest one counts.

    Returns:
        number of normalisations, elements in all, and elements that the stage time counts: each of shape (designs,).
    """
    count, total = weighted_bits(bits, np.stack([np.ones(len(elements)), elements.astype(np.float64)], axis=1))
    if settings.bn_time == "sum":
        return count, total, total
    slowest = np.zeros(len(bits))
    for column, size in enumerate(elements):
        np.maximum(slowest, bits[:, column] * float(size), out=slowest)
    return count, total, slowest


def schedule(
    stage_time_s: NDArray[np.float64],
    stages: NDArray[np.float64],
    update_time_s: NDArray[np.float64],
    training: bool,
    batch_size: int,
    images: int,
) -> Pipeline:
    """Run batches through the pipeline.

    Training follows PipeLayer (HPCA 2017): with L stages an image takes 2 L + 1 steps (forward, loss,
    backward), a batch of B images 2 L + B, and weights are updated when the pipeline is empty. Inference takes L steps
    and never drains.

    Args:
        stage_time_s: of the slowest stage: one image enters, and one leaves, in that time; shape (designs,).
        stages: L, weight layers and normalisations, shape (designs,); 0 where there is no pipeline, but one image after
            the other (a graphics card: its latency of an image is its part of a batch).
        update_time_s: of one weight update, shape (designs,).
        training: or inference.
        batch_size: B.
        images: of one epoch.
    """
    stage = stage_time_s
    if not training:
        through = np.maximum(stages, 1)
        fill = (through - 1) * stage
        return Pipeline(through * stage, fill + batch_size * stage, fill + images * stage)
    between = 2 * stages * stage + update_time_s
    batches = -(-images // batch_size)
    return Pipeline((2 * stages + 1) * stage, between + batch_size * stage, batches * between + images * stage)
