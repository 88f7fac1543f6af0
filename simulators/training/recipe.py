"""How a network is trained, what is trained in its place, and where: the settings of the training simulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from simulators.protocol import InputError, field_path, foremost, plain_words, shown
from simulators.training.chip.settings import ChipSettings

__all__ = ["Proxy", "Recipe", "TrainingSettings", "parse_settings"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Recipe(_Settings):
    """Stochastic gradient descent with momentum, judged on averaged weights.

    The learning rate climbs linearly over ``warmup_epochs`` and stays constant, or falls as ``schedule`` says: it does
    not depend on how many epochs are asked for, so that continuing from 4 to 12 epochs is the same as training 12. What
    a falling learning rate does elsewhere, averaging does here: accuracy is that of the exponential moving average of
    all weights and batch-normalisation statistics, which makes accuracy over epochs a smooth curve at no cost.

    Args:
        optimizer: ``sgd``, the only one.
        learning_rate: after the warm-up.
        momentum: of the gradient; 0 for none.
        weight_decay: L2 penalty on every parameter.
        batch_size: images per step; those that do not fill the last batch of an epoch sit that epoch out.
        warmup_epochs: over which the learning rate climbs from 0; 0 for none.
        schedule: after the warm-up: ``constant``; ``step``, a tenth after every ``schedule_epochs``; or ``cosine``, to
            0 over ``schedule_epochs``, and again from the start.
        schedule_epochs: see ``schedule``.
        initialisation: of weights: ``default`` (PyTorch's), ``kaiming`` (normal, for ReLU), ``xavier`` (uniform),
            ``orthogonal``, or ``normal`` with a deviation of 0.01.
        gradient_norm: upper limit of the gradient's L2 norm over all parameters; larger gradients are scaled down.
        average_decay: what the average keeps of itself at each step (less in the first steps); 0 judges the raw
            weights.
        augmentation: ``none``, or ``flip_crop``: mirror half of the images, shift each by up to 4 pixels.
    """

    optimizer: Literal["sgd"] = "sgd"
    learning_rate: float = Field(0.04, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    batch_size: int = Field(64, ge=2)
    warmup_epochs: int = Field(1, ge=0)
    schedule: Literal["constant", "step", "cosine"] = "constant"
    schedule_epochs: int = Field(10, ge=1)
    initialisation: Literal["default", "kaiming", "xavier", "orthogonal", "normal"] = "default"
    gradient_norm: float = Field(2.0, gt=0)
    average_decay: float = Field(0.98, ge=0, lt=1)
    augmentation: Literal["none", "flip_crop"] = "none"


class Proxy(_Settings):
    """What is really trained in place of the full network on the full data set.

    It has the convolutions of the full network, fewer channels each: batch-normalisation bits map one to one.

    Args:
        width: fraction of the full network's channels.
        data: ``bundled`` (the images that come with this package) or ``full`` (all images, from ``data_dir``); without
            it ``full`` where ``data_dir`` is given and ``bundled`` elsewhere.
        train_images: only the first so many training images; without it all.
    """

    width: float = Field(0.125, gt=0, le=1)
    data: Literal["bundled", "full"] | None = None
    train_images: int | None = Field(None, ge=1)


def _none_or_mapping(value: Any) -> Any:
    if value is None or value == "none":
        return None
    if isinstance(value, Mapping | Proxy):
        return value
    raise ValueError(f"write none or a mapping of {', '.join(Proxy.model_fields)}, not {shown(value)}")


def _chip(value: Any) -> Any:
    return None if value == "none" else {} if value is True else value


class TrainingSettings(_Settings):
    """Settings of the training simulator.

    Args:
        recipe: how a network is trained.
        proxy: what is trained; ``none`` trains the full network on all images of ``data_dir``.
        device: ``cpu``, ``cuda``, or ``auto``: CUDA where there is one. Trainings do not go on from one to the other.
        data_dir: folder of data sets in their standard files.
        threads: CPU threads of one training.
        keep_checkpoints: whether to store trainings, and to continue from stored ones.
        max_epochs: the highest fidelity.
        chip: the chip that networks are trained for; ``none``: exact arithmetic, and designs differ in ``bn`` alone.
    """

    recipe: Recipe = Recipe()
    proxy: Annotated[Proxy | None, BeforeValidator(_none_or_mapping)] = Proxy()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    data_dir: Path | None = None
    threads: int = Field(1, ge=1)
    keep_checkpoints: bool = True
    max_epochs: int = Field(20, ge=1)
    chip: Annotated[ChipSettings | None, BeforeValidator(_chip)] = None

    @property
    def width(self) -> float:
        """Fraction of the full network's channels that is trained."""
        return self.proxy.width if self.proxy else 1.0

    @property
    def data(self) -> Literal["bundled", "full"]:
        """Which images are used."""
        if self.proxy is None:
            return "full"
        return self.proxy.data or ("full" if self.data_dir else "bundled")

    @property
    def train_images(self) -> int | None:
        """How many training images are used; None for all."""
        return self.proxy.train_images if self.proxy else None


def parse_settings(settings: Mapping[str, object] | None) -> TrainingSettings:
    """Settings as written in a search file.

    Raises:
        InputError: a setting is unknown, has a value that is not allowed, or lacks another that it needs.
    """
    try:
        parsed = TrainingSettings.model_validate(dict(settings or {}))
    except ValidationError as error:
        first = foremost(error.errors(include_url=False))
        raise InputError(plain_words(first, TrainingSettings), field_path(first, TrainingSettings)) from None
    if parsed.data == "full" and parsed.data_dir is None:
        asked = "proxy: none" if parsed.proxy is None else "proxy.data: full"
        raise InputError(
            f"{asked} trains on a complete data set, and no folder is given to read it from; set data_dir, or choose "
            "proxy.data: bundled",
            "data_dir",
        )
    return parsed
