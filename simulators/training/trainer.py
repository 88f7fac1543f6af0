"""The training loop: a network, its images, a recipe and a seed in; accuracy after every epoch out."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import get_ema_multi_avg_fn

from simulators.protocol import InputError
from simulators.training.checkpoint import Checkpoint, Epoch
from simulators.training.chip.chip import Chip
from simulators.training.chip.layers import CrossbarConv2d, CrossbarLinear
from simulators.training.chip.network import chip_seed, deployed, onto_chip
from simulators.training.chip.noise import NoiseSource
from simulators.training.chip.wear import conductance_change
from simulators.training.datasets import ImageData, Images
from simulators.training.descent import Descent
from simulators.training.initialisation import initialise
from simulators.training.judging import images_error, judged, normalised, share, statistics
from simulators.training.recipe import Recipe
from simulators.training.schedule import learning_rate
from simulators.training.seeds import derived
from simulators.workloads import Network
from simulators.workloads.modules import NetworkModule

__all__ = ["Deployment", "Trainer", "choose_device", "machine_of", "reproducible", "train"]

CROP_BORDER = 4
"""Pixels that ``flip_crop`` shifts by at most, as in ResNet's CIFAR-10 recipe (He et al., CVPR 2016, section 4.2)."""


PRODUCTS = (nn.Conv2d, nn.Linear, CrossbarConv2d, CrossbarLinear)
"""Layers whose weights lie in cells."""


@dataclass(frozen=True)
class Deployment:
    """The chip that a network is for.

    Args:
        chip: any.
        in_training: whether every forward pass of the training is that of the chip (ReSNA).
        draws: how often the trained network is written and judged: to the chip that it was trained on, or, where
            training knows of none, to another such chip every time.
    """

    chip: Chip
    in_training: bool
    draws: int


def choose_device(name: str) -> torch.device:
    """The device called ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: there is no CUDA device.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("this machine has no CUDA device that PyTorch can use; choose auto or cpu", "device")
    return torch.device(name)


def machine_of(device: torch.device) -> str:
    """What results are rounded by: the kind of device, and PyTorch's version."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else torch.backends.cpu.get_cpu_capability()
    return f"{device.type} ({name}), torch {torch.__version__}"


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """Within, torch runs on ``threads`` CPU threads and prefers deterministic algorithms; afterwards as before."""
    before, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    torch.set_num_threads(threads)
    # not torch.use_deterministic_algorithms: that loads a compiler which is not used, for longer than torch itself
    torch.set_deterministic_debug_mode("warn")
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_deterministic_debug_mode(mode)


def train(
    trainer: Trainer, epochs: int, *, start: Checkpoint | None = None, keep: Callable[[Checkpoint], None] | None = None
) -> Checkpoint:
    """Train until ``epochs`` epochs from the beginning are done, or until the training diverges.

    Args:
        trainer: fresh from its constructor.
        epochs: counted from the start of training, not from ``start``.
        start: where to continue.
        keep: called with every finished epoch's checkpoint.

    Returns:
        The last checkpoint.
    """
    checkpoint = start or Checkpoint((), False, trainer.state())
    trainer.load(checkpoint)
    while not checkpoint.answers(epochs):
        began = time.perf_counter()
        finite = trainer.train_epoch(len(checkpoint.curve))
        judged = trainer.judge()
        result = replace(
            judged, time_s=time.perf_counter() - began, change=trainer.changes[0], change_most=trainer.changes[1]
        )
        checkpoint = Checkpoint((*checkpoint.curve, result), not finite, trainer.state(), machine_of(trainer.device))
        if keep:
            keep(checkpoint)
    return checkpoint


class Trainer:
    """A network in training, and the average of it that is judged.

    Everything random is drawn from ``seed``: the first weights from the seed alone, an epoch's order of images and
    their augmentation from the seed and the epoch's number. Nothing hangs on what was drawn before, so a training
    continues from a checkpoint bit for bit as if it had never stopped (on a CPU; on CUDA some sums have no fixed
    order).

    Args:
        network: the table of the network that is trained.
        bn: one bit per convolution.
        data: the images; for training at least one batch of them.
        recipe: how to train.
        seed: any integer.
        device: where.
        deployment: the chip that the network is for; None for exact arithmetic.
    """

    def __init__(
        self,
        network: Network,
        bn: Sequence[int],
        data: ImageData,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        deployment: Deployment | None = None,
    ) -> None:
        self.recipe, self.seed, self.device, self.deployment = recipe, seed, device, deployment
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived(seed, "weights"))
            module = NetworkModule(network, bn)
            initialise(module, recipe.initialisation)
        # channels last: a third faster on CPUs
        self.network = module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs know no keyword pair (device, memory_format)
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.changes = 0.0, 0.0  # of conductances by an epoch's last update: of all cells, and of some
        self._noise: NoiseSource | None = None
        self._stored: list[Tensor] = []
        if deployment:
            chip, of_chip = deployment.chip, chip_seed(seed, 0, deployment.in_training)
            self._stored = [layer.weight for layer in self.network.modules() if isinstance(layer, PRODUCTS)]
            if deployment.in_training:
                self._noise = onto_chip(self.network, chip, of_chip)
            self._deployed_noise = onto_chip(self.average, chip, of_chip)
            self._clip()
        self.parameters = list(self.network.parameters())
        self.descent = Descent(self.parameters, recipe)
        # batch normalisation's counts of batches are integers and read by nothing
        self._newest = [value for value in self.network.state_dict().values() if value.is_floating_point()]
        self._averaged = [value for value in self.average.state_dict().values() if value.is_floating_point()]
        mean, deviation = statistics(data.train)
        self._mean, self._deviation = (
            torch.tensor(values, dtype=torch.float32, device=device)[:, None, None] for values in (mean, deviation)
        )
        self._train, self.validation, self.test = (
            self._to_device(part) for part in (data.train, data.validation, data.test)
        )

    def _to_device(self, part: Images) -> tuple[Tensor, Tensor]:
        images = torch.from_numpy(part.images).to(self.device)
        return images, torch.from_numpy(part.labels).to(self.device, torch.int64)

    def state(self) -> dict[str, object]:
        """What a checkpoint has to hold, as copies."""
        parts: dict[str, object] = {
            "network": self.network.state_dict(), "average": self.average.state_dict(),
            "momenta": self.descent.state(),
        }  # fmt: skip
        return copy.deepcopy(parts)

    def load(self, checkpoint: Checkpoint) -> None:
        """Take up a checkpoint's state."""
        self.network.load_state_dict(checkpoint.state["network"])
        self.average.load_state_dict(checkpoint.state["average"])
        self.descent.load(checkpoint.state["momenta"])

    def train_epoch(self, epoch: int) -> bool:
        """Train epoch number ``epoch`` (from 0).

        Returns:
            Whether the loss stayed finite.
        """
        images, labels = self._train
        batch_size = self.recipe.batch_size
        steps = len(labels) // batch_size
        generator = torch.Generator().manual_seed(derived(self.seed, f"epoch {epoch}"))
        order = torch.randperm(len(labels), generator=generator)[: steps * batch_size].to(self.device)
        total = torch.zeros((), device=self.device)
        self.network.train()
        if self._noise:
            self._noise.seed(derived(self.seed, f"noise {epoch}"))
        for step, chosen in enumerate(order.view(steps, batch_size), epoch * steps):
            batch = images[chosen]
            if self.recipe.augmentation == "flip_crop":
                batch = _flip_crop(batch, generator)
            loss = functional.cross_entropy(self.network(self._normalised(batch)), labels[chosen])
            self.descent.clear()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
            nn.utils.clip_grad_norm_(self.parameters, self.recipe.gradient_norm)
            self._update(learning_rate(self.recipe, step, steps), last=step + 1 == (epoch + 1) * steps)
            self._update_average(step)
            total += loss.detach()
        return bool(total.isfinite())

    def _update_average(self, step: int) -> None:
        """Move the average towards the newest weights after step number ``step`` (from 0).

        The decay itself starts low, (1 + n) / (10 + n) after n steps (as in TensorFlow's ExponentialMovingAverage with
        ``num_updates``): the random first weights are soon forgotten, and the first epochs can be judged too.
        """
        decay = min(self.recipe.average_decay, (2 + step) / (11 + step))
        update = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch annotates only part of it
        update(self._averaged, self._newest, 0)

    def _update(self, rate: float, *, last: bool) -> None:
        """Take a step; of an epoch's last one it is measured what it changes in cells."""
        chip = self.deployment.chip if self.deployment else None
        before = [weight.detach().clone() for weight in self._stored] if last and chip else []
        self.descent.step(rate)
        self._clip()
        if before and chip:
            self.changes = conductance_change(before, [weight.detach() for weight in self._stored], chip)

    @torch.no_grad()
    def _clip(self) -> None:
        limit = self.deployment.chip.weight_clip if self.deployment else 0.0
        if limit:
            for weight in self._stored:
                weight.clamp_(-limit, limit)

    def judge(self) -> Epoch:
        """Results of the averaged network as it is now; on a chip, means over several times that it is written to one.

        What is drawn for a chip hangs on the seed and its number, not on the epoch: curves stay smooth. Test images
        take turns on the chips: no spread is asked of them.
        """
        if not self.deployment:
            told, loss = self.evaluate(self.validation)
            return Epoch(share(told), share(self.evaluate(self.test)[0]), loss, 0.0, images_error([told]))
        drawn, draws, tested = [], self.deployment.draws, []
        for draw in range(draws):
            chip, seed = chip_seed(self.seed, draw, self.deployment.in_training), derived(self.seed, f"draw {draw}")
            with deployed(self.average, self._deployed_noise, chip, seed):
                drawn.append(self.evaluate(self.validation))
                tested.append(self.evaluate((self.test[0][draw::draws], self.test[1][draw::draws]))[0])
        every_told, losses = zip(*drawn, strict=True)
        accuracies = tuple(map(share, every_told))
        error = images_error(every_told)
        return Epoch(fmean(accuracies), share(torch.cat(tested)), fmean(losses), 0.0, error, accuracies)

    def evaluate(self, part: tuple[Tensor, Tensor]) -> tuple[Tensor, float]:
        """Which images the averaged network tells right, and its mean cross-entropy (nats)."""
        return judged(lambda images: self.average(self._normalised(images)), *part)

    def _normalised(self, images: Tensor) -> Tensor:
        return normalised(images, self._mean, self._deviation)


def _flip_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirror half of the images and shift each by up to ``CROP_BORDER`` pixels each way, zeros moving in."""
    count, _, size, _ = images.shape
    padded = functional.pad(images, [CROP_BORDER] * 4)
    offsets = torch.randint(0, 2 * CROP_BORDER + 1, (2, count, 1), generator=generator)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    along = torch.arange(size)
    rows = (offsets[0] + along).to(images.device)
    columns = (offsets[1] + torch.where(mirrored, along.flip(0), along)).to(images.device)
    which = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
