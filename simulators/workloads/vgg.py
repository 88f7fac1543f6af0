"""VGG-11, 16 and 19 (Simonyan and Zisserman, 2014, table 1: columns A, D and E)."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.workloads.network import Network, NetworkBuilder, option, scaled

__all__ = ["vgg11", "vgg16", "vgg19"]

# convolutions of each of the five blocks; a 2 x 2 max pool ends a block
BLOCK_CHANNELS = (64, 128, 256, 512, 512)
DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


def _vgg(name: str, in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    head = option(name, options, "head", ("single", "classic"))
    builder = NetworkBuilder(name, in_channels, in_size)
    for channels, depth in zip(BLOCK_CHANNELS, DEPTHS[name], strict=True):
        for _ in range(depth):
            builder.convolution(scaled(channels, width), 3)
        builder.max_pool(2, 2)
    if head == "classic":
        builder.average_pool(7)
        builder.linear(scaled(4096, width), activation=True)
        builder.linear(scaled(4096, width), activation=True)
    else:
        builder.average_pool(1)
    builder.linear(classes)
    return builder.build()


def vgg11(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """VGG-11: 8 convolutions. Option ``head``: ``single`` (one layer, C_last to classes) or ``classic`` (4096-wide)."""
    return _vgg("vgg11", in_channels, in_size, classes, width, options)


def vgg16(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """VGG-16: 13 convolutions; options as :func:`vgg11`."""
    return _vgg("vgg16", in_channels, in_size, classes, width, options)


def vgg19(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """VGG-19: 16 convolutions; options as :func:`vgg11`."""
    return _vgg("vgg19", in_channels, in_size, classes, width, options)
