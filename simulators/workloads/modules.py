"""PyTorch modules built from the same tables that hardware simulators count.

This module imports torch; nothing in :mod:`simulators.workloads` imports it unasked.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from simulators.workloads.network import IMAGE, Layer, Network

__all__ = ["NetworkModule", "ResidualSum", "Subsample"]


class Subsample(nn.Module):
    """ResNet's parameter-free shortcut (option A; He et al., CVPR 2016, section 3.3).

    Takes every ``stride``-th pixel and appends channels of zeros:
    ``batch x in_channels x h x w`` to ``batch x (in_channels + extra_channels) x ceil(h / stride) x ceil(w / stride)``.
    """

    def __init__(self, extra_channels: int, stride: int) -> None:
        super().__init__()
        self.extra_channels, self.stride = extra_channels, stride

    def forward(self, images: Tensor) -> Tensor:
        """The shortcut of ``images``."""
        return functional.pad(images[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra_channels))


class ResidualSum(nn.Module):
    """The sum of two tensors of one shape, with a ReLU behind it where ``activation`` says so."""

    def __init__(self, activation: bool) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """``left + right``, rectified."""
        total = left + right
        return total.relu_() if self.activation else total


class NetworkModule(nn.Module):
    """A network as its table says, with batch normalisation after the convolutions whose bit is 1.

    Convolution, then batch normalisation, then ReLU. Weights start from PyTorch's defaults, as in the DeepTrain paper
    (section III): it is these that leave deep networks without batch normalisation unable to learn.

    Args:
        network: the table.
        bn: one bit per convolution, in forward order.

    Raises:
        ValueError: there are more or fewer bits than convolutions.
    """

    def __init__(self, network: Network, bn: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        bits = dict(zip((layer.name for layer in network.convolutions), bn, strict=True))
        self.layers = nn.ModuleDict(
            {layer.name: _module(layer, bool(bits.get(layer.name))) for layer in network.layers}
        )
        self._last_reader = {source: layer.name for layer in network.layers for source in layer.inputs}

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, ``batch x classes``, of images, ``batch x in_channels x in_size x in_size``."""
        outputs = {IMAGE: images}
        for layer in self.network.layers:
            outputs[layer.name] = self.layers[layer.name](*(outputs[source] for source in layer.inputs))
            for source in layer.inputs:
                if self._last_reader[source] == layer.name:
                    outputs.pop(source, None)  # frees memory in inference
        return outputs[self.network.layers[-1].name]


def _module(layer: Layer, normalised: bool) -> nn.Module:
    match layer.kind:
        case "convolution":
            # in place is safe: neither convolution nor batch normalisation reads its own output going backward
            return _chain(
                nn.Conv2d(
                    layer.in_channels, layer.out_channels, layer.kernel, layer.stride, layer.padding,
                    bias=layer.bias == "always" or not normalised,
                ),
                nn.BatchNorm2d(layer.out_channels) if normalised else None,
                nn.ReLU(inplace=True) if layer.activation else None,
            )  # fmt: skip
        case "linear":
            linear = nn.Linear(layer.in_channels, layer.out_channels)
            return _chain(nn.Flatten(), linear, nn.ReLU(inplace=True) if layer.activation else None)
        case "max_pool":
            return nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
        case "average_pool":
            return nn.AdaptiveAvgPool2d(layer.out_size)
        case "subsample":
            return Subsample(layer.out_channels - layer.in_channels, layer.stride)
        case "add":
            return ResidualSum(layer.activation)


def _chain(*modules: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(*(module for module in modules if module is not None))
