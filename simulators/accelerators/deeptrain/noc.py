"""What travels over the stack's network on chip: a 3-D mesh of ReRAM clusters and GPU tiles (paper, section IV.B).

Each layer of the network fills clusters one after the other along a snake through the ReRAM layers, so that what
follows each other lies side by side. Its output goes to the layers that read it, to each copy of one its part of the
image (what neighbouring parts share is not counted); in training their errors come back likewise. Behind a batch
normalisation it goes through the GPU tiles instead: a share to each tile (its channels), and from there on. Routers
stand where the clusters of a ReRAM layer are; a GPU layer has as many, and each of its tiles uses the one that is
nearest.

Everything is a sum over messages, so what a placement of normalisations adds is a sum over its bits. Left out: the
images themselves, partial sums between the clusters of one layer, what is written into cells (it stays in the cluster;
where GPU layers compute the backward pass, what they send back once a batch), and control.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from simulators.accelerators.batches import CHUNK, Combinations, alike_rows, grouped
from simulators.accelerators.deeptrain.mapping import Mapping
from simulators.accelerators.deeptrain.policies import is_true
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.deeptrain.stacking import GPU_LAYER, NO_LAYER, RERAM_LAYER
from simulators.accelerators.layers import LayerTable
from simulators.accelerators.mesh import link_loads, links_from, snake, starts_at
from simulators.accelerators.recent import Recent
from simulators.components import Tile
from simulators.protocol import Assumptions, Workload

__all__ = ["Links", "NetworkOnChip", "Traffic", "busiest_links", "transport_energy"]

FloatArray = NDArray[np.float64]
Layers: TypeAlias = NDArray[np.intp]
Measure: TypeAlias = Callable[[Layers, Layers | None], FloatArray]
"""Something that adds up over messages, of one byte from each of some layers to each of others: shape
(stacks, messages, *). One source beyond the last layer stands for the GPU tiles, and so does None as destinations.
"""

TILES_PER_CLUSTER = 4  # that share a router (table I, and ISAAC)
GPU_TILES_ACROSS = 4  # of a GPU layer's 16
TOGETHER = 64  # stacks that are measured at once: what they take stays small


@dataclass(frozen=True, eq=False)
class Traffic:
    """Something of the traffic that adds up over messages: bytes per image over each link, say.

    Args:
        base: without any normalisation, by the layer that sends its output and gets its errors, shape
            (stacks, layers, *).
        by_bit: what the normalisation behind each convolution adds, shape (stacks, convolutions, *); less than nothing
            where traffic goes another way.
    """

    base: FloatArray
    by_bit: FloatArray

    def of(self, stack: int, bits: NDArray[np.uint8]) -> FloatArray:
        """On one stack with normalisations after the convolutions whose bit is 1."""
        added = np.tensordot(bits.astype(np.float64), self.by_bit[stack], axes=1)
        found: FloatArray = np.maximum(self.base[stack].sum(axis=0) + added, 0.0)
        return found


@dataclass(frozen=True, eq=False)
class Links:
    """The links that may be the busiest of some placement: those that no other one beats whatever the placement.

    Args:
        base: bytes per image without any normalisation, shape (links,).
        by_bit: what the normalisation behind each convolution adds, shape (convolutions, links).
    """

    base: FloatArray
    by_bit: FloatArray

    @classmethod
    def of(cls, base: FloatArray, by_bit: FloatArray) -> Links:
        """Of all links of a stack."""
        most = base + np.maximum(by_bit, 0.0).sum(axis=0)
        least = base + np.minimum(by_bit, 0.0).sum(axis=0)
        left = np.flatnonzero(most >= least.max())
        kept: list[int] = []
        for link in left[np.argsort(-most[left], kind="stable")].tolist():
            margins = base[kept] - base[link] + np.minimum(by_bit[:, kept] - by_bit[:, [link]], 0.0).sum(axis=0)
            if not (margins >= 0).any():
                kept.append(link)
        return cls(base[kept], by_bit[:, kept])

    def largest(self, bits: NDArray[np.uint8]) -> FloatArray:
        """The largest load of each placement, shape (placements,)."""
        found = np.empty(len(bits))
        for start in range(0, len(bits), CHUNK):
            part = bits[start : start + CHUNK].astype(np.float64)
            found[start : start + CHUNK] = (part @ self.by_bit + self.base).max(axis=1)
        return np.maximum(found, 0.0)


@dataclass(frozen=True, eq=False)
class NetworkOnChip:
    """The networks on chip of some stacks with a neural network mapped onto them.

    Args:
        workload: the neural network; in training errors come back, too.
        table: its layers.
        mapping: of them on each stack.
        stacks: hardware variables of each stack.
        tile: the ReRAM tiles of each stack.
        kinds: of the layers of each stack from the heat sink on, shape (stacks, layers of the highest stack).
        settings: the routing.
        assumed: bits of an activation, rate of a link.
        links: remembers the busiest links of stacks.
    """

    workload: Workload
    table: LayerTable
    mapping: Mapping
    stacks: Combinations
    tile: Tile
    kinds: NDArray[np.int8]
    settings: Settings
    assumed: Assumptions
    links: Recent[Links]

    def routed(self, routing: Literal["multicast", "unicast"]) -> NetworkOnChip:
        """The same with another routing."""
        return replace(self, settings=self.settings.model_copy(update={"routing": routing}), links=Recent(0))

    def across(self, stack: int) -> int:
        """Clusters along each side of a ReRAM layer."""
        return math.isqrt(int(self.stacks["tiles_per_layer"][stack]) // TILES_PER_CLUSTER)

    def loads(self, stack: int) -> Traffic:
        """Bytes per image over each link of one stack, by direction and by the router that the link leaves:
        the last dimensions are 6, X, Y, Z.

        The stack must hold the neural network, and be no graphics card.
        """
        members = np.array([stack])
        places = self._places(members)

        def loads(sources: Layers, ends: Layers | None) -> FloatArray:
            received, part = self._received(members, places, ends)
            return link_loads(places[:, sources], received, part)

        return self._summed(members, loads, (6, *places.shape[2:]))

    def busiest(self, stack: int) -> Links:
        """The links of one stack that may be the busiest, as :meth:`loads`."""

        def find() -> Links:
            traffic = self.loads(stack)
            return Links.of(traffic.base.sum(axis=1).ravel(), traffic.by_bit.reshape(traffic.by_bit.shape[1], -1))

        return self.links.get((self.workload, *(column[stack].item() for column in self.stacks.values.values())), find)

    def longest_route(self, stack: int, bits: NDArray[np.uint8]) -> int:
        """Links on the longest way from where a layer's output starts to where it ends, through the GPU tiles where a
        normalisation follows; on one stack as in :meth:`loads`.
        """
        table, gpu = self.table, len(self.table.names)
        places = [np.argwhere(place) for place in self._places(np.array([stack]))[0]]
        index = {name: number for number, name in enumerate(table.names)}
        normalised = {table.names[layer] for layer in table.convolutions[bits > 0]}
        ways = {(index[name], gpu) for name in normalised}
        for flow in table.flows:
            through = flow.normalised and flow.source in normalised
            ways.add((gpu if through else index[flow.source], index[flow.destination]))
        return max((int(cdist(places[a], places[b], "cityblock").max()) for a, b in ways if a != b), default=0)

    def byte_hops(self, stacks: NDArray[np.intp]) -> Traffic:
        """Bytes per image times links, within layers of the stack and from one to the next: the last dimension.

        Args:
            stacks: of one shape (:meth:`alike`).
        """
        places = self._places(stacks)
        starts = starts_at(places)

        def of_pairs(ends: Layers | None) -> FloatArray:
            """From every place to each that receives, shape (stacks, places, receivers, 2)."""
            links = links_from(*self._received(stacks, places, ends))
            x, y, z = (start @ np.swapaxes(along, -1, -2) for start, along in zip(starts, links, strict=True))
            return np.stack([x + y, z], axis=-1)

        to_layers, to_gpu = of_pairs(np.arange(len(self.table.names))), of_pairs(None)

        def hops(sources: Layers, ends: Layers | None) -> FloatArray:
            return to_gpu[:, sources, 0] if ends is None else to_layers[:, sources, ends]

        return self._summed(stacks, hops, (2,))

    def alike(self) -> Iterator[NDArray[np.intp]]:
        """Stacks that have a network and one shape of it, some at a time."""
        has_one = self.mapping.fits & ~is_true(self.stacks["policy"], "card")
        shapes = np.column_stack([self.stacks["tiles_per_layer"], self.kinds])
        shapes[~has_one] = -1
        for members in alike_rows(shapes):
            if has_one[members[0]]:
                yield from np.array_split(members, -(-len(members) // TOGETHER))

    def _summed(self, stacks: NDArray[np.intp], measure: Measure, shape: tuple[int, ...]) -> Traffic:
        """A measure of all messages for one image.

        Args:
            stacks: of one shape.
            measure: of messages.
            shape: of what it returns for one of them.
        """
        table = self.table
        size = self.assumed["activation_bits"] / 8
        policies = self.stacks["policy"][stacks]
        backward_on_gpu = is_true(policies, "backward_on_gpu")
        normalises = is_true(policies, "normalises") & (self.kinds[stacks] == GPU_LAYER).any(axis=1)

        def bytes_of(elements: NDArray[np.int64], sources: Layers, ends: Layers | None) -> FloatArray:
            """Measures of messages, shape (stacks, messages, *)."""
            return measure(sources, ends) * (size * elements).reshape(-1, *[1] * len(shape))

        def only(stacks_that: NDArray[np.bool_], values: FloatArray) -> FloatArray:
            return values * stacks_that.reshape(-1, *[1] * (values.ndim - 1))

        sources, ends, elements, normalised = _messages(table)
        everything, gpu = np.arange(len(table.names)), np.array([len(table.names)])

        direct = bytes_of(elements, sources, ends)
        through = bytes_of(elements[normalised], gpu, ends[normalised])
        to_gpu = bytes_of(table.out_elements, everything, None)
        there_and_back = to_gpu
        if self.workload.mode == "training":
            errors = ~backward_on_gpu
            direct = direct + only(errors, bytes_of(elements, ends, sources))
            through = through + only(errors, bytes_of(elements[normalised], ends[normalised], None))
            there_and_back = to_gpu + only(errors, bytes_of(table.out_elements, gpu, everything))
        direct[:, sources == ends] = 0.0  # it is there already
        sends = (sources == everything[:, None]).astype(np.float64)  # whether a layer is the source of a flow

        def by_source(of_flows: FloatArray, sends: FloatArray) -> FloatArray:
            summed = sends @ of_flows.reshape(len(stacks), sends.shape[1], -1)
            return summed.reshape(len(stacks), len(everything), *shape)

        base = by_source(direct, sends)
        if self.workload.mode == "training":
            base = base + only(backward_on_gpu, to_gpu)  # what it computes with
        by_layer = there_and_back + by_source(through - direct[:, normalised], sends[:, normalised])
        return Traffic(base, only(normalises, by_layer[:, table.convolutions]))

    def _received(
        self, stacks: NDArray[np.intp], places: FloatArray, ends: Layers | None
    ) -> tuple[FloatArray, FloatArray | None]:
        """What each router gets of a message to each of some layers or to the GPU tiles, and the part of a copy, see
        :func:`link_loads`.
        """
        if ends is None:
            return places[:, -1:], None
        shares, copy = places[:, ends], 1.0 / self.mapping.copies[stacks][:, ends, None, None, None]
        if self.settings.routing == "multicast":
            return shares, copy
        return np.where(shares > 0, np.minimum(shares + copy, 1.0), 0.0), None

    def _places(self, stacks: NDArray[np.intp]) -> FloatArray:
        """The share of each layer's crossbars at each router, and last the share of the GPU tiles: shape
        (stacks, layers + 1, X, Y, Z).
        """
        routers, gpu_shares = _routers(self.across(stacks[0]), tuple(self.kinds[stacks[0]].tolist()))
        held = self.mapping.crossbars[stacks]
        capacity = self.tile.crossbars[stacks] * TILES_PER_CLUSTER
        ends = np.cumsum(held, axis=1)[..., None]
        starts = ends - held[..., None]
        borders = capacity[:, None, None] * np.arange(routers.shape[1] + 1)
        overlap = np.minimum(ends, borders[..., 1:]) - np.maximum(starts, borders[..., :-1])
        places = np.zeros((len(stacks), held.shape[1] + 1, *gpu_shares.shape))
        places[(..., slice(-1), *routers)] = np.maximum(overlap, 0.0) / held[..., None]
        places[:, -1] = gpu_shares
        return places


@lru_cache(maxsize=64)
def _messages(table: LayerTable) -> tuple[Layers, Layers, NDArray[np.int64], NDArray[np.intp]]:
    """What travels between layers: from which, to which, how many elements; and which messages are normalised."""
    index = {name: number for number, name in enumerate(table.names)}
    found = (
        np.array([index[flow.source] for flow in table.flows], dtype=np.intp),
        np.array([index[flow.destination] for flow in table.flows], dtype=np.intp),
        np.array([flow.elements for flow in table.flows], dtype=np.int64),
        np.flatnonzero([flow.normalised for flow in table.flows]),
    )
    for shared in found:
        shared.setflags(write=False)
    return found


@lru_cache(maxsize=256)
def _routers(across: int, kinds: tuple[int, ...]) -> tuple[NDArray[np.intp], FloatArray]:
    """The mesh of a stack.

    Args:
        across: routers along each side of a layer.
        kinds: of the layers from the heat sink on.

    Returns:
        x, y and z of the routers of clusters in the order in which these are filled, shape (3, clusters), and the share
        of each router in the GPU tiles, shape (X, Y, Z): each tile uses the router nearest to its middle.
    """
    of_kind = np.array(kinds)
    x, y, layer = snake(across, across, kinds.count(RERAM_LAYER))
    routers = np.array([x, y, np.flatnonzero(of_kind == RERAM_LAYER)[layer]])
    gpu_layers = np.flatnonzero(of_kind == GPU_LAYER)
    place = ((np.arange(GPU_TILES_ACROSS) + 0.5) * across / GPU_TILES_ACROSS).astype(np.intp)
    shares = np.zeros((across, across, len(kinds) - kinds.count(NO_LAYER)))
    if len(gpu_layers):
        at = np.meshgrid(place, place, gpu_layers, indexing="ij")
        np.add.at(shares, tuple(at), 1.0 / (GPU_TILES_ACROSS**2 * len(gpu_layers)))
    for shared in (routers, shares):
        shared.setflags(write=False)
    return routers, shares


def transport_energy(network: NetworkOnChip, layer_area_mm2: FloatArray) -> Traffic:
    """Joules per image over the wires of layers and from layer to layer: the last dimension, of length 2; zero where
    there is no network on chip. Routers are part of the tiles, and not counted here.

    Args:
        network: some stacks.
        layer_area_mm2: of the largest layer of each stack, shape (stacks,): it sets how far routers are apart.
    """
    stacks, table = len(network.kinds), network.table
    base, by_bit = np.zeros((stacks, len(table.names), 2)), np.zeros((stacks, len(table.convolutions), 2))

    for members in network.alike():
        found = network.byte_hops(members)
        hop_mm = np.sqrt(layer_area_mm2[members]) / network.across(members[0])
        joules = np.stack(
            [hop_mm * network.assumed["wire_energy_per_byte_mm_j"],
             np.full(len(members), network.assumed["tsv_energy_per_byte_j"])], axis=1,
        )  # fmt: skip
        base[members], by_bit[members] = found.base * joules[:, None], found.by_bit * joules[:, None]
    return Traffic(base, by_bit)


def busiest_links(network: NetworkOnChip, index: NDArray[np.intp], bits: NDArray[np.uint8], count: int) -> FloatArray:
    """Bytes per image over the most loaded link of each design, shape (designs,); zero where there is no network on
    chip, NaN where the neural network does not fit.

    Args:
        network: the stacks.
        index: the stack of each design, shape (designs,), or (1,) where all have the same.
        bits: of their normalisations, shape (designs, convolutions), or (1, convolutions).
        count: designs.
    """
    loads = np.where(network.mapping.fits, 0.0, np.nan)[np.broadcast_to(index, count)]
    designs = grouped(index, count, len(network.kinds))
    for members in network.alike():
        for stack in members.tolist():
            rows = designs.rows(stack)
            if len(rows):
                loads[rows] = network.busiest(stack).largest(bits if len(bits) == 1 else bits[rows])
    return loads
