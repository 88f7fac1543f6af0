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


@pytest.mark.parametrize("policy", ["regent", "pipelayer", "regan"])
def test_who_cannot_normalise_says_so(policy):
    assert one(policy=policy, bn="none").feasible[0]
    report = one(policy=policy, bn="C5")
    assert not report.feasible[0]
    assert "choose bn none" in report.reason()


def test_accured_is_a_design_of_deeptrain_s_own_policy():
    accured = BASELINES[0].choices
    assert "policy" not in accured
    assert one(**accured).row() == one(policy="deeptrain", reram_layers=2, gpu_layers=2, bn="all").row()


def test_without_gpu_layers_there_is_neither_their_area_nor_their_heat():
    with_gpu, without = one(bn="none"), one(policy="pipelayer", bn="none")
    assert without.area_mm2[0] == pytest.approx(with_gpu.area_mm2[0] - 53.6, rel=1e-6)
    assert without.power_w[0] == pytest.approx(with_gpu.power_w[0] - 12)
    assert without.peak_temperature_k[0] < with_gpu.peak_temperature_k[0]
    assert without.latency_s[0] == with_gpu.latency_s[0]
    assert one(policy="pipelayer", bn="none", gpu_layers=7).row() == without.row()


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
    card, report, bare = CARDS[name], one(policy=name, bn="all", breakdown=True), one(policy=name, bn="none")
    convolutions = 2 * 3 * 313.2e6 / (0.5 * card.peak_flops)
    assert bare.latency_s[0] == pytest.approx(convolutions, rel=1e-3)
    assert report.latency_s[0] == pytest.approx(convolutions + 276_480 * 32 / card.bytes_per_s, rel=1e-3)
    assert report.energy_j[0] == pytest.approx(report.latency_s[0] * card.power_w)
    assert report.by_layer["energy_j"].sum() == pytest.approx(report.energy_j[0])
    assert sum(report.by_component["energy_j"].values())[0] == pytest.approx(report.energy_j[0])
    assert report.area_mm2[0] == report.footprint_mm2[0] == card.area_mm2
    assert report.power_w[0] == card.power_w
    assert report.epoch_time_s[0] == pytest.approx(50_000 * report.latency_s[0])
    assert np.isnan(report.peak_temperature_k[0])
    assert report.crossbars_needed[0] == report.gpu_instructions[0] == report.link_stage_time_s[0] == 0
    fast = DeepTrain({"assumptions": {"card_utilisation": 1.0}})
    assert one(fast, policy=name, bn="none").latency_s[0] == pytest.approx(bare.latency_s[0] / 2)


def test_all_policies_together_are_as_one_by_one():
    names = list(POLICIES)
    bits = np.zeros((len(names), 13), dtype=np.uint8)
    together = SIMULATOR.simulate(Designs({"policy": np.array(names), "bn": bits}), VGG16, breakdown=True)
    for index, name in enumerate(names):
        alone = one(policy=name, bn="none", breakdown=True)
        for field, values in together.totals.items():
            assert values[index] == pytest.approx(alone.totals[field][0], nan_ok=True), (name, field)
        assert together.by_layer["energy_j"][index] == pytest.approx(alone.by_layer["energy_j"][0])


def test_the_view_compares_a_design_with_all_baselines():
    view = next(view for view in SIMULATOR.views() if view.name == "baselines")
    table = view.render(Designs({"bn": VARIABLES["bn"].column([VARIABLES["bn"].parse("C5,C7,C8,C13")])}), VGG16)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["this design", *(baseline.name for baseline in BASELINES)]
    assert all(row[6].value > 1 for row in table.rows if "All-BN" in str(row[0]))
    assert not table.notes
