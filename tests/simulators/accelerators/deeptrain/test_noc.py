from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.accelerators.deeptrain import DeepTrain
from simulators.accelerators.deeptrain.model import Stacks
from simulators.accelerators.deeptrain.noc import Traffic, busiest_links
from simulators.accelerators.layers import LayerTable
from simulators.protocol import Designs, Maps, Table, Workload

NETWORKS = ("vgg11", "vgg16", "resnet18", "resnet20")
STACK = {"reram_layers": 3, "gpu_layers": 2}


def stacked(network: str, mode: str = "training", routing: str = "multicast", **choices: object) -> Stacks:
    workload = Workload(network, mode="inference" if mode == "inference" else "training")
    designs = Designs({name: np.array([value]) for name, value in {**STACK, **choices}.items()})
    return DeepTrain({"routing": routing}).stacks(designs, workload)


def loads(stacks: Stacks, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
    return stacks.network.loads(0).of(0, bits)


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
    stacks = stacked(network, mode, "unicast")
    table = stacks.table
    up, _ = across(loads(stacks, bits_of(table)), 2)
    expected = 0.0
    for bit, convolution in zip(bits_of(table).tolist(), table.convolutions, strict=True):
        expected += 2 * bit * table.out_elements[convolution]
        for flow in table.flows:
            if mode == "training" and flow.normalised and flow.source == table.names[convolution]:
                expected += 2 * bit * flow.elements
    assert up == pytest.approx(expected)
    none = loads(stacks, np.zeros(len(table.convolutions), dtype=np.uint8))
    assert not none[..., 3:].any(), "nothing to do for the GPU layers"
    assert across(none, 2) == (0.0, 0.0)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_tree_carries_less_and_training_more(network: str) -> None:
    stacks = stacked(network)
    bits = bits_of(stacks.table)
    trees, single = loads(stacks, bits), loads(stacked(network, routing="unicast"), bits)
    assert (trees <= single + 1e-6).all()
    assert trees.sum() < single.sum()
    assert loads(stacked(network, "inference"), bits).sum() < 0.7 * trees.sum()


def test_normalisations_add_up() -> None:
    stacks, bits = stacked("vgg11"), np.array([1, 0, 1, 1, 0, 0, 0, 1], dtype=np.uint8)
    found: Traffic = stacks.network.loads(0)
    one_by_one = found.base[0].sum(axis=0) + sum(found.by_bit[0, bits == 1])
    assert found.of(0, bits) == pytest.approx(np.maximum(one_by_one, 0.0))
    assert one_by_one.min() > -1e-6


def test_gpu_layers_may_lie_at_the_sink_or_between() -> None:
    bits = np.zeros(8, dtype=np.uint8)
    first, last, between = (
        loads(stacked("vgg11", stack_order=order), bits) for order in ("reram-first", "gpu-first", "alternating")
    )
    assert not last[..., :2].any()
    assert last[..., 2:] == pytest.approx(first[..., :3])
    assert between[4, :, :, 1].any(), "ReRAM layers reach each other through the GPU layer between them"


@pytest.mark.parametrize("replication", ["balanced", "once"])
def test_a_layer_lies_on_as_many_clusters_as_its_crossbars_take(replication: str) -> None:
    stacks = stacked("vgg16", replication=replication)
    crossbars = stacks.mapping.crossbars[0]
    assert crossbars.sum() == pytest.approx(stacks.mapping.used[0])
    places = stacks.network._places(np.array([0]))[0]
    assert places.shape[1:] == (6, 6, 5)
    assert places.sum(axis=(1, 2, 3)) == pytest.approx(1.0)
    held = np.einsum("l,lxyz->xyz", crossbars, places[:-1])
    assert held.max() <= 384 + 1e-6
    assert not held[..., 3:].any()
    assert not places[-1, ..., :3].any()


@pytest.mark.parametrize("network", ["vgg11", "resnet18"])
@pytest.mark.parametrize("routing", ["multicast", "unicast"])
@pytest.mark.parametrize("choices", [{}, {"stack_order": "alternating"}, {"policy": "regent"}], ids=str)
def test_energy_is_that_of_all_bytes_over_all_links(network: str, routing: str, choices: dict[str, object]) -> None:
    stacks = stacked(network, "training", routing, **choices)
    bits = bits_of(stacks.table) * ("policy" not in choices)
    carried, assumed = loads(stacks, bits), stacks.assumed
    hop_mm = np.sqrt(stacks.footprint_mm2[0]) / 6
    wires = carried[:4].sum() * hop_mm * assumed["wire_energy_per_byte_mm_j"]
    vias = carried[4:].sum() * assumed["tsv_energy_per_byte_j"]
    assert stacks.transport.of(0, bits) == pytest.approx([wires, vias])


def test_more_copies_take_smaller_parts_and_one_takes_everything() -> None:
    """Each cluster gets what its copies work on; of a layer that has one copy, all get all."""
    stacks = stacked("vgg16", reram_layers=7)
    members, layers = np.array([0]), np.arange(len(stacks.table.names))
    places = stacks.network._places(members)
    shares, copy = stacks.network._received(members, places, layers)
    assert copy is not None
    assert shares[0].sum(axis=(1, 2, 3)) == pytest.approx(1.0)
    assert copy[0, :, 0, 0, 0] == pytest.approx(1 / stacks.mapping.copies[0])
    once = stacked("vgg16", replication="once")
    _, whole = once.network._received(members, once.network._places(members), layers)
    assert whole is not None
    assert np.all(whole == 1.0)
    bits = bits_of(stacks.table)
    assert loads(stacks, bits).max() < loads(once, bits).max()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["vgg11", "resnet20"]))
def test_the_busiest_link_of_many_designs_is_that_of_each(seed: int, network: str) -> None:
    simulator, workload = DeepTrain(), Workload(network)
    rng = np.random.default_rng(seed)
    names = ("reram_layers", "gpu_layers", "crossbar_size", "stack_order", "policy", "bn")
    variables = [variable for variable in simulator.variables(workload) if variable.name in names]
    designs = Designs({variable.name: variable.domain.sample(rng, 30) for variable in variables}, 30)
    report = simulator.simulate(designs, workload)
    for index in range(30):
        stacks = simulator.stacks(designs.take(np.array([index])), workload)
        if not report.feasible[index]:
            assert np.isnan(report.link_stage_time_s[index])
        elif not len(stacks.kinds[0]):
            assert report.link_stage_time_s[index] == 0.0
        else:
            busiest = loads(stacks, designs["bn"][index]).max()
            assert report.link_stage_time_s[index] == pytest.approx(busiest / 4.8e9)


def test_placements_shared_by_all_designs_and_one_stack_for_all_are_as_good() -> None:
    workload, simulator = Workload("vgg11"), DeepTrain()
    bits = np.array([[1, 0, 1, 1, 0, 0, 0, 1]], dtype=np.uint8)
    layers = np.array([1, 2, 3])
    shared = simulator.simulate(Designs({"bn": bits, "reram_layers": layers}), workload).link_stage_time_s
    each = simulator.simulate(Designs({"bn": np.repeat(bits, 3, 0), "reram_layers": layers}), workload)
    np.testing.assert_array_equal(shared, each.link_stage_time_s)
    stacks = simulator.stacks(Designs({}, 4), workload)
    placements = np.eye(8, dtype=np.uint8)[:4]
    found = busiest_links(stacks.network, np.zeros(1, dtype=np.intp), placements, 4)
    assert found == pytest.approx([loads(stacks, placement).max() for placement in placements])


def test_a_link_that_counts_bounds_the_stage() -> None:
    bits = np.zeros((1, 13), dtype=np.uint8)
    bits[0, [4, 6, 7, 12]] = 1  # BO-N: few normalisations, so that convolutions bound the pipeline
    workload, designs = Workload("vgg16"), Designs({"bn": bits})
    ignored, counted = (DeepTrain({"link_time": how}).simulate(designs, workload) for how in ("ignored", "counted"))
    assert ignored.stage_time_s[0] < ignored.link_stage_time_s[0]
    assert counted.stage_time_s[0] == counted.link_stage_time_s[0] == ignored.link_stage_time_s[0]
    assert counted.epoch_time_s[0] > ignored.epoch_time_s[0]


def test_the_view_tells_the_busiest_links_and_their_times() -> None:
    simulator, workload = DeepTrain(), Workload("vgg16")
    view = next(view for view in simulator.views() if view.name == "noc")
    table = view.render(Designs({"reram_layers": np.array([3])}), workload)
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["ReRAM", "ReRAM", "ReRAM", "GPU"]
    assert table.notes[0].startswith("by trees the busiest link takes 22.45 µs per image, which the stage time (52.46 ")
    assert table.notes[0].endswith("does not count")
    counted = DeepTrain({"link_time": "counted"})
    table = next(view for view in counted.views() if view.name == "noc").render(Designs({}, 1), workload)
    assert isinstance(table, Table)
    assert table.notes[0].endswith("which the stage time (52.46 µs) counts")
    table = view.render(Designs({"reram_layers": np.array([1])}), workload)
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["ReRAM", "GPU"]
    assert "does not fit" in table.notes[0]


def test_the_longest_way_goes_through_the_gpu_tiles_where_normalisations_follow() -> None:
    stacks = stacked("vgg11")
    without, one, all_of_them = (
        stacks.network.longest_route(0, np.array(bits, dtype=np.uint8)) for bits in ([0] * 8, [1] + [0] * 7, [1] * 8)
    )
    assert 0 < without <= one <= all_of_them
    x, y, z = 5, 5, 4  # from one corner of the mesh to the other
    assert all_of_them <= x + y + z
    places = stacks.network._places(np.array([0]))[0]
    first, gpu = np.argwhere(places[0]), np.argwhere(places[-1])
    assert one >= max(abs(a - b).sum() for a in first for b in gpu)


def test_the_picture_shows_the_same_loads_layer_by_layer() -> None:
    simulator, workload, designs = DeepTrain(), Workload("vgg16"), Designs({}, 1)
    view = next(view for view in simulator.views() if view.name == "noc-map")
    maps = view.render(designs, workload)
    assert isinstance(maps, Maps)
    assert list(maps.panels) == ["layer 1: ReRAM", "layer 2: ReRAM", "layer 3: ReRAM", "layer 4: GPU"]
    busiest = max(panel.max() for panel in maps.panels.values())
    assert busiest == pytest.approx(simulator.simulate(designs, workload).link_stage_time_s[0] * 4.8e9)
    assert {panel.shape for panel in maps.panels.values()} == {(6, 6)}
    no_layers = {name: np.array([0]) for name in ("reram_layers", "gpu_layers")}
    card = view.render(Designs({"policy": np.array(["titan-xp"]), **no_layers}), workload)
    assert isinstance(card, Maps)
    assert not card.panels
    assert "no network on chip" in card.notes[0]
