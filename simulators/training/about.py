"""What the file of a trained network says of it: plain values, enough to build the network and to judge it again."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from simulators.protocol import Bits, Design
from simulators.training.asked import Asked
from simulators.training.chip.settings import ChipSettings
from simulators.training.judging import statistics
from simulators.training.recipe import Proxy, Recipe
from simulators.workloads import Network, dataset_shape

if TYPE_CHECKING:
    from simulators.training.checkpoint import Checkpoint
    from simulators.training.chip.chip import Chip

__all__ = ["LAYOUT", "About", "ChipAbout", "ImagesAbout", "Results", "about"]

LAYOUT = 1
"""Raised when files of this layout can no longer be read as those before."""


class _Plain(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImagesAbout(_Plain):
    """The images that a network was trained and judged on.

    Args:
        dataset: name of the data set.
        name: in words.
        sha256: over all images and labels.
        train, validation, test: how many of each; of the training images those that were used.
        channels, size: of an image as the network sees it.
        classes: number of them.
        mean, deviation: of the bytes of each channel over the training images: what images are normalised by.
    """

    dataset: str
    name: str
    sha256: str
    train: int
    validation: int
    test: int
    channels: int
    size: int
    classes: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


class ChipAbout(_Plain):
    """The chip that a network was trained for.

    Args:
        settings: of the search.
        chosen: values of the variables that a design chooses of it.
    """

    settings: ChipSettings
    chosen: dict[str, int | float | str]

    @property
    def chip(self) -> Chip:
        """The chip itself."""
        return self.settings.chip(self.chosen)


class Results(_Plain):
    """What a training reached, judged on averaged weights: those of the file.

    Args:
        accuracy, loss: on the validation images, as a fraction and in nats; for a chip, means over draws.
        test_accuracy: on the test images; for a chip, these take turns on the draws.
        draws: accuracy each time that the network was written to a chip; empty without one.
        epochs: trained.
        diverged: whether numbers ceased to be finite, which ended it.
    """

    accuracy: float
    loss: float
    test_accuracy: float
    draws: tuple[float, ...]
    epochs: int
    diverged: bool


class About(_Plain):
    """What a file says of its network.

    Args:
        layout: of the file.
        network: the table of the network that was trained.
        bn: its placement of batch normalisation: a digit for each convolution.
        design: all that was chosen, also of the chip that the network runs on.
        images: that it was trained and judged on.
        recipe: how it was trained.
        proxy: what was trained in place of the full network; None: nothing was.
        seed: everything random followed from it.
        threads: CPU threads of the training.
        chip: that it was trained for; None for exact arithmetic.
        results: what it reached.
        origin: whose network it is, as whoever asked for it says.
        provenance: versions, and the machine.
    """

    layout: int = LAYOUT
    network: Network
    bn: str = Field(pattern="^[01]*$")
    design: dict[str, int | float | str]
    images: ImagesAbout
    recipe: Recipe
    proxy: Proxy | None
    seed: int
    threads: int
    chip: ChipAbout | None
    results: Results
    origin: dict[str, Any]
    provenance: dict[str, str]


def about(asked: Asked, design: Design, reached: Checkpoint, origin: Mapping[str, Any]) -> About:
    """What the file of a training's network says of it.

    Args:
        asked: the training.
        design: of which it is, with what training does not read.
        reached: its end.
        origin: whose network it is, as whoever asked for it says.
    """
    settings, data, last, shape = asked.settings, asked.data, reached.curve[-1], dataset_shape(asked.workload.dataset)
    mean, deviation = statistics(data.train)
    chosen = {name: value for name, value in asked.chosen.items() if not isinstance(value, Bits)}
    return About(
        network=asked.network,
        bn=str(asked.bn),
        design=design.to_json(),
        images=ImagesAbout(
            dataset=asked.workload.dataset, name=data.name, sha256=data.checksum, train=len(data.train),
            validation=len(data.validation), test=len(data.test), channels=shape.channels, size=shape.size,
            classes=shape.classes, mean=tuple(mean), deviation=tuple(deviation),
        ),
        recipe=settings.recipe,
        proxy=settings.proxy,
        seed=asked.seed,
        threads=settings.threads,
        chip=ChipAbout(settings=settings.chip, chosen=chosen) if settings.chip else None,
        results=Results(
            accuracy=last.accuracy, loss=last.loss, test_accuracy=last.test_accuracy, draws=last.draws,
            epochs=len(reached.curve), diverged=reached.diverged,
        ),
        origin=dict(origin),
        provenance={
            "reram-explorer": version("reram-explorer"), "machine": reached.machine, "workload": str(asked.workload),
        },
    )  # fmt: skip
