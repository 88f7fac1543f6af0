"""The stack's temperatures against worked figures."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.accelerators.deeptrain import DeepTrain, thermal
from simulators.accelerators.deeptrain.assumptions import ASSUMPTIONS
from simulators.accelerators.deeptrain.stacking import layer_kinds
from simulators.accelerators.deeptrain.thermal import LIMIT_K, layer_powers_w, stack_temperatures_k
from simulators.protocol import Assumptions

ASSUMED = Assumptions(ASSUMPTIONS)


def kinds(reram, gpu, order):
    return layer_kinds(np.array(reram), np.array(gpu), np.array([order] * len(reram)))


@pytest.mark.parametrize(
    ("powers_w", "celsius"),
    [([47.5] * 4, 107), ([47.5] * 3 + [12.0], 93), ([47.5] * 2 + [12.0] * 2, 80)],
)
def test_stacks_reach_the_temperatures_of_the_formula(powers_w, celsius):
    peak_k = stack_temperatures_k(np.array(powers_w), ASSUMED)[-1]
    assert round(peak_k - 273.15) == celsius


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=7), st.integers(0, 6), st.floats(0.1, 50))
def test_temperature_rises_with_power_and_with_the_distance_from_the_sink(powers_w, layer, more_w):
    temperatures = stack_temperatures_k(np.array(powers_w), ASSUMED)
    assert np.all(np.diff(temperatures) > 0)
    hotter = np.array(powers_w)
    hotter[layer % len(hotter)] += more_w
    assert np.all(stack_temperatures_k(hotter, ASSUMED) > temperatures)
    assert stack_temperatures_k(np.array([*powers_w, more_w]), ASSUMED).max() > temperatures.max()


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8))
def test_the_sum_is_the_one_printed(powers_w):
    resistance, sink = ASSUMED["layer_resistance_k_per_w"], ASSUMED["sink_resistance_k_per_w"]
    expected = [
        ASSUMED["ambient_k"] + sink * sum(powers_w) + sum(resistance * sum(powers_w[i:]) for i in range(k + 1))
        for k in range(len(powers_w))
    ]
    assert stack_temperatures_k(np.array(powers_w), ASSUMED) == pytest.approx(expected)


def test_hotter_layers_at_the_sink_keep_the_stack_cooler():
    cool, between, hot = (
        stack_temperatures_k(layer_powers_w(kinds([3], [1], order), np.array([47.5]), 12.0), ASSUMED).max()
        for order in ("reram-first", "alternating", "gpu-first")
    )
    assert cool < between < hot


def test_low_stacks_beside_high_ones_end_where_they_end():
    powers = layer_powers_w(kinds([1, 3], [1, 1], "reram-first"), np.array([47.5, 47.5]), 12.0)
    assert powers.tolist() == [[47.5, 12.0, 0.0, 0.0], [47.5, 47.5, 47.5, 12.0]]
    alone = stack_temperatures_k(np.array([47.5, 12.0]), ASSUMED)
    assert stack_temperatures_k(powers, ASSUMED)[0].max() == pytest.approx(alone.max())


def test_the_limit_is_written_once_and_is_the_one_that_fields_and_validation_name():
    package = Path(thermal.__file__).parent
    assert [path.name for path in package.rglob("*.py") if str(LIMIT_K) in path.read_text()] == ["thermal.py"]
    simulator = DeepTrain()
    assert f"{LIMIT_K} K" in simulator.fields["peak_temperature_k"].meaning
    cases = [case for case in simulator.validation() if case.name.startswith("peak temperature")]
    assert {case.low or case.high for case in cases} == {LIMIT_K}
    assert all(f"{LIMIT_K} K" in case.source for case in cases)
