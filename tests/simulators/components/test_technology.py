"""Other technology nodes and converter models: the reference point stays, and the rest moves the right way."""

import numpy as np
import pytest

from simulators.components import DEVICES, ISAAC_CHIP, ISAAC_IMA, ISAAC_TILE, LAWS, NODES, TileRules, isaac_tile


def tile(adc_bits=0, **rules):
    return isaac_tile(np.array([128]), np.array([2]), np.array([10e6]), adc_bits, TileRules(**rules))


def test_the_reference_node_changes_nothing():
    for circuit in ("logic", "memory", "array", "link"):
        assert NODES[32].area_factor(circuit) == NODES[32].power_factor(circuit) == 1.0


def test_smaller_nodes_take_less_area_and_power_part_by_part():
    for larger, smaller in zip(list(NODES), list(NODES)[1:], strict=False):
        coarse, fine = tile(technology_nm=larger), tile(technology_nm=smaller)
        for part, area in coarse.area_mm2.items():
            assert fine.area_mm2[part][0] < area[0], part
        for part, power in coarse.power_w.items():
            assert (fine.power_w[part][0] < power[0]) == (part != "crossbar"), part


def test_with_one_area_smaller_circuits_leave_room_for_more_crossbars():
    counts = [tile(budget="area", technology_nm=node).crossbars[0] for node in NODES]
    assert counts == sorted(counts)
    assert counts[0] < 96 < counts[-1]
    assert counts[list(NODES).index(32)] == 96


def test_the_survey_s_own_converter_costs_what_it_says_at_isaac_s_point():
    isaac, survey = tile(), tile(adc_model="survey")
    assert survey.power_w["adc"][0] / 96 == pytest.approx(2.47e-3, rel=2e-3)
    assert survey.area_mm2["adc"][0] / 96 == pytest.approx(6467e-6, rel=1e-3)
    assert isaac.power_w["adc"][0] / 96 == pytest.approx(2e-3)
    ratio = tile(10).power_w["adc"][0] / isaac.power_w["adc"][0]
    assert tile(10, adc_model="survey").power_w["adc"][0] / survey.power_w["adc"][0] == pytest.approx(ratio)


def test_how_fast_converters_get_dearer_leaves_isaac_s_point_alone():
    assert tile(adc_scaling=1.3).power_w["adc"][0] == pytest.approx(tile().power_w["adc"][0])
    powers = [tile(10, adc_scaling=scaling).power_w["adc"][0] for scaling in (0.0, 0.7, 1.0, 1.3)]
    assert powers == sorted(powers)
    assert powers[0] == pytest.approx(tile().power_w["adc"][0])
    assert tile(6, adc_scaling=1.3).area_mm2["adc"][0] < tile(6).area_mm2["adc"][0]


def test_given_bits_set_the_converter_and_nothing_else():
    derived, coarse = tile(), tile(6)
    assert (derived.adc_bits[0], coarse.adc_bits[0]) == (8, 6)
    for part, power in derived.power_w.items():
        assert (coarse.power_w[part][0] < power[0]) == (part == "adc")


def test_every_part_has_a_law_a_delay_and_a_source():
    for part in (*ISAAC_IMA, *ISAAC_TILE, *ISAAC_CHIP):
        assert part.law in LAWS
        assert 1e-11 < part.delay_s < 1e-6
        assert part.source


def test_every_cell_has_a_source_and_can_be_written_and_read():
    for name, device in DEVICES.items():
        assert device.source, name
        assert 0 < device.read_time_s < 1e-7
        assert 0 < device.write_time_s < 1e-5
        assert 0 < device.write_energy_per_bit_j < 1e-8
