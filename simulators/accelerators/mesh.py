"""Traffic on a three-dimensional mesh with XYZ routing, by link.

A message first goes along x in its own layer, then along y, then through the layers. To many destinations it goes as a
tree (Wang et al., VLSI-SoC 2011: one copy as far as routes are shared) or once for each. What a link carries follows
from how much starts on its one side and how much (or whether anything) ends on its other side, so that the loads of all
links are a few running sums. All functions broadcast over leading dimensions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIRECTIONS", "multicast_loads", "snake", "unicast_loads"]

FloatArray = NDArray[np.float64]

DIRECTIONS = ("+x", "-x", "+y", "-y", "+z", "-z")
"""Of the links that leave a router, in the order of loads."""


def unicast_loads(sent: FloatArray, received: FloatArray) -> FloatArray:
    """Bytes over each link where every source sends to every destination by itself.

    Args:
        sent: by each router, shape (..., X, Y, Z): bytes for all destinations together if ``received`` adds up to one,
            for each of them if it counts them.
        received: by each router as a share, or its number of destinations, same shape.

    Returns:
        by direction and by the router that the link leaves, shape (..., 6, X, Y, Z).
    """
    return _loads(sent, received)


def multicast_loads(sent: FloatArray, received: NDArray[Any]) -> FloatArray:
    """Bytes over each link where every source sends the same to all destinations along one tree.

    Args:
        sent: by each router, shape (..., X, Y, Z).
        received: whether a router is a destination, same shape.

    Returns:
        as :func:`unicast_loads`.
    """
    return _loads(sent, np.asarray(received) > 0)


def _loads(sent: FloatArray, received: NDArray[Any]) -> FloatArray:
    """Products of what starts behind a link and what ends beyond it; a Boolean beyond is whether anything does."""
    total = np.logical_or.reduce if received.dtype == bool else np.add.reduce
    found = []
    for axis in (-3, -2, -1):
        # before it turns to an axis, a message has left the coordinates of the earlier ones for its destinations'
        start = sent.sum(axis=tuple(range(-3, axis)), keepdims=True) if axis > -3 else sent
        end = total(received, axis=tuple(range(axis + 1, 0)), keepdims=True) if axis < -1 else received
        for flip in (False, True):
            behind, beyond = (np.flip(values, axis) if flip else values for values in (start, end))
            behind = np.cumsum(behind, axis=axis)
            beyond = _beyond(beyond, axis)
            load = np.broadcast_to(behind * beyond, np.broadcast_shapes(sent.shape, received.shape))
            found.append(np.flip(load, axis) if flip else load)
    return np.stack(found, axis=-4)


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
