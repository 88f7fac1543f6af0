from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.accelerators.deeptrain import DeepTrain
from simulators.accelerators.deeptrain.model import Stacks, build_stacks
from simulators.accelerators.deeptrain.noc import Traffic, _crossbars, _regions, stack_traffic
from simulators.accelerators.layers import LayerTable
from simulators.protocol import Designs, Table, Workload

NETWORKS = ("vgg11", "vgg16", "resnet18", "resnet20")


def stacked(network: str, mode: str = "training", **settings: object) -> tuple[DeepTrain, Stacks]:
    simulator = DeepTrain(settings)
    workload = Workload(network, mode="inference" if mode == "inference" else "training")
    designs = Designs({"reram_layers": np.array([3]), "gpu_layers": np.array([2])})
    return simulator, build_stacks(designs, workload, simulator.settings, simulator.assumed)


def traffic(network: str, *, mode: str = "training", multicast: bool = True, **settings: object) -> Traffic:
    simulator, stacks = stacked(network, mode, **settings)
    return stack_traffic(
        stacks.table, stacks.mapping, stacks.tile, (3, 2, 144), mode == "training", multicast, simulator.settings,
        simulator.assumed,
    )  # fmt: skip


def bits_of(table: LayerTable) -> NDArray[np.uint8]:
    return (np.arange(len(table.convolutions)) % 3 == 0).astype(np.uint8)


def across(loads: NDArray[np.float64], layer: int) -> tuple[float, float]:
    """Bytes that go up through the stack from a layer to the next, and down."""
    return float(loads[4, :, :, layer].sum()), float(loads[5, :, :, layer + 1].sum())


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("mode", ["training", "inference"])
def test_what_is_normalised_goes_to_the_gpu_layers_once_and_errors_come_back_once(network: str, mode: str) -> None:
    """Single messages: every element of a normalised output crosses the border to the GPU tiles, and once more for
    every layer that reads it as an error."""
    _, stacks = stacked(network, mode)
    table, found = stacks.table, traffic(network, mode=mode, multicast=False)
    up, _ = across(found.loads(bits_of(table)), 2)
    expected = 0.0
    for bit, convolution in zip(bits_of(table).tolist(), table.convolutions, strict=True):
        expected += 2 * bit * table.out_elements[convolution]
        for flow in table.flows:
            if mode == "training" and flow.normalised and flow.source == table.names[convolution]:
                expected += 2 * bit * flow.elements
    assert up == pytest.approx(expected)
    none = found.loads(np.zeros(len(table.convolutions), dtype=np.uint8))
    assert not none[..., 3:].any(), "nothing to do for the GPU layers"
    assert across(none, 2) == (0.0, 0.0)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_tree_carries_less_and_training_more(network: str) -> None:
    _, stacks = stacked(network)
    bits = bits_of(stacks.table)
    trees, single = (traffic(network, multicast=multicast).loads(bits) for multicast in (True, False))
    assert (trees <= single + 1e-6).all()
    assert trees.sum() < 0.9 * single.sum()
    assert traffic(network, mode="inference").loads(bits).sum() < 0.7 * trees.sum()


def test_normalisations_add_up() -> None:
    found, bits = traffic("vgg11"), np.array([1, 0, 1, 1, 0, 0, 0, 1], dtype=np.uint8)
    one_by_one = found.base + sum(found.by_bit[bits == 1])
    assert found.loads(bits) == pytest.approx(np.maximum(one_by_one, 0.0))
    assert one_by_one.min() > -1e-6


def test_gpu_layers_may_lie_at_the_sink() -> None:
    bits = np.zeros(8, dtype=np.uint8)
    reram, gpu = (traffic("vgg11", next_to_sink=kind).loads(bits) for kind in ("reram", "gpu"))
    assert not gpu[..., :2].any()
    assert gpu[..., 2:] == pytest.approx(reram[..., :3])


@pytest.mark.parametrize("replicate", ["both", "weights"])
def test_a_layer_lies_on_as_many_clusters_as_its_crossbars_take(replicate: str) -> None:
    simulator, stacks = stacked("vgg16", replicate=replicate)
    crossbars = _crossbars(stacks.mapping, simulator.settings)
    assert crossbars.sum() == pytest.approx(stacks.mapping.used[0])
    regions = _regions(crossbars, 384.0, 6, 3, 0, (6, 6, 5))
    assert regions.sum(axis=(1, 2, 3)) == pytest.approx(1.0)
    held = np.einsum("l,lxyz->xyz", crossbars, regions)
    assert held.max() <= 384 + 1e-6
    assert not held[..., 3:].any()


def test_the_view_tells_the_busiest_links_and_their_times() -> None:
    simulator, workload = DeepTrain(), Workload("vgg16")
    view = next(view for view in simulator.views() if view.name == "noc")
    table = view.render(Designs({"reram_layers": np.array([3])}), workload)
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["ReRAM", "ReRAM", "ReRAM", "GPU"]
    assert table.notes[0].startswith("by trees the busiest link takes 95.57 µs per image, which the stage time (52.46 ")
    table = view.render(Designs({"reram_layers": np.array([1])}), workload)
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["ReRAM", "GPU"]
    assert "does not fit" in table.notes[0]
