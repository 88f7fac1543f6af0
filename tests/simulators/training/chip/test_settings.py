from __future__ import annotations

import pytest

from simulators.protocol import InputError
from simulators.training import ImageTraining
from simulators.training.chip.settings import ChipSettings

AS_USUAL = "3k-3M cells, noise in training, draws: 3"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, AS_USUAL),
        ({"cells": "240k-24M", "in_training": "none", "draws": 2}, "240k-24M cells, no noise in training, draws: 2"),
        (
            {"cells": {"on_ohm": 5e4, "off_ohm": 5e6, "read_voltage_v": 0.1}},
            "cells of 50000 to 5e+06 ohm, read at 0.1 V, noise in training, draws: 3",
        ),
        ({"drift": False, "random_telegraph": False}, f"{AS_USUAL}, random telegraph off, drift off"),
        ({"stuck": {"on": 0.001}}, f"{AS_USUAL}, 0.001 stuck on, 0 off"),
        ({"wear": {"writes": 1e9}}, f"{AS_USUAL}, 0.25 stuck on, 0.25 off"),
        ({"converter_share": 0.5}, f"{AS_USUAL}, converters for 0.5 of the largest sums"),
    ],
)
def test_results_tell_what_chip_they_are_of(settings: dict[str, object], words: str) -> None:
    assert ChipSettings.model_validate(settings).in_words == words
    training = ImageTraining({"chip": settings})
    assert training.trained(None).endswith(f"bundled images, for a chip ({words})")  # type: ignore[arg-type]  # of any


def test_an_effect_is_switched_off_by_false_and_on_by_true() -> None:
    off = dict.fromkeys(["thermal_shot", "programming", "random_telegraph", "drift", "stuck", "wear"], False)
    assert ChipSettings.model_validate(off).effects == ()
    assert not ChipSettings.model_validate(off).all_stuck.any
    assert ChipSettings.model_validate(dict.fromkeys(["thermal_shot", "drift"], True)) == ChipSettings()


@pytest.mark.parametrize("value", ["off", 3, [1]])
def test_what_is_neither_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="write true, false or a mapping, not"):
        ImageTraining({"chip": {"drift": value}})
