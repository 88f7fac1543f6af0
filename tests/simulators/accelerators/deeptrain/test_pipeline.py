"""Pipeline times: what fills, drains and repeats."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.accelerators.deeptrain import DeepTrain
from simulators.accelerators.deeptrain.pipeline import bn_work, schedule
from simulators.accelerators.deeptrain.settings import parse_settings
from simulators.protocol import Designs, Workload

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


def tasks_of_an_image(report, design, forward_share):
    """What an image passes through in order, each task with the resource that it needs and its seconds: a layer's
    crossbars, those of its transpose, or the GPU tiles, which all normalisations share.
    """
    layers = range(len(report.layers))
    conv, bn = (report.by_layer[f"{kind}_stage_time_s"][design] for kind in ("conv", "bn"))
    forward = [
        task
        for layer in layers
        for task in ((("weights", layer), conv[layer]), ("gpu", forward_share * bn[layer]))
        if task[0] != "gpu" or task[1] > 0
    ]
    backward = [
        task
        for layer in reversed(layers)
        for task in (("gpu", (1 - forward_share) * bn[layer]), (("transpose", layer), conv[layer]))
        if task[0] != "gpu" or task[1] > 0
    ]
    return forward, backward


def in_step(tasks, images):
    """Images enter one behind the other and move on by one task at every step.

    Returns:
        number of steps, and the seconds that the busiest resource works in the busiest of them.
    """
    steps, longest = 0, 0.0
    places = {image: -image for image in range(images)}  # the task that each image is at; below 0: not yet in
    while any(place < len(tasks) for place in places.values()):
        work = {}
        for place in places.values():
            if 0 <= place < len(tasks):
                resource, seconds = tasks[place]
                work[resource] = work.get(resource, 0.0) + seconds
        longest = max(longest, *work.values())
        steps += 1
        places = {image: place + 1 for image, place in places.items()}
    return steps, longest


def soonest(tasks, images):
    """When the last image is through if every task starts as soon as its resource and its image are free."""
    free, end = {}, 0.0
    for _ in range(images):
        time = 0.0
        for resource, seconds in tasks:
            time = max(time, free.get(resource, 0.0)) + seconds
            free[resource] = time
        end = max(end, time)
    return end


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["vgg11", "vgg19", "resnet18"]), st.booleans())
def test_times_are_those_of_images_scheduled_one_by_one(seed, network, training):
    simulator, images = DeepTrain({"batch_size": 10}), 10
    workload = Workload(network, mode="training" if training else "inference")
    rng = np.random.default_rng(seed)
    searched = [variable for variable in simulator.variables(workload) if variable.searched]
    designs = Designs({variable.name: variable.domain.sample(rng, 4) for variable in searched}, 4)
    report = simulator.simulate(designs, workload, breakdown=True)
    for design in np.flatnonzero(report.feasible):
        share = simulator.assumed["bn_forward_share"] if training else 1.0
        forward, backward = tasks_of_an_image(report, design, share)
        tasks = [*forward, ("loss", 0.0), *backward] if training else forward
        # enough images that every task works on one of them: the pipeline is full
        assert in_step(tasks, len(tasks))[1] == pytest.approx(report.stage_time_s[design])
        steps, longest = in_step(tasks, images)
        assert longest <= report.stage_time_s[design] * (1 + 1e-12)
        update_s = training * designs["crossbar_size"][design] * simulator.assumed["row_write_time_s"]
        assert steps * report.stage_time_s[design] + update_s == pytest.approx(report.batch_time_s[design])
        assert len(tasks) * report.stage_time_s[design] == pytest.approx(report.image_latency_s[design])
        # no order of tasks lets images through faster than one in a stage time
        assert soonest(tasks, images) >= images * report.stage_time_s[design] * (1 - 1e-12)
