"""Trainings for a chip, as a search sees them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulators.protocol import Design, Folder, InputError, Report, Workload
from simulators.training import ImageTraining
from simulators.training.chip.variables import CHIP_VARIABLES

WORKLOAD = Workload("vgg11", "fashion-mnist")
TINY: Mapping[str, object] = {
    "proxy": {"width": 0.0625, "train_images": 192}, "recipe": {"batch_size": 32}, "device": "cpu",
}  # fmt: skip
LEARNS: Mapping[str, object] = {
    "proxy": {"width": 0.125, "train_images": 1200}, "recipe": {"batch_size": 16, "warmup_epochs": 0}, "device": "cpu",
}  # fmt: skip
"""Seven of ten images in one epoch."""
HOT = {"cell_bits": 8, "crossbar_size": 64, "frequency_hz": 1e9, "temperature_k": 400}


def trained(
    chip: object,
    epochs: int = 1,
    checkpoints: Folder | None = None,
    seed: int = 0,
    settings: Mapping[str, object] = TINY,
    **design: object,
) -> Report:
    simulator = ImageTraining({**settings, "chip": {"draws": 1, **chip} if isinstance(chip, dict) else chip})
    chosen = Design({"bn": "C5,C7", **design})  # type: ignore[dict-item]  # as a person writes it
    return simulator.simulate(chosen, WORKLOAD, fidelity=epochs, seed=seed, checkpoints=checkpoints)


def same(left: Report, right: Report, but: set[str] = frozenset({"training_time_s", "paid"})) -> bool:  # type: ignore[assignment]  # a frozen one
    rows = ({name: value for name, value in report.row().items() if name not in but} for report in (left, right))
    return next(rows) == next(rows)


def test_with_a_chip_a_design_chooses_it_and_without_one_it_does_not() -> None:
    plain, chip = ImageTraining(TINY), ImageTraining({**TINY, "chip": {}})
    assert plain.reads(WORKLOAD) == ("bn",)
    assert chip.reads(WORKLOAD) == ("bn", *(variable.name for variable in CHIP_VARIABLES))


def test_a_chip_reports_how_chips_differ_and_how_long_it_lasts() -> None:
    report = trained({"draws": 4}, settings=LEARNS, **HOT)
    assert set(report.row()) == set(ImageTraining({**TINY, "chip": {}}).fields) > set(ImageTraining(TINY).fields)
    row = report.row()
    assert row["accuracy_worst"] <= row["accuracy"] <= 1
    assert row["accuracy_worst_chips_error"] > row["accuracy_chips_error"]
    least = np.sqrt(row["accuracy"] * (1 - row["accuracy"]) / 2000)
    assert 0.5 * least < row["accuracy_images_error"] < 1.01 * least, "what differs between chips is not in it"
    assert row["accuracy_chips_error"] == row["accuracy_chips_spread"] / 2
    assert 0 < row["conductance_change"] < row["conductance_change_most"] < 1
    assert 0.1 < row["lifetime_years"] < 1000


def test_of_a_single_chip_nothing_is_told_of_bad_ones() -> None:
    fields = set(ImageTraining({**TINY, "chip": {}}).fields)
    assert fields - set(ImageTraining({**TINY, "chip": {"draws": 1}}).fields) == {
        "accuracy_worst", "accuracy_worst_chips_error"
    }  # fmt: skip
    assert set(trained({"draws": 1}).row()) == set(ImageTraining({**TINY, "chip": {"draws": 1}}).fields)


def test_a_network_that_knows_no_chip_is_written_to_several_and_one_that_does_to_its_own() -> None:
    exact = {"thermal_shot": False, "programming": False, "random_telegraph": False, "drift": False}
    stuck = {**exact, "stuck": {"on": 0.002, "off": 0.002}}
    several, own = (trained({**stuck, "in_training": how, "draws": 2}, settings=LEARNS) for how in ("none", "noise"))
    assert several.row()["accuracy_chips_spread"] > 0
    assert own.row()["accuracy_chips_spread"] == 0, "no more than stuck cells differ, and these do not"


def test_the_same_seed_is_the_same_chip_and_another_seed_another() -> None:
    chip = {"cells": "240k-24M", "stuck": {"on": 0.002, "off": 0.002}}
    one, again, other = (trained(chip, seed=seed, **HOT) for seed in (1, 1, 2))
    assert same(one, again)
    assert one.row()["loss"] != other.row()["loss"]


@pytest.mark.parametrize("chip", [{"in_training": "none"}, {"stuck": {"on": 0.01}}], ids=str)
def test_a_training_for_a_chip_goes_on_bit_for_bit(chip: object, tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    first = trained(chip, 1, folder, **HOT)
    assert first.row()["paid"] == 1
    second = trained(chip, 3, folder, **HOT)
    assert second.row()["paid"] == 2
    assert same(second, trained(chip, 3, **HOT))
    assert second.series["accuracy"][0] == first.row()["accuracy"]


@pytest.mark.parametrize(
    "change", [{"cell_bits": 4}, {"temperature_k": 300}, {"adc_bits": 8}, {"weight_clip": 0.1}, {"crossbar_size": 32}],
    ids=str,
)  # fmt: skip
def test_what_a_design_chooses_of_the_chip_is_a_training_of_its_own(change: dict[str, object], tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    first = trained({"cells": "240k-24M"}, 1, folder, **HOT)
    other = trained({"cells": "240k-24M"}, 1, folder, **{**HOT, **change})
    assert other.row()["paid"] == 1
    assert other.row()["loss"] != first.row()["loss"]


def test_other_settings_of_a_chip_are_trainings_of_their_own(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    losses = set()
    for chip in ("none", {}, {"in_training": "none"}, {"drift": False}, {"draws": 5}, {"programming": {"bits": 4}}):
        report = trained(chip, 1, folder, **({} if chip == "none" else HOT))
        assert report.row()["paid"] == 1
        losses.add(report.row()["loss"])
    assert len(losses) == 6


def test_training_without_noise_is_that_of_no_chip_and_only_judged_on_one() -> None:
    silent = {"thermal_shot": False, "programming": False, "random_telegraph": False, "drift": False}
    plain, judged = trained("none"), trained({**silent, "in_training": "none", "draws": 1}, **HOT)
    assert judged.row()["accuracy"] == pytest.approx(plain.row()["accuracy"], abs=0.002), "16 bits cost next to nothing"
    assert judged.row()["loss"] == pytest.approx(plain.row()["loss"], rel=1e-3)


def test_weights_stay_within_the_limit() -> None:
    from simulators.training.datasets import load_images
    from simulators.training.trainer import Deployment, Trainer, choose_device
    from simulators.workloads import network_for

    simulator = ImageTraining({**TINY, "chip": {}})
    assert simulator.settings.chip is not None
    variables = {variable.name: variable.default for variable in CHIP_VARIABLES}
    chip = simulator.settings.chip.chip({**variables, "weight_clip": 0.05})
    data = load_images("fashion-mnist", "bundled")
    trainer = Trainer(
        network_for(WORKLOAD, 0.0625), [1] * 8, data, simulator.settings.recipe, 0, choose_device("cpu"),
        Deployment(chip, True, 1),
    )  # fmt: skip
    trainer.train_epoch(0)
    stored = [value for name, value in trainer.network.named_parameters() if value.dim() > 1]
    assert stored
    assert max(float(value.detach().abs().max()) for value in stored) == pytest.approx(0.05)


def test_more_noise_never_helps_on_average() -> None:
    """A trained network, written to ever noisier chips: the mean over writes and seeds."""
    from simulators.training.chip.network import deployed, onto_chip
    from simulators.training.datasets import load_images
    from simulators.training.trainer import Trainer, choose_device
    from simulators.workloads import network_for

    settings = ImageTraining({**TINY, "chip": {"cells": "240k-24M"}}).settings
    assert settings.chip is not None
    data = load_images("fashion-mnist", "bundled")
    part = replace(data, train=data.train.first(800), validation=data.validation.first(200))
    defaults = {variable.name: variable.default for variable in CHIP_VARIABLES}
    chips = [
        settings.chip.chip({**defaults, **HOT, "temperature_k": 300, "frequency_hz": hertz, "cell_bits": bits})
        for bits, hertz in ((2, 1e9), (8, 1e7), (8, 1e8), (8, 1e9))
    ]
    losses = np.zeros((2, len(chips)))
    for seed in range(2):
        trainer = Trainer(network_for(WORKLOAD, 0.0625), [1] * 8, part, settings.recipe, seed, choose_device("cpu"))
        for epoch in range(3):
            trainer.train_epoch(epoch)
        trained = trainer.average
        for number, chip in enumerate(chips):
            trainer.average = copy.deepcopy(trained)
            noise = onto_chip(trainer.average, chip, 0)
            for draw in range(3):
                with deployed(trainer.average, noise, 0, draw):
                    losses[seed, number] += trainer.evaluate(trainer.validation)[1] / 3
    means = losses.mean(axis=0)
    assert list(means) == sorted(means), "more bits a cell and a faster read are more noise"
    assert means[-1] > 1.02 * means[0]


@pytest.mark.parametrize(
    ("chip", "field", "words"),
    [
        ({"cells": "3k"}, "chip.cells", "'3k' is not known; choose 3k-3M"),
        ({"cells": {"on_ohm": 3e6, "off_ohm": 3e3, "read_voltage_v": 0.1}}, "chip.cells", "has to be above on_ohm"),
        (
            {"cells": {"on_ohm": 3e3, "off_ohm": 3e6, "read_voltage_v": 0}},
            "chip.cells.read_voltage_v",
            "write 0.001 to 100",
        ),
        ({"stuck": {"on": 1.5}}, "chip.stuck.on", "0 to|at most 1|or more"),
        ({"stuck": {"on": 0.7, "off": 0.7}}, "chip.stuck", "more than all cells"),
        ({"random_telegraph": {"probability": -1}}, "chip.random_telegraph.probability", "0"),
        ({"draws": 0}, "chip.draws", "1"),
        ({"nosie": True}, "chip.nosie", "no such field"),
        (3, "chip", "mapping"),
    ],
)
def test_impossible_chips_are_refused(chip: object, field: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        ImageTraining({**TINY, "chip": chip})
    assert caught.value.field == field


def test_a_value_that_no_chip_has_names_the_variable() -> None:
    with pytest.raises(InputError, match="cell_bits: 3 is not allowed; choose one of 1, 2, 4, 8"):
        trained({}, cell_bits=3)
