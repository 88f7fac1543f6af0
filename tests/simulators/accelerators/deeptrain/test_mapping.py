"""Mapping: crossbars by the printed rule, and replication that is the best there is."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.accelerators.batches import distinct_combinations
from simulators.accelerators.deeptrain.assumptions import ASSUMPTIONS
from simulators.accelerators.deeptrain.mapping import fastest_stage, map_network, stage_candidates
from simulators.accelerators.deeptrain.settings import parse_settings
from simulators.accelerators.deeptrain.variables import HARDWARE_VARIABLES
from simulators.accelerators.layers import layer_table
from simulators.components import isaac_tile
from simulators.protocol import Assumptions, Designs, Workload


def mapped(network="vgg11", training=True, settings=None, **columns):
    designs = Designs({name: np.array([value]) for name, value in columns.items()}, 1)
    hardware = distinct_combinations(designs, HARDWARE_VARIABLES)
    tile = isaac_tile(hardware["crossbar_size"], hardware["cell_bits"], hardware["frequency_hz"])
    return map_network(
        layer_table(Workload(network)), hardware, tile, training, parse_settings(settings or {}),
        Assumptions(ASSUMPTIONS),
    )  # fmt: skip


SMALL = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=3)


@given(SMALL, st.integers(0, 120))
def test_no_other_replication_within_the_budget_is_faster(layers, budget):
    positions, crossbars = (np.array(column) for column in zip(*layers, strict=True))
    stage = fastest_stage(positions, crossbars, np.array([budget]))[0]
    affordable = [
        max(-(-p // copies) for p, copies in zip(positions, choice, strict=True))
        for choice in product(*(range(1, p + 1) for p in positions))
        if np.dot(crossbars, choice) <= budget
    ]
    assert stage == min(affordable) if affordable else np.isnan(stage)


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=3))
def test_all_lengths_of_stages_are_looked_at(positions):
    every = {-(-count // copies) for count in positions for copies in range(1, count + 1)}
    assert stage_candidates(tuple(positions)).tolist() == sorted(every)


def test_images_of_a_hundred_million_pixels_are_mapped_too():
    stage = fastest_stage(np.array([10**10, 10**8]), np.array([3, 5]), np.array([7, 8, 3 * 10**9]))
    assert np.isnan(stage[0])
    assert stage[1:].tolist() == [1e10, 11.0]


@given(SMALL, st.lists(st.integers(0, 500), min_size=1, max_size=8))
def test_budgets_are_kept_and_more_crossbars_never_slow_a_stage(layers, budgets):
    positions, crossbars = (np.array(column) for column in zip(*layers, strict=True))
    budget = np.sort(np.array(budgets))
    stage = fastest_stage(positions, crossbars, budget)
    fits = ~np.isnan(stage)
    assert np.array_equal(fits, budget >= crossbars.sum())
    assert np.all(np.diff(stage[fits]) <= 0)
    for limit, length in zip(budget[fits], stage[fits], strict=True):
        assert np.dot(crossbars, np.ceil(positions / length)) <= limit


def test_a_copy_takes_the_crossbars_of_the_printed_rule():
    found = mapped("vgg11")
    # C2: 64 channels x 9 = 576 rows -> 5; 128 channels x 16 bit / 2 bit per cell = 1024 columns -> 8
    assert found.weight_crossbars[0, 1] == 40
    # F1: 512 rows -> 4; 10 x 8 = 80 columns -> 1
    assert found.weight_crossbars[0, -1] == 4
    # C1 keeps 64 x 32 x 32 activations of 16 bit in 2-bit cells
    assert found.activation_crossbars[0, 0] == 64 * 1024 * 8 / 128**2
    assert np.array_equal(found.transposed_crossbars, found.weight_crossbars)
    assert found.available[0] == 3 * 13_824


@given(
    st.sampled_from([32, 64, 128, 256, 512]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 7),
    st.sampled_from([64, 144]),
)
def test_no_stack_uses_more_crossbars_than_it_has(size, cell_bits, layers, tiles):
    found = mapped(crossbar_size=size, cell_bits=cell_bits, reram_layers=layers, tiles_per_layer=tiles)
    if found.fits[0]:
        assert found.needed[0] <= found.used[0] <= found.available[0]
        assert np.all(found.copies >= 1)
    else:
        assert np.isnan(found.used[0])


def test_inference_keeps_no_transpose_and_no_activations():
    training, inference = mapped("vgg16"), mapped("vgg16", training=False)
    assert inference.needed[0] == training.weight_crossbars.sum()
    assert inference.stage_products[0] < training.stage_products[0]


def test_copies_in_powers_of_two_are_powers_of_two_and_the_best_of_these():
    balanced, rounded, once = (mapped("vgg16", replication=rule) for rule in ("balanced", "powers-of-two", "once"))
    assert np.all(np.log2(rounded.copies) % 1 == 0)
    assert rounded.used[0] <= rounded.available[0]
    assert balanced.stage_products[0] <= rounded.stage_products[0] < once.stage_products[0] == 32 * 32
    assert np.all(once.copies == 1)
    assert once.used[0] == once.needed[0] == balanced.needed[0]
    tighter = fastest_stage(
        np.array([16, 9]), np.array([1, 1]), np.array([5, 6, 8]), powers_of_two=True
    )  # by hand: 2 + 2 copies, 4 + 2, 4 + 4
    assert tighter.tolist() == [8, 5, 4]


def test_where_the_backward_pass_runs_elsewhere_no_transpose_is_kept():
    default, forward, card = (mapped("vgg16", policy=policy) for policy in ("deeptrain", "regent", "titan-xp"))
    assert not forward.transposed_crossbars.any()
    assert np.array_equal(forward.activation_crossbars, default.activation_crossbars)
    assert forward.stage_products[0] < default.stage_products[0]
    assert card.needed[0] == card.available[0] == card.used[0] == 0
    assert card.fits[0]


def test_many_stacks_at_once_are_mapped_as_one_by_one():
    variables = {variable.name: variable for variable in HARDWARE_VARIABLES}
    rng = np.random.default_rng(0)
    columns = {name: variable.domain.sample(rng, 60) for name, variable in variables.items()}
    designs = Designs(columns, 60)
    settings, assumed, table = parse_settings({}), Assumptions(ASSUMPTIONS), layer_table(Workload("vgg11"))

    def found(some):
        stacks = distinct_combinations(some, HARDWARE_VARIABLES)
        tile = isaac_tile(stacks["crossbar_size"], stacks["cell_bits"], stacks["frequency_hz"])
        return map_network(table, stacks, tile, True, settings, assumed), stacks.index

    together, index = found(designs)
    for design in range(60):
        alone, _ = found(designs.take(np.array([design])))
        for name in ("crossbars", "needed", "used", "stage_products"):
            np.testing.assert_array_equal(getattr(together, name)[index[design]], getattr(alone, name)[0])


def test_other_rules_move_crossbars_as_they_say():
    default = mapped("vgg16")
    kept = mapped("vgg16", activation_copies="pipelayer").activation_crossbars[0]
    assert kept[-1] == default.activation_crossbars[0, -1]
    assert kept[0] == default.activation_crossbars[0, 0] * 27  # first of 14 layers: 2 x 13 + 1
    alone = mapped("vgg16", settings={"replicate": "weights"})
    assert alone.needed[0] == default.needed[0]
    assert alone.stage_products[0] < default.stage_products[0]
    transposed = mapped("vgg16", settings={"transposed": "own_ceilings"}).transposed_crossbars[0]
    # C1 transposed: 64 channels x 9 = 576 rows -> 5; 3 x 8 = 24 columns -> 1
    assert transposed[0] == 5
    # F1 transposed: 10 rows -> 1; 512 x 8 columns -> 32
    assert transposed[-1] == 32


@pytest.mark.parametrize(
    ("network", "layers", "fits"),
    [("vgg16", 1, False), ("vgg19", 1, False), ("vgg16", 2, True), ("vgg19", 2, True), ("vgg19", 3, True)],
)
def test_stacks_hold_the_networks_that_the_paper_says(network, layers, fits):
    assert mapped(network, reram_layers=layers).fits[0] == fits
