"""Layers onto crossbars: how many a copy takes, and how often the stack can repeat each layer.

The rules follow the paper's sections IV.B and VI.A and PipeLayer (HPCA 2017): W and its transpose and the activations
all stay on the chip, and slow layers are repeated until the crossbars are used up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import Combinations, alike_rows
from simulators.accelerators.deeptrain.policies import is_true
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
            transpose in inference, and where the backward pass runs elsewhere; neither on a graphics card.
        activation_crossbars: for the outputs kept for the backward pass, shape (stacks, layers).
        needed: crossbars with every layer once, shape (stacks,).
        available: crossbars of the stack, shape (stacks,).
        used: crossbars with all copies, shape (stacks,).
        copies: of each layer, shape (stacks, layers).
        transposed_copies: of its transpose, same shape.
        stage_products: matrix-vector products one after the other in the slowest stage, shape (stacks,).
    """

    weight_crossbars: NDArray[np.int64]
    transposed_crossbars: NDArray[np.int64]
    activation_crossbars: NDArray[np.int64]
    needed: NDArray[np.int64]
    available: NDArray[np.int64]
    used: NDArray[np.float64]
    copies: NDArray[np.float64]
    transposed_copies: NDArray[np.float64]
    stage_products: NDArray[np.float64]

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Which stacks hold the network."""
        return self.needed <= self.available

    @property
    def crossbars(self) -> NDArray[np.float64]:
        """Of each layer with all copies and its activations, shape (stacks, layers)."""
        held: NDArray[np.float64] = (
            self.copies * self.weight_crossbars
            + self.transposed_copies * self.transposed_crossbars
            + self.activation_crossbars
        )
        return held


def ceil_divide(number: NDArray[np.int64] | int, by: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Integer division that rounds up."""
    return np.asarray(-(-number // by), dtype=np.int64)


@lru_cache(maxsize=256)
def stage_candidates(positions: tuple[int, ...]) -> NDArray[np.int64]:
    """All lengths that a stage can have: ``ceil(positions / copies)`` of any layer, ascending.

    From the root of the positions on, one copy more shortens a stage by less than one product: no length is left out.
    """
    few: dict[int, NDArray[np.int64]] = {
        count: np.arange(1, math.isqrt(count - 1) + 2) for count in set(positions)
    }  # up to the root, rounded up
    lengths = [values for count, copies in few.items() for values in (copies, ceil_divide(count, copies))]
    return np.unique(np.concatenate(lengths))


def copies_for(positions: NDArray[np.int64], products: NDArray[np.int64], powers_of_two: bool) -> NDArray[np.int64]:
    """Copies of a layer with so many positions that a stage of so many products needs."""
    copies = ceil_divide(positions, products)
    if powers_of_two:
        copies = 2 ** np.ceil(np.log2(copies)).astype(np.int64)
    return copies


def fastest_stage(
    positions: NDArray[np.int64],
    crossbars_per_copy: NDArray[np.int64],
    budget: NDArray[np.int64],
    powers_of_two: bool = False,
) -> NDArray[np.float64]:
    """Shortest slowest stage, in matrix-vector products, that the crossbars allow; exact.

    A layer with p positions and r copies takes ceil(p / r) products, so a stage of t products needs ceil(p / t) copies
    of it. The crossbars for that only fall as t grows: the smallest t that is affordable is the optimum.

    Args:
        positions: of each layer, shape (layers,).
        crossbars_per_copy: of each layer, shape (layers,).
        budget: crossbars for all copies, shape (stacks,).
        powers_of_two: copies are rounded up to powers of two.

    Returns:
        shape (stacks,); NaN where the budget does not hold one copy of each layer.
    """
    if (budget < crossbars_per_copy.sum()).all():
        return np.full(len(budget), np.nan)
    candidates = stage_candidates(tuple(positions.tolist()))
    cost = crossbars_per_copy @ copies_for(positions[:, None], candidates, powers_of_two)
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
    weight_bits, activation_bits = int(assumed["weight_bits"]), int(assumed["activation_bits"])
    on_reram = ~is_true(stacks["policy"], "card")[:, None]
    weights = on_reram * _matrix_crossbars(table.in_channels, table.out_channels, table, size, cell_bits, weight_bits)
    if training:
        transposed = weights
        if settings.transposed == "own_ceilings":
            transposed = on_reram * _matrix_crossbars(
                table.out_channels, table.in_channels, table, size, cell_bits, weight_bits
            )
        transposed = np.where(is_true(stacks["policy"], "backward_on_gpu")[:, None], 0, transposed)
        activations = on_reram * ceil_divide(table.out_elements * activation_bits, cell_bits * size**2)
        pipelayer = 2 * np.arange(len(table.names))[::-1] + 1
        activations = activations * np.where((stacks["activation_copies"] == "pipelayer")[:, None], pipelayer, 1)
    else:
        transposed = activations = np.zeros_like(weights)
    both = settings.replicate == "both"
    per_copy = weights + transposed * both
    fixed = (activations + transposed * (not both)).sum(axis=1)
    available = (stacks["reram_layers"] * stacks["tiles_per_layer"] * tile.crossbars).astype(np.int64)
    available = available * on_reram[:, 0]
    rounded, once = (stacks["replication"] == rule for rule in ("powers-of-two", "once"))
    budget = np.where(once, np.minimum(available - fixed, per_copy.sum(axis=1)), available - fixed)
    stage = np.empty(len(available))
    for alike in alike_rows(np.column_stack([per_copy, rounded])):  # many stacks differ in their budget alone
        first = alike[0]
        stage[alike] = fastest_stage(table.positions, per_copy[first], budget[alike], bool(rounded[first]))
    copies = np.ceil(table.positions / stage[:, None])
    copies = np.where(rounded[:, None], 2.0 ** np.ceil(np.log2(copies)), copies)
    return Mapping(
        weights,
        transposed,
        activations,
        needed=per_copy.sum(axis=1) + fixed,
        available=available,
        used=(copies * per_copy).sum(axis=1) + fixed,
        copies=copies,
        transposed_copies=copies if both else np.ones_like(copies),
        stage_products=stage,
    )


def _matrix_crossbars(
    inputs: NDArray[np.int64],
    outputs: NDArray[np.int64],
    table: LayerTable,
    size: NDArray[np.int64],
    cell_bits: NDArray[np.int64],
    weight_bits: int,
) -> NDArray[np.int64]:
    """Crossbars of one copy: inputs x kernel along the rows, outputs x cells of a weight along the columns."""
    return ceil_divide(inputs * table.kernel**2, size) * ceil_divide(outputs * weight_bits, cell_bits * size)
