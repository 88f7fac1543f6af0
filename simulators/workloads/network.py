"""A network as a table of layers: what hardware simulators count and what the PyTorch modules are built from.

Sizes are square: ``in_size`` x ``in_size`` pixels. A layer reads the layers named in ``inputs`` (the image is
``image``), so residual networks are tables too. Batch normalisation is no layer of its own: each convolution may be
followed by one, as the design's bit says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from simulators.protocol import InputError

__all__ = ["IMAGE", "Layer", "Network", "NetworkBuilder", "scaled"]

IMAGE = "image"
Kind = Literal["convolution", "max_pool", "average_pool", "subsample", "add", "linear"]


@dataclass(frozen=True)
class Layer:
    """One row of the table.

    Args:
        name: ``C5`` for the fifth convolution in forward order, ``F1`` for the first fully connected layer.
        kind: what it computes. ``average_pool`` is adaptive (to ``out_size``, and it flattens nothing);
            ``subsample`` takes every ``stride``-th pixel and pads missing channels with zeros (ResNet's option A);
            ``linear`` flattens its input.
        inputs: names of the layers that it reads.
        in_channels, out_channels: channels; for ``linear`` its features.
        in_size, out_size: height and width in pixels; 1 for ``linear``.
        kernel, stride, padding: of convolutions and pools.
        activation: whether a ReLU follows (after the batch normalisation, if there is one).
        bias: ``always``, or ``without_bn``: only where no batch normalisation follows (it would undo the bias).
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    kernel: int = 1
    stride: int = 1
    padding: int = 0
    activation: bool = False
    bias: Literal["always", "without_bn"] = "always"

    @property
    def weights(self) -> int:
        """Number of weights, without bias."""
        if self.kind == "convolution":
            return self.out_channels * self.in_channels * self.kernel**2
        return self.out_channels * self.in_channels if self.kind == "linear" else 0

    @property
    def out_elements(self) -> int:
        """Elements of the output for one image."""
        return self.out_channels * self.out_size**2

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image, forward."""
        return self.weights * self.out_size**2


@dataclass(frozen=True)
class Network:
    """A named table of layers, in forward order.

    Args:
        name: such as ``vgg16``.
        layers: the table; the last one gives the classes.
        in_channels, in_size: of the image.
        bn: the placement of batch normalisation that it was written with, a bit for each convolution; empty where it
            is written with none in particular.
    """

    name: str
    layers: tuple[Layer, ...]
    in_channels: int
    in_size: int
    bn: tuple[int, ...] = ()

    @cached_property
    def convolutions(self) -> tuple[Layer, ...]:
        """The convolutions in forward order: one batch-normalisation bit each."""
        return tuple(layer for layer in self.layers if layer.kind == "convolution")

    @cached_property
    def matrices(self) -> tuple[Layer, ...]:
        """Convolutions and fully connected layers: all that holds weights."""
        return tuple(layer for layer in self.layers if layer.kind in ("convolution", "linear"))

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image, forward (batch normalisation, pools and activations not counted)."""
        return sum(layer.macs for layer in self.layers)

    def scaled(self, width: float) -> Network:
        """The same layers with a fraction of the channels; those of the image and the classes stay.

        Raises:
            InputError: a sum would be of different numbers of channels.
        """
        full = {IMAGE: self.in_channels} | {layer.name: layer.out_channels for layer in self.layers}
        channels = {IMAGE: self.in_channels}
        layers = []
        for layer in self.layers:
            read, *others = (channels[source] for source in layer.inputs)
            if any(other != read for other in others):
                what = f"{layer.name} adds {read} channels to {others[0]}"
                raise InputError(f"{self.name}: at {width} of the width {what}", "proxy.width")
            out = layer.out_channels
            if layer is not self.layers[-1]:
                out = read if layer.kind in ("max_pool", "average_pool", "add") else scaled(out, width)
            flattened = layer.in_channels // full[layer.inputs[0]]  # pixels, for linear layers
            layers.append(replace(layer, in_channels=read * flattened, out_channels=out))
            channels[layer.name] = out
        return replace(self, layers=tuple(layers))

    def parameters(self, bn: Sequence[int]) -> int:
        """Trainable parameters with batch normalisation (scale and shift per channel) where ``bn`` has a 1."""
        total = 0
        bits = dict(zip((layer.name for layer in self.convolutions), bn, strict=True))
        for layer in self.matrices:
            normalised = bool(bits.get(layer.name, 0))
            total += layer.weights + (2 * layer.out_channels if normalised else 0)
            if layer.bias == "always" or not normalised:
                total += layer.out_channels
        return total


def scaled(channels: int, width: float) -> int:
    """``channels`` at a fraction ``width`` of the full network, at least 1."""
    return max(1, round(channels * width))


class NetworkBuilder:
    """Appends layers one after the other, keeping track of names, channels and sizes.

    ``last`` names the newest layer; methods return the name of what they added.
    """

    def __init__(self, name: str, in_channels: int, in_size: int) -> None:
        self.name, self.in_channels, self.in_size = name, in_channels, in_size
        self.layers: list[Layer] = []
        self.last = IMAGE
        self._shapes: dict[str, tuple[int, int]] = {IMAGE: (in_channels, in_size)}
        self._counts: dict[str, int] = {}

    def _add(self, prefix: str, kind: Kind, inputs: tuple[str, ...], out: tuple[int, int], **rest: object) -> str:
        self._counts[prefix] = self._counts.get(prefix, 0) + 1
        name = f"{prefix}{self._counts[prefix]}"
        in_channels, in_size = self._shapes[inputs[0]]
        if kind == "linear":
            in_channels, in_size = in_channels * in_size**2, 1
        if out[1] < 1:
            raise InputError(
                f"{self.name}: an input of {self.in_size} x {self.in_size} pixels is too small: nothing is left at "
                f"layer {name}; choose a larger input_size",
                "workload.input_size",
            )
        self.layers.append(Layer(name, kind, inputs, in_channels, out[0], in_size, out[1], **rest))  # type: ignore[arg-type]  # rest: the keyword fields of Layer, spelled by the methods below
        self._shapes[name] = out
        self.last = name
        return name

    def convolution(
        self,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        source: str = "",
        activation: bool = True,
        bias: Literal["always", "without_bn"] = "always",
    ) -> str:
        """A convolution with 'same' padding (at stride 1)."""
        source = source or self.last
        size, padding = self._shapes[source][1], kernel // 2
        out = (out_channels, (size + 2 * padding - kernel) // stride + 1)
        return self._add("C", "convolution", (source,), out, kernel=kernel, stride=stride, padding=padding,
                         activation=activation, bias=bias)  # fmt: skip

    def max_pool(self, kernel: int, stride: int, padding: int = 0) -> str:
        """A max pool."""
        channels, size = self._shapes[self.last]
        out = (channels, (size + 2 * padding - kernel) // stride + 1)
        return self._add("P", "max_pool", (self.last,), out, kernel=kernel, stride=stride, padding=padding)

    def average_pool(self, out_size: int = 1) -> str:
        """An adaptive average pool to ``out_size`` x ``out_size``."""
        return self._add("A", "average_pool", (self.last,), (self._shapes[self.last][0], out_size))

    def subsample(self, source: str, out_channels: int, stride: int) -> str:
        """ResNet's parameter-free shortcut (option A)."""
        size = self._shapes[source][1]
        return self._add("S", "subsample", (source,), (out_channels, -(-size // stride)), stride=stride)

    def add(self, left: str, right: str) -> str:
        """A residual sum with a ReLU behind it."""
        if self._shapes[left] != self._shapes[right]:
            raise InputError(f"{self.name}: cannot add {left} {self._shapes[left]} and {right} {self._shapes[right]}")
        return self._add("R", "add", (left, right), self._shapes[left], activation=True)

    def linear(self, out_features: int, *, activation: bool = False) -> str:
        """A fully connected layer."""
        return self._add("F", "linear", (self.last,), (out_features, 1), activation=activation)

    def build(self) -> Network:
        """The finished table."""
        return Network(self.name, tuple(self.layers), self.in_channels, self.in_size)


def option(network: str, options: Mapping[str, str], name: str, allowed: Sequence[str]) -> str:
    """The network option ``name``; the first of ``allowed`` is the default.

    Raises:
        InputError: another option was given, or a value that is not allowed.
    """
    for unknown in sorted(set(options) - {name}):
        raise InputError(f"{network} has no option '{unknown}', only {name}: {' or '.join(allowed)}", "workload")
    value = options.get(name, allowed[0])
    if value not in allowed:
        raise InputError(f"{network}: {name} '{value}' is not allowed; choose {', '.join(allowed)}", f"workload.{name}")
    return value
