"""``rex list``, ``rex simulate`` and ``rex validate``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.cli.simulator import NETWORK
from simulators.protocol import load_simulator

VIEWS = load_simulator("deeptrain")().views()


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


def test_variables_are_listed_of_the_network_that_is_simulated_by_default(cli: Callable[..., Any]) -> None:
    assert f": {NETWORK} on" in cli("simulate", "deeptrain").out
    assert cli("list", "variables").out == cli("list", "variables", "--network", NETWORK).out


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


def test_an_own_network_is_simulated_as_it_is_written(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def build(classes):\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(),\n"
        "                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))\n"
        "def flat(classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, classes))\n"
    )
    asked = ("simulate", "deeptrain", "--network", "mine.py:build")
    written = cli(*asked)
    assert written.code == 0, written.err
    assert "BN after C1" in written.out
    assert written.out == cli(*asked, "--set", "bn=C1").out != cli(*asked, "--set", "bn=all").out
    flat = cli("simulate", "deeptrain", "--network", "mine.py:flat")
    assert (flat.code, flat.out) == (2, "")
    assert flat.err.startswith("rex: --network: network 'mine.py:flat' has no convolution")


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


def test_without_a_view_the_summary_is_shown_with_what_it_knows_of_the_design(cli: Callable[..., Any]) -> None:
    arguments = ("simulate", "deeptrain", "--network", "resnet18", "--set", "bn=none")
    plain = cli(*arguments)
    assert plain.out == cli(*arguments, "--view", "summary").out
    assert "the busiest link of the network on chip takes 1.48 times as long as a stage" in plain.out
    assert "link_stage_time_s" in strict(cli(*arguments, "--format", "json").out)


@pytest.mark.parametrize("name", ["deeptrain", "training"])
def test_every_view_is_a_table_or_a_text_and_json_too(cli: Callable[..., Any], name: str) -> None:
    arguments = ("simulate", name, "--network", "vgg11", "--dataset", "fashion-mnist")
    for view in load_simulator(name)().views():
        assert cli(*arguments, "--view", view.name).code == 0
        shown = strict(cli(*arguments, "--view", view.name, "--format", "json").out)
        assert shown["title"]
        assert shown.get("rows") or shown.get("body") or shown.get("panels")


def test_views_show_units_and_whole_counts_to_people_and_si_to_programs(cli: Callable[..., Any]) -> None:
    arguments = ("simulate", "deeptrain", "--network", "vgg11", "--set", "bn=none", "--view")
    summary = cli(*arguments, "summary").out
    for shown in ("6.4 µs", "1.304 mJ", "214.4 mm²", "154.5 W", "203.8 W", "41472"):
        assert f" {shown} " in summary
    mapping = cli(*arguments, "mapping").out
    assert " 256 " in mapping
    assert " 6.4 µs " in mapping
    assert "e-0" not in summary + mapping
    rows = strict(cli(*arguments, "summary", "--format", "json").out)["rows"]
    assert {row["field"]: row["value"] for row in rows}["latency_s"] == pytest.approx(6.4e-6)
    rows = strict(cli(*arguments, "mapping", "--format", "json").out)["rows"]
    assert rows[0]["conv_stage_time_s"] == pytest.approx(6.4e-6)


def test_large_counts_are_shown_with_all_digits(cli: Callable[..., Any]) -> None:
    ended = cli("simulate", "deeptrain", "--network", "vgg16", "--set", "bn=all")
    assert " 18800640 " in ended.out


def test_help_shows_brackets_once_and_says_how_an_impossible_design_ends(cli: Callable[..., Any]) -> None:
    listing = cli("list", "--help").out
    assert "[SIMULATOR]" in listing
    assert "[[" not in listing
    text = " ".join(cli("simulate", "--help").out.split())
    assert "cannot be built is an answer too: it is shown with the reason, and the exit code is 0" in text


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
        (["simulate", "deeptrain", "--set", "bn=all", "--set", "bn=none"], "--set bn: it is given twice; keep one"),
        (["simulate", "deeptrain", "--view", "aera"], "did you mean 'area'?"),
        (["simulate", "deeptrain", "--view", "zzz"], ", ".join(view.name for view in VIEWS)),
        (["simulate", "deeptrain", "--setting", "assumptions.ambient_k=20 s"], "'20 s' is not a number; choose 250"),
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
    about = {"name", "published", "modelled", "unit", "tier", "source", "deviation", "holds"}
    assert about | {"low", "high", "tolerance", "verdict"} <= set(cases[0])
    assert "published against modelled" in table.out


def test_validation_says_what_is_accepted_and_calls_neither_inputs_nor_mismatches_right(
    cli: Callable[..., Any],
) -> None:
    out = cli("validate", "deeptrain").out
    cases = strict(cli("validate", "deeptrain", "--format", "json").out)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    first_lines = [row for row in rows if row[5]]  # tier: the first line of a case
    assert [(row[5], row[6]) for row in first_lines] == [(case["tier"], case["verdict"]) for case in cases]
    verdicts = {(row[5], row[6]) for row in first_lines}
    assert {
        ("calibrated", "input"), ("known mismatch", "mismatch"), ("exact", "yes"), ("band", "yes"),
        ("prediction", "predicted"),
    } == verdicts  # fmt: skip
    assert {"within 1 %", "<= 1", ">= 1", "0.5 to 2", "<= 12 W", "<= 373.1 K", "-"} <= {row[2] for row in first_lines}
    assert {row[2] for row in first_lines if row[6] == "predicted"} == {"-"}
    kinds = ("yes", "NO", "input", "predicted", "mismatch")
    hold, do_not, inputs, predicted, mismatches = (sum(case["verdict"] == kind for case in cases) for kind in kinds)
    assert hold + do_not + inputs + predicted + mismatches == len(cases)
    assert out.splitlines()[-1].strip() == (
        f"{len(cases)} cases: {hold} hold, {do_not} do not, {inputs} are inputs (calibrated), "
        f"{predicted} are predictions (no figure to compare with), {mismatches} are known mismatches"
    )


def test_the_document_beside_the_model_is_what_the_command_prints(cli: Callable[..., Any]) -> None:
    printed = cli("validate", "deeptrain", "--format", "markdown").out
    document = Path(__file__).parents[3] / "simulators/accelerators/deeptrain/VALIDATION.md"
    assert printed == document.read_text(), "rex validate deeptrain --format markdown > " + document.name


def test_figures_are_modelled_with_other_settings(cli: Callable[..., Any]) -> None:
    changed = ("--setting", "assumptions.card_utilisation=0.3")
    before, after = (strict(cli("validate", "deeptrain", *a, "--format", "json").out) for a in ((), changed))
    differ = {case["name"] for case, other in zip(before, after, strict=True) if case != other}
    assert 0 < len(differ) < len(before)
    document = cli("validate", "deeptrain", *changed, "--format", "markdown").out
    assert "`rex validate deeptrain --setting assumptions.card_utilisation=0.3 --format markdown`" in document


def test_a_picture_is_printed_written_to_a_page_or_read_by_programs(cli: Callable[..., Any], tmp_path: Path) -> None:
    arguments = ("simulate", "deeptrain", "--network", "vgg16", "--view", "noc-map")
    printed = cli(*arguments)
    assert printed.code == 0
    assert "layer 4: GPU" in printed.out
    assert "percent of the largest: 107750 bytes per image" in printed.out
    shown = strict(cli(*arguments, "--format", "json").out)
    assert list(shown["panels"]) == [*(f"layer {number}: ReRAM" for number in (1, 2, 3)), "layer 4: GPU"]
    assert max(max(map(max, rows)) for rows in shown["panels"].values()) == pytest.approx(107750, abs=1)
    page = tmp_path / "noc.html"
    written = cli(*arguments, "--out", str(page))
    assert (written.code, written.out, written.err) == (0, "", f"wrote {page}\n")
    assert "layer 4: GPU" in page.read_text()
    for wrong, words in (
        ([*arguments, "--out", str(page)], "is there already"),
        ([*arguments, "--out", "noc.png"], "noc.png is no page: let it end with .html"),
        (["simulate", "deeptrain", "--view", "noc", "--out", "a.html"], "the view noc is no picture"),
        (["simulate", "deeptrain", "--out", "a.html"], "name one with --view"),
    ):
        ended = cli(*wrong)
        assert (ended.code, ended.out) == (2, "")
        assert words in ended.err


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


def test_every_wrong_choice_of_a_design_is_told(cli: Callable[..., Any]) -> None:
    ended = cli("simulate", "deeptrain", "--set", "bn=C99", "--set", "foo=3", "--set", "reram_layers=99")
    assert ended.code == 2
    for place in ("rex: --set foo: ", "\n     --set reram_layers: ", "\n     --set bn: "):
        assert place in ended.err


def test_what_a_setting_brings_is_listed_and_asking_for_it_without_tells_of_the_setting(
    cli: Callable[..., Any],
) -> None:
    assert "lifetime_years" in cli("list", "fields", "training").out
    assert "temperature_k" in cli("list", "variables", "training").out
    asked = ("simulate", "training", "--network", "vgg11", "--dataset", "fashion-mnist")
    for more in (("--view", "chip"), ("--set", "cell_bits=2")):
        refused = cli(*asked, *more)
        assert refused.code == 2
        assert "--setting chip=true" in refused.err
