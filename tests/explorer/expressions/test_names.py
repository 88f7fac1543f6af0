from __future__ import annotations

import pytest

from explorer.expressions import full_name

UNITS = {"peak_temperature_k": "K", "rate": "Hz", "rate_hz": "Hz", "power_w": "W", "power_k": "K", "bn_layers": ""}


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("peak_temperature", "peak_temperature_k"),
        ("peak_temperature_k", "peak_temperature_k"),
        ("rate", "rate"),  # is known itself
        ("power", "power"),  # might be either
        ("bn", "bn"),  # what is left out is no unit
        ("peak", "peak"),
    ],
)
def test_a_name_without_its_unit_means_the_only_one_that_has_it(name: str, meant: str) -> None:
    assert full_name(name, UNITS) == meant
