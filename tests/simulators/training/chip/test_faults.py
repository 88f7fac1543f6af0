from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.training.chip.faults import worn_out


@given(st.floats(0, 1e300), st.floats(1e-3, 1e300), st.floats(1e-3, 1e6))
def test_any_use_wears_out_a_share_of_all_cells(writes: float, endurance: float, shape: float) -> None:
    assert 0 <= worn_out(writes, endurance, shape) <= 1
    assert worn_out(endurance, endurance, shape) == pytest.approx(0.5)
    assert worn_out(0, endurance, shape) == 0
