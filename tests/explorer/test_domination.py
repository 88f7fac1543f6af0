from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from explorer.domination import Scale, maximal, nondominated
from explorer.outline import ObjectiveInfo


def infos(directions: Sequence[str]) -> tuple[ObjectiveInfo, ...]:
    return tuple(ObjectiveInfo(f"o{i}", direction) for i, direction in enumerate(directions))  # type: ignore[arg-type]  # one of the two words


def dominates(one: Sequence[float], other: Sequence[float], found: Sequence[ObjectiveInfo]) -> bool:
    gains = [o.sign * (a - b) for o, a, b in zip(found, one, other, strict=True)]
    return min(gains) >= 0 and max(gains) > 0


directions = st.lists(st.sampled_from(["maximize", "minimize"]), min_size=1, max_size=4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[tuple[ObjectiveInfo, ...], NDArray[np.float64]]:
    """Objectives and points with many ties."""
    found = infos(draw(directions))
    row = st.tuples(*[st.integers(-2, 2)] * len(found))
    return found, np.array(draw(st.lists(row, max_size=25)), dtype=float).reshape(-1, len(found))


@given(tables())
def test_nondominated_is_what_no_other_point_dominates_and_of_equal_ones_the_first(table: Any) -> None:
    found, values = table
    expected = [
        not any(dominates(other, row, found) for other in values) and not (values[:i] == row).all(axis=1).any()
        for i, row in enumerate(values)
    ]
    assert nondominated(values, found).tolist() == expected


# -- hypervolume ------------------------------------------------------------------------------------------------------


def test_a_known_hypervolume() -> None:
    scale = Scale(infos(["maximize", "minimize"]), (0.0, 10.0), (1.0, 20.0))
    points = np.array([[0.5, 12.0], [1.0, 15.0], [0.5, 13.0], [0.0, 10.0], [0.9, 25.0]])
    # to be made large: (0.5, 0.8), (1.0, 0.5), then a dominated one, one at the edge of the box and one outside
    assert scale.hypervolume(points) == pytest.approx(0.5 * 0.8 + 0.5 * 0.5)
    assert scale.hypervolume(points[:0]) == 0.0
    assert scale.hypervolume(np.array([[1.0, 10.0]])) == 1.0


def test_the_hypervolume_of_a_grid_is_counted() -> None:
    scale = Scale(infos(["maximize", "minimize", "maximize"]), (0.0,) * 3, (4.0,) * 3)
    values = np.array([[1.0, 1.0, 3.0], [3.0, 3.0, 2.0], [2.0, 2.0, 2.0], [4.0, 2.0, 1.0]])
    cells = np.indices((4, 4, 4)).reshape(3, -1).T + 0.5
    inside = [any(x < v[0] and y < 4 - v[1] and z < v[2] for v in values) for x, y, z in cells]
    assert scale.hypervolume(values) == pytest.approx(sum(inside) / 64)


@given(tables(), st.integers(0, 10**6))
def test_hypervolume_is_a_share_and_never_falls_when_points_are_added(table: Any, seed: int) -> None:
    found, values = table
    low = np.random.default_rng(seed).integers(-3, 1, len(found)).astype(float)
    scale = Scale(found, tuple(low), tuple(low + 3.0))
    volumes = [scale.hypervolume(values[:count]) for count in range(len(values) + 1)]
    assert volumes == pytest.approx(sorted(volumes))
    assert all(0.0 <= volume <= 1.0 + 1e-12 for volume in volumes)
    assert scale.hypervolume(values[nondominated(values, found)]) == pytest.approx(volumes[-1])


def test_maximal_rows() -> None:
    assert maximal(np.array([[1.0, 0], [0, 1], [0, 0], [1, 0]])).tolist() == [True, True, False, True]
    assert maximal(np.zeros((3, 0))).all()
    assert len(maximal(np.zeros((0, 2)))) == 0
