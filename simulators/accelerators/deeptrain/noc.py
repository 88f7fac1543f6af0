"""What travels over the stack's network on chip: a 3-D mesh of ReRAM clusters and GPU tiles (paper, section IV.B).

Each layer of the network fills clusters one after the other along a snake through the ReRAM layers, so that what
follows each other lies side by side. Its output goes to all clusters of the layers that read it; in training their
errors come back to all of its. Behind a batch normalisation it goes through the GPU tiles instead: a share to each tile
(its channels), and from there on. Routers stand where the clusters of a ReRAM layer are; a GPU layer has as many, and
each of its tiles uses the one that is nearest.

Left out: the images themselves, what is written into cells (it stays in the cluster) and control.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.deeptrain.mapping import Mapping
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.layers import LayerTable
from simulators.accelerators.mesh import multicast_loads, snake, unicast_loads
from simulators.components import Tile
from simulators.protocol import Assumptions

__all__ = ["Traffic", "stack_traffic"]

FloatArray = NDArray[np.float64]

TILES_PER_CLUSTER = 4  # that share a router (table I, and ISAAC)
GPU_TILES_ACROSS = 4  # of a GPU layer's 16


@dataclass(frozen=True, eq=False)
class Traffic:
    """Bytes per image over each link of one stack, by direction and by the router that the link leaves (6 x X x Y x Z).

    Args:
        base: without any normalisation.
        by_bit: what the normalisation behind each convolution adds, convolutions x 6 x X x Y x Z; less than nothing
            where traffic goes another way.
    """

    base: FloatArray
    by_bit: FloatArray

    def loads(self, bits: NDArray[np.uint8]) -> FloatArray:
        """With normalisations after the convolutions whose bit is 1."""
        return np.maximum(self.base + np.tensordot(bits.astype(np.float64), self.by_bit, axes=1), 0.0)


def stack_traffic(
    table: LayerTable,
    mapping: Mapping,
    tile: Tile,
    stack: tuple[int, int, int],
    training: bool,
    multicast: bool,
    settings: Settings,
    assumed: Assumptions,
) -> Traffic:
    """The traffic of a network on one stack.

    Args:
        table: the network's layers.
        mapping: of one stack that holds the network.
        tile: its tiles.
        stack: ReRAM layers, GPU layers and tiles of a ReRAM layer.
        training: errors come back, too.
        multicast: one message to all clusters of a layer, or one to each.
        settings: which layers lie at the heat sink (the first ones of Z), and what copies hold.
        assumed: bits of an activation.
    """
    reram_layers, gpu_layers, tiles = stack
    across = math.isqrt(tiles // TILES_PER_CLUSTER)
    near, far = (reram_layers, gpu_layers)[:: 1 if settings.next_to_sink == "reram" else -1]
    reram_first = 0 if settings.next_to_sink == "reram" else near
    shape = (across, across, near + far)
    regions = _regions(
        _crossbars(mapping, settings),
        tile.crossbars.item() * TILES_PER_CLUSTER,
        across,
        reram_layers,
        reram_first,
        shape,
    )
    gpu = _gpu_shares(across, gpu_layers, 0 if reram_first else near, shape)
    bytes_per_element = assumed["activation_bits"] / 8
    clusters = (regions > 0).astype(np.float64)

    def to_all(sent: FloatArray, layer: int) -> FloatArray:
        return (multicast_loads if multicast else unicast_loads)(sent, clusters[layer])

    base = np.zeros((6, *shape))
    by_layer = np.zeros((len(table.names), 6, *shape))
    index = {name: number for number, name in enumerate(table.names)}
    for flow in table.flows:
        source, destination = index[flow.source], index[flow.destination]
        size = flow.elements * bytes_per_element
        direct = np.zeros((6, *shape))
        if source != destination:
            direct = to_all(size * regions[source], destination)
            if training:
                direct = direct + to_all(size * regions[destination], source)
        base += direct
        if flow.normalised:
            through = to_all(size * gpu, destination)
            if training:
                through = through + unicast_loads(size * regions[destination], gpu)
            by_layer[source] += through - direct
    for layer in table.convolutions:
        size = table.out_elements[layer] * bytes_per_element
        by_layer[layer] += unicast_loads(size * regions[layer], gpu)
        if training:
            by_layer[layer] += to_all(size * gpu, layer)
    return Traffic(base, by_layer[table.convolutions])


def _crossbars(mapping: Mapping, settings: Settings) -> FloatArray:
    """Of each layer, all copies and activations."""
    weights, transposed = mapping.weight_crossbars[0], mapping.transposed_crossbars[0]
    copied = mapping.copies[0] * (weights + transposed if settings.replicate == "both" else weights)
    once = mapping.activation_crossbars[0] + (transposed if settings.replicate == "weights" else 0)
    return np.asarray(copied + once, dtype=np.float64)


def _regions(
    crossbars: FloatArray, capacity: float, across: int, layers: int, first: int, shape: tuple[int, int, int]
) -> FloatArray:
    """The share of each layer's crossbars in each cluster, layers x X x Y x Z.

    Args:
        crossbars: of each layer of the network.
        capacity: crossbars of a cluster.
        across: clusters along each side of a ReRAM layer.
        layers: ReRAM layers.
        first: Z of the first of them.
        shape: of the mesh.
    """
    ends = np.cumsum(crossbars)[:, None]
    starts = ends - crossbars[:, None]
    borders = capacity * np.arange(across * across * layers + 1)
    inside = np.clip(np.minimum(ends, borders[1:]) - np.maximum(starts, borders[:-1]), 0.0, None) / crossbars[:, None]
    regions = np.zeros((len(crossbars), *shape))
    x, y, z = snake(across, across, layers)
    regions[:, x, y, z + first] = inside
    return regions


def _gpu_shares(across: int, layers: int, first: int, shape: tuple[int, int, int]) -> FloatArray:
    """The share of each router in the GPU tiles, X x Y x Z: each tile uses the router nearest to its middle."""
    place = ((np.arange(GPU_TILES_ACROSS) + 0.5) * across / GPU_TILES_ACROSS).astype(np.intp)
    shares = np.zeros(shape)
    x, y, z = np.meshgrid(place, place, first + np.arange(layers), indexing="ij")
    np.add.at(shares, (x, y, z), 1.0 / (GPU_TILES_ACROSS**2 * layers))
    return shares
