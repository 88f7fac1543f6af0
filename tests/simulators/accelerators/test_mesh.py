from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.typing import NDArray

from simulators.accelerators.mesh import DIRECTIONS, link_loads, links_from, snake, starts_at

Array = NDArray[np.float64]
Router = tuple[int, ...]


def route(source: Router, destination: Router) -> Iterator[tuple[int, Router]]:
    """The links of a message, each by its direction and the router that it leaves: along x, then y, then z."""
    here = list(source)
    for axis in range(3):
        while here[axis] != destination[axis]:
            backward = destination[axis] < here[axis]
            yield 2 * axis + backward, tuple(here)
            here[axis] += -1 if backward else 1


def walked(sent: Array, received: Array, part: float | None = None) -> Array:
    """Loads, message by message: a link is taken for all that lies beyond it on some route."""
    loads = np.zeros((6, *sent.shape))
    everywhere = list(itertools.product(*map(range, sent.shape)))
    for source in everywhere:
        wanted: dict[tuple[int, Router], float] = {}
        for end in everywhere:
            for link in route(source, end) if received[end] else ():
                wanted[link] = wanted.get(link, 0.0) + received[end]
        for (direction, router), share in wanted.items():
            loads[direction][router] += sent[source] * (share if part is None else min(share + part, 1.0))
    return loads


def as_part(share: float) -> Array:
    return np.full((1, 1, 1), share)


@st.composite
def traffic(draw: st.DrawFn) -> tuple[Array, Array]:
    shape = draw(array_shapes(min_dims=3, max_dims=3, max_side=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.integers(0, 4, shape) * 1.0, rng.integers(0, 3, shape) * (rng.random(shape) < 0.4) * 1.0


@given(traffic())
def test_loads_are_those_of_all_messages_walked_one_by_one(both: tuple[Array, Array]) -> None:
    sent, received = both
    assert link_loads(sent, received) == pytest.approx(walked(sent, received))
    for part in (0.05, 0.3, 1.0):
        shares = received / max(received.sum(), 1.0)
        assert link_loads(sent, shares, as_part(part)) == pytest.approx(walked(sent, shares, part))


@given(traffic())
def test_what_starts_where_times_its_links_is_all_that_links_carry(both: tuple[Array, Array]) -> None:
    sent, received = both
    for part in (None, as_part(0.1), as_part(1.0)):
        loads = link_loads(sent, received, part)
        along = [start @ links for start, links in zip(starts_at(sent), links_from(received, part), strict=True)]
        assert along == pytest.approx([loads[2 * axis : 2 * axis + 2].sum() for axis in range(3)])


@given(traffic())
def test_bytes_are_conserved(both: tuple[Array, Array]) -> None:
    """What flows into a router and starts there flows out of it or ends there."""
    sent, received = both
    loads = link_loads(sent, received)
    leaving, arriving = loads.sum(axis=0), np.zeros_like(sent)
    for axis in range(3):
        forward, backward = loads[2 * axis], loads[2 * axis + 1]
        assert not forward.take(-1, axis).any(), "nothing leaves the mesh"
        assert not backward.take(0, axis).any()
        arriving += np.roll(forward, 1, axis) + np.roll(backward, -1, axis)
    starting, ending = sent * received.sum(), received * sent.sum()
    assert arriving + starting == pytest.approx(leaving + ending)


@given(traffic())
def test_a_tree_never_carries_more_than_single_messages(both: tuple[Array, Array]) -> None:
    sent, received = both
    tree, single = link_loads(sent, received, as_part(1.0)), link_loads(sent, received)
    assert (tree <= single + 1e-9).all()  # whole messages: received counts them
    assert (link_loads(sent, received, as_part(0.2)) <= tree + 1e-9).all(), "parts are less than everything"


def test_many_at_once_are_one_by_one() -> None:
    rng = np.random.default_rng(0)
    sent, received = rng.random((5, 3, 4, 2)), (rng.random((5, 3, 4, 2)) < 0.3) * 1.0
    for part in (None, as_part(0.3)):
        loads = link_loads(sent, received, part)
        assert loads.shape == (5, len(DIRECTIONS), 3, 4, 2)
        assert loads == pytest.approx(np.array([link_loads(*one, part) for one in zip(sent, received, strict=True)]))
        alone = [link_loads(sent[0], one, part) for one in received]
        assert link_loads(sent[0], received, part) == pytest.approx(np.array(alone))
        one_by_one = [links_from(one, part) for one in received]
        for at_once, *each in zip(links_from(received, part), *one_by_one, strict=True):
            assert at_once == pytest.approx(np.array(each))


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 6, 3), (3, 2, 4), (4, 1, 2), (1, 3, 3)])
def test_the_snake_visits_every_router_once_from_neighbour_to_neighbour(shape: tuple[int, int, int]) -> None:
    routers = snake(*shape)
    assert len({tuple(router) for router in routers.T.tolist()}) == np.prod(shape)
    assert (np.abs(np.diff(routers, axis=1)).sum(axis=0) == 1).all()
    assert (routers >= 0).all()
    assert (routers < np.array(shape)[:, None]).all()
