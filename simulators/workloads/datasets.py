"""The shapes of data sets: all that a hardware simulator needs to know of one."""

from __future__ import annotations

from dataclasses import dataclass

from simulators.protocol import InputError, suggestion

__all__ = ["DATASETS", "DatasetShape", "dataset_shape"]


@dataclass(frozen=True)
class DatasetShape:
    """Shape of a data set.

    Args:
        channels: of an image.
        size: height and width that networks see (Fashion-MNIST's 28 x 28 are padded to 32 x 32).
        classes: number of labels.
        train_images: images of one epoch.
    """

    channels: int
    size: int
    classes: int
    train_images: int


DATASETS = {
    "cifar10": DatasetShape(3, 32, 10, 50_000),
    "cifar100": DatasetShape(3, 32, 100, 50_000),
    "fashion-mnist": DatasetShape(1, 32, 10, 60_000),
    "tiny-imagenet": DatasetShape(3, 64, 200, 100_000),
    "imagenet": DatasetShape(3, 224, 1000, 1_281_167),
}


def dataset_shape(name: str) -> DatasetShape:
    """The shape of the data set called ``name``.

    Raises:
        InputError: it is unknown.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise InputError(f"unknown data set '{name}'{suggestion(name, DATASETS)}", "workload.dataset") from None
