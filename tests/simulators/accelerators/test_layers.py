"""Networks as arrays of layers, and how large they may be."""

import numpy as np
import pytest

from simulators.accelerators.layers import layer_table
from simulators.protocol import InputError, Workload

HUGE = """
import torch
from torch import nn

def build(in_channels, classes, channels):
    with torch.device("meta"):
        return nn.Sequential(
            nn.Conv2d(in_channels, int(channels), 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(int(channels), classes),
        )
"""


def test_columns_are_those_of_the_layers():
    table = layer_table(Workload("vgg11"))
    assert table.names == ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "F1")
    assert table.weights[:2].tolist() == [3 * 64 * 9, 64 * 128 * 9]
    assert table.bn_elements[:2].tolist() == [64 * 32**2, 128 * 16**2]
    assert not any(column.flags.writeable for column in (table.weights, table.positions))


@pytest.mark.parametrize("channels", [10**15, 878416000000000])
def test_a_network_beyond_what_can_be_counted_is_refused_and_nothing_wraps_around(tmp_path, channels):
    (tmp_path / "mine.py").write_text(HUGE)
    workload = Workload("./mine.py:build", options=(("channels", str(channels)),)).with_source(tmp_path)
    with pytest.raises(InputError, match=r"layer C1 of \./mine.py:build has .*more than this model can count"):
        layer_table(workload)


def test_the_largest_networks_are_counted_without_wrapping_around(tmp_path):
    (tmp_path / "mine.py").write_text(HUGE)
    workload = Workload("./mine.py:build", options=(("channels", str(10**10)),)).with_source(tmp_path)
    table = layer_table(workload)
    for column in (table.out_elements * 32 * 300, table.weights * 32, table.weights * table.positions):
        assert np.all(column > 0)
    assert int(table.weights[0]) * int(table.positions[0]) == 3 * 10**10 * 9 * 32**2
