"""A network's products onto a chip, and the network written to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from simulators.training.chip.chip import Chip
from simulators.training.chip.layers import Crossbar, CrossbarConv2d, CrossbarLinear
from simulators.training.chip.masks import Masks
from simulators.training.chip.noise import NoiseSource
from simulators.training.seeds import derived

__all__ = ["deployed", "onto_chip"]


@contextmanager
def deployed(network: nn.Module, noise: NoiseSource, seed: int) -> Iterator[None]:
    """Within, the weights of a network's layers stay as they are written once.

    Args:
        network: whose layers :func:`onto_chip` has put onto a chip.
        noise: of its layers.
        seed: of what is drawn when they are written, and of reads.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, Crossbar)]
    noise.seed(seed)
    for layer in layers:
        layer.keep()
    try:
        yield
    finally:
        for layer in layers:
            layer.release()


def onto_chip(network: nn.Module, chip: Chip, seed: int) -> NoiseSource:
    """Put the weights of all convolutions and fully connected layers of a network onto a chip; all else stays as it is.

    Args:
        network: changed in place; parameters and their names stay.
        chip: any.
        seed: of the chip: the same seed, the same stuck cells.

    Returns:
        Where its layers draw noise from.
    """
    noise = NoiseSource(next(network.parameters()).device)
    for name, parent, child_name, layer in list(_products(network)):
        masks = None
        if chip.stuck.any:
            shape = layer.weight.shape + (1,) * (4 - layer.weight.dim())
            masks = Masks.draw(
                shape, chip.stuck, chip.weight_bits, chip.cell.bits, derived(seed, f"stuck cells {name}")
            ).to(layer.weight.device)
        if isinstance(layer, nn.Conv2d):
            setattr(parent, child_name, CrossbarConv2d(layer, chip, noise, masks))
        else:
            setattr(parent, child_name, CrossbarLinear(layer, chip, noise, masks))
    return noise


def _products(network: nn.Module) -> Iterator[tuple[str, nn.Module, str, nn.Conv2d | nn.Linear]]:
    for parent_name, parent in network.named_modules():
        for child_name, child in parent.named_children():
            if isinstance(child, nn.Conv2d | nn.Linear):
                yield f"{parent_name}.{child_name}", parent, child_name, child
