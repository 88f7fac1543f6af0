"""``rex explain``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer import Study, load_study, run
from tests.explorer.test_explanation import problem


@pytest.fixture(scope="module")
def study(ray_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("explained")
    return run(problem(), budget=60, workers=2, study="chips", store=str(folder / "x.db"))


def test_the_largest_effects_are_shown_as_a_table_and_a_heat_map(cli: Callable[..., Any], study: Study) -> None:
    ended = cli("explain", study.reference, "--limit", 4)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].startswith("What moves accuracy in chips")
    table = [line for line in lines if line.startswith("│")]
    assert len(table) == 4
    assert any("│ C1 " in line and "yes" in line for line in table)
    assert "smaller ones that are not shown" in ended.out
    heat = {line.split()[0]: line.split()[1:] for line in lines if line.split()[:1] in (["C1"], ["C3"], ["C4"])}
    assert heat["C1"] == ["++"]
    assert heat["C4"][0] == "++"
    assert heat["C3"][-1] == "."


def test_other_forms_say_the_same(cli: Callable[..., Any], study: Study) -> None:
    data = json.loads(cli("explain", study.reference, "--format", "json").out)
    rows = list(csv.DictReader(io.StringIO(cli("explain", study.reference, "--format", "csv").out)))
    assert [float(row["mean"]) for row in rows] == pytest.approx([effect["mean"] for effect in data["effects"]])
    same = study.explain("accuracy")
    assert data["effects"] == json.loads(same.to_json())["effects"]


def test_evaluations_may_be_restricted_and_another_objective_asked_for(cli: Callable[..., Any], study: Study) -> None:
    few = json.loads(cli("explain", study.reference, "--where", "size == 64 or accuracy > 0", "--format", "json").out)
    everything = json.loads(cli("explain", study.reference, "--format", "json").out)
    assert few["evaluations"] < everything["evaluations"]


def test_what_is_computed_is_explained_exactly(cli: Callable[..., Any], finished: Study) -> None:
    ended = cli("explain", finished.reference, "--objective", "area")
    assert ended.code == 0
    assert "exact: from 4000 simulated designs" in ended.out
    ended = cli("explain", finished.reference, "--objective", "area", "--where", "accuracy > 0")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("rex: --where: 'accuracy' is known of evaluated designs only")


@pytest.mark.parametrize(
    ("name", "holds"),
    [("e.json", '"objective": "accuracy"'), ("e.csv", "choices,mean,low,high,certain"), ("e.HTML", "heatmap"),
     ("e.txt", "What moves accuracy in chips")],
)  # fmt: skip
def test_the_name_of_the_file_says_how_it_is_written(
    cli: Callable[..., Any], study: Study, tmp_path: Path, name: str, holds: str
) -> None:
    ended = cli("explain", study.reference, "--out", name)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {name}\n")


def test_a_file_of_any_other_name_is_written_as_format_says(
    cli: Callable[..., Any], study: Study, tmp_path: Path
) -> None:
    table = cli("explain", study.reference).out
    assert cli("explain", study.reference, "--format", "table", "--out", "effects").code == 0
    assert (tmp_path / "effects").read_text() == table
    assert cli("explain", study.reference, "--format", "html", "--out", "effects.page").code == 0
    assert "heatmap" in (tmp_path / "effects.page").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--out", "e.html", "--format", "json"], "--out: e.html would be html, but --format says json"),
     (["--out", "e.json", "--format", "table"], "--out: e.json would be json, but --format says table"),
     (["--out", "e.dat"], "the name e.dat does not say how to write it"),
     (["--out", "e"], "end with one of .txt, .csv, .json, .html, or give --format")],
)  # fmt: skip
def test_a_name_that_contradicts_the_format_or_says_nothing_is_told_and_nothing_is_written(
    cli: Callable[..., Any], study: Study, tmp_path: Path, arguments: list[str], says: str
) -> None:
    ended = cli("explain", study.reference, *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert list(tmp_path.iterdir()) == []


def test_the_page_holds_the_heat_map_and_is_never_written_over_a_file(
    cli: Callable[..., Any], study: Study, tmp_path: Path
) -> None:
    assert cli("explain", study.reference, "--out", "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "What moves accuracy in chips" in page
    assert '"type":"heatmap"' in page
    assert "C1 × C4" in page
    ended = cli("explain", study.reference, "--out", "page.html")
    assert ended.code == 2
    assert "page.html is there already" in ended.err
    assert (tmp_path / "page.html").read_text() == page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--objective", "acuracy"], "'acuracy' is not an objective of this study"),
     (["--where", "accuracy >> 3"], "rex: --where: "), (["--where", "accuracy > 1000"], "of 0 different designs"),
     (["--objective", "latency"], "explain_exact(problem, 'latency')")],
)  # fmt: skip
def test_what_makes_no_sense_ends_with_code_2(
    cli: Callable[..., Any], study: Study, arguments: list[str], says: str
) -> None:
    ended = cli("explain", study.reference, *arguments)
    assert ended.code == 2
    assert says in ended.err
    assert "Traceback" not in ended.err


def test_reading_a_study_anew_gives_the_same_numbers(study: Study) -> None:
    assert load_study(study.reference).explain().to_json() == study.explain().to_json()
