"""Baselines are designs of the same simulator: each does what its architecture does, and nothing that it cannot do."""

import numpy as np
import pytest

from simulators.accelerators.deeptrain import DeepTrain
from simulators.accelerators.deeptrain.policies import BASELINES, CARDS, POLICIES
from simulators.protocol import Designs, Table, Workload

SIMULATOR = DeepTrain()
VGG16 = Workload("vgg16")
VARIABLES = {variable.name: variable.domain for variable in SIMULATOR.variables(VGG16)}


def one(simulator=SIMULATOR, workload=VGG16, breakdown=False, **choices):
    columns = {name: VARIABLES[name].column([VARIABLES[name].parse(value)]) for name, value in choices.items()}
    return simulator.simulate(Designs(columns, 1), workload, breakdown=breakdown)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"policy": "regent", "bn": "C5"}, "nothing normalises there: choose bn none"),
        ({"policy": "regent", "bn": "none", "gpu_layers": 0}, "backward pass on GPU layers: choose at least one"),
        ({"gpu_layers": 0, "bn": "C5"}, "no GPU layer to normalise on"),
        ({"policy": "titan-xp"}, "a graphics card has no layers: choose reram_layers 0 and gpu_layers 0"),
        ({"policy": "titan-xp", "reram_layers": 0}, "a graphics card has no layers"),
        ({"reram_layers": 0}, "the stack has 0"),
    ],
    ids=str,
)
def test_what_cannot_be_built_says_why_and_has_neither_times_nor_energy(choices, words):
    report = one(breakdown=True, **choices)
    assert not report.feasible[0]
    assert words in report.reason()
    for name in ("latency_s", "stage_time_s", "bn_stage_time_s", "image_latency_s", "energy_j", "link_stage_time_s"):
        assert np.isnan(report.totals[name][0]) or (name == "bn_stage_time_s" and "has 0" in words), name
    assert np.isnan(report.by_layer["energy_j"].sum())
    assert np.isnan(sum(report.by_component["energy_j"].values())[0])
    view = next(view for view in SIMULATOR.views() if view.name == "energy")
    columns = {name: VARIABLES[name].column([VARIABLES[name].parse(value)]) for name, value in choices.items()}
    assert view.render(Designs(columns, 1), VGG16).notes


def test_accured_is_a_design_of_deeptrain_s_own_policy():
    accured = BASELINES[0].choices
    assert "policy" not in accured
    assert one(**accured).row() == one(policy="deeptrain", reram_layers=2, gpu_layers=2, bn="all").row()


def test_without_gpu_layers_there_is_neither_their_area_nor_their_heat():
    with_gpu, without = one(bn="none"), one(gpu_layers=0, bn="none")
    assert without.area_mm2[0] == pytest.approx(with_gpu.area_mm2[0] * 3 / 4)
    assert without.power_w[0] == pytest.approx(with_gpu.power_w[0] - 12)
    assert without.peak_temperature_k[0] < with_gpu.peak_temperature_k[0]
    assert without.latency_s[0] == with_gpu.latency_s[0]


def test_the_backward_pass_on_gpu_layers_is_the_bottleneck():
    report, reram = one(policy="regent", bn="none", breakdown=True), one(bn="none")
    # vgg16 on 32 x 32: 313.2 M multiply-accumulates, two backward passes, two lane-instructions each, one layer's rate
    assert report.stage_time_s[0] == report.backward_stage_time_s[0] == pytest.approx(313.2e6 * 4 / 358.4e9, rel=1e-3)
    assert report.conv_stage_time_s[0] < reram.conv_stage_time_s[0], "the transposes' crossbars hold copies"
    assert report.energy_j[0] > 10 * reram.energy_j[0]
    assert one(policy="regent", bn="none", gpu_layers=2).stage_time_s[0] == pytest.approx(report.stage_time_s[0] / 2)
    assert report.by_layer["energy_j"].sum() == pytest.approx(report.energy_j[0])
    inference = one(policy="regent", bn="none", workload=Workload("vgg16", mode="inference"))
    assert inference.backward_stage_time_s[0] == 0


@pytest.mark.parametrize("name", list(CARDS))
def test_a_card_takes_one_thing_after_the_other_and_draws_its_power(name):
    no_layers = {"policy": name, "reram_layers": 0, "gpu_layers": 0}
    card, report, bare = CARDS[name], one(**no_layers, bn="all", breakdown=True), one(**no_layers, bn="none")
    convolutions = 2 * 3 * 313.2e6 / (0.5 * card.peak_flops)
    assert bare.latency_s[0] == pytest.approx(convolutions, rel=1e-3)
    assert report.latency_s[0] == pytest.approx(convolutions + 276_480 * 32 / card.bytes_per_s, rel=1e-3)
    assert report.energy_j[0] == pytest.approx(report.latency_s[0] * card.power_w)
    assert report.by_layer["energy_j"].sum() == pytest.approx(report.energy_j[0])
    assert sum(report.by_component["energy_j"].values())[0] == pytest.approx(report.energy_j[0])
    assert report.area_mm2[0] == report.footprint_mm2[0] == card.area_mm2
    assert report.power_w[0] == card.power_w
    assert report.epoch_time_s[0] == pytest.approx(50_000 * report.latency_s[0])
    assert report.peak_temperature_k[0] - 273.15 == pytest.approx(84)
    assert report.crossbars_needed[0] == report.gpu_instructions[0] == report.link_stage_time_s[0] == 0
    fast = DeepTrain({"assumptions": {"card_utilisation": 1.0}})
    assert one(fast, **no_layers, bn="none").latency_s[0] == pytest.approx(bare.latency_s[0] / 2)


@pytest.mark.parametrize("name", list(CARDS))
def test_peak_memory_and_power_of_a_card_are_named_inputs_which_stand_at_what_is_printed(name):
    card, own = CARDS[name], name.replace("-", "_")
    no_layers = {"policy": name, "reram_layers": 0, "gpu_layers": 0}
    printed = {f"{own}_peak_flops": card.peak_flops, f"{own}_bytes_per_s": card.bytes_per_s, f"{own}_power_w": 250}
    assert printed.items() <= dict(SIMULATOR.assumed).items()
    twice = DeepTrain({"assumptions": {assumption: 2 * value for assumption, value in printed.items()}})
    before, after = one(**no_layers), one(twice, **no_layers)
    assert after.latency_s[0] == pytest.approx(before.latency_s[0] / 2)
    assert after.power_w[0] == 2 * before.power_w[0]
    assert after.energy_j[0] == pytest.approx(before.energy_j[0])
    bare = one(DeepTrain({"assumptions": {f"{own}_peak_flops": 2 * card.peak_flops}}), **no_layers)
    assert bare.bn_stage_time_s[0] == before.bn_stage_time_s[0]
    assert one(twice).row() == one().row(), "no card in a stack"
    (other,) = set(CARDS) - {name}
    assert one(twice, **no_layers | {"policy": other}).row() == one(**no_layers | {"policy": other}).row()


def test_the_view_of_choices_prints_the_figures_of_cards_in_force():
    simulator = DeepTrain({"assumptions": {"titan_xp_power_w": 200}})
    notes = next(view for view in simulator.views() if view.name == "choices").render(Designs({}, 1), VGG16).notes
    assert notes[0] == (
        "titan-xp: 12.15 TFLOP/s at its peak (50% of it in convolutions), 547.7 GB/s, 200 W, 471 mm2, 84 C (view "
        "assumptions)"
    )
    assert [note.partition(":")[0] for note in notes] == list(CARDS)


def test_all_policies_together_are_as_one_by_one():
    names = list(POLICIES)
    layers = np.array([0 if POLICIES[name].card else 1 for name in names])
    bits = np.zeros((len(names), 13), dtype=np.uint8)
    columns = {"policy": np.array(names), "reram_layers": 3 * layers, "gpu_layers": layers, "bn": bits}
    together = SIMULATOR.simulate(Designs(columns), VGG16, breakdown=True)
    assert together.feasible.all()
    for index, name in enumerate(names):
        kept = {"reram_layers": 3 * layers[index].item(), "gpu_layers": layers[index].item()}
        alone = one(policy=name, bn="none", breakdown=True, **kept)
        for field, values in together.totals.items():
            assert values[index] == pytest.approx(alone.totals[field][0]), (name, field)
        assert together.by_layer["energy_j"][index] == pytest.approx(alone.by_layer["energy_j"][0])


def test_the_view_compares_a_design_with_all_baselines():
    view = next(view for view in SIMULATOR.views() if view.name == "baselines")
    table = view.render(Designs({"bn": VARIABLES["bn"].column([VARIABLES["bn"].parse("C5,C7,C8,C13")])}), VGG16)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["this design", *(baseline.name for baseline in BASELINES)]
    assert all(row[6].value > 1 for row in table.rows if "All-BN" in str(row[0]))
    both = ["PipeLayer, ISAAC", "ReGAN"]
    assert [note.partition(":")[0] for note in table.notes if "hotter" in note] == both, "of four ReRAM layers"
    assert [note.partition(":")[0] for note in table.notes if "hotter" not in note] == both, "what they mean"


def test_isaac_is_the_design_of_pipelayer_where_nothing_is_trained():
    pipelayer = next(baseline for baseline in BASELINES if "ISAAC" in baseline.name)
    inference = Workload("vgg16", mode="inference")
    isaac = one(workload=inference, reram_layers=4, gpu_layers=0, bn="none")
    assert one(workload=inference, **pipelayer.choices).row() == isaac.row(), "no transposes, no activations kept"
    assert one(**pipelayer.choices).row() != one(reram_layers=4, gpu_layers=0, bn="none").row()
    assert "ISAAC only infers" in pipelayer.note
