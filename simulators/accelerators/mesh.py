"""Traffic on a three-dimensional mesh with XYZ routing, by link.

A message first goes along x in its own layer, then along y, then through the layers. To many destinations it goes as a
tree (Wang et al., VLSI-SoC 2011: one copy as far as routes are shared) or once for each. What a link carries follows
from how much starts on its one side and how much (or whether anything) ends on its other side, so that the loads of all
links are a few running sums. All functions broadcast over leading dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "link_loads", "links_from", "snake", "starts_at"]

FloatArray = NDArray[np.float64]

DIRECTIONS = ("+x", "-x", "+y", "-y", "+z", "-z")
"""Of the links that leave a router, in the order of loads."""

AXES = (-3, -2, -1)


def link_loads(sent: FloatArray, received: NDArray[Any]) -> FloatArray:
    """Bytes over each link.

    Args:
        sent: by each router, shape (..., X, Y, Z).
        received: same shape, or one that broadcasts. Boolean: whether a router is a destination, and every source
            sends the same to all of them along one tree. Numbers: every source sends to every destination by itself;
            ``sent`` is for all destinations together if they are shares that add up to one, for each if they count.

    Returns:
        by direction and by the router that the link leaves, shape (..., 6, X, Y, Z).
    """
    shape = np.broadcast_shapes(sent.shape, received.shape)
    found = []
    for axis in AXES:
        # before it turns to an axis, a message has left the coordinates of the earlier ones for its destinations'
        start = sent.sum(axis=tuple(range(-3, axis)), keepdims=True) if axis > -3 else sent
        found += [np.broadcast_to(load, shape) for load in _crossing(start, _ends(received, axis), axis)]
    return np.stack(found, axis=-4)


def links_from(received: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How many links a message takes, by where it starts: the sum over its coordinates.

    Args:
        received: as in :func:`link_loads`, shape (..., X, Y, Z).

    Returns:
        along x, y and z: shapes (..., X), (..., Y) and (..., Z). What starts at each coordinate (:func:`starts_at`)
        times these is the sum of :func:`link_loads`.
    """
    if received.dtype != bool:
        x, y, z = (ends @ _distances(ends.shape[-1]) for ends in starts_at(received))
        return x, y, z
    columns = np.logical_or.reduce(received, axis=-1)
    x, y, z = (_reach(ends) for ends in (np.logical_or.reduce(columns, axis=-1), columns, received))
    return x, y.sum(axis=-2), z.sum(axis=(-3, -2))


def _distances(count: int) -> FloatArray:
    position = np.arange(count, dtype=np.float64)
    return abs(position[:, None] - position)


def _reach(ends: NDArray[Any]) -> FloatArray:
    """How far it is along the last axis from each coordinate to the farthest end on each side, together."""
    position = np.arange(ends.shape[-1], dtype=np.float64)
    highest = np.where(ends, position, -1.0).max(axis=-1, keepdims=True)
    lowest = np.where(ends, position, ends.shape[-1]).min(axis=-1, keepdims=True)
    reach: FloatArray = np.maximum(highest - position, 0.0) + np.maximum(position - lowest, 0.0)
    return reach


def starts_at(sent: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What starts at each coordinate: shapes (..., X), (..., Y) and (..., Z)."""
    along = [sent.sum(axis=tuple(other for other in AXES if other != axis)) for axis in AXES]
    return along[0], along[1], along[2]


def _ends(received: NDArray[Any], axis: int) -> NDArray[Any]:
    """How much, or whether anything, ends at each coordinate up to ``axis``, wherever along the later ones."""
    total = np.logical_or.reduce if received.dtype == bool else np.add.reduce
    ends: NDArray[Any] = total(received, axis=tuple(range(axis + 1, 0)), keepdims=True) if axis < -1 else received
    return ends


def _crossing(start: FloatArray, end: NDArray[Any], axis: int) -> Iterator[FloatArray]:
    """Loads of the links along an axis, forward and backward: what starts behind each times what ends beyond it."""
    for flip in (False, True):
        behind, beyond = (np.flip(values, axis) if flip else values for values in (start, end))
        load = np.cumsum(behind, axis=axis) * _beyond(beyond, axis)
        yield np.flip(load, axis) if flip else load


def _beyond(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """For each position the total (or whether there is any) at larger ones."""
    reverse = np.flip(values, axis)
    running = np.logical_or.accumulate(reverse, axis=axis) if values.dtype == bool else np.cumsum(reverse, axis=axis)
    inclusive = np.flip(running, axis)
    after = np.zeros_like(inclusive)
    here: list[Any] = [slice(None)] * values.ndim
    there = list(here)
    here[axis], there[axis] = slice(None, -1), slice(1, None)
    after[tuple(here)] = inclusive[tuple(there)]
    return after


def snake(width: int, height: int, layers: int) -> NDArray[np.intp]:
    """An order of the routers of a mesh in which each is next to the one before: row by row to and fro, layer by layer.

    Returns:
        x, y and z of each, shape (3, width * height * layers).
    """
    position = np.arange(width * height * layers)
    z, rest = np.divmod(position, width * height)
    rest = np.where(z % 2 == 1, width * height - 1 - rest, rest)
    y, x = np.divmod(rest, width)
    return np.array([np.where(y % 2 == 1, width - 1 - x, x), y, z])
