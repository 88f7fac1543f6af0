"""``rex sweep FILE --assumptions``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer import Study
from tests.explorer.searches import write_search

FEW = ("--set", "variables.bn=[all,none]", "--set", "variables.cell_bits=2")
VAST = [
    part
    for change in ("workload.network=vgg19", "variables.tiles_per_layer=search", "variables.crossbar_size=search")
    for part in ("--set", change)
]


@pytest.fixture
def search(tmp_path: Path) -> Path:
    return write_search(tmp_path)


def test_the_answer_tells_the_front_the_flips_and_the_effects(cli: Callable[..., Any], search: Path) -> None:
    ended = cli("sweep", search, "--assumptions", *FEW)
    assert ended.code == 0, ended.err
    for words in ("Does the front survive?", "worlds", "What moves 3R1G", "change nothing here: ", "row_write_time_s"):
        assert words in ended.out


def test_the_answer_as_json_and_as_a_page(cli: Callable[..., Any], search: Path, tmp_path: Path) -> None:
    own = ("--set", "simulators.deeptrain.assumptions.gpu_layer_area_mm2=40")
    found = json.loads(cli("sweep", search, "--assumptions", *FEW, *own, "--design", 2, "--format", "json").out)
    assert found["design"]["bn"] == "0" * 8
    moved = [effect for effect in found["effects"] if effect["assumption"] == "gpu_layer_area_mm2"]
    largest = max(moved, key=lambda effect: float(effect["value"]))
    assert largest["standing"] == 40
    assert largest["area"] > 0
    assert cli("sweep", search, "--assumptions", *FEW, "--per", "bn_layers", "--out", "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "change of latency [%]" in page
    assert "Does the front survive?" in page


def test_the_front_of_a_study_is_tested_among_what_it_evaluated(cli: Callable[..., Any], finished: Study) -> None:
    path = Path(finished.reference).parent / "search.yaml"
    found = json.loads(cli("sweep", path, "--assumptions", "--study", finished.reference, "--format", "json").out)
    assert len(found["front"]) == len(finished.front())
    assert {round(row["accuracy"], 9) for row in found["front"]} == {
        round(point.values["accuracy"], 9) for point in finished.front()
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--assumptions", "--over", "bn"], "rex: --over: is of a sweep over variables"),
        (["--per", "bn_layers"], "rex: --per: is of a sweep of assumptions"),
        (["--assumptions", "--per", "bn_layer"], "rex: --per: 'bn_layer' is not known"),
        (["--assumptions", "--design", "3"], "rex: --design: the file has 2 initial designs"),
        (["--assumptions", "--study", "none.db"], "none.db"),
        (["--assumptions", "--study", "none.db", "--per", "bn_layers"], "rex: --per: a study has one front"),
        (["--assumptions", "--format", "csv"], "choose table, json, html"),
        (["--assumptions", *VAST], "worlds are more than the 2,000,000,000"),
    ],
)
def test_what_makes_no_sense_ends_with_code_2(
    cli: Callable[..., Any], search: Path, arguments: list[str], words: str
) -> None:
    ended = cli("sweep", search, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


def test_a_search_without_assumptions_says_so(cli: Callable[..., Any], tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("[deeptrain, training]", "[training]"), ("  reram_layers: {low: 1, high: 3}\n", ""),
        ("  gpu_layers: {low: 1, high: 7}\n", ""), ("  crossbar_size: [64, 128]\n", ""),
        ("[accuracy, latency, area]", "[accuracy]"),
        ("constraints:\n  - reram_layers <= 3\n  - area < 400 mm2\n", ""),
    )  # fmt: skip
    ended = cli("sweep", path, "--assumptions")
    assert ended.code == 2
    assert "declares assumptions" in ended.err
