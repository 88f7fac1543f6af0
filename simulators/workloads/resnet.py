"""ResNet-18, and ResNet-20, 32, 44 and 56 for small images (He et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.workloads.network import Network, NetworkBuilder, option, scaled

__all__ = ["resnet18", "resnet20", "resnet32", "resnet44", "resnet56"]


def resnet18(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """ResNet-18: 20 convolutions, its three 1 x 1 shortcuts counted (forward order: conv, conv, shortcut).

    Option ``stem``: ``cifar`` (3 x 3, stride 1, no pool) or ``imagenet`` (7 x 7, stride 2, 3 x 3 pool of stride 2).
    """
    stem = option("resnet18", options, "stem", ("cifar", "imagenet"))
    builder = NetworkBuilder("resnet18", in_channels, in_size)
    if stem == "imagenet":
        builder.convolution(scaled(64, width), 7, stride=2, bias="without_bn")
        builder.max_pool(3, 2, padding=1)
    else:
        builder.convolution(scaled(64, width), 3, bias="without_bn")
    for stage, channels in enumerate((64, 128, 256, 512)):
        for block in range(2):
            source, out = builder.last, scaled(channels, width)
            stride = 2 if stage > 0 and block == 0 else 1
            builder.convolution(out, 3, stride=stride, bias="without_bn")
            main = builder.convolution(out, 3, activation=False, bias="without_bn")
            if stride == 2:
                source = builder.convolution(out, 1, stride=2, source=source, activation=False, bias="without_bn")
            builder.add(main, source)
    builder.average_pool(1)
    builder.linear(classes)
    return builder.build()


def resnet20(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """ResNet-20 for small images: 19 convolutions.

    Option ``shortcut``: ``subsample`` (parameter-free, the paper's option A) or ``convolution`` (option B: two more
    convolutions, 21 in all).
    """
    return _for_small_images("resnet20", 3, in_channels, in_size, classes, width, options)


def resnet32(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """ResNet-32 for small images: 31 convolutions; options as resnet20."""
    return _for_small_images("resnet32", 5, in_channels, in_size, classes, width, options)


def resnet44(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """ResNet-44 for small images: 43 convolutions; options as resnet20."""
    return _for_small_images("resnet44", 7, in_channels, in_size, classes, width, options)


def resnet56(in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]) -> Network:
    """ResNet-56 for small images: 55 convolutions; options as resnet20."""
    return _for_small_images("resnet56", 9, in_channels, in_size, classes, width, options)


def _for_small_images(
    name: str, blocks: int, in_channels: int, in_size: int, classes: int, width: float, options: Mapping[str, str]
) -> Network:
    """Three stages of so many blocks each (section 4.2)."""
    shortcut = option(name, options, "shortcut", ("subsample", "convolution"))
    builder = NetworkBuilder(name, in_channels, in_size)
    builder.convolution(scaled(16, width), 3, bias="without_bn")
    for stage, channels in enumerate((16, 32, 64)):
        for block in range(blocks):
            source, out = builder.last, scaled(channels, width)
            stride = 2 if stage > 0 and block == 0 else 1
            builder.convolution(out, 3, stride=stride, bias="without_bn")
            main = builder.convolution(out, 3, activation=False, bias="without_bn")
            if stride == 2 and shortcut == "convolution":
                source = builder.convolution(out, 1, stride=2, source=source, activation=False, bias="without_bn")
            elif stride == 2:
                source = builder.subsample(source, out, 2)
            builder.add(main, source)
    builder.average_pool(1)
    builder.linear(classes)
    return builder.build()
