"""The studies of accuracy on chips, under other recipes and on other images: small ones, and what they show."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pandas
import pytest

from tests.explorer.conftest import Outcome, cli, ray_cluster

__all__ = ["cli", "ray_cluster"]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


@pytest.mark.parametrize("name", ["noisy_chip", "resna", "robustness", "transfer"])
def test_the_search_files_are_right(cli: Callable[..., Outcome], name: str) -> None:
    assert cli("check", EXAMPLES / f"{name}.yaml").code == 0


@pytest.mark.usefixtures("ray_cluster")
def test_noise_is_trained_with_and_without_once_and_what_was_trained_is_kept(
    example: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    resna = example("resna")
    small = [
        "workload.network=vgg11", "proxy={width: 0.0625, train_images: 128}", "fidelity.epochs=1",
        "variables.frequency_hz=1e9", "variables.temperature_k=400", "budget.evaluations=1", "workers=1",
    ]  # fmt: skip

    def call(*settings: str) -> str:
        given = [word for setting in settings for word in ("--set", setting)]
        monkeypatch.setattr(sys, "argv", ["resna.py", "--out", str(tmp_path), *given])
        resna.main()
        return capsys.readouterr().out

    told = call(*small)
    assert "400 K    1000 MHz" in told
    assert "mean gain" in told
    assert "over 1 chips; trainings of each: 1" in told
    assert call(*small) == told
    with pytest.raises(SystemExit) as ended:
        call(*small[:-1], "proxy.width=0.125")
    assert ended.value.code == 2
    assert "of other settings; choose another --out" in capsys.readouterr().err


def test_what_noise_costs_is_shown_by_chip(
    example: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    chips = [(300.0, 1e7), (400.0, 1e9)]
    table = pandas.DataFrame(
        [
            {"temperature_k": t, "frequency_hz": f, "variant": variant, "run": run, "accuracy": accuracy + run / 100,
             "accuracy_chips_error": 0.003}
            for (t, f), accuracies in zip(chips, [(0.8, 0.81), (0.7, 0.75)], strict=True)
            for variant, accuracy in zip(("plain", "ReSNA"), accuracies, strict=True)
            for run in (0, 1)
        ]
    )  # fmt: skip
    example("resna").show(table)
    lines = capsys.readouterr().out.splitlines()
    # seeds are 0.01 apart: 0.0071 each, 0.01 of a difference, by root 2 of the mean of two
    assert lines[1].split() == ["300", "K", "10", "MHz", "80.5", "81.5", "+1.0", "±", "0.7"]
    assert lines[2].split() == ["400", "K", "1000", "MHz", "70.5", "75.5", "+5.0", "±", "0.7"]
    assert lines[3:] == [
        "±: one standard error, of seeds and chips",
        "mean gain +3.00 points over 2 chips; trainings of each: 2",
    ]
    example("resna").show(table[table.run == 0])
    assert "how seeds differ is not known" in capsys.readouterr().out


def test_placements_are_compared_under_every_recipe(
    example: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    accuracies = {"1111": 0.9, "0110": 0.88, "0000": 0.5}
    rows = [
        {"variant": variant, "bn": bn, "run": 0, "accuracy": accuracy - less}
        for variant, less in (("as it is", 0.0), ("batches of 32", 0.01))
        for bn, accuracy in accuracies.items()
    ]
    example("robustness").show(pandas.DataFrame(rows))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["as", "it", "is", "90.0", "88.0", "50.0", "-2.0", "points"]
    assert lines[2].split()[-5:] == ["89.0", "87.0", "49.0", "-2.0", "points"]


def test_the_best_placements_of_one_data_set_are_tried_on_another(
    example: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    transfer = example("transfer")
    before = transfer.known()
    assert len(before) == 256
    placements = transfer.chosen(before, 3)
    assert len(placements) == len(set(placements)) == 12
    assert {"00000000", "11111111"} < set(placements)
    for count in range(9):
        best = placements[count]
        assert before[best] == before[before.index.str.count("1") == count].max()
    table = pandas.DataFrame({"bn": placements, "run": 0, "accuracy": before[placements].to_numpy() - 0.3})
    transfer.show(table, before)
    told = capsys.readouterr().out
    assert "over 12 placements: 1.00" in told
    assert "of at most 3 normalisations, the best on Fashion-MNIST is 0.0 points below" in told


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("resna", ["--seeds", "0"], "--seeds: write a whole number from 1 up, not 0"),
        ("robustness", ["--seeds", "two"], "--seeds: write a whole number from 1 up, not two"),
        ("resna", ["--out", __file__], "is a file; name a folder"),
        ("resna", ["--out", f"{__file__}/x"], "cannot be written (Not a directory)"),
        ("transfer", ["--data-dir", ".", "--random", "248"], "--random: write a whole number from 0 to 247, not 248"),
        ("transfer", ["--data-dir", ".", "--images", "-1"], "--images: write a whole number from 1 up, not -1"),
    ],
)
def test_wrong_options_are_told_in_a_line(
    example: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, arguments: list[str], words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with pytest.raises(SystemExit) as ended:
        example(name).main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
