"""``rex model`` and ``rex rerun``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer import Study
from simulators.training.datasets import load_images
from simulators.training.model import accuracy, load_model
from tests.explorer.studies import evaluated, rewritten


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of two trainings and one that failed; only to be read."""
    folder = tmp_path_factory.mktemp("trained")
    study = evaluated(folder, {"bn": "all"}, {"bn": "C5"})
    failed = replace(study.evaluations[1], replicate=3, values={}, quantities={}, series={}, failure="disk is full")
    study.store.append(study.name, [failed])
    return study.refresh()


def test_a_network_is_written_and_told_how_to_read(cli: Callable[..., Any], trained: Study, tmp_path: Path) -> None:
    ended = cli("model", trained.reference, "bn=C5", "--out", "model.pt")
    assert (ended.code, ended.err) == (0, "")
    (_, evaluation, _) = trained.evaluations
    described = trained.outline.space.describe(evaluation.design)
    assert ended.out.startswith(f"{described}: evaluation 2, 1 epoch, seed {evaluation.seed}, accuracy ")
    assert "wrote model.pt: read it with simulators.training.model.load_model\n" in ended.out
    model = load_model("model.pt")
    assert accuracy(model, load_images("fashion-mnist", "bundled").validation) == evaluation.values["accuracy"]
    assert cli("model", trained.reference, evaluation.digest[:8], "--out", "again.pt").code == 0
    assert Path("again.pt").read_bytes() == Path("model.pt").read_bytes()


def test_a_training_that_is_run_again_is_announced_with_what_it_took(
    cli: Callable[..., Any], trained: Study, tmp_path: Path
) -> None:
    search = {**trained.record.search, "checkpoints": str(tmp_path / "none")}
    noted = {**trained.record.provenance, "training.torch": "1.0.0"}
    study = rewritten(trained, tmp_path, search=search, provenance=noted)
    ended = cli("model", study.reference, 1, "--out", "model.pt")
    assert ended.code == 0
    assert f"{tmp_path / 'none'} does not hold this training: training 1 epoch again, which took 0:0" in ended.err
    assert "the result may differ from the study's: training.torch was 1.0.0, is " in ended.err
    assert "trained again, it is the network of the study: every number came out again" in ended.err
    assert cli("model", study.reference, 1, "--out", "kept.pt").err == "", "what was trained for the file is kept"


def test_a_network_that_is_not_the_studys_is_told(cli: Callable[..., Any], trained: Study, tmp_path: Path) -> None:
    row = trained.evaluations[0]
    other = replace(row, quantities={**row.quantities, "loss": 9.0}, provenance={"training.machine": "cuda (H100)"})
    search = {**trained.record.search, "checkpoints": str(tmp_path / "none")}
    ended = cli("model", rewritten(trained, tmp_path, [other], search=search).reference, 1, "--out", "model.pt")
    assert ended.code == 0
    assert "it is not the network of the study (training.machine was cuda (H100), is cpu" in ended.err
    assert f": loss was 9.0, is {row.quantities['loss']!r}\n" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["1"], "Missing option '--out'"),
        (["1", "--out", "there.pt"], "rex: --out: there.pt is there already; remove it or choose another name"),
        (["1", "--out", "no/where.pt"], "rex: --out: cannot write no/where.pt (there is no folder no)"),
        (["9", "--out", "x.pt"], "rex: DESIGN: '9' is nothing of this study: there are evaluations 1 to 3; write"),
        (["3", "--out", "x.pt"], "rex: DESIGN: evaluation 3 failed (disk is full): there is nothing of it"),
        (["bn=C2", "--out", "x.pt"], "rex: DESIGN: none of 3 evaluations is of such a design"),
        (["reram_layers=3", "--out", "x.pt"], "rex: DESIGN: it may be one of 2: 1 ("),
        (["1", "--out", "x.pt", "--simulator", "deeptrain"], "rex: --simulator: 'deeptrain' does not train"),
    ],
)
def test_a_design_that_cannot_be_had_is_one_message_with_code_2_and_leaves_nothing(
    cli: Callable[..., Any], trained: Study, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "there.pt").write_text("old")
    ended = cli("model", trained.reference, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_an_evaluation_that_comes_out_again_ends_with_0(alone: None, cli: Callable[..., Any], trained: Study) -> None:
    ended = cli("rerun", trained.reference, "bn=all")
    assert ended.code == 0
    assert f"Evaluation 1 (key {trained.evaluations[0].digest[:8]}), " in ended.out
    assert "numbers are equal, to the last digit" in ended.out
    told = json.loads(cli("rerun", trained.reference, "1", "--format", "json").out)
    assert told["equal"]
    assert {number["difference"] for number in told["numbers"]} == {0.0}
    lines = list(csv.DictReader(io.StringIO(cli("rerun", trained.reference, "1", "--format", "csv").out)))
    assert [line["name"] for line in lines] == [number["name"] for number in told["numbers"]]


def test_one_that_does_not_ends_with_1_and_says_why(
    alone: None, cli: Callable[..., Any], trained: Study, tmp_path: Path
) -> None:
    row = trained.evaluations[0]
    study = rewritten(trained, tmp_path, [replace(row, values={**row.values, "accuracy": 0.5})], code_version="0.0.1")
    ended = cli("rerun", study.reference, "1")
    assert ended.code == 1
    assert "likely reason: reram-explorer was 0.0.1, is " in ended.out
    ended = cli("rerun", study.reference, "1", "--out", "again.json")
    assert ended.code == 1
    assert "reram-explorer was 0.0.1" in ended.err
    assert not json.loads(Path("again.json").read_text())["equal"]
    ended = cli("rerun", study.reference, "1", "--out", "again.json")
    assert ended.code == 2
    assert "again.json is there already" in ended.err
    assert cli("rerun", study.reference, "1", "--out", "again.txt").code == 1
    assert "1 of " in Path("again.txt").read_text()


def test_a_failure_that_is_gone_is_told(alone: None, cli: Callable[..., Any], trained: Study) -> None:
    ended = cli("rerun", trained.reference, "3")
    assert ended.code == 1
    assert "it failed then, and does not fail now" in ended.out
    assert "disk is full" in ended.out
    assert "failed 1 x: disk is full (evaluation 3)" in cli("status", trained.reference).out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["4"], "rex: EVALUATION: '4' is nothing of this study"),
        (["bn=C5"], "rex: EVALUATION: it may be one of 2: 2 ("),
        (["size=3"], "rex: EVALUATION: unknown variable 'size'"),
        (["1", "--out", "x.html"], "end with one of .txt, .csv, .json"),
    ],
)
def test_an_evaluation_that_there_is_not_is_one_message_with_code_2(
    cli: Callable[..., Any], trained: Study, arguments: list[str], words: str
) -> None:
    ended = cli("rerun", trained.reference, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err


@pytest.mark.parametrize("command", [["model", "1", "--out", "x.pt"], ["rerun", "1"]], ids=lambda command: command[0])
def test_what_is_no_study_is_refused(cli: Callable[..., Any], tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "text.db").write_text("no database")
    for place in ("none.db", "text.db", "."):
        ended = cli(command[0], place, *command[1:])
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("rex: ")
        assert "Traceback" not in ended.err


def test_numbers_stand_in_the_table_of_the_front(cli: Callable[..., Any], trained: Study) -> None:
    out = cli("pareto", trained.reference).out
    assert "evaluation" in out.splitlines()[2]
    assert "evaluation: number of the one that was run; rex model gives its network" in out
    rows = json.loads(cli("pareto", trained.reference, "--format", "json").out)
    numbers = {evaluation.family: evaluation.number for evaluation in trained.evaluations[:2]}
    assert {row["evaluation"] for row in rows} <= {1, 2}
    assert all(numbers[f'{{"bn":"{row["bn"]}"}}'] == row["evaluation"] for row in rows)
