"""Batches are taken apart without changing what any design holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.accelerators.batches import bits_of, distinct_combinations, weighted_bits
from simulators.protocol import BinaryVector, Bits, Categorical, Designs, InputError, Integer, Variable

LAYERS = Variable("layers", Integer(1, 3), 2)
SIZE = Variable("size", Categorical((128, 64, 512)), 128)
CLOCK = Variable("clock", Categorical((5e6, 1e7)), 1e7)
BN = Variable("bn", BinaryVector(3), Bits("111"))


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([64, 128, 512]), st.sampled_from([5e6, 1e7])), min_size=1))
def test_each_design_finds_its_own_combination(rows):
    layers, size, clock = map(np.array, zip(*rows, strict=True))
    found = distinct_combinations(Designs({"layers": layers, "size": size, "clock": clock}), (LAYERS, SIZE, CLOCK))
    assert found["layers"][found.index].tolist() == layers.tolist()
    assert found["size"][found.index].tolist() == size.tolist()
    assert found["clock"][found.index].tolist() == clock.tolist()
    assert len(found["size"]) == len(set(rows))


def test_missing_variables_hold_their_default():
    found = distinct_combinations(Designs({"layers": np.array([1, 3])}), (LAYERS, SIZE))
    assert found["size"].tolist() == [128, 128]
    assert distinct_combinations(Designs({}, 5), (LAYERS, SIZE)).index.shape == (1,)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (np.array([64, 96]), "size: 96 is not allowed; choose one of 128, 64, 512"),
        (np.array([64, 4096]), "size: 4096 is not allowed"),
        (np.array([64, -1]), "size: -1 is not allowed"),
        (np.array([64.5, 64.0]), "size: 64.5 is not allowed"),
        (np.array([np.nan, 64.0]), "size: nan is not allowed"),
        (np.array(["64", "128"]), "one number per design"),
        (np.array([[64], [128]]), "one number per design"),
    ],
)
def test_values_that_are_not_allowed_are_named(column, words):
    with pytest.raises(InputError, match=words):
        distinct_combinations(Designs({"size": column}), (SIZE,))


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (np.zeros((2, 4), dtype=np.uint8), "3 bits per design are needed"),
        (np.zeros(2, dtype=np.uint8), "3 bits per design are needed"),
        (np.full((2, 3), 2), "other than 0 and 1"),
        (np.full((2, 3), -1), "other than 0 and 1"),
        (np.full((2, 3), 0.5), "other than 0 and 1"),
    ],
)
def test_wrong_bits_are_refused(column, words):
    with pytest.raises(InputError, match=words):
        bits_of(Designs({"bn": column}), BN)


@pytest.mark.parametrize("count", [1, 5, 70_000])
def test_sums_over_bits_are_exact(count):
    rng = np.random.default_rng(0)
    bits, weights = rng.integers(0, 2, (count, 6), dtype=np.uint8), rng.integers(0, 10**9, (6, 2)).astype(float)
    assert np.array_equal(weighted_bits(bits, weights), (bits.astype(np.int64) @ weights.astype(np.int64)).T)
