"""``rex sweep``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ASKED = ("sweep", "deeptrain", "--network", "vgg19", "--set", "reram_layers=2")


def test_one_variable_is_a_table_with_units(cli: Callable[..., Any]) -> None:
    ended = cli(*ASKED, "--over", "cell_bits")
    assert ended.code == 0, ended.err
    assert all(words in ended.out for words in ("cell bits", "latency [µs]", "energy [mJ]", "area [mm²]", "no (1)"))
    assert "no (1): cannot be built, does not fit: needs" in ended.out
    assert "fixed: 2R1G, 128x128" in ended.out
    assert "nan" not in ended.out


def test_json_and_csv_hold_every_design_in_si(cli: Callable[..., Any]) -> None:
    asked = (*ASKED, "--over", "cell_bits=1:4", "--over", "frequency_hz=5 MHz,10 MHz", "--show", "area_mm2,latency_s")
    rows = json.loads(cli(*asked, "--format", "json").out)
    assert [(row["cell_bits"], row["frequency_hz"]) for row in rows] == [(b, f) for b in (1, 2, 4) for f in (5e6, 1e7)]
    assert rows[0]["latency_s"] is None
    assert rows[0]["feasible"] is False
    assert "crossbars" in rows[0]["reason"]
    lines = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv").out)))
    assert [float(line["area_mm2"]) for line in lines] == [row["area_mm2"] for row in rows]
    assert lines[0]["latency_s"] == ""


def test_a_page_holds_plots_and_tables_and_needs_no_network(cli: Callable[..., Any], tmp_path: Path) -> None:
    written = cli(*ASKED, "--over", "bn=all;none;C5,C7", "--out", "page.html")
    assert (written.code, written.out, written.err) == (0, "", "wrote page.html\n")
    page = (tmp_path / "page.html").read_text()
    assert "Plotly.newPlot" in page
    assert 'src="http' not in page
    assert "<h2>deeptrain over bn</h2>" in page
    assert cli(*ASKED, "--over", "bn=all;none", "--out", "page.html").code == 2, "never over a file"
    assert cli(*ASKED, "--over", "bn=all;none", "--out", "page.txt").code == 0
    assert "deeptrain over bn" in (tmp_path / "page.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deeptrain"], "rex: --over: name what moves: one or two of reram_layers"),
        (["deeptran", "--over", "bn"], "did you mean 'deeptrain'?"),
        (["search.yaml", "--over", "bn"], "search.yaml is a search file: add --assumptions"),
        (
            ["deeptrain", "--over", "gpu_layers", "--set", "bn=all", "--set", "bn=none"],
            "rex: --set bn: it is given twice",
        ),
        (["training", "--over", "bn"], "only hardware simulators"),
        (["deeptrain", "--over", "reram_layer"], "rex: --over reram_layer: there is no variable"),
        (["deeptrain", "--over", "reram_layers=9"], "choose an integer from 0 to 7"),
        (["deeptrain", "--over", "bn=all;none", "--set", "bn=all"], "rex: --set: bn is swept over"),
        (["deeptrain", "--over", "bn=all;none", "--set", "reram_layers=9"], "rex: --set reram_layers: "),
        (["deeptrain", "--over", "gpu_layers", "--over", "cell_bits", "--over", "bn=all"], "rex: --over: name one"),
        (
            ["deeptrain", "--over", "gpu_layers", "--show", "latency_ms"],
            "rex: --show: deeptrain reports no 'latency_ms'",
        ),
        (["deeptrain", "--over", "gpu_layers", "--network", "vgg12"], "rex: --network"),
    ],
)
def test_what_cannot_be_swept_is_told_by_its_option(cli: Callable[..., Any], arguments: list[str], words: str) -> None:
    ended = cli("sweep", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
