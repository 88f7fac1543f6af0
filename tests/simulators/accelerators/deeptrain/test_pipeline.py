"""Pipeline times: what fills, drains and repeats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    times = schedule(np.array([3.0]), np.array([5.0]), np.array([7.0]), True, 4, 10)
    assert times.image_latency_s[0] == 11 * 3.0  # 2 L + 1
    assert times.batch_time_s[0] == (10 + 4) * 3.0 + 7.0  # 2 L + B, then the update
    assert times.epoch_time_s[0] == 2 * times.batch_time_s[0] + ((10 + 2) * 3.0 + 7.0)  # the last batch holds two


def test_inference_fills_once():
    times = schedule(np.array([3.0]), np.array([5.0]), np.array([7.0]), False, 4, 10)
    assert times.image_latency_s[0] == pytest.approx(5 * 3.0)
    assert times.batch_time_s[0] == pytest.approx((5 + 4 - 1) * 3.0)
    assert times.epoch_time_s[0] == pytest.approx((5 + 10 - 1) * 3.0)


def scheduled(stage_times_s, images):
    """When each image leaves a pipeline of buffered stages in which each holds one image at a time."""
    free, left = [0.0] * len(stage_times_s), []
    for _ in range(images):
        time = 0.0
        for stage, length in enumerate(stage_times_s):
            time = max(time, free[stage]) + length
            free[stage] = time
        left.append(time)
    return left


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=8))
def test_images_leave_a_stage_time_apart_as_ten_images_scheduled_one_by_one_show(stage_times_s):
    left = scheduled(stage_times_s, 10)
    slowest = max(stage_times_s)
    assert np.diff(left) == pytest.approx([slowest] * 9)
    times = schedule(np.array([slowest]), np.array([float(len(stage_times_s))]), np.zeros(1), False, 10, 10)
    # stages in step take the slowest one's time each: an upper bound that is exact where all are as long
    assert times.batch_time_s[0] >= left[-1] - 1e-9
    even = scheduled([slowest] * len(stage_times_s), 10)
    assert times.batch_time_s[0] == pytest.approx(even[-1])
    assert times.image_latency_s[0] == pytest.approx(even[0])


def test_without_a_pipeline_images_follow_each_other():
    for training in (True, False):
        times = schedule(np.array([3.0]), np.zeros(1), np.zeros(1), training, 4, 10)
        assert times.image_latency_s[0] == 3.0
        assert times.batch_time_s[0] == 12.0
        assert times.epoch_time_s[0] == 30.0
