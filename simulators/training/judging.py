"""How well a network tells images apart: images as numbers, and accuracy and loss on them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from simulators.training.datasets import Images

__all__ = ["images_error", "judged", "normalised", "share", "statistics"]

EVALUATION_BATCH = 250
"""Images judged at once: measured on one CPU core, 250 to 500 are fastest (activations stay in the cache)."""


@torch.inference_mode()
def judged(scores_of: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Which images are told right, shape (count,), and mean cross-entropy (nats).

    Scores that are no finite numbers tell classes apart no more than equal scores do, and count as such: a diverged
    network puts every image into class 0.

    Args:
        scores_of: images, a batch of them, to their class scores, batch x classes.
        images: count x channels x size x size.
        labels: class numbers, shape (count,).
    """
    told, loss = [], 0.0
    for begin in range(0, len(labels), EVALUATION_BATCH):
        some, truth = (values[begin : begin + EVALUATION_BATCH] for values in (images, labels))
        scores = scores_of(some).double()
        scores = torch.where(scores.isfinite().all(dim=1, keepdim=True), scores, 0.0)
        told.append(scores.argmax(dim=1) == truth)
        loss += float(functional.cross_entropy(scores, truth, reduction="sum"))
    return torch.cat(told), loss / len(labels)


def share(told: Tensor) -> float:
    """The fraction of images that were told right."""
    return int(told.sum()) / len(told)


def images_error(told: Sequence[Tensor]) -> float:
    """Standard error of accuracy on so many images, other than what differs between draws of a chip.

    How often an image is told right differs between images: from the nature of the image, and by chance, since draws
    are few. Chance is in the error of draws already, and is taken off (an analysis of variance with random effects).

    Args:
        told: of every draw, which images were told right, shape (count,).
    """
    of_image = torch.stack([of_draw.double() for of_draw in told]).mean(dim=0)
    by_chance = float((of_image * (1 - of_image)).mean()) / (len(told) - 1) if len(told) > 1 else 0.0
    return math.sqrt(max(0.0, float(of_image.var(correction=0)) - by_chance) / len(of_image))


def statistics(part: Images) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel's bytes, from exact counts."""
    levels = np.arange(256)
    means, deviations = [], []
    for channel in range(part.images.shape[1]):
        counts = np.bincount(part.images[:, channel].ravel(), minlength=256)
        mean = float(counts @ levels / counts.sum())
        means.append(mean)
        deviations.append(max(1.0, float(np.sqrt(counts @ (levels - mean) ** 2 / counts.sum()))))
    return means, deviations


def normalised(images: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    """Bytes to numbers of mean 0 and deviation 1 over the training images.

    Args:
        images: batch x channels x size x size.
        mean, deviation: of the training images' bytes, shape (channels, 1, 1).
    """
    return images.to(torch.float32, copy=True).sub_(mean).div_(deviation).contiguous(memory_format=torch.channels_last)
