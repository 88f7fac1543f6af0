"""Trained networks as files: weights, what they were trained on and for, and how to build the network again.

A file holds tensors and plain values only; PyTorch reads it without running anything that it says. It needs no study::

    model = load_model("model.pt")
    scores = model(images)  # bytes, batch x channels x size x size
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from simulators.protocol import InputError
from simulators.training.about import LAYOUT, About
from simulators.training.chip.network import chip_seed, deployed, onto_chip
from simulators.training.datasets import Images
from simulators.training.judging import judged, normalised, share
from simulators.training.seeds import derived
from simulators.training.tensors import read_tensors, tensor_file
from simulators.training.trainer import reproducible
from simulators.workloads.modules import NetworkModule

__all__ = ["READER", "TrainedNetwork", "accuracy", "load_model", "model_content"]

READER = "simulators.training.model.load_model"


class TrainedNetwork(nn.Module):
    """A trained network that takes images as they are.

    Args:
        network: with its weights.
        about: what is known of it.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: NetworkModule, about: About) -> None:
        super().__init__()
        self.network, self.about = network, about
        for name in ("mean", "deviation"):
            values = torch.tensor(getattr(about.images, name), dtype=torch.float32)
            self.register_buffer(name, values[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, batch x classes, of images with numbers from 0 to 255, batch x channels x size x size.

        Raises:
            InputError: images are of another shape.
        """
        wanted = self.about.images
        if images.shape[1:] != (wanted.channels, wanted.size, wanted.size):
            raise InputError(
                f"images of shape {tuple(images.shape)} do not fit; this network takes batches of {wanted.channels} x "
                f"{wanted.size} x {wanted.size} (smaller images with zeros around them, as load_images gives them)",
                "images",
            )
        scores: Tensor = self.network(normalised(images, self.mean, self.deviation))
        return scores

    @contextmanager
    def on_chip(self, draw: int = 0) -> Iterator[TrainedNetwork]:
        """The network as it is written to the chip that it was trained for, the same at every call.

        Where training knew of no chip (``in_training: none``), every draw is another chip of the kind.

        Args:
            draw: number of the write; the first ones, as many as ``about.results.draws`` has, were judged when it was
                trained, and give the same accuracies again.

        Yields:
            A network of its own, to be used within.

        Raises:
            InputError: it was trained for exact arithmetic.
        """
        if self.about.chip is None:
            raise InputError("this network was trained for exact arithmetic: it has no chip", "chip")
        written = copy.deepcopy(self).eval()
        chip = chip_seed(self.about.seed, draw, self.about.chip.settings.in_training == "noise")
        noise = onto_chip(written.network, self.about.chip.chip, chip)
        with deployed(written.network, noise, chip, derived(self.about.seed, f"draw {draw}")):
            yield written


def accuracy(model: TrainedNetwork, images: Images) -> float:
    """The fraction of images that a network tells right, judged as its training does it.

    Args:
        model: any; its parameters say on which device.
        images: such as ``load_images("fashion-mnist", "bundled").validation``.
    """
    device = model.mean.device
    with reproducible(model.about.threads):
        found = judged(
            model, torch.from_numpy(images.images).to(device), torch.from_numpy(images.labels).to(device, torch.int64)
        )
    return share(found[0])


def model_content(told: About, weights: Mapping[str, Tensor]) -> bytes:
    """The file of a trained network.

    Args:
        told: what is known of it.
        weights: the state of its module.
    """
    on_cpu = {name: value.detach().cpu() for name, value in weights.items()}
    return tensor_file({"about": told.model_dump(mode="json"), "weights": on_cpu})


def load_model(path: str | Path, device: str | torch.device = "cpu") -> TrainedNetwork:
    """The network in a file that ``rex model`` wrote, ready to judge images.

    Args:
        path: of the file.
        device: where it is to compute.

    Raises:
        InputError: there is no such file, it is damaged, or it holds no such network.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); rex model writes such files", "model") from None
    told, weights = _read(content, path)
    try:
        with torch.random.fork_rng(devices=[]):  # weights to be replaced are no reason to move the caller's seed
            module = NetworkModule(told.network, [int(digit) for digit in told.bn])
        module.load_state_dict(weights)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: its weights are not those of its network ({reason}); write it anew", "model"
        ) from None
    model = TrainedNetwork(module, told).requires_grad_(False).eval()
    return model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch's stubs know no keyword pair (device, memory_format)


def _read(content: bytes, path: str | Path) -> tuple[About, Mapping[str, Tensor]]:
    try:
        stored = read_tensors(content)
        told, weights = stored["about"], stored["weights"]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged, or no file of rex model ({error}); write it anew", "model") from None
    if isinstance(told, dict) and told.get("layout") != LAYOUT:
        raise InputError(
            f"{path} has layout {told.get('layout')!r}, this version reads {LAYOUT}; read it with the version that "
            "wrote it, or write it anew",
            "model",
        )
    try:
        return About.model_validate(told), weights
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"{path} is no file of rex model (about.{place}: {first['msg']})", "model") from None
