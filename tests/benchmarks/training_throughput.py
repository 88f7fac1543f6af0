"""How many images a second a training sees: ``python -m tests.benchmarks.training_throughput``.

The peer is a plain, well-written PyTorch loop: the images lie in memory as bytes, batches are gathered whole, channels
are last, the optimizer is fused, gradients are limited and weights averaged by PyTorch's own functions. Beside it, on
the same network and images: this product's training, and the same on a chip with every effect off, with all of them,
and with stuck cells. Variants take turns, an epoch each, so that a busy
machine slows all of them; of each the fastest epoch is shown, and the median (quartiles) of its time against the peer's
in the same round.

``--at-once 1 2 4`` trains so many candidates side by side, each in a process of its own with one thread: on a CPU this
is how a search uses its cores; on a GPU (``--device cuda``), how it fills one that a small network leaves idle. Compare
with ``--threads``: one training on several cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from simulators.protocol import Workload
from simulators.training import ImageTraining
from simulators.training.chip.variables import CHIP_VARIABLES
from simulators.training.datasets import ImageData, load_images
from simulators.training.trainer import Deployment, Trainer, choose_device
from simulators.workloads import Network, bn_variable, network_for
from simulators.workloads.modules import NetworkModule

NONE = {"thermal_shot": False, "programming": False, "random_telegraph": False, "drift": False}
CHIPS: Mapping[str, dict[str, object]] = {
    "on a chip, all effects off": NONE,
    "on a chip, all effects": {},
    "on a chip, all effects, 0.1 % stuck": {"stuck": {"on": 5e-4, "off": 5e-4}},
}
LOUD: Mapping[str, Any] = {"cell_bits": 8, "crossbar_size": 64, "frequency_hz": 1e9, "temperature_k": 400}


class Setting:
    """A network and its images.

    Args:
        arguments: of the command.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        workload = Workload(arguments.network, "fashion-mnist")
        self.network: Network = network_for(workload, arguments.width)
        self.bn = bn_variable(workload).domain.parse("all")
        data = load_images("fashion-mnist", "bundled")
        self.data: ImageData = replace(data, train=data.train.first(arguments.images))
        self.device, self.batch = choose_device(arguments.device), arguments.batch

    def peer(self, *, last: bool = True, half: bool = False) -> Callable[[int], object]:
        """An epoch of the plain loop.

        Args:
            last: channels last.
            half: products in bfloat16.
        """
        layout = torch.channels_last if last else torch.contiguous_format
        network = NetworkModule(self.network, self.bn).to(self.device, memory_format=layout)  # type: ignore[call-overload,arg-type]  # torch's stubs
        optimizer = torch.optim.SGD(network.parameters(), 0.04, 0.9, weight_decay=5e-4, fused=True)
        average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.98), use_buffers=True)  # type: ignore[no-untyped-call]  # torch's own annotation is missing
        images = torch.from_numpy(self.data.train.images).to(self.device)
        labels = torch.from_numpy(self.data.train.labels).to(self.device, torch.int64)

        def epoch(_: int) -> None:
            network.train()
            order = torch.randperm(len(labels), device=self.device)
            for chosen in order[: len(labels) // self.batch * self.batch].view(-1, self.batch):
                batch = images[chosen].float().sub_(128).div_(64).contiguous(memory_format=layout)
                with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
                    loss = functional.cross_entropy(network(batch), labels[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
                nn.utils.clip_grad_norm_(network.parameters(), 2.0)
                optimizer.step()
                average.update_parameters(network)  # type: ignore[no-untyped-call]  # torch's own annotation is missing

        return epoch

    def ours(self, chip: Mapping[str, object] | None = None) -> Callable[[int], object]:
        """An epoch of this product's training."""
        settings = ImageTraining({"recipe": {"batch_size": self.batch}, "chip": chip or "none"}).settings
        deployment = None
        if chip is not None:
            settings = ImageTraining({"recipe": {"batch_size": self.batch}, "chip": chip}).settings
            assert settings.chip is not None
            chosen = {**{variable.name: variable.default for variable in CHIP_VARIABLES}, **LOUD}
            deployment = Deployment(settings.chip.chip(chosen), in_training=True, draws=1)
        trainer = Trainer(self.network, self.bn, self.data, settings.recipe, 0, self.device, deployment)  # type: ignore[arg-type]  # bits
        return trainer.train_epoch

    def timed(self, epoch: Callable[[int], object], number: int) -> float:
        """Images a second of one epoch."""
        began = time.perf_counter()
        epoch(number)
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return len(self.data.train) // self.batch * self.batch / (time.perf_counter() - began)


def beside(arguments: argparse.Namespace) -> None:
    """Print images a second of every variant, and the time of each against the peer's."""
    setting = Setting(arguments)
    variants = {
        "plain PyTorch loop": setting.peer(),
        "the same, channels first": setting.peer(last=False),
        "the same, bfloat16": setting.peer(half=True),
        "this product": setting.ours(),
        **{name: setting.ours(chip) for name, chip in CHIPS.items()},
    }
    rounds: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(arguments.epochs + 1):
        for name, epoch in variants.items():
            speed = setting.timed(epoch, number)
            if number:  # the first one warms up
                rounds[name].append(speed)
    peer = np.array(rounds["plain PyTorch loop"])
    print(f"{arguments.network} at {arguments.width:g} of its width, batches of {arguments.batch}, {arguments.device}")
    for name, speeds in rounds.items():
        low, ratio, high = np.quantile(peer / np.array(speeds), [0.25, 0.5, 0.75])
        times = f"{ratio:.2f} of the plain loop's time ({low:.2f} to {high:.2f})"
        print(f"  {name:<38}{max(speeds):>9,.0f} images a second   {times}")


def _train(arguments: argparse.Namespace, ready: Any, done: Any) -> None:
    """A candidate in a process of its own."""
    torch.set_num_threads(arguments.threads)
    setting = Setting(arguments)
    epoch = setting.ours({} if arguments.chip else None)
    setting.timed(epoch, 0)
    ready.wait()
    for number in range(arguments.epochs):
        setting.timed(epoch, number + 1)
    done.wait()


def at_once(arguments: argparse.Namespace, count: int) -> float:
    """Images a second of ``count`` candidates together."""
    context = multiprocessing.get_context("spawn")
    ready, done = context.Barrier(count + 1), context.Barrier(count + 1)
    processes = [context.Process(target=_train, args=(arguments, ready, done)) for _ in range(count)]
    for process in processes:
        process.start()
    ready.wait()
    began = time.perf_counter()
    done.wait()
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return count * arguments.epochs * (arguments.images // arguments.batch * arguments.batch) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="How many images a second a training sees.")
    parser.add_argument("--network", default="vgg11")
    parser.add_argument("--width", type=float, default=0.125)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=5, help="that count, of each variant")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--at-once", type=int, nargs="+", default=[], help="candidates side by side, instead")
    parser.add_argument("--chip", action="store_true", help="candidates are trained for a chip")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if not arguments.at_once:
        beside(arguments)
        return
    alone = 0.0
    for count in arguments.at_once:
        speed = at_once(arguments, count)
        alone = alone or speed / count
        candidates = 3600 * speed / arguments.images
        print(
            f"{count:>3} at once: {speed:>9,.0f} images a second, {candidates:>8,.0f} candidates of one epoch an hour, "
            f"{speed / alone:.2f} times one alone"
        )


if __name__ == "__main__":
    main()
