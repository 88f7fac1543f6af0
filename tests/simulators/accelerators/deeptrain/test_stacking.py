"""Orders of layers: as many of each kind as there are, from the heat sink on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.accelerators.deeptrain.stacking import GPU_LAYER, ORDERS, RERAM_LAYER, layer_kinds

LETTERS = {RERAM_LAYER: "R", GPU_LAYER: "G"}


def letters(reram, gpu, order):
    return "".join(LETTERS[kind] for kind in layer_kinds(np.array([reram]), np.array([gpu]), np.array([order]))[0])


@pytest.mark.parametrize(
    ("order", "expected"), [("reram-first", "RRRGG"), ("gpu-first", "GGRRR"), ("alternating", "RGRGR")]
)
def test_orders_mean_what_they_say(order, expected):
    assert letters(3, 2, order) == expected


def test_what_is_left_over_lies_behind():
    assert letters(1, 3, "alternating") == "RGGG"


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from(list(ORDERS))), min_size=1))
def test_every_layer_has_one_place(stacks):
    reram, gpu, orders = (np.array(column) for column in zip(*stacks, strict=True))
    kinds = layer_kinds(reram, gpu, orders)
    assert np.array_equal((kinds == RERAM_LAYER).sum(axis=1), reram)
    assert np.array_equal((kinds == GPU_LAYER).sum(axis=1), gpu)
    assert kinds.shape[1] == max(reram + gpu)
    assert np.all(np.diff(kinds > 0, axis=1).sum(axis=1) <= 1)  # no gaps
