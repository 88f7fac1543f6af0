"""The training simulator: accuracy of a batch-normalisation placement, by training it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from simulators.protocol import (
    Design,
    Fidelity,
    Field,
    Folder,
    InputError,
    ModelFile,
    Report,
    TrainingSimulator,
    Value,
    Variable,
    View,
    Workload,
)
from simulators.training.asked import Asked
from simulators.training.chip.draws import over_chips
from simulators.training.chip.settings import Wear
from simulators.training.chip.variables import CHIP_VARIABLES
from simulators.training.datasets import ImageData, load_images
from simulators.training.recipe import parse_settings
from simulators.workloads import bn_variable, dataset_shape, network_for

if TYPE_CHECKING:
    import torch

    from simulators.training.checkpoint import Checkpoint
    from simulators.training.trainer import Deployment

__all__ = ["CHIP_FIELDS", "FIELDS", "ImageTraining"]

FIELDS: Mapping[str, Field] = {
    "accuracy": Field("fraction", "validation accuracy of the averaged weights after the last epoch"),
    "accuracy_images_error": Field("fraction", "standard error of accuracy on so many validation images"),
    "test_accuracy": Field("fraction", "accuracy on test images, which no decision may look at"),
    "loss": Field("nat", "mean cross-entropy on the validation images"),
    "epochs": Field("", "epochs trained, from the start of training; fewer than asked for if it diverged"),
    "paid": Field("", "epochs trained by this call", repeats=False),
    "training_time_s": Field("s", "what these epochs took when they were trained", repeats=False),
    "parameters": Field("", "trainable parameters of the network that was trained"),
    "diverged": Field("", "1 if the loss ceased to be a finite number, else 0"),
}
"""Of every training."""

CHIP_FIELDS: Mapping[str, Field] = {
    "accuracy_chips_error": Field("fraction", "standard error of accuracy for so few chips, or writes to the same one"),
    "accuracy_chips_spread": Field("fraction", "standard deviation of accuracy over them"),
    "accuracy_worst": Field("fraction", "accuracy that nine of ten of them reach, were it normally distributed"),
    "accuracy_worst_chips_error": Field("fraction", "standard error of accuracy_worst for so few of them"),
    "conductance_change": Field("fraction", "of its range, by an update; mean over cells"),
    "conductance_change_most": Field("fraction", "the same for the digits of the layer that change most"),
    "lifetime_years": Field("years", "until the cells are written as often as they endure, on average"),
}
"""Of a training for a chip besides; its accuracy, loss and test accuracy are means over draws."""

OF_SEVERAL = {"accuracy_worst", "accuracy_worst_chips_error"}
"""Fields that take two draws."""


class ImageTraining(TrainingSimulator):
    """Trains the workload's network, or a narrower proxy of it, on real images.

    Args:
        settings: see :class:`simulators.training.recipe.TrainingSettings`.

    Raises:
        InputError: a setting is wrong.
    """

    name = "training"
    meaning = "accuracy by really training on real images (PyTorch)"
    fields = FIELDS
    optional: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys([*(variable.name for variable in CHIP_VARIABLES), *CHIP_FIELDS], "chip: true"),
        **dict.fromkeys(OF_SEVERAL, "chip: {draws: 3}"),
    }
    paths = frozenset({"data_dir"})
    rounding = frozenset({"device", "threads", "torch", "machine"})

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        self.settings = parse_settings(settings)
        if self.settings.chip:
            left_out = OF_SEVERAL if self.settings.chip.draws < 2 else set()
            self.fields = {**FIELDS, **{name: of for name, of in CHIP_FIELDS.items() if name not in left_out}}

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        """``bn``: the convolutions that are followed by batch normalisation; and those of the chip, if there is one."""
        return (bn_variable(workload), *(CHIP_VARIABLES if self.settings.chip else ()))

    def views(self) -> Sequence[View]:
        """See :mod:`simulators.training.views`."""
        from simulators.training.views import make_views

        return make_views(self)

    def fidelity(self) -> Fidelity:
        """Epochs, from 1 to ``max_epochs``."""
        return Fidelity("epochs", 1, self.settings.max_epochs)

    def trained(self, workload: Workload) -> str:  # noqa: ARG002  # the same for every workload
        """Width and images of the proxy, and the chip."""
        settings = self.settings
        width = "the full network" if settings.width == 1 else f"{settings.width:g} of the width"
        images = "the full data set" if settings.data == "full" else "the bundled images"
        told = f"{width} on " + (f"{settings.train_images} of {images}" if settings.train_images else images)
        return told + (f", for a chip ({settings.chip.in_words})" if settings.chip else "")

    def check(self, workload: Workload) -> None:
        """Read the images and build the network's table; torch is asked for CUDA only if the settings insist on it.

        Raises:
            InputError: images, network or device cannot be had, or images and network do not fit.
        """
        network_for(workload, self.settings.width)
        self._images(workload)
        if self.settings.device == "cuda":
            from simulators.training.trainer import choose_device

            choose_device("cuda")

    def provenance(self, workload: Workload) -> dict[str, str]:
        """Images, recipe, proxy, chip, device and PyTorch's version; does not import torch."""
        data, settings = self._images(workload), self.settings
        parts = f"{len(data.train)} train, {len(data.validation)} validation, {len(data.test)} test"
        return {
            "images": f"{data.name} ({parts})",
            "images_sha256": data.checksum,
            "recipe": settings.recipe.model_dump_json(),
            "proxy": "none" if settings.proxy is None else settings.proxy.model_dump_json(),
            "chip": "none" if settings.chip is None else settings.chip.model_dump_json(),
            "device": settings.device,
            "threads": str(settings.threads),
            "torch": version("torch"),
        }

    def simulate(
        self, design: Design, workload: Workload, *, fidelity: int, seed: int = 0, checkpoints: Folder | None = None
    ) -> Report:
        """Train one design; see :meth:`simulators.protocol.TrainingSimulator.simulate`.

        Returns:
            A report with all of :attr:`fields` and, as series over epochs 1, 2, ..., ``fidelity``, ``accuracy``,
            ``test_accuracy``, ``loss`` and ``paid_time_s`` (0 where the checkpoint held the epoch). A diverged training
            stops, and its last results stand for the epochs that it did not train.

        Raises:
            InputError: the design, the fidelity, the workload or the machine does not allow it.
        """
        from simulators.training.trainer import choose_device

        asked = self._asked(design, workload, fidelity, seed, checkpoints)
        device = choose_device(self.settings.device)
        file = asked.file(device.type, version("torch"))
        known = asked.kept(file)
        reached = known if known and known.answers(asked.epochs) else self._trained(asked, device, known, file)
        return self._report(asked, reached, known)

    def export(
        self,
        design: Design,
        workload: Workload,
        *,
        fidelity: int,
        seed: int = 0,
        checkpoints: Folder | None = None,
        provenance: Mapping[str, str] | None = None,
        origin: Mapping[str, Any] | None = None,
        begin: Callable[[int], None] = lambda _: None,
    ) -> ModelFile:
        """The averaged network that is judged, as :mod:`simulators.training.model` reads it.

        What is kept of a training is its state after the most epochs: results after fewer are those of a network that
        is trained again.
        """
        from simulators.training.about import about
        from simulators.training.model import READER, model_content
        from simulators.training.trainer import choose_device

        asked = self._asked(design, workload, fidelity, seed, checkpoints)
        known = reached = self._kept(asked, provenance or {})
        if reached is None:
            device = choose_device(self.settings.device)
            file = asked.file(device.type, version("torch"))
            known = asked.kept(file)
            if known and known.answers(asked.epochs):  # of more epochs: left as it is
                known, file = None, ""
            begin(asked.epochs - (len(known.curve) if known else 0))
            reached = self._trained(asked, device, known, file)
        told = about(asked, design, reached, dict(origin or {}))
        return ModelFile(model_content(told, reached.state["average"]), self._report(asked, reached, known), READER)

    def _kept(self, asked: Asked, provenance: Mapping[str, str]) -> Checkpoint | None:
        """The end of what was asked for as it is kept, on whatever device and with whatever PyTorch it was trained."""
        devices = ("cpu", "cuda") if self.settings.device == "auto" else (self.settings.device,)
        for release in dict.fromkeys([provenance.get("torch", ""), version("torch")]):
            # where it was trained, if that is known, comes first
            for device in sorted(devices, key=lambda device: not provenance.get("machine", "").startswith(device)):
                kept = asked.kept(asked.file(device, release))
                if kept and kept.ends_at(asked.epochs):
                    return kept
        return None

    def _asked(self, design: Design, workload: Workload, fidelity: int, seed: int, checkpoints: Folder | None) -> Asked:
        """A training from what a caller says of it."""
        settings = self.settings
        epochs = self.fidelity().parse(fidelity)
        chosen = self._chosen(design, workload)
        network = network_for(workload, settings.width)
        folder = checkpoints if settings.keep_checkpoints else None
        return Asked(settings, workload, chosen, network, self._images(workload), epochs, seed, folder)

    def _trained(self, asked: Asked, device: torch.device, start: Checkpoint | None, file: str) -> Checkpoint:
        """Train what was asked for, from what is known of it, and keep it in a file if that has a name."""
        from simulators.training.checkpoint import write_checkpoint
        from simulators.training.trainer import Trainer, reproducible, train

        settings = self.settings
        with reproducible(settings.threads):
            trainer = Trainer(
                asked.network, asked.bn, asked.data, settings.recipe, asked.seed, device,
                self._deployment(asked.chosen),
            )  # fmt: skip
            keep = partial(write_checkpoint, asked.folder, file) if asked.folder and file else None
            return train(trainer, asked.epochs, start=start, keep=keep)

    def _report(self, asked: Asked, reached: Checkpoint, known: Checkpoint | None) -> Report:
        """What a training reached, of which some was known before."""
        known_epochs = len(known.curve) if known else 0
        report = _report(reached, asked.epochs, known_epochs, asked.network.parameters(asked.bn))
        if self.settings.chip is None:
            return report
        last = reached.curve[: asked.epochs][-1]
        of_chip = {
            **over_chips(last.draws), "conductance_change": last.change, "conductance_change_most": last.change_most,
        }  # fmt: skip
        of_chip["lifetime_years"] = self._lifetime_years(asked.workload, self.settings.chip.wear, last.change)
        columns = {name: np.array([value], dtype=np.float64) for name, value in of_chip.items()}
        return replace(report, totals={**report.totals, **columns})

    def _lifetime_years(self, workload: Workload, wear: Wear, change: float) -> float:
        """Of a chip that trains the full data set as often as the settings say."""
        from simulators.training.chip.wear import lifetime_years

        batches = math.ceil(dataset_shape(workload.dataset).train_images / self.settings.recipe.batch_size)
        updates = batches * wear.epochs_per_training
        return lifetime_years(change, wear.endurance_writes, updates, wear.trainings_per_year, wear.failed_share)

    def _deployment(self, chosen: Mapping[str, Value]) -> Deployment | None:
        from simulators.training.trainer import Deployment

        settings = self.settings.chip
        if settings is None:
            return None
        return Deployment(settings.chip(chosen), settings.in_training == "noise", settings.draws)

    def _chosen(self, design: Design, workload: Workload) -> dict[str, Value]:
        """What a design chooses of the variables that training reads."""
        chosen: dict[str, Value] = {}
        for variable in self.variables(workload):
            try:
                chosen[variable.name] = variable.domain.parse(design.get(variable.name, variable.default))
            except InputError as error:
                raise error.under(variable.name) from None
        return chosen

    def _images(self, workload: Workload) -> ImageData:
        """The images to train on, checked against the workload."""
        shape, settings = dataset_shape(workload.dataset), self.settings
        for name, asked, given in (
            ("input_size", workload.input_size, shape.size),
            ("classes", workload.classes, shape.classes),
        ):
            if asked not in (None, given):
                raise InputError(
                    f"{asked}: the images of {workload.dataset} have {given}; leave it out", f"workload.{name}"
                )
        data = load_images(workload.dataset, settings.data, settings.data_dir)
        count = settings.train_images
        if count is not None and count > len(data.train):
            raise InputError(f"{count}: there are {len(data.train)} training images", "proxy.train_images")
        if settings.recipe.batch_size > (count or len(data.train)):
            raise InputError(
                f"{settings.recipe.batch_size} is more than the {count or len(data.train)} training images; choose a "
                "smaller batch_size",
                "recipe.batch_size",
            )
        return replace(data, train=data.train.first(count))


def _report(reached: Checkpoint, epochs: int, known_epochs: int, parameters: int) -> Report:
    """Results after ``epochs`` epochs of a training of which ``known_epochs`` were paid for before."""
    curve = reached.curve[:epochs]
    missing = epochs - len(curve)  # of a diverged training, which stays as it is
    paid_time_s = [epoch.time_s if number >= known_epochs else 0.0 for number, epoch in enumerate(curve)]
    totals = {
        "accuracy": curve[-1].accuracy,
        "accuracy_images_error": curve[-1].images_error,
        "test_accuracy": curve[-1].test_accuracy,
        "loss": curve[-1].loss,
        "epochs": len(curve),
        "paid": max(0, len(curve) - known_epochs),
        "training_time_s": sum(epoch.time_s for epoch in curve),
        "parameters": parameters,
        "diverged": reached.diverged and len(curve) == len(reached.curve),
    }
    series = {
        name: np.array([getattr(epoch, name) for epoch in (*curve, *curve[-1:] * missing)])
        for name in ("accuracy", "test_accuracy", "loss")
    }
    return Report(
        totals={name: np.array([value], dtype=np.float64) for name, value in totals.items()},
        series={**series, "paid_time_s": np.array(paid_time_s + [0.0] * missing)},
        provenance={"machine": reached.machine} if reached.machine else {},
    )
