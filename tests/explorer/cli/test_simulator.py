"""``rex list``, ``rex simulate`` and ``rex validate``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulators.protocol import load_simulator


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("objectives", ["accuracy", "area", "energy", "latency"]),
        ("simulators", ["deeptrain", "training"]),
        ("strategies", ["random", "nsga2", "tpe", "gp-sampler"]),
        ("networks", ["vgg11", "vgg16", "vgg19", "resnet18", "resnet20"]),
        ("variables", ["bn", "reram_layers", "crossbar_size"]),
        ("fields", ["latency_s", "accuracy", "peak_temperature_k"]),
    ],
)
def test_everything_that_can_be_named_is_listed(cli: Callable[..., Any], kind: str, names: list[str]) -> None:
    ended = cli("list", kind)
    assert ended.code == 0, ended.err
    first = {line.split("│")[1].strip() for line in ended.out.splitlines() if line.startswith("│")}
    assert set(names) <= first


def test_variables_are_those_of_a_network(cli: Callable[..., Any]) -> None:
    ended = cli("list", "variables", "deeptrain", "--network", "vgg16")
    assert "13 bits" in ended.out
    assert "training" not in ended.out


def test_one_design_is_simulated_as_a_table_and_as_json(cli: Callable[..., Any]) -> None:
    arguments = ("simulate", "deeptrain", "--network", "vgg19", "--set", "reram_layers=3", "--set", "bn=all")
    table, text = cli(*arguments), cli(*arguments, "--format", "json")
    assert table.code == text.code == 0
    report = json.loads(text.out)
    assert report["feasible"] is True
    assert report["reason"] == ""
    assert set(load_simulator("deeptrain").fields) <= set(report)
    assert "3R1G" in table.out
    assert "All-BN" in table.out
    assert cli("simulate", "deeptrain", "--set", "bn=none", "--format", "json").out != text.out


def strict(text: str) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def test_a_design_that_cannot_be_built_says_why(cli: Callable[..., Any]) -> None:
    arguments = ("simulate", "deeptrain", "--network", "resnet18", "--set", "reram_layers=1", "--set", "cell_bits=1")
    report = strict(cli(*arguments, "--format", "json").out)
    assert report["feasible"] is False
    assert "crossbars" in report["reason"]
    ended = cli(*arguments)
    assert ended.code == 0
    assert "cannot be built: " in ended.out


@pytest.mark.parametrize("name", ["deeptrain", "training"])
def test_every_view_is_a_table_or_a_text_and_json_too(cli: Callable[..., Any], name: str) -> None:
    arguments = ("simulate", name, "--network", "vgg11", "--dataset", "fashion-mnist")
    for view in load_simulator(name)().views():
        assert cli(*arguments, "--view", view.name).code == 0
        shown = strict(cli(*arguments, "--view", view.name, "--format", "json").out)
        assert shown["title"]
        assert shown.get("rows") or shown.get("body")


def test_a_training_is_simulated_too(cli: Callable[..., Any]) -> None:
    ended = cli("simulate", "training", "--network", "vgg11", "--dataset", "fashion-mnist", "--set", "bn=none",
                "--fidelity", "1", "--format", "json")  # fmt: skip
    assert ended.code == 0, ended.err
    report = strict(ended.out)
    assert 0 <= report["accuracy"] <= 1
    assert report["paid"] == report["epochs"] == 1
    assert len(report["series"]["accuracy"]) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["simulate", "deptrain"], "did you mean 'deeptrain'?"),
        (["simulate", "deeptrain", "--network", "vgg12"], "unknown network 'vgg12'"),
        (["simulate", "deeptrain", "--dataset", "mnist"], "unknown data set 'mnist'"),
        (["simulate", "deeptrain", "--mode", "both"], "choose training or inference"),
        (["simulate", "deeptrain", "--option", "stem"], "is not KEY=VALUE"),
        (["simulate", "deeptrain", "--option", "stem=x"], "no option"),
        (["simulate", "deeptrain", "--set", "reram_layers"], "is not KEY=VALUE"),
        (["simulate", "deeptrain", "--set", "reram_layer=3"], "did you mean 'reram_layers'?"),
        (["simulate", "deeptrain", "--set", "reram_layers=99"], "choose an integer from"),
        (["simulate", "deeptrain", "--set", "bn=102"], "is not a binary vector"),
        (["simulate", "deeptrain", "--view", "aera"], "did you mean 'area'?"),
        (["simulate", "deeptrain", "--fidelity", "3"], "leave it out"),
        (["simulate", "training", "--dataset", "fashion-mnist", "--fidelity", "0"], "choose 1 to 20"),
        (["simulate", "training", "--dataset", "cifar10"], "no images of 'cifar10' are bundled"),
        (["validate", "deptrain"], "did you mean 'deeptrain'?"),
        (["list", "variables", "deptrain"], "did you mean 'deeptrain'?"),
        (["list", "colours"], "colours"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_input_is_one_message_with_code_2(
    cli: Callable[..., Any], tmp_path: Path, arguments: list[str], words: str
) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_published_figures_stand_beside_modelled_ones(cli: Callable[..., Any]) -> None:
    table, text = cli("validate", "deeptrain"), cli("validate", "deeptrain", "--format", "json")
    cases = strict(text.out)
    holds = all(case["holds"] for case in cases)
    assert cases
    assert table.code == text.code == (0 if holds else 1)
    assert {"name", "published", "modelled", "unit", "tier", "source", "deviation", "holds"} <= set(cases[0])
    assert "published against modelled" in table.out


def test_a_simulator_without_published_figures_says_so(cli: Callable[..., Any]) -> None:
    ended = cli("validate", "training")
    assert (ended.code, ended.out) == (0, "")
    assert "offers no validation cases" in ended.err
    assert strict(cli("validate", "training", "--format", "json").out) == []


def test_without_a_command_the_help_is_shown(cli: Callable[..., Any]) -> None:
    for arguments in ([], ["--help"]):
        ended = cli(*arguments)
        assert all(command in ended.out + ended.err for command in ("run", "resume", "pareto", "check", "simulate"))
    assert cli("--help").code == 0
