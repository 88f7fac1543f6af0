"""Circuit parts: the published sums, and laws of scaling that hold for any crossbar."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import components

SIZES = st.sampled_from([32, 64, 128, 256, 512])
CELLS = st.sampled_from([1, 2, 4, 8])


def tile(size=128, cell_bits=2, frequency_hz=10e6, budget="cells", adc_bits=0):
    rules = components.TileRules(budget)
    return components.isaac_tile(np.array([size]), np.array([cell_bits]), np.array([frequency_hz]), adc_bits, rules)


@pytest.mark.parametrize(
    ("modelled", "power_w", "area_mm2"),
    [
        (components.isaac_ima_totals(), 24.08e-3, 0.01312),
        (components.isaac_tile_totals(), 0.330, 0.372),
        (components.isaac_chip_totals(), 65.8, 85.4),
    ],
)
def test_isaac_sums_come_out_of_the_parts(modelled, power_w, area_mm2):
    assert modelled == pytest.approx((power_w, area_mm2), rel=1e-3)


@pytest.mark.parametrize("budget", ["cells", "area"])
def test_the_reference_tile_stays_exact(budget):
    reference = tile(budget=budget)
    assert reference.crossbars[0] == 96
    assert reference.adc_bits[0] == 8
    assert reference.adcs_per_crossbar[0] == 1
    assert (reference.total_power_w[0], reference.total_area_mm2[0]) == pytest.approx(
        components.isaac_tile_totals(), rel=1e-12
    )


@pytest.mark.parametrize(("bits", "picojoule"), [(6, 1.06), (8, 1.71), (9, 4.69), (10, 13.9), (12, 133)])
def test_conversion_energies_are_those_of_the_survey_fit(bits, picojoule):
    assert components.adc_conversion_energy_j(bits, 1e9) == pytest.approx(picojoule * 1e-12, rel=5e-3)


def test_the_survey_fit_gives_power_and_area_at_isaac_s_rate():
    assert components.adc_conversion_energy_j(8, 1.28e9) * 1.28e9 == pytest.approx(2.47e-3, rel=2e-3)
    assert components.adc_area_mm2(8, 1.28e9) == pytest.approx(6467e-6, rel=1e-3)


@given(st.floats(0.5, 16), st.floats(1e6, 1e10))
def test_converters_always_cost_something(bits, rate_hz):
    assert components.adc_conversion_energy_j(bits, rate_hz) > 0
    assert components.adc_area_mm2(bits, rate_hz) > 0


def test_below_four_bits_the_slope_from_four_to_five_goes_on():
    three, four, five = components.adc_conversion_energy_j(np.array([3.0, 4.0, 5.0]), 1e9)
    assert three / four == pytest.approx(four / five)


@pytest.mark.parametrize(
    ("rows", "cell_bits", "input_bits", "bits"),
    [(128, 2, 1, 8), (128, 1, 1, 7), (256, 2, 1, 9), (128, 4, 1, 10), (128, 2, 2, 10), (128, 1, 2, 8)],
)
def test_converter_resolution_follows_rows_cells_and_inputs(rows, cell_bits, input_bits, bits):
    assert components.adc_bits(rows, cell_bits, input_bits) == bits


@given(SIZES, CELLS)
def test_tiles_keep_their_cells(size, cell_bits):
    assert tile(size, cell_bits).crossbars[0] * size**2 == 96 * 128**2


@given(SIZES, CELLS, st.sampled_from([5e6, 10e6, 20e6]))
def test_tiles_of_one_area_keep_to_it(size, cell_bits, frequency_hz):
    kept = tile(size, cell_bits, frequency_hz, "area")
    assert kept.crossbars[0] == 1 or kept.total_area_mm2[0] <= components.isaac_tile_totals()[1] * (1 + 1e-9)


@given(SIZES, CELLS, st.sampled_from([5e6, 10e6, 20e6, 40e6]))
def test_converters_keep_up_with_the_columns(size, cell_bits, frequency_hz):
    each = size * frequency_hz / tile(size, cell_bits, frequency_hz).adcs_per_crossbar[0]
    assert each <= 1.28e9 * (1 + 1e-9)


@given(SIZES, CELLS)
def test_more_bits_per_cell_never_make_a_tile_cheaper(size, cell_bits):
    if cell_bits < 8:
        fewer, more = tile(size, cell_bits), tile(size, 2 * cell_bits)
        assert more.total_power_w[0] >= fewer.total_power_w[0]
        assert more.total_area_mm2[0] >= fewer.total_area_mm2[0]


def test_faster_reads_draw_power_and_need_more_converters():
    slow, fast = tile(frequency_hz=10e6), tile(frequency_hz=20e6)
    assert fast.adcs_per_crossbar[0] == 2 * slow.adcs_per_crossbar[0]
    assert fast.total_power_w[0] == pytest.approx(2 * slow.total_power_w[0])


def test_wide_crossbars_share_converters_and_narrow_ones_need_more_lines():
    narrow, wide = tile(64), tile(256)
    assert wide.adcs_per_crossbar[0] == 2
    assert narrow.area_mm2["dac"][0] == pytest.approx(2 * tile(128).area_mm2["dac"][0])
    assert wide.area_mm2["crossbar"][0] == pytest.approx(tile(128).area_mm2["crossbar"][0])
