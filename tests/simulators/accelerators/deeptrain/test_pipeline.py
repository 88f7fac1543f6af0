"""Pipeline times: what fills, drains and repeats."""

import numpy as np
import pytest

from simulators.accelerators.deeptrain.pipeline import bn_work, schedule
from simulators.accelerators.deeptrain.settings import parse_settings

BITS = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 0]], dtype=np.uint8)
ELEMENTS = np.array([400, 20, 3])


def test_normalisations_share_the_tiles_in_time_or_the_slowest_counts():
    count, total, shared = bn_work(BITS, ELEMENTS, parse_settings({}))
    assert count.tolist() == [3, 2, 0]
    assert total.tolist() == shared.tolist() == [423, 23, 0]
    count, total, slowest = bn_work(BITS, ELEMENTS, parse_settings({"bn_time": "max"}))
    assert count.tolist() == [3, 2, 0]
    assert total.tolist() == [423, 23, 0]
    assert slowest.tolist() == [400, 20, 0]


def test_training_fills_and_drains_for_every_batch():
    times = schedule(np.array([2.0]), np.array([3.0]), np.array([5.0]), np.array([7.0]), True, 4, 10)
    assert times.stage_time_s[0] == 3.0
    assert times.image_latency_s[0] == 11 * 3.0  # 2 L + 1
    assert times.batch_time_s[0] == (10 + 4) * 3.0 + 7.0  # 2 L + B, then the update
    assert times.epoch_time_s[0] == 2 * times.batch_time_s[0] + ((10 + 2) * 3.0 + 7.0)  # the last batch holds two


def test_inference_fills_once():
    times = schedule(np.array([2.0]), np.array([3.0]), np.array([5.0]), np.array([7.0]), False, 4, 10)
    assert times.image_latency_s[0] == pytest.approx(5 * 3.0)
    assert times.batch_time_s[0] == pytest.approx((5 + 4 - 1) * 3.0)
    assert times.epoch_time_s[0] == pytest.approx((5 + 10 - 1) * 3.0)
