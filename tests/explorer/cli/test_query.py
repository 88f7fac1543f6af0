"""``rex status`` and ``rex pareto``."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pytest

from explorer import Study, run
from explorer.launch import prepare
from tests.explorer.searches import REX, environment, write_search
from tests.explorer.studies import REPLAYED, TRAINED, evaluated


def test_status_says_how_a_study_stands(cli: Callable[..., Any], finished: Study) -> None:
    ended = cli("status", finished.reference)
    assert ended.code == 0
    assert "study small, begun" in ended.out
    assert "evaluations: 5 of 5, 0 repeats, 0 failed" in ended.out
    assert f"front: {len(finished.front())} designs" in ended.out
    assert f"workload: {finished.outline.workload}\n" in ended.out
    assert "strategy random, seed 0\n" in ended.out
    assert re.search(r"time: \d+:\d\d from the first evaluation to the last, \d+:\d\d evaluating\n", ended.out)
    assert "rex resume" not in ended.out


def test_a_study_that_has_only_begun_is_told_as_such(cli: Callable[..., Any], tmp_path: Path) -> None:
    prepared = prepare(write_search(tmp_path), store=str(tmp_path / "x.db"))
    prepared.study.store.create(prepared.study.record)
    ended = cli("status", "x.db")
    assert ended.code == 0
    assert "evaluations: 0 of 5" in ended.out
    assert "not finished: rex resume x.db" in ended.out
    ended = cli("pareto", "x.db")
    assert (ended.code, ended.out) == (0, "")
    assert "the front is empty: nothing finished yet" in ended.err
    assert json.loads(cli("pareto", "x.db", "--format", "json").out) == []
    ended = cli("pareto", "x.db", "--format", "csv")
    assert ended.out == "design,reram_layers,gpu_layers,crossbar_size,cell_bits,bn,accuracy,latency,area\n"
    assert "the front is empty: nothing finished yet" in ended.err


def test_the_front_is_printed_as_a_table_best_first(cli: Callable[..., Any], finished: Study) -> None:
    ended = cli("pareto", finished.reference, "--sort", "area")
    assert ended.code == 0
    front = finished.front().sorted_by("area")
    places = [ended.out.index(point.label) for point in front]
    assert all(point.label in ended.out for point in front)
    assert places[0] == min(places)


def test_the_front_as_json_and_as_csv_says_the_same(cli: Callable[..., Any], finished: Study) -> None:
    rows = json.loads(cli("pareto", finished.reference, "--format", "json").out)
    table = list(csv.DictReader(io.StringIO(cli("pareto", finished.reference, "--format", "csv").out)))
    assert len(rows) == len(table) == len(finished.front())
    for row, line in zip(rows, table, strict=True):
        assert set(row) <= set(line)
        assert line["bn"] == row["bn"]
        assert float(line["accuracy"]) == row["accuracy"]
        assert set(row["bn"]) <= {"0", "1"}
        assert len(row["bn"]) == 8, "leading zeros stay"
        assert line["design"] == row["design"]


def test_the_front_is_restricted_and_sorted(cli: Callable[..., Any], finished: Study) -> None:
    ended = cli("pareto", finished.reference, "--where", "area < 150 mm2", "--sort", "latency", "--format", "json")
    rows = json.loads(ended.out)
    assert rows
    assert all(row["area"] < 150 for row in rows)
    assert [row["latency"] for row in rows] == sorted(row["latency"] for row in rows)
    by_variable = json.loads(cli("pareto", finished.reference, "--sort", "crossbar_size", "--format", "json").out)
    assert [row["crossbar_size"] for row in by_variable] == sorted(row["crossbar_size"] for row in by_variable)
    ended = cli("pareto", finished.reference, "--where", "area < 1 mm2")
    assert (ended.code, ended.out) == (0, "")
    assert re.search(r"the front is empty: of (\d+) designs \1 break area < 1 mm2", ended.err)
    assert "The nearest, which do not satisfy it" in ended.err


@pytest.mark.parametrize("descending", [None, True, False])
def test_what_a_front_is_sorted_by_and_restricted_to_has_columns(
    cli: Callable[..., Any], finished: Study, descending: bool | None
) -> None:
    flags = [] if descending is None else ["--descending" if descending else "--ascending"]
    where = "peak_temperature_k < 500 and reram_layers <= 3"
    asked = ("pareto", finished.reference, "--sort", "power_w", "--where", where, *flags)
    out = cli(*asked).out
    header = [cell.strip() for cell in re.split("[┃]", out.splitlines()[2])]
    assert {"power [W]", "peak temperature [K]", "reram layers"} <= set(header)
    assert f"\n  {finished.outline.workload}\n" in out
    rows = json.loads(cli(*asked, "--format", "json").out)
    shown = [row["power_w"] for row in rows]
    assert len(set(shown)) > 1
    assert shown == sorted(shown, reverse=bool(descending))
    lines = list(csv.DictReader(io.StringIO(cli(*asked, "--format", "csv").out)))
    assert [float(line["power_w"]) for line in lines] == shown
    assert all(float(line["peak_temperature_k"]) < 500 for line in lines)


def test_what_is_held_out_is_a_column_when_it_is_asked_for(cli: Callable[..., Any], finished: Study) -> None:
    assert "test accuracy" not in cli("pareto", finished.reference).out
    assert "test accuracy [%]" in cli("pareto", finished.reference, "--sort", "test_accuracy").out
    assert "test accuracy [%]" in cli("pareto", finished.reference, "--where", "test_accuracy > 0").out


def test_a_field_is_named_without_its_unit_too(cli: Callable[..., Any], finished: Study) -> None:
    short, full = (
        cli("pareto", finished.reference, "--where", f"{name} < 500 K", "--sort", name).out
        for name in ("peak_temperature", "peak_temperature_k")
    )
    assert "peak temperature [K]" in short
    assert short.splitlines()[1:] == full.splitlines()[1:], "but for the title, which tells what was asked"


def test_a_front_is_written_to_a_file_but_never_over_one(
    cli: Callable[..., Any], finished: Study, tmp_path: Path
) -> None:
    for form, name in (("csv", "f.csv"), ("json", "f.json")):
        ended = cli("pareto", finished.reference, "--format", form, "--out", name)
        assert (ended.code, ended.out) == (0, "")
        text = (tmp_path / name).read_text()
        assert text.strip() == cli("pareto", finished.reference, "--format", form).out.strip()
        ended = cli("pareto", finished.reference, "--format", form, "--out", name, "--sort", "area")
        assert ended.code == 2
        assert "is there already; remove it or choose another name" in ended.err
        assert (tmp_path / name).read_text() == text
    ended = cli("pareto", finished.reference, "--out", "f.csv", "--format", "json")
    assert ended.code == 2
    assert "f.csv would be csv, but --format says json" in ended.err
    ended = cli("pareto", finished.reference, "--out", "f.html")
    assert ended.code == 2
    assert "end with one of .txt, .csv, .json, .parquet, or give --format" in ended.err
    ended = cli("pareto", finished.reference, "--format", "csv", "--out", "no/where.csv")
    assert ended.code == 2
    assert "cannot write no/where.csv" in ended.err
    assert cli("pareto", finished.reference, "--out", "g.json").code == 0
    assert (tmp_path / "g.json").read_text() == (tmp_path / "f.json").read_text()
    assert cli("pareto", finished.reference, "--out", "g.txt").code == 0
    assert (tmp_path / "g.txt").read_text() == cli("pareto", finished.reference).out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv", "f.json", "g.json", "g.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--where", "aera < 1"], "rex: --where: unknown name 'aera' (did you mean 'area'?)"),
        (["--where", "area <"], "^"),
        (["--where", "area < 3 K"], "temperature"),
        (["--where", "__import__('os')"], "rex: --where: "),
        (["--sort", "aera"], "rex: --sort: unknown name 'aera' (did you mean 'area'?)"),
        (["--format", "xml"], "--format"),
    ],
)
def test_a_question_that_makes_no_sense_ends_with_code_2(
    cli: Callable[..., Any], finished: Study, arguments: list[str], words: str
) -> None:
    ended = cli("pareto", finished.reference, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("command", ["status", "pareto", "resume"])
def test_what_is_no_study_is_refused_and_left_as_it_is(cli: Callable[..., Any], tmp_path: Path, command: str) -> None:
    (tmp_path / "text.db").write_text("no database")
    (tmp_path / "empty.db").touch()
    for place in ("none.db", "text.db", "empty.db", ".", "text.db/x", "postgresql://u:secret@127.0.0.1:1/x", "foo://x"):
        ended = cli(command, place)
        assert (ended.code, ended.out) == (2, ""), place
        assert ended.err.startswith("rex: ")
        assert "secret" not in ended.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "text.db"]
    assert (tmp_path / "empty.db").read_bytes() == b""


def test_asking_a_study_never_runs_the_file_of_its_objective(
    ray_cluster: None, cli: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        """
from objectives import objective

@objective(direction="minimize", unit="J s")
def product(hardware):
    return hardware.energy_j * hardware.latency_s
"""
    )
    path = write_search(
        tmp_path, ("[accuracy, latency, area]", "['mine.py:product', area]"), ("fidelity: {epochs: 1}\n", "")
    )
    study = run(path, store=str(tmp_path / "x.db"))
    (tmp_path / "mine.py").write_text("from pathlib import Path\nPath('ran').touch()\nraise SystemExit(7)")
    for arguments in (
        ["status"],
        ["pareto"],
        ["pareto", "--where", "area < 1000 mm2"],
        ["pareto", "--sort", "product"],
        ["pareto", "--what-if", "area < 1000 mm2", "--objectives", "product,power:min"],
        ["export"],
        ["report", "--out", "report.html"],
        *(["plot", "--kind", kind, "--out", f"{kind}.html"] for kind in ("pairs", "convergence", "breakdown")),
    ):
        ended = cli(arguments[0], study.reference, *arguments[1:])
        assert ended.code == 0, ended.err
    for form, stream in (("table", "out"), ("csv", "err")):
        ended = cli("pareto", study.reference, "--where", "area < 1000", "--format", form)
        assert "which is not run: only stored designs" in getattr(ended, stream)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "command",
    ["pareto {}", "pareto {} --format csv", "pareto {} --format json", "schema", "list fields", "simulate deeptrain"],
)
@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_has_enough_brings_no_traceback(
    finished: Study, tmp_path: Path, command: str, reader: str
) -> None:
    line = f"{{ {REX} {command.format(finished.reference)}; echo $? > code; }} | {reader}"
    ended = subprocess.run(
        ["/bin/sh", "-c", line], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert ended.stderr == ""
    assert ended.returncode == 0
    code = int((tmp_path / "code").read_text())
    assert code == 141 or (code == 0 and reader == "head -1"), "141: closed before everything was read"


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Of trainings replayed from a table, with curves over the epochs."""
    return evaluated(tmp_path_factory.mktemp("replayed"), *TRAINED, changes=REPLAYED)


def records(ended: Any) -> list[dict[str, Any]]:
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


@pytest.mark.parametrize(
    ("options", "question"),
    [
        (["--objectives", "accuracy, power:min"], {"objectives": ["accuracy", "power:min"]}),
        (["--at-fidelity", "3"], {"at_fidelity": 3}),
        (
            ["--what-if", "area < 110 mm2", "--what-if", "accuracy >= 30 %"],
            {"what_if": ["area < 110 mm2", "accuracy >= 30 %"]},
        ),
        (["--where", "cell_bits == 1", "--objectives", "area"], {"where": "cell_bits == 1", "objectives": ["area"]}),
    ],
)
def test_questions_are_asked_on_the_command_line_as_in_python(
    cli: Callable[..., Any], replayed: Study, options: list[str], question: dict[str, Any]
) -> None:
    front = replayed.front(**question)
    assert front
    ended = cli("pareto", replayed.reference, *options, "--format", "json")
    best = front.outline.objectives[0].name
    assert records(ended) == json.loads(front.sorted_by(best).to_json())
    assert ended.err.splitlines() == list(front.notes)
    table = cli("pareto", replayed.reference, *options).out
    assert all(text in table for text in [*front.notes, *(point.label for point in front)])


def test_designs_are_shown_in_the_order_in_which_one_might_take_them(cli: Callable[..., Any], replayed: Study) -> None:
    front = replayed.front()
    for options, ranked in (
        (["--knee"], front.rank()),
        (["--weights", "accuracy=2, area = 1"], front.rank(weights={"accuracy": 2, "area": 1})),
        (["--ideal", "accuracy=86 %, latency=10 us"], front.rank(ideal={"accuracy": 0.86, "latency": 1e-5})),
        (["--ideal", "area=0", "--weights", "area=1"], front.rank(ideal={"area": 0}, weights={"area": 1})),
    ):
        rows = records(cli("pareto", replayed.reference, *options, "--format", "json"))
        assert [row["design"] for row in rows] == [point.label for point in ranked]
        assert [row["score"] for row in rows] == list(ranked.scores)
        some = records(cli("pareto", replayed.reference, *options, "--format", "json", "--limit", "2"))
        assert some == rows[:2]
        table = cli("pareto", replayed.reference, *options, "--limit", "1").out
        assert ranked.title in table
        assert ranked.points[0].label in table
        assert f"on the front besides: {len(front) - 1} designs" in table


def test_a_front_is_written_as_parquet(cli: Callable[..., Any], replayed: Study, tmp_path: Path) -> None:
    ended = cli("pareto", replayed.reference, "--out", "front.parquet", "--limit", "3")
    assert (ended.code, ended.out) == (0, "")
    assert "wrote front.parquet" in ended.err
    frame = pandas.read_parquet(tmp_path / "front.parquet")
    assert frame["accuracy"].tolist() == sorted((p.values["accuracy"] for p in replayed.front()), reverse=True)[:3]
    assert cli("pareto", replayed.reference, "--out", "front.parquet").code == 2


def test_all_evaluations_are_exported(cli: Callable[..., Any], replayed: Study, tmp_path: Path) -> None:
    table = list(csv.DictReader(io.StringIO(cli("export", replayed.reference).out)))
    rows = records(cli("export", replayed.reference, "--format", "json", "--curves"))
    assert len(table) == len(rows) == len(replayed.evaluations)
    for line, row, evaluation in zip(table, rows, replayed.evaluations, strict=True):
        assert float(line["latency"]) == row["latency"] == evaluation.values["latency"], "to the last digit"
        assert line["bn"] == row["bn"] == str(evaluation.design["bn"])
        assert row["accuracy_curve"] == evaluation.series["accuracy"]
    ended = cli("export", replayed.reference, "--out", "all.parquet", "--curves", "--derived")
    assert (ended.code, ended.out) == (0, "")
    frame = pandas.read_parquet(tmp_path / "all.parquet")
    assert frame["latency"].tolist() == [row.values["latency"] for row in replayed.rows]
    assert frame["accuracy_curve"][0].tolist() == replayed.evaluations[0].series["accuracy"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--curves"], "rex: --curves: csv has no lists; write parquet or json"),
        (["--format", "parquet"], "parquet is no text; name a file"),
        (["--out", "all.txt"], "end with one of .csv, .json, .parquet"),
        (["--out", "no/where.parquet"], "cannot write no/where.parquet"),
        (["--format", "xml"], "--format"),
    ],
)
def test_exports_that_make_no_sense_end_with_code_2(
    cli: Callable[..., Any], replayed: Study, arguments: list[str], words: str
) -> None:
    ended = cli("export", replayed.reference, *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--objectives", "accuracy,latancy"], "rex: --objectives: unknown name 'latancy' (did you mean 'latency'?)"),
        (["--objectives", "power"], "write power:min or power:max"),
        (["--at-fidelity", "13"], "rex: --at-fidelity: 13 is not between 1 and 12 epochs"),
        (["--what-if", "area < 3 K"], "rex: --what-if: "),
        (["--knee", "--sort", "area"], "--sort and --knee are orders of their own; give one of them"),
        (["--knee", "--weights", "area=1"], "--weights and --knee are orders of their own"),
        (["--knee", "--ascending"], "rex: --descending: --knee shows the best first; leave it out"),
        (["--weights", "accuracy=x"], "rex: --weights: 'accuracy=x' is not NAME=NUMBER"),
        (["--weights", "accuracy=nan"], "rex: --weights: 'accuracy=nan' is not NAME=NUMBER"),
        (["--weights", "accuracy=1,accuracy=2"], "rex: --weights: accuracy is there twice"),
        (["--weights", "power=1"], "rex: --weights: 'power_w' is no objective"),
        (["--ideal", "latency=3 K"], "rex: --ideal: '3 K' is a temperature, not a time; write it in s"),
        (["--limit", "0"], "--limit"),
        (["--format", "parquet"], "parquet is no text; name a file"),
    ],
)
def test_orders_and_questions_that_make_no_sense_end_with_code_2(
    cli: Callable[..., Any], replayed: Study, arguments: list[str], words: str
) -> None:
    ended = cli("pareto", replayed.reference, *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert ended.out == ""
