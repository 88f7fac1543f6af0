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

__all__ = ["chip_seed", "deployed", "onto_chip"]


def chip_seed(seed: int, draw: int, in_training: bool) -> int:
    """Which chip a trained network is written to: the one that it was trained on, or another one every time.

    Args:
        seed: of the training.
        draw: number of the write.
        in_training: whether training was that of a chip.
    """
    return derived(seed, "chip" if in_training else f"chip {draw}")


@contextmanager
def deployed(network: nn.Module, noise: NoiseSource, chip: int, seed: int) -> Iterator[None]:
    """Within, the weights of a network's layers stay as they are written once.

    Args:
        network: whose layers :func:`onto_chip` has put onto a chip.
        noise: of its layers.
        chip: seed of the chip that it is written to.
        seed: of what is drawn when they are written, and of reads.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, Crossbar)]
    _find_stuck_cells(network, chip)
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
    for parent in list(network.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv2d):
                setattr(parent, name, CrossbarConv2d(layer, chip, noise))
            elif isinstance(layer, nn.Linear):
                setattr(parent, name, CrossbarLinear(layer, chip, noise))
    _find_stuck_cells(network, seed)
    return noise


def _find_stuck_cells(network: nn.Module, seed: int) -> None:
    """Put the layers of a network onto another chip of the kind; nothing to do where it is that chip already."""
    for name, layer in network.named_modules():
        if isinstance(layer, Crossbar) and layer.chip.stuck.any:
            of_layer = derived(seed, f"stuck cells {name}")
            if layer.masks is None or layer.masks.seed != of_layer:
                chip, shape = layer.chip, layer.kernel.shape
                masks = Masks.draw(shape, chip.stuck, chip.weight_bits, chip.cell.bits, of_layer)
                layer.masks = masks.to(layer.weight.device)
