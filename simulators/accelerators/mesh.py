"""Traffic on a three-dimensional mesh with XYZ routing, by link.

A message first goes along x in its own layer, then along y, then through the layers. To many destinations it goes as a
tree (Wang et al., VLSI-SoC 2011: one copy as far as routes are shared) or once for each. What a link carries follows
from how much starts on its one side and how much is wanted on its other side, so that the loads of all links are a few
running sums. All functions broadcast over leading dimensions.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "link_loads", "links_from", "snake", "starts_at"]

FloatArray = NDArray[np.float64]

DIRECTIONS = ("+x", "-x", "+y", "-y", "+z", "-z")
"""Of the links that leave a router, in the order of loads."""

AXES = (-3, -2, -1)


def link_loads(sent: FloatArray, received: FloatArray, part: FloatArray | None = None) -> FloatArray:
    """Bytes over each link.

    Args:
        sent: by each router, shape (..., X, Y, Z).
        received: what each router gets of that: shares of it, or numbers of messages where each goes by itself. Same
            shape, or one that broadcasts.
        part: with it, messages go along trees, and a link carries what is wanted beyond it: as much as the shares
            there, at most one part more, and never more than everything. Parts are what destinations get that want
            something different: 1 where all of them want everything. Shape (..., 1, 1, 1).

    Returns:
        by direction and by the router that the link leaves, shape (..., 6, X, Y, Z).
    """
    shape = np.broadcast_shapes(sent.shape, received.shape)
    found = []
    for axis in AXES:
        # before it turns to an axis, a message has left the coordinates of the earlier ones for its destinations'
        start = sent.sum(axis=tuple(range(-3, axis)), keepdims=True) if axis > -3 else sent
        wanted = received.sum(axis=tuple(range(axis + 1, 0)), keepdims=True) if axis < -1 else received
        count = received.shape[axis]
        onward, beyond_all = _both_ways(count)
        for way in (slice(count), slice(count, None)):
            behind, beyond = _along(start, axis, onward[way].T), _along(wanted, axis, beyond_all[:, way])
            found.append(np.broadcast_to(behind * (beyond if part is None else _along_trees(beyond, part)), shape))
    return np.stack(found, axis=-4)


def links_from(received: FloatArray, part: FloatArray | None = None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How many links a byte takes, by where it starts: the sum over its coordinates.

    Args:
        received, part: as in :func:`link_loads`, shape (..., X, Y, Z).

    Returns:
        along x, y and z: shapes (..., X), (..., Y) and (..., Z). What starts at each coordinate (:func:`starts_at`)
        times these is the sum of :func:`link_loads`.
    """
    if part is None:
        x, y, z = (ends @ _distances(ends.shape[-1]) for ends in starts_at(received))
        return x, y, z
    found = []
    for axis in AXES:
        wanted = received.sum(axis=tuple(range(axis + 1, 0))) if axis < -1 else received  # the axis is the last now
        want = part.reshape(*part.shape[:-3], *[1] * (4 + axis))
        earlier = tuple(range(-3 - axis - 1, -1))
        onward, beyond = _both_ways(received.shape[axis])
        load = _along_trees(_times(wanted, beyond), want)
        found.append(_times(load.sum(axis=earlier) if earlier else load, onward))
    return found[0], found[1], found[2]


def _times(array: FloatArray, matrix: FloatArray) -> FloatArray:
    """``array @ matrix`` as one product of matrices, which is faster than many small ones."""
    product: FloatArray = array.reshape(-1, array.shape[-1]) @ matrix
    return product.reshape(*array.shape[:-1], matrix.shape[-1])


def _along(array: FloatArray, axis: int, matrix: FloatArray) -> FloatArray:
    """``array @ matrix`` with another dimension than the last."""
    return np.moveaxis(_times(np.moveaxis(array, axis, -1), matrix), -1, axis)


@lru_cache(maxsize=64)
def _both_ways(count: int) -> tuple[FloatArray, FloatArray]:
    """For both ways along a line of positions, upwards and then downwards: matrices that sum over it what comes from
    each position on, itself included, shape (2 positions, positions), and what comes beyond it, shape
    (positions, 2 positions).
    """
    ones = np.ones((count, count))
    onward = np.concatenate([np.tril(ones), np.triu(ones)], axis=0)
    beyond = np.concatenate([np.tril(ones, -1), np.triu(ones, 1)], axis=1)
    for matrix in (onward, beyond):
        matrix.setflags(write=False)  # shared by all callers
    return onward, beyond


def _distances(count: int) -> FloatArray:
    position = np.arange(count, dtype=np.float64)
    return abs(position[:, None] - position)


def _along_trees(beyond: FloatArray, part: FloatArray) -> FloatArray:
    """What links carry of messages along trees, see :func:`link_loads`."""
    return np.where(beyond > 0, np.minimum(beyond + part, 1.0), 0.0)


def starts_at(sent: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What starts at each coordinate: shapes (..., X), (..., Y) and (..., Z)."""
    along = [sent.sum(axis=tuple(other for other in AXES if other != axis)) for axis in AXES]
    return along[0], along[1], along[2]


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
