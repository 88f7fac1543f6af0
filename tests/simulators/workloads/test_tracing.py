from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from simulators.protocol import NETWORKS, InputError, Workload, plugin_names
from simulators.workloads import network_for
from simulators.workloads.modules import NetworkModule
from simulators.workloads.network import Layer, Network
from simulators.workloads.tracing import traced

WORKLOADS = [
    *(Workload(name) for name in plugin_names(NETWORKS)),
    Workload("vgg11", "imagenet", options=(("head", "classic"),)),
    Workload("resnet18", "imagenet", options=(("stem", "imagenet"),)),
    Workload("resnet20", options=(("shortcut", "convolution"),)),
]


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_modules_of_tables_are_traced_to_the_same_tables(workload: Workload) -> None:
    network = network_for(workload, 0.125)
    bn = tuple(number % 3 == 0 for number in range(len(network.convolutions)))
    found = traced(NetworkModule(network, bn), network.name, network.in_channels, network.in_size)
    assert found.bn == bn
    assert found.layers == tuple(
        layer if layer.kind != "convolution" or layer.bias == "always" or bn[network.convolutions.index(layer)]
        else _with_bias(network, layer.name)
        for layer in network.layers
    )  # fmt: skip


def _with_bias(network: Network, name: str) -> Layer:
    """A convolution without batch normalisation has a bias, which the module cannot tell from one that always has."""
    return next(replace(layer, bias="always") for layer in network.layers if layer.name == name)


class Block(nn.Module):
    """As people write it."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding="same")
        self.bn2 = nn.BatchNorm2d(out)
        self.short = nn.Sequential()
        if stride > 1:
            self.short = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.short(x)
        return functional.relu(y, inplace=True)


class Own(nn.Module):
    def __init__(self, ending: Callable[[Tensor], Tensor], features: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 5, padding=2), nn.Identity(), nn.Dropout(0.0))
        self.blocks = nn.Sequential(Block(6, 6, 1), Block(6, 8, 2))
        self.ending = ending
        self.head = nn.Sequential(nn.Linear(features, 12), nn.ReLU(), nn.Linear(12, 10))

    def forward(self, images: Tensor) -> Tensor:
        x = functional.relu(functional.max_pool2d(self.stem(images), 3, stride=2, padding=1))
        x = self.blocks(x)
        scores: Tensor = self.head(self.ending(x))
        return scores


ENDINGS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "mean": (lambda x: x.mean([2, 3]), 8),
    "mean of the last two, kept": (lambda x: torch.mean(x, dim=(-1, -2), keepdim=True).flatten(1), 8),
    "view": (lambda x: x.view(x.size(0), -1), 8 * 64),
    "tiles": (lambda x: functional.avg_pool2d(x, 4).reshape(x.shape[0], -1), 8 * 4),
    "adaptive": (lambda x: torch.flatten(functional.adaptive_avg_pool2d(x, (3, 3)), 1), 8 * 9),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_module_of_a_traced_table_computes_what_the_own_one_does(ending: str) -> None:
    torch.manual_seed(0)
    own = Own(*ENDINGS[ending])
    images = torch.rand(4, 3, 32, 32)
    for _ in range(3):
        own(images)  # running means that are no longer zero
    own.eval()
    found = traced(own, "own", 3, 32)
    assert found.bn == (0, 1, 1, 1, 1, 1)
    again = NetworkModule(found, found.bn).eval()
    _copy_weights(own, again)
    with torch.no_grad():
        assert torch.allclose(again(images), own(images), atol=1e-5)


def _copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Modules with weights come in one order in both."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    ours, theirs = ([m for m in module.modules() if isinstance(m, kinds)] for module in (target, source))
    assert [type(m) for m in ours] == [type(m) for m in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        state = other.state_dict()
        if isinstance(mine, nn.Conv2d) and mine.bias is not None:
            state.setdefault("bias", torch.zeros(mine.out_channels))
        mine.load_state_dict(state)


def head(features: int = 8) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(features, 10))


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 3, 3, padding=1), head(3 * 64)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.conv(self.conv(x)))
        return scores


class PreActivation(Shared):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        scores: Tensor = self.head(torch.relu(y) + y)
        return scores


class Aside(Shared):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        scores: Tensor = self.head(torch.relu(y.flatten(1)) + y.flatten(1))
        return scores


class PooledAside(Shared):
    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        pooled = torch.relu(functional.max_pool2d(y, 3, 1, 1))
        scores: Tensor = self.head(pooled + y)
        return scores


class Broken(Shared):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.missing(x)
        return scores


class Joined(Shared):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(torch.cat([self.conv(x), x], dim=1)[:, :3])
        return scores


class Branching(Shared):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.conv(x) if x.sum() > 0 else x)
        return scores


class Unused(Shared):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(x)
        self.conv(x)
        return scores


class Halves(Shared):
    def forward(self, x: Tensor) -> Tensor:
        left, right = self.conv(x).chunk(2, dim=1)
        scores: Tensor = self.head(torch.cat([left, right], dim=1))
        return scores


class Biased(Shared):
    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.conv(x) + 1)
        return scores


UNSUPPORTED: dict[str, tuple[nn.Module, str]] = {
    "depthwise": (nn.Sequential(nn.Conv2d(3, 3, 3, groups=3)), r"'0' \(Conv2d\) .* groups and dilation must be 1"),
    "oblong": (nn.Sequential(nn.Conv2d(3, 3, (1, 3))), r"'0' \(Conv2d\) .* differs between the directions"),
    "oblong padding": (nn.Sequential(nn.Conv2d(3, 3, 3, padding=(1, 0))), "differs between the directions"),
    "reflecting": (nn.Sequential(nn.Conv2d(3, 3, 3, padding_mode="reflect")), "padding of zeros"),
    "sigmoid": (nn.Sequential(nn.Conv2d(3, 3, 3), nn.Sigmoid()), r"'1' \(Sigmoid\) .* supported are convolutions"),
    "BN last": (nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.BatchNorm2d(3)), "must follow a convolution directly"),
    "BN twice": (nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.BatchNorm2d(3)), "must follow a convolution"),
    "ReLU of images": (nn.Sequential(nn.ReLU(), head(3 * 64)), "a ReLU must follow"),
    "ReLU of a pool": (nn.Sequential(nn.Conv2d(3, 3, 3), nn.AvgPool2d(2), nn.ReLU()), "a ReLU must follow"),
    "ReLU of pooled images": (nn.Sequential(nn.MaxPool2d(2), nn.ReLU(), head(48)), "a ReLU must follow"),
    "dropout": (nn.Sequential(nn.Conv2d(3, 3, 3), nn.Dropout(0.3)), "take it out"),
    "ceil mode": (nn.Sequential(nn.MaxPool2d(2, ceil_mode=True)), "ceil_mode and return_indices off"),
    "overlapping averages": (nn.Sequential(nn.AvgPool2d(3, 2)), "must tile the image"),
    "no classes": (nn.Sequential(nn.Conv2d(3, 10, 3), nn.Flatten()), "must end with a linear layer"),
    "shared": (Shared(), "'conv' .* used twice"),
    "pre-activation": (PreActivation(), "is used elsewhere, too"),
    "ReLU of what is flattened beside": (Aside(), "is used elsewhere, too"),
    "ReLU of a pool of what is used": (PooledAside(), "is used elsewhere, too"),
    "lazy": (nn.Sequential(nn.LazyConv2d(4, 3), head()), r"'0' \(LazyConv2d\) .* how many channels"),
    "broken": (Broken(), "cannot be traced .AttributeError: "),
    "joined": (Joined(), r"cat \(cat\) is not supported"),
    "branching": (Branching(), "cannot be traced"),
    "unused": (Unused(), "that its scores do not depend on"),
    "halves": (Halves(), "gives several tensors"),
    "biased": (Biased(), "sums are of two tensors"),
    "features of pixels": (nn.Sequential(nn.Linear(8, 10)), "flatten what a linear layer reads"),
    "wrong size": (nn.Sequential(nn.Conv2d(4, 3, 3)), "'0' fails on images of 3 x 8 x 8: "),
    "flattened otherwise": (nn.Sequential(nn.Flatten(0, 1)), "images x features only"),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_a_table_cannot_say_is_named(name: str) -> None:
    module, words = UNSUPPORTED[name]
    with pytest.raises(InputError, match=words) as told:
        traced(module, "mine", 3, 8)
    assert str(told.value).startswith("mine: ")


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
@pytest.mark.parametrize("width", [0.0625, 0.25, 1.0, 2.0])
def test_a_table_is_scaled_as_the_network_is_built(workload: Workload, width: float) -> None:
    assert network_for(workload).scaled(width) == network_for(workload, width)


def test_sums_with_the_image_cannot_be_scaled() -> None:
    class Sum(Shared):
        def forward(self, x: Tensor) -> Tensor:
            scores: Tensor = self.head(self.conv(x) + x)
            return scores

    network = traced(Sum(), "mine", 3, 8)
    assert network.scaled(1.0) == network
    with pytest.raises(InputError, match="at 2 of the width R1 adds 6 channels to 3"):
        network.scaled(2)
