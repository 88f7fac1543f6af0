"""``rex enumerate``."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.cli.enumeration import _rate
from tests.explorer.searches import write_search


@pytest.fixture
def search(tmp_path: Path) -> Path:
    return write_search(tmp_path, ("  - area < 400 mm2", "  - area < 400 mm2\n  - accuracy > 10 %"))


def test_the_front_is_printed_with_what_is_left_out_and_how_long_it_took(cli: Callable[..., Any], search: Path) -> None:
    ended = cli("enumerate", search)
    assert ended.code == 0, ended.err
    assert "latency [µs] ↓" in ended.out
    assert "no BN" in ended.out
    assert "BN after" not in ended.out
    assert "left out, since it is trained for: accuracy" in ended.out
    assert "for the same reason: accuracy > 10 %" in ended.out
    assert "43,008 designs" in ended.err
    assert re.search(r"[1-9][\d.]* million designs/s|[1-9][\d,]* designs/s", ended.err)
    assert _rate(12_345.6) == "12,000 designs/s"
    assert _rate(1.26e6) == "1.3 million designs/s"


def test_a_front_for_each_number_of_normalisations_tells_the_group_of_every_row(
    cli: Callable[..., Any], search: Path
) -> None:
    asked = ("enumerate", search, "--per", "bn_layers", "--where", "peak_temperature < 90 C", "--objectives", "area")
    rows = json.loads(cli(*asked, "--format", "json").out)
    assert [row["bn_layers"] for row in rows] == list(range(9))
    assert all(row["bn"].count("1") == row["bn_layers"] for row in rows)
    assert all(row["peak_temperature_k"] < 363.15 for row in rows)
    assert "latency" not in rows[0]
    assert rows[4]["others"] == 70 - 1, "of the placements of four all are as large"
    table = cli(*asked)
    assert all(words in table.out for words in ("bn layers", "and 69 others", "peak temperature [K]"))
    lines = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv").out)))
    assert [int(line["others"]) for line in lines] == [row["others"] for row in rows]


def test_a_front_is_written_to_a_file(cli: Callable[..., Any], search: Path, tmp_path: Path) -> None:
    asked = ("enumerate", search, "--set", "variables.bn=[all,none]", "--limit", "2")
    for name in ("front.json", "front.csv", "front.txt"):
        ended = cli(*asked, "--out", name)
        assert (ended.code, ended.out) == (0, "")
    assert len(json.loads((tmp_path / "front.json").read_text())) == 2
    assert len((tmp_path / "front.csv").read_text().splitlines()) == 3
    assert "at most 2 designs are shown" in (tmp_path / "front.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "aera < 1"], "rex: --where: unknown name 'aera' (did you mean 'area'?)"),
        (["--per", "bn_layer"], "rex: --per: 'bn_layer' is not known without training (did you mean 'bn_layers'?)"),
        (["--per", "peak_temperature_k"], "there is a front for each whole number only"),
        (["--objectives", "area,accuracy"], "rex: --objectives: 'accuracy' is known of trained designs only"),
        (
            ["--set", "objectives=[accuracy]", "--set", "constraints=[]", "--set", "variables={bn: search}"],
            "every objective of this search (accuracy) is trained for",
        ),
        (["--set", "variables.bm=all"], "variables.bm"),
        (["--out", "front.html"], "end with one of .txt, .csv, .json"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_code_2(
    cli: Callable[..., Any], search: Path, arguments: list[str], words: str
) -> None:
    ended = cli("enumerate", search, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


def test_where_no_design_is_left_what_leaves_none_is_told(cli: Callable[..., Any], search: Path) -> None:
    ended = cli("enumerate", search, "--where", "area < 1 mm2")
    assert (ended.code, ended.out) == (1, "")
    assert "no design satisfies area < 1 mm2" in ended.err
    ended = cli("enumerate", search, "--set", "constraints=['area < 1 mm2']", "--format", "json")
    assert (ended.code, json.loads(ended.out)) == (1, [])
    assert "of 43008 designs" in ended.err


def test_a_space_that_is_too_large_is_refused(cli: Callable[..., Any], search: Path) -> None:
    ended = cli("enumerate", search, "--set", "workload.network=resnet18", "--set", "variables.crossbar_size=search",
                "--set", "variables.frequency_hz=search", "--set", "variables.reram_layers=search")  # fmt: skip
    assert ended.code == 2
    assert "--set variables.bn=[all,none]" in ended.err


def test_an_interrupted_enumeration_ends_with_code_130(
    cli: Callable[..., Any], search: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("explorer.enumeration.enumerate_front", interrupted)
    ended = cli("enumerate", search)
    assert (ended.code, ended.out) == (130, "")
    assert "interrupted; nothing was written" in ended.err
