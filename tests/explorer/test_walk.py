from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import walk as module
from explorer.space import Space
from explorer.walk import Walk
from simulators.protocol import BinaryVector, Bits, Categorical, Designs, Integer

SPACE = Space({"bits": BinaryVector(3), "layers": Integer(2, 4), "size": Categorical(["s", "m"])})


@pytest.mark.parametrize("alone", [1, 100])
@given(size=st.integers(1, 60))
def test_every_design_comes_once_whatever_the_size_of_a_batch(alone: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ALONE", alone)
        chunks = list(Walk(SPACE).chunks(size))
    starts = np.cumsum([0, *(len(chunk.designs) for chunk in chunks)])
    assert [chunk.start for chunk in chunks] == starts[:-1].tolist()
    assert max(len(chunk.designs) for chunk in chunks) <= max(size, 1)
    found = [design for chunk in chunks for design in SPACE.unpack(chunk.designs)]
    assert len(set(found)) == len(found) == SPACE.size
    assert found == SPACE.unpack(Walk(SPACE).at(np.arange(SPACE.size)))


def test_designs_that_share_all_but_the_largest_variable_hold_the_others_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALONE", 8)
    for chunk in Walk(SPACE).chunks(8):
        assert {name: len(column) for name, column in chunk.designs.columns.items()} == {
            "bits": 8, "layers": 1, "size": 1,
        }  # fmt: skip


def test_a_digit_says_which_value_a_variable_has() -> None:
    walk, index = Walk(SPACE), np.arange(SPACE.size)
    designs = walk.at(index)
    assert isinstance(designs, Designs)
    assert (designs["layers"] == walk.digit("layers", index) + 2).all()


def test_the_only_values_that_a_vector_may_have_are_walked() -> None:
    space = Space({"bits": BinaryVector(20, choices=(Bits([1] * 20), Bits([0] * 20))), "layers": Integer(1, 3)})
    designs = [design for chunk in Walk(space).chunks() for design in space.unpack(chunk.designs)]
    assert len(designs) == len(set(designs)) == 6
