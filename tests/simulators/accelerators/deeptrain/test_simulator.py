"""The simulator as a user sees it: totals, breakdowns, settings, views."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.accelerators.deeptrain import DeepTrain
from simulators.accelerators.deeptrain.policies import CARDS
from simulators.protocol import Designs, InputError, Maps, Workload

SIMULATOR = DeepTrain()
VGG11 = Workload("vgg11")
RESNET = Workload("resnet18")


def random_designs(workload, count, seed=0, only=()):
    rng = np.random.default_rng(seed)
    variables = [variable for variable in SIMULATOR.variables(workload) if not only or variable.name in only]
    return Designs({variable.name: variable.domain.sample(rng, count) for variable in variables}, count)


def one(workload=VGG11, simulator=SIMULATOR, breakdown=False, **values):
    variables = {variable.name: variable for variable in simulator.variables(workload)}
    columns = {n: variables[n].domain.column([variables[n].domain.parse(value)]) for n, value in values.items()}
    return simulator.simulate(Designs(columns, 1), workload, breakdown=breakdown)


def assert_same(left, right):
    assert set(left) == set(right)
    for name, values in left.items():
        np.testing.assert_array_equal(values, right[name], err_msg=name)


@pytest.mark.parametrize(
    ("workload", "ratio"),
    [
        (Workload("vgg11"), 1.12),
        (Workload("vgg16"), 1.02),
        (Workload("vgg19"), 0.69),
        (Workload("resnet18"), 1.46),
        (Workload("resnet18", options=(("stem", "imagenet"),)), 1.50),
    ],
)
def test_all_bn_on_2r2g_is_balanced_as_calibrated(workload, ratio):
    report = one(workload, reram_layers=2, gpu_layers=2, bn="all")
    assert round(report.bn_stage_time_s[0] / report.conv_stage_time_s[0], 2) == ratio


def test_a_design_reads_as_in_the_documentation():
    words = ""
    design = {"reram_layers": 3, "gpu_layers": 1, "crossbar_size": 128, "cell_bits": 2, "bn": "C5,C7"}
    for variable in SIMULATOR.variables(VGG11):
        if variable.searched:
            words += (variable.separator if words else "") + variable.describe(
                variable.domain.parse(design[variable.name])
            )
    assert words == "3R1G, 128x128, 2 bit/cell, BN after C5 C7"


def test_frequencies_read_in_megahertz():
    frequency = next(v for v in SIMULATOR.variables(VGG11) if v.name == "frequency_hz")
    assert [frequency.describe(value) for value in frequency.domain.choices] == ["5 MHz", "10 MHz", "20 MHz", "40 MHz"]


@pytest.mark.parametrize("workload", [VGG11, RESNET, Workload("resnet20", mode="inference")])
def test_a_batch_is_its_designs_one_by_one(workload):
    designs = random_designs(workload, 40)
    for name in ("reram_layers", "gpu_layers"):  # no stack at all, as tall as those around it
        designs[name][:2] = 0
    batch = SIMULATOR.simulate(designs, workload, breakdown=True)
    for index in range(40):
        alone = SIMULATOR.simulate(designs.take(np.array([index])), workload, breakdown=True)
        assert_same(alone.totals, {name: values[[index]] for name, values in batch.totals.items()})
        assert_same(alone.by_layer, {name: values[[index]] for name, values in batch.by_layer.items()})
        assert alone.reason(0) == batch.reason(index)


def test_what_a_simulator_remembers_changes_nothing():
    used, workloads = DeepTrain(), (VGG11, Workload("vgg11", mode="inference"), RESNET)
    for seed in range(3):
        for workload in workloads:
            designs = random_designs(workload, 30, seed, only=("reram_layers", "policy", "adc_bits", "bn"))
            fresh = DeepTrain().simulate(designs, workload)
            for _ in range(2):
                assert_same(used.simulate(designs, workload).totals, fresh.totals)


def test_the_order_of_designs_does_not_matter():
    designs, order = random_designs(VGG11, 200), np.random.default_rng(1).permutation(200)
    straight, shuffled = SIMULATOR.simulate(designs, VGG11), SIMULATOR.simulate(designs.take(order), VGG11)
    assert_same(shuffled.totals, {name: values[order] for name, values in straight.totals.items()})


def test_one_design_and_an_empty_column_set_mean_the_defaults():
    defaults = {variable.name: str(variable.default) for variable in SIMULATOR.variables(VGG11)}
    assert_same(one().totals, one(**defaults).totals)
    assert SIMULATOR.simulate(Designs({}, 3), VGG11).latency_s.shape == (3,)


def test_columns_of_other_simulators_are_not_read():
    designs = Designs({"learning_rate": np.array([0.1, 0.2])})
    assert_same(SIMULATOR.simulate(designs, VGG11).totals, SIMULATOR.simulate(Designs({}, 2), VGG11).totals)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["vgg11", "resnet18"]), st.sampled_from(["training", "inference"]))
def test_components_and_layers_sum_to_the_totals(seed, network, mode):
    workload = Workload(network, mode=mode)
    designs = random_designs(workload, 20, seed)
    report = SIMULATOR.simulate(designs, workload, breakdown=True)
    assert set(report.by_component) == {"energy_j", "area_mm2", "power_w"}
    for quantity, parts in report.by_component.items():
        np.testing.assert_allclose(sum(parts.values()), report.totals[quantity], rtol=1e-12, err_msg=quantity)
        assert all(np.all(~(values < 0)) for values in parts.values())
    np.testing.assert_allclose(report.by_layer["energy_j"].sum(axis=1), report.energy_j, rtol=1e-12)
    one_stage = np.isin(designs["policy"], list(CARDS))  # a card computes all layers in one
    conv = report.by_layer["conv_stage_time_s"]
    stages = np.where(one_stage, conv.sum(axis=1), conv.max(axis=1))
    np.testing.assert_allclose(stages, report.conv_stage_time_s, rtol=1e-12)
    np.testing.assert_allclose(report.by_layer["bn_stage_time_s"].sum(axis=1), report.bn_stage_time_s, rtol=1e-12)
    needed = report.by_layer["crossbars_needed"].sum(axis=1)
    np.testing.assert_array_equal(needed, report.crossbars_needed)


@pytest.mark.parametrize("mode", ["training", "inference"])
def test_every_declared_field_is_filled_and_positive(mode):
    report = one(Workload("vgg11", mode=mode))
    assert set(report.totals) == set(SIMULATOR.fields)
    none = {"backward_stage_time_s", "adc_bits_short"}  # of the policy regent, and of converters that are too coarse
    assert all((values[0] > 0) != (name in none) for name, values in report.totals.items())
    assert report.latency_s[0] == report.stage_time_s[0]


def test_a_network_that_does_not_fit_is_infeasible_with_the_reason_and_no_times():
    report = one(Workload("vgg16"), reram_layers=1, gpu_layers=3)
    assert not report.feasible[0]
    assert report.reason() == "does not fit: needs 14528 crossbars, the stack has 13824"
    for name in ("latency_s", "image_latency_s", "epoch_time_s", "energy_j"):
        assert np.isnan(report.totals[name][0])
    assert report.area_mm2[0] == pytest.approx(4 * 53.6, rel=1e-3)


def test_the_default_stack_has_the_published_size_and_power():
    report = one()
    assert report.crossbars_available[0] == 3 * 13_824
    assert report.power_w[0] == pytest.approx(3 * 47.5 + 12, rel=1e-3)
    assert report.peak_temperature_k[0] - 273.15 == pytest.approx(93, abs=0.5)
    assert report.footprint_mm2[0] == pytest.approx(53.6, rel=1e-3)


def test_average_power_is_the_energy_of_an_image_over_the_time_between_two():
    report = one(bn="none")
    assert report.average_power_w[0] == report.energy_j[0] / report.latency_s[0]
    assert report.average_power_w[0] == pytest.approx(203.6, rel=1e-3)
    assert np.isnan(one(Workload("vgg16"), reram_layers=1).average_power_w[0])


def test_rated_power_heats_whatever_the_network_does():
    reports = [one(bn="none"), one(bn="all"), one(Workload("vgg19"))]
    assert len({report.peak_temperature_k[0] for report in reports}) == 1
    assert len({report.average_power_w[0] for report in reports}) == 3


def test_energy_of_the_products_is_that_of_the_tile_s_power():
    parts = one(breakdown=True).by_component["energy_j"]
    others = ("gpu", "card", "weight_update", "activation_writes", "noc_wires", "noc_vias")
    products = sum(parts.values()) - sum(parts[name] for name in others)
    table = one(breakdown=True)
    positions = np.array([32, 16, 8, 8, 4, 4, 2, 2, 1]) ** 2
    crossbars = np.array([4, 40, 144, 288, 576, 1152, 1152, 1152, 4])
    assert table.layers[0] == "C1"
    # three passes; 0.33 W for 1.6 us over the tile's twelve units of eight crossbars: 44 nJ each
    assert products[0] == pytest.approx(3 * np.dot(positions, crossbars) / 8 * 44e-9, rel=1e-3)


@pytest.mark.parametrize("mode", ["training", "inference"])
def test_less_normalisation_never_costs_time_or_energy(mode):
    workload = Workload("resnet18", mode=mode)
    bits = np.tri(21, 20, -1, dtype=np.uint8)  # row k: the first k convolutions
    report = SIMULATOR.simulate(Designs({"bn": bits}), workload)
    assert np.all(np.diff(report.energy_j) > 0)
    assert np.all(np.diff(report.latency_s) >= 0)
    assert report.bn_layers.tolist() == list(range(21))
    assert report.bn_stage_time_s[0] == 0


@pytest.mark.parametrize("name", ["reram_layers", "tiles_per_layer"])
def test_more_crossbars_never_slow_convolutions(name):
    domain = next(v for v in SIMULATOR.variables(RESNET) if v.name == name).domain
    times = SIMULATOR.simulate(Designs({name: domain.at(np.arange(domain.size))}), RESNET).conv_stage_time_s
    assert np.all(np.diff(times[~np.isnan(times)]) <= 0)


def test_faster_reads_shorten_convolutions_in_proportion():
    slow, fast = one(frequency_hz=10e6), one(frequency_hz=20e6)
    assert fast.conv_stage_time_s[0] == pytest.approx(slow.conv_stage_time_s[0] / 2)
    assert fast.bn_stage_time_s[0] == slow.bn_stage_time_s[0]
    assert fast.power_w[0] > slow.power_w[0]


def test_inference_needs_fewer_crossbars_time_and_energy():
    training, inference = one(VGG11), one(Workload("vgg11", mode="inference"))
    for name in ("crossbars_needed", "conv_stage_time_s", "bn_stage_time_s", "energy_j", "image_latency_s"):
        assert inference.totals[name][0] < training.totals[name][0]
    assert inference.area_mm2[0] == training.area_mm2[0]


def test_assumptions_can_be_replaced():
    half = DeepTrain({"assumptions": {"bn_lane_instructions_per_element": 34}})
    assert one(simulator=half).bn_stage_time_s[0] == pytest.approx(one().bn_stage_time_s[0] / 2)
    assert half.provenance(VGG11)["assumptions"] == '{"bn_lane_instructions_per_element": 34}'
    assert SIMULATOR.provenance(VGG11) == {"settings": "{}", "assumptions": "{}"}


@pytest.mark.parametrize(
    ("given_settings", "words"),
    [
        ({"batchsize": 64}, "batchsize: deeptrain has no such setting.*did you mean 'batch_size'"),
        ({"batch_size": 0}, "batch_size: write 1 to 1000000000, not 0"),
        ({"batch_size": 10**400}, "batch_size: write 1 to 1000000000, not 1000"),
        ({"batch_size": "many"}, "batch_size: write a whole number, not 'many'"),
        ({"bn_time": "mean"}, "bn_time: write 'sum' or 'max', not 'mean'"),
        ({"technology_nm": 28}, "technology_nm: 28 nm is not known; choose 65, 45, 32, 22, 16"),
        ({"device": "memristor"}, "device: 'memristor' is not known; choose single-pulse, program-verify, pipelayer"),
        ({"assumptions": {"bn_lane_instruction_per_element": 50}}, "assumptions.bn_lane_instr.*did you mean"),
        ({"assumptions": {"bn_lane_instructions_per_element": 0}}, "assumptions.bn_lane_instr.*choose 5 to 500"),
        ({"assumptions": [68]}, "assumptions: write a mapping, not"),
    ],
)
def test_bad_settings_say_what_is_allowed(given_settings, words):
    with pytest.raises(InputError, match=words):
        DeepTrain(given_settings)


@pytest.mark.parametrize(
    "choice",
    [
        {"replicate": "weights"},
        {"transposed": "own_ceilings"},
        {"bn_time": "max"},
        {"batch_size": 8},
        {"technology_nm": 45},
        {"adc_model": "survey"},
        {"device": "program-verify"},
        {"routing": "unicast"},
        {"link_time": "counted"},
    ],
)
def test_every_option_changes_some_result(choice):
    workload = Workload("vgg16")
    few = "C5,C7,C8,C13"  # convolutions bound the pipeline, or the network on chip
    default, other = one(workload, bn=few).row(), one(workload, DeepTrain(choice), bn=few).row()
    assert default != other
    assert all(np.isfinite(list(other.values())))


@pytest.mark.parametrize(
    "choice",
    [
        {"replication": "powers-of-two"},
        {"replication": "once"},
        {"activation_copies": "pipelayer"},
        {"stack_order": "gpu-first"},
        {"stack_order": "alternating", "gpu_layers": 2},
        {"adc_bits": 6},
        {"adc_bits": 10},
        {"policy": "regent", "bn": "none"},
    ],
    ids=str,
)
def test_every_rule_that_can_be_searched_changes_some_result(choice):
    workload = Workload("vgg16")
    same = {name: value for name, value in choice.items() if name in ("gpu_layers", "bn")}
    default, other = one(workload, **same).row(), one(workload, **choice).row()
    assert default != other
    assert all(np.isfinite(list(other.values())))


def test_converters_with_fewer_bits_are_smaller_and_thriftier_and_say_what_they_lack():
    derived, same, coarse = one(), one(adc_bits=8), one(adc_bits=6)
    assert derived.row() == same.row()
    assert coarse.adc_resolution_bits[0] == 6
    assert coarse.adc_bits_short[0] == 2
    for name in ("energy_j", "area_mm2", "power_w"):
        assert coarse.totals[name][0] < derived.totals[name][0]
    assert coarse.latency_s[0] == derived.latency_s[0]


def test_a_cell_bounds_what_can_be_chosen():
    pipelayer = DeepTrain({"device": "pipelayer"})
    allowed = {variable.name: variable.domain for variable in pipelayer.variables(VGG11)}
    assert allowed["cell_bits"].choices == (1, 2, 4)
    assert allowed["frequency_hz"].choices == (5e6, 10e6, 20e6)
    with pytest.raises(InputError, match="cell_bits: 8 is not allowed; choose one of 1, 2, 4"):
        pipelayer.simulate(Designs({"cell_bits": np.array([8])}), VGG11)
    assert one(simulator=pipelayer).energy_j[0] > one().energy_j[0]
    dear = DeepTrain({"device": "pipelayer", "assumptions": {"write_energy_per_bit_j": 1e-13}})
    assert one(simulator=dear).energy_j[0] < one(simulator=pipelayer).energy_j[0]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"tiles_per_layer": np.array([0])}, "tiles_per_layer: 0 is not allowed; choose one of 64, 100"),
        ({"reram_layers": np.array([10**30], dtype=object)}, "reram_layers: needs one number per design"),
        ({"reram_layers": np.array([2**62])}, "reram_layers: 4611686018427387904 is not allowed"),
        ({"crossbar_size": np.array([128.5])}, "crossbar_size: 128.5 is not allowed"),
        ({"cell_bits": np.array([16])}, "cell_bits: 16 is not allowed; choose one of 1, 2, 4, 8"),
        ({"adc_bits": np.array([3])}, "adc_bits: '3' is not allowed; choose one of derived, 4, 5"),
        ({"policy": np.array(["tpu"])}, "policy: 'tpu' is not allowed; choose one of deeptrain, regent"),
        ({"policy": np.array([1.5])}, "policy: needs one value per design"),
        ({"bn": np.full((1, 8), 2)}, "bn: holds values other than 0 and 1"),
    ],
)
def test_impossible_values_are_named_with_what_is_allowed(column, words):
    with pytest.raises(InputError, match=words):
        SIMULATOR.simulate(Designs(column, 1), VGG11)


def test_an_unknown_network_is_named():
    with pytest.raises(InputError, match=r"workload\.network: .*vgg12"):
        SIMULATOR.simulate(Designs({}, 1), Workload("vgg12"))


def test_one_area_per_tile_gives_fewer_small_crossbars():
    by_area = DeepTrain({"tile_budget": "area"})
    assert one(simulator=by_area).row() == one().row()
    assert one(simulator=by_area, crossbar_size=64).area_mm2[0] < one(crossbar_size=64).area_mm2[0]


def test_the_simulator_crosses_processes():
    copy = pickle.loads(pickle.dumps(DeepTrain({"batch_size": 8})))  # noqa: S301  # our own bytes
    assert one(simulator=copy).row() == one(simulator=DeepTrain({"batch_size": 8})).row()


@pytest.mark.parametrize("view", SIMULATOR.views(), ids=lambda view: view.name)
@pytest.mark.parametrize("layers", [0, 1, 3])
def test_views_show_one_design_even_one_that_does_not_fit(view, layers):
    workload = Workload("vgg16")
    designs = Designs({"reram_layers": np.array([layers]), "gpu_layers": np.array([min(layers, 1)])})
    shown = view.render(designs, workload)
    if isinstance(shown, Maps):
        assert bool(shown.panels) == (layers == 3)
        return
    assert shown.rows or (view.name in ("noc", "thermal") and layers == 0)
    assert all(len(row) == len(shown.columns) for row in shown.rows)
    if view.name in ("summary", "mapping", "energy", "layers", "thermal", "area", "power", "noc"):
        assert any("does not fit" in note for note in shown.notes) == (layers < 3)


@pytest.mark.parametrize(("link_time", "told"), [("ignored", True), ("counted", False)])
def test_a_link_that_would_slow_a_design_down_is_told_of(link_time, told):
    summary = DeepTrain({"link_time": link_time}).views()[0]
    designs = Designs({"bn": np.zeros((1, 20), dtype=np.uint8)})
    notes = summary.render(designs, RESNET).notes
    assert notes == (
        [
            "the busiest link of the network on chip takes 1.48 times as long as a stage, and is not counted: "
            "--setting link_time=counted"
        ]
        if told
        else []
    )


@pytest.mark.parametrize("view", ["energy", "layers"])
def test_nothing_is_told_of_the_energy_of_what_cannot_be_built(view):
    render = next(known for known in SIMULATOR.views() if known.name == view).render
    shown = render(Designs({"reram_layers": np.array([1]), "gpu_layers": np.array([3])}), Workload("vgg19"))
    assert all(np.isnan(cell.value) for row in shown.rows for cell in row[1:])


def test_a_card_has_no_crossbars_and_no_converters_to_tell_of():
    report = one(policy="titan-xp", reram_layers=0, gpu_layers=0, breakdown=True)
    assert report.feasible[0]
    assert (
        report.adc_resolution_bits[0]
        == report.adc_bits_short[0]
        == report.crossbars_used[0]
        == report.by_layer["copies"].sum()
        == 0
    )


def test_views_refuse_several_designs_at_once():
    with pytest.raises(InputError, match="one design, got 2"):
        SIMULATOR.views()[0].render(Designs({}, 2), VGG11)


def test_component_views_end_with_the_total():
    report = one()
    for view in SIMULATOR.views():
        if view.name in ("area", "energy", "power"):
            rows = [(name, *(cell.value for cell in cells)) for name, *cells in view.render(Designs({}, 1), VGG11).rows]
            field = {"area": "area_mm2", "energy": "energy_j", "power": "power_w"}[view.name]
            assert rows[-1][1] == pytest.approx(report.totals[field][0])
            assert sum(row[1] for row in rows[:-1]) == pytest.approx(rows[-1][1])


def test_views_pickle_with_their_simulator():
    view = pickle.loads(pickle.dumps(SIMULATOR.views()[0]))  # noqa: S301  # our own bytes
    assert view.name == "summary"


def test_the_view_of_assumptions_holds_every_guess_settings_with_alternatives_included():
    def shown(simulator):
        view = next(view for view in simulator.views() if view.name == "assumptions")
        table = view.render(Designs({}, 1), VGG11)
        assert [row[0] for row in table.rows] == [assumption.name for assumption in simulator.assumptions]
        return {note.partition(":")[0].removeprefix("setting "): note for note in table.notes}

    notes = shown(SIMULATOR)
    assert list(notes) == list(SIMULATOR.alternatives)
    assert notes["device"] == "setting device: single-pulse; as defensible: program-verify, pipelayer"
    other = shown(DeepTrain({"device": "pipelayer", "batch_size": 8}))
    assert other["device"] == "setting device: pipelayer; as defensible: single-pulse, program-verify"
    assert other["batch_size"] == "setting batch_size: 8; as defensible: 64, 16, 256"
