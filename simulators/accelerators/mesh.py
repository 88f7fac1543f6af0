"""Traffic on a three-dimensional mesh with XYZ routing, by link.

A message first goes along x in its own layer, then along y, then through the layers. To many destinations it goes as a
tree (Wang et al., VLSI-SoC 2011: one copy as far as routes are shared) or once for each. What a link carries follows
from how much starts on its one side and how much is wanted on its other side, so that the loads of all links are a few
running sums. All functions broadcast over leading dimensions.
"""

from __future__ import annotations

from typing import Any

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
        for flip in (False, True):
            behind = np.cumsum(np.flip(start, axis) if flip else start, axis=axis)
            load = behind * _beyond(received, part, axis, flip)
            found.append(np.broadcast_to(np.flip(load, axis) if flip else load, shape))
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
        links = np.zeros(())
        for flip in (False, True):
            beyond = _beyond(received, part, axis, flip)
            onward = np.cumsum(beyond[..., ::-1] if axis == -1 else np.flip(beyond, axis), axis=axis)
            links = links + (onward if flip else np.flip(onward, axis))
        found.append(links.sum(axis=tuple(other for other in AXES if other != axis)))
    return found[0], found[1], found[2]


def _distances(count: int) -> FloatArray:
    position = np.arange(count, dtype=np.float64)
    return abs(position[:, None] - position)


def _beyond(received: FloatArray, part: FloatArray | None, axis: int, flip: bool) -> FloatArray:
    """What is wanted beyond each position along an axis, wherever along the later ones; from its far end if flipped."""
    later = tuple(range(axis + 1, 0))
    wanted = received.sum(axis=later, keepdims=True) if later else received
    running = np.cumsum(wanted if flip else np.flip(wanted, axis), axis=axis)
    after = np.zeros_like(running)
    here: list[Any] = [slice(None)] * running.ndim
    there = list(here)
    here[axis], there[axis] = slice(1, None), slice(None, -1)
    after[tuple(here)] = running[tuple(there)]  # so far in order from the far end
    beyond = np.flip(after, axis)
    if part is None:
        return beyond
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
