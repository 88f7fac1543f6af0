from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from explorer.solvers.polishing import any_feasible
from explorer.solvers.program import BinaryQuadraticProgram
from explorer.space import Space
from explorer.strategies.encoding import BitEncoding
from simulators.protocol import BinaryVector, Bits, Categorical, Integer
from tests.explorer.problems import domains

MIXED = Space(
    {
        "bn": BinaryVector(3, "C"), "layers": Integer(-1, 1), "size": Categorical([64, 128, 0.5]),
        "word": Categorical(["relu", "64 x"]), "fixed": Categorical([7]), "one": Integer(2, 2),
        "either": BinaryVector(4, "C", (Bits("1111"), Bits("0010"), Bits("0000"))), "tiles": Integer(10, 29),
    }
)  # fmt: skip

spaces = st.lists(
    st.one_of(domains, st.integers(17, 300).map(lambda top: Integer(-5, top))), min_size=1, max_size=4
).map(lambda found: Space({f"v{number}": domain for number, domain in enumerate(found)}))


@given(spaces, st.integers(0, 2**32 - 1))
def test_decoding_what_was_encoded_gives_the_same_designs(space: Space, seed: int) -> None:
    designs = space.draw(np.random.default_rng(seed), 12)
    encoding = BitEncoding(space, space.variables)
    x = encoding.encode(designs)
    assert x.shape == (12, encoding.bits)
    assert set(np.unique(x)) <= {0, 1}
    assert encoding.constraints().satisfied(x).all()
    assert space.unpack(encoding.decode(x)) == space.unpack(designs)
    assert len(encoding.labels) == len(set(encoding.labels)) == encoding.bits


def test_bits_that_satisfy_the_constraints_are_each_another_design() -> None:
    space = Space({"bn": BinaryVector(2), "layers": Integer(1, 3), "tiles": Integer(0, 18)})
    encoding = BitEncoding(space, space.variables)
    assert encoding.bits == 2 + 3 + 5
    x = np.array(list(itertools.product([0, 1], repeat=encoding.bits)), dtype=np.int8)
    allowed = x[encoding.constraints().satisfied(x)]
    assert len(set(space.unpack(encoding.decode(allowed)))) == len(allowed) == space.size


def test_a_large_integer_is_written_in_binary_without_listing_its_values() -> None:
    space = Space({"x": Integer(-3, 2**45)}, ["x >= 5", "x <= 12345678901"])
    encoding = BitEncoding(space, ["x"])
    assert encoding.bits == 46
    designs = space.designs([{"x": value} for value in (-3, 0, 4, 5, 12345678901, 12345678902, 2**45)])
    x = encoding.encode(designs)
    assert encoding.decode(x)["x"].tolist() == designs["x"].tolist()
    assert encoding.constraints(space.constraints).satisfied(x).tolist() == space.satisfied(designs).tolist()


def test_only_the_variables_asked_for_are_encoded() -> None:
    encoding = BitEncoding(MIXED, ["layers", "bn"])
    assert encoding.labels == ["C1", "C2", "C3", "layers=-1", "layers=0", "layers=1"]
    assert encoding.vector_bits.tolist() == [True] * 3 + [False] * 3
    designs = MIXED.draw(np.random.default_rng(0), 5)
    assert set(encoding.decode(encoding.encode(designs)).columns) == {"layers", "bn"}


def test_labels_tell_values_and_digits() -> None:
    assert BitEncoding(MIXED, MIXED.variables).labels == [
        "C1", "C2", "C3", "layers=-1", "layers=0", "layers=1", "size=64", "size=128", "size=0.5", "word=relu",
        "word=64 x", "either=1111", "either=0010", "either=0000", *(f"tiles.{digit}" for digit in range(5)),
    ]  # fmt: skip


def test_labels_of_vectors_with_items_of_one_name_say_which_vector() -> None:
    space = Space({"bn": BinaryVector(2, "C"), "dropout": BinaryVector(1, "C"), "skip": BinaryVector(1, "S")})
    assert BitEncoding(space, space.variables).labels == ["bn[1]", "bn[2]", "dropout[1]", "S1"]


def test_variables_of_a_single_value_need_no_bits() -> None:
    space = Space({"fixed": Categorical([7]), "one": Integer(2, 2)}, ["fixed + one <= 8"])
    encoding = BitEncoding(space, space.variables)
    assert encoding.bits == 0
    assert space.unpack(encoding.decode(np.zeros((1, 0), dtype=np.int8))) == [space.design({"fixed": 7, "one": 2})]
    assert not encoding.constraints(space.constraints).satisfied(np.zeros((1, 0))).any()


LINEAR = [
    "layers + sum(bn) <= 2", "size / 64 - layers >= 1.5", "tiles == 12 + 2 * layers", "tiles * 3 - size < 20",
    "bn[1] + bn[3] == 1 and tiles > 15", "7 * layers + fixed - one <= 9", "0 <= layers < 1", "size == 0.5",
]  # fmt: skip


@hypothesis_settings(max_examples=60)
@given(st.lists(st.sampled_from(LINEAR), min_size=1, max_size=3, unique=True), st.integers(0, 2**32 - 1))
def test_linear_constraints_over_bits_hold_where_those_over_variables_do(texts: list[str], seed: int) -> None:
    space = Space(MIXED.variables.values(), texts)
    encoding = BitEncoding(space, space.variables)
    designs = space.draw(np.random.default_rng(seed), 200)
    found = encoding.constraints(space.constraints).satisfied(encoding.encode(designs))
    assert found.tolist() == space.satisfied(designs).tolist()


def test_every_linear_constraint_becomes_rows() -> None:
    """Otherwise the agreement above would be one of nothing with nothing."""
    own = BitEncoding(MIXED, MIXED.variables).constraints()
    for text in LINEAR:
        space = Space(MIXED.variables.values(), [text])
        rows = BitEncoding(space, space.variables).constraints(space.constraints)
        assert len(rows.equal_to) + len(rows.at_most_to) > len(own.equal_to) + len(own.at_most_to)


@pytest.mark.parametrize("text", ["word == 'relu'", "sum(either) <= 2", "layers * size <= 64", "layers + tiles <= 3"])
def test_constraints_that_are_not_linear_or_read_other_variables_are_left_out(text: str) -> None:
    space = Space(MIXED.variables.values(), [text])
    encoding = BitEncoding(space, [name for name in space.variables if name != "tiles"])
    own, rows = encoding.constraints(), encoding.constraints(space.constraints)
    assert np.array_equal(own.equal, rows.equal)
    assert np.array_equal(own.at_most, rows.at_most)


def test_strict_comparisons_hold_strictly_for_the_integer_program() -> None:
    """Its solver satisfies rows to a millionth only."""
    for text in ("tiles < 11", "tiles > 28", "10 < tiles < 12"):
        space = Space({"tiles": Integer(10, 29), "bn": BinaryVector(2)}, [text])
        encoding = BitEncoding(space, space.variables)
        rows = encoding.constraints(space.constraints)
        x = any_feasible(BinaryQuadraticProgram.of(np.zeros((7, 7)), np.ones(7), 0.0, rows))
        assert space.satisfied(encoding.decode(x[None])).all()
