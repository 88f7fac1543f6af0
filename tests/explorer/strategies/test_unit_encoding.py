from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.space import Space
from explorer.strategies.unit_encoding import UnitEncoding
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Integer
from tests.explorer.problems import spaces

SPACE = Space(
    {
        "bn": BinaryVector(3), "layers": Integer(2, 6), "size": Categorical([256, 64, 128]),
        "word": Categorical(["relu", "gelu", "elu"]), "pair": Categorical(["on", "off"]), "fixed": Categorical([7]),
    }
)  # fmt: skip


def encoded(**changes: object) -> np.ndarray:
    values = {"bn": Bits("010"), "layers": 3, "size": 64, "word": "relu", "pair": "on", "fixed": 7, **changes}
    return UnitEncoding(SPACE, SPACE.variables).encode(SPACE.designs([Design(values)]))[0]  # type: ignore[arg-type]


def test_bits_are_coordinates_numbers_are_ranks_and_words_are_equally_far_apart() -> None:
    encoding = UnitEncoding(SPACE, SPACE.variables)
    assert encoding.dimensions == 3 + 1 + 1 + 3 + 1
    assert encoding.ordinal.tolist() == [False] * 3 + [True] * 2 + [False] * 4
    assert encoded()[:5].tolist() == [0, 1, 0, 0.25, 0]
    assert encoded(size=128)[4] == 0.5
    words = [encoded(word=word) for word in ("relu", "gelu", "elu")]
    assert np.allclose([np.linalg.norm(words[i] - words[i - 1]) for i in range(3)], 1.0)
    assert np.linalg.norm(encoded() - encoded(pair="off")) == 1.0


def test_only_what_is_named_and_can_be_chosen_counts() -> None:
    assert UnitEncoding(SPACE, ["layers", "fixed"]).dimensions == 1
    nothing = UnitEncoding(SPACE, ["fixed"])
    assert nothing.dimensions == 0
    assert nothing.encode(SPACE.at(range(4))).shape == (4, 0)


@given(spaces, st.integers(0, 2**32 - 1))
def test_different_designs_are_different_points_of_the_cube(space: Space, seed: int) -> None:
    encoding = UnitEncoding(space, space.variables)
    designs = space.draw(np.random.default_rng(seed), 20)
    points = encoding.encode(designs)
    assert points.shape == (20, encoding.dimensions)
    assert ((points >= 0) & (points <= 1)).all()
    assert len(np.unique(points, axis=0)) == len(set(space.unpack(designs)))
