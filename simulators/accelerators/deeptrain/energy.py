"""Energy of one image: matrix-vector products, normalisations, and writing cells.

Crossbars draw their share of the tile's power while they work; that share holds the tile's converters, buffer, bus and
router, so none of these is counted again. Of the network on chip only wires and vias are
(:mod:`.noc`). The weight-gradient pass is counted as work, but the mapping sets no
crossbars and the pipeline no time aside for it: a stack whose layers are all equally slow therefore spends more per
stage than its tiles can draw (``average_power_w`` above ``power_w``; ``rex validate`` shows the worst case). The energy
of an image is what all ``training_passes`` add up to; what heats the stack is the rated power (:mod:`.thermal`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.deeptrain.mapping import Mapping
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.layers import LayerTable
from simulators.protocol import Assumptions

__all__ = ["StackEnergy", "stack_energy"]


@dataclass(frozen=True, eq=False)
class StackEnergy:
    """Joules per image and layer on each of several stacks, arrays of shape (stacks, layers); NaN where nothing fits.

    Args:
        products_j: matrix-vector products of all passes.
        weight_update_j: writing all copies of the weights once per batch, one image's part of it.
        activation_writes_j: keeping outputs for the backward pass.
    """

    products_j: NDArray[np.float64]
    weight_update_j: NDArray[np.float64]
    activation_writes_j: NDArray[np.float64]

    @property
    def by_layer_j(self) -> NDArray[np.float64]:
        """All of it."""
        return self.products_j + self.weight_update_j + self.activation_writes_j


def stack_energy(
    table: LayerTable,
    mapping: Mapping,
    product_energy_j: NDArray[np.float64],
    training: bool,
    settings: Settings,
    assumed: Assumptions,
) -> StackEnergy:
    """What the ReRAM layers spend on one image.

    Args:
        table: the network's layers.
        mapping: their crossbars and copies.
        product_energy_j: of one matrix-vector product on one crossbar, shape (stacks,).
        training: forward on W, error backward on its transpose, further passes (weight gradients) as many crossbars
            as W; in inference forward only.
        settings: batch size and which matrices have copies.
        assumed: passes, bits and write energy.
    """
    fits = np.where(mapping.fits, 1.0, np.nan)[:, None]
    forward = mapping.weight_crossbars.astype(np.float64)
    if not training:
        products = table.positions * forward * product_energy_j[:, None] * fits
        return StackEnergy(products, np.zeros_like(products), np.zeros_like(products))
    backward = forward * (assumed["training_passes"] - 2) + mapping.transposed_crossbars
    crossbars = forward + np.where(mapping.transposed_crossbars > 0, backward, 0.0)  # none: computed elsewhere
    matrices = mapping.copies * (mapping.weight_crossbars > 0) + mapping.transposed_copies * (
        mapping.transposed_crossbars > 0
    )
    bits = table.weights * assumed["weight_bits"] * matrices
    activations = table.out_elements * assumed["activation_bits"]  # however many copies: each output is written once
    write = assumed["write_energy_per_bit_j"]
    return StackEnergy(
        table.positions * crossbars * product_energy_j[:, None] * fits,
        bits * write / settings.batch_size,
        np.asarray(activations * (mapping.activation_crossbars > 0) * write * fits, dtype=np.float64),
    )
