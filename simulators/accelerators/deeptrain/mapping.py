"""Layers onto crossbars: how many a copy takes, and how often the stack can repeat each layer.

The rules follow the paper's sections IV.B and VI.A and PipeLayer (HPCA 2017): W and its transpose and the activations
all stay on the chip, and slow layers are repeated until the crossbars are used up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import Combinations
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.layers import LayerTable
from simulators.components import Tile
from simulators.protocol import Assumptions

__all__ = ["Mapping", "fastest_stage", "map_network"]


@dataclass(frozen=True, eq=False)
class Mapping:
    """A network on each of several stacks; NaN where it does not fit.

    Args:
        weight_crossbars, transposed_crossbars: of one copy of W and of its transpose, shape (stacks, layers); no
            transpose in inference.
        activation_crossbars: for the outputs kept for the backward pass, shape (stacks, layers).
        needed: crossbars with every layer once, shape (stacks,).
        available: crossbars of the stack, shape (stacks,).
        used: crossbars with all copies, shape (stacks,).
        copies: of each layer, shape (stacks, layers).
        stage_products: matrix-vector products one after the other in the slowest stage, shape (stacks,).
    """

    weight_crossbars: NDArray[np.int64]
    transposed_crossbars: NDArray[np.int64]
    activation_crossbars: NDArray[np.int64]
    needed: NDArray[np.int64]
    available: NDArray[np.int64]
    used: NDArray[np.float64]
    copies: NDArray[np.float64]
    stage_products: NDArray[np.float64]

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Which stacks hold the network."""
        return self.needed <= self.available


def ceil_divide(number: NDArray[np.int64], by: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Integer division that rounds up."""
    quotient: NDArray[np.int64] = -(-number // by)
    return quotient


@lru_cache(maxsize=256)
def stage_candidates(positions: tuple[int, ...]) -> NDArray[np.int64]:
    """All lengths that a stage can have: ``ceil(positions / copies)`` of any layer, ascending."""
    lengths = [ceil_divide(np.full(count, count), np.arange(1, count + 1)) for count in set(positions)]
    return np.unique(np.concatenate(lengths))


def fastest_stage(
    positions: NDArray[np.int64], crossbars_per_copy: NDArray[np.int64], budget: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Shortest slowest stage, in matrix-vector products, that the crossbars allow; exact.

    A layer with p positions and r copies takes ceil(p / r) products, so a stage of t products needs ceil(p / t) copies
    of it. The crossbars for that only fall as t grows: the smallest t that is affordable is the optimum.

    Args:
        positions: of each layer, shape (layers,).
        crossbars_per_copy: of each layer, shape (layers,).
        budget: crossbars for all copies, shape (stacks,).

    Returns:
        shape (stacks,); NaN where the budget does not hold one copy of each layer.
    """
    candidates = stage_candidates(tuple(positions.tolist()))
    cost = crossbars_per_copy @ ceil_divide(positions[:, None], candidates)
    first = np.searchsorted(-cost, -budget)
    affordable = first < len(candidates)
    return np.where(affordable, candidates[np.minimum(first, len(candidates) - 1)], np.nan)


def map_network(
    table: LayerTable, stacks: Combinations, tile: Tile, training: bool, settings: Settings, assumed: Assumptions
) -> Mapping:
    """Map a network onto each of several stacks.

    Args:
        table: the network's layers.
        stacks: hardware variables of each stack.
        tile: its tiles, arrays of shape (stacks,).
        training: whether the transpose and the activations are kept.
        settings: mapping rules.
        assumed: bits of weights and activations.
    """
    size, cell_bits = (stacks[name].astype(np.int64)[:, None] for name in ("crossbar_size", "cell_bits"))
    area = table.kernel**2
    weight_columns = cell_bits * size
    weight_bits, activation_bits = int(assumed["weight_bits"]), int(assumed["activation_bits"])
    weights = ceil_divide(table.in_channels * area, size) * ceil_divide(
        table.out_channels * weight_bits, weight_columns
    )
    if not training:
        transposed = activations = np.zeros_like(weights)
    else:
        transposed = weights
        if settings.transposed == "own_ceilings":
            transposed = ceil_divide(table.out_channels * area, size) * ceil_divide(
                table.in_channels * weight_bits, weight_columns
            )
        activations = ceil_divide(table.out_elements * activation_bits, cell_bits * size**2)
        if settings.activation_copies == "pipelayer":
            activations = activations * (2 * np.arange(len(table.names))[::-1] + 1)
    per_copy = weights + transposed if settings.replicate == "both" else weights
    fixed = activations.sum(axis=1) + (transposed.sum(axis=1) if settings.replicate == "weights" else 0)
    available = (stacks["reram_layers"] * stacks["tiles_per_layer"] * tile.crossbars).astype(np.int64)
    stage = np.empty(len(available))
    kinds, kind_of = np.unique(np.hstack([size, cell_bits]), axis=0, return_inverse=True)
    for kind in range(len(kinds)):  # a network's needs depend on the kind of crossbar alone
        alike = np.flatnonzero(kind_of.ravel() == kind)
        stage[alike] = fastest_stage(table.positions, per_copy[alike[0]], available[alike] - fixed[alike])
    copies = np.ceil(table.positions / stage[:, None])
    return Mapping(
        weights,
        transposed,
        activations,
        needed=per_copy.sum(axis=1) + fixed,
        available=available,
        used=(copies * per_copy).sum(axis=1) + fixed,
        copies=copies,
        stage_products=stage,
    )
