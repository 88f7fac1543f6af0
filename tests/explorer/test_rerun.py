"""An evaluation repeated, beside what is stored of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer import InputError, Study, run
from explorer.clock import SimulatedPool
from explorer.rerun import Compared
from explorer.rerun_table import rerun_rows
from tests.explorer.problems import accuracy, area, family_problem, latency
from tests.explorer.studies import evaluated, rewritten

OBJECTIVE = """
from objectives import objective

@objective(direction="minimize", unit="J s")
def product(hardware):
    return hardware.energy_j * hardware.latency_s
"""
TABULATED = (
    ("simulators: [deeptrain, training]", "simulators: [deeptrain, tabulated]"),
    ("proxy: {width: 0.0625, train_images: 300}\n", ""), ("[accuracy, latency, area]", "['./mine.py:sure', area]"),
)  # fmt: skip
"""Replayed trainings: what a training gives, in no time."""

SURE = """
from objectives import objective

@objective(direction="maximize")
def sure(training):
    return training.accuracy
"""
HARDWARE = (("[accuracy, latency, area]", "['./mine.py:product', area]"), ("fidelity: {epochs: 1}\n", ""))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of one training; only to be read."""
    return evaluated(tmp_path_factory.mktemp("trained"), {"bn": "all"})


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A study of a user's objective in which nothing is trained."""
    folder = tmp_path_factory.mktemp("computed")
    (folder / "mine.py").write_text(OBJECTIVE)
    return evaluated(folder, {"bn": "all"}, changes=HARDWARE)


def test_what_was_evaluated_comes_out_again_to_the_last_digit(alone: None, trained: Study) -> None:
    before = trained.store.evaluations(trained.name)
    (evaluation, *_) = trained.evaluations
    found = trained.rerun(1)
    assert found.equal
    assert found.differing == []
    assert found.reasons == ()
    names = {number.name: number for number in found.numbers}
    assert names["accuracy"].stored == names["accuracy"].now == evaluation.values["accuracy"]
    assert {"latency_s", "loss", "loss[1]", "test_accuracy"} <= set(names)
    assert not {"paid", "training_time_s", "paid_time_s[1]"} & set(names), "times are not compared"
    assert found.now.cost == 1, "from scratch"
    assert found.now.seed == evaluation.seed
    assert trained.store.evaluations(trained.name) == before
    assert list(found.to_pandas()["equal"].unique()) == [True]
    rows = rerun_rows(found)
    assert len(rows.rows) == sum(number.kind != "curve" for number in found.numbers)
    assert rows.notes[0] == f"all {len(found.numbers)} numbers are equal, to the last digit"
    assert not rows.emphasised


def test_a_number_that_is_another_is_told_with_what_has_changed(alone: None, trained: Study, tmp_path: Path) -> None:
    (row, *_) = trained.evaluations
    loss = row.series["loss"][0]
    stored = replace(
        row, values={**row.values, "latency": 1e-6}, quantities={**row.quantities, "gone": 1.0},
        series={**row.series, "loss": [math.nextafter(loss, 9), 0.5]}, provenance={"training.machine": "cuda (H100)"},
    )  # fmt: skip
    noted = {**trained.record.provenance, "training.torch": "1.0.0"}
    found = rewritten(trained, tmp_path, [stored], provenance=noted, code_version="0.0.1").rerun(1)
    assert not found.equal
    assert [number.name for number in found.differing] == ["latency", "gone", "loss[1]", "loss[2]"]
    assert [reason.partition(" was ")[0] for reason in found.reasons] == [
        "reram-explorer", "training.torch", "training.machine",
    ]  # fmt: skip
    rows = rerun_rows(found)
    cells = {row[0]: row[1:] for row in rows.rows}
    assert cells["latency [s]"][2] == f"{row.values['latency'] - 1e-6:+.3g}"
    assert cells["gone"] == ("1", "-", "-")
    assert cells["loss[1] [nat]"][2].startswith("-")
    assert {rows.rows[index][0] for index in rows.emphasised} == {
        "latency [s]",
        "gone",
        "loss[1] [nat]",
        "loss[2] [nat]",
    }
    assert rows.notes[0] == f"4 of {len(found.numbers)} numbers differ"
    assert any(note.startswith("likely reason: training.torch was 1.0.0, is ") for note in rows.notes)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (told["equal"], told["evaluation"], len(told["reasons"])) == (False, 1, 3)


def test_a_users_file_is_run_again_and_named_where_it_has_changed(alone: None, computed: Study) -> None:
    assert computed.rerun("bn=all").equal
    path = Path(computed.record.folder) / "mine.py"
    path.write_text(OBJECTIVE.replace("* hardware", "+ hardware"))
    try:
        found = computed.rerun(1)
    finally:
        path.write_text(OBJECTIVE)
    assert [number.name for number in found.differing] == ["product"]
    (reason,) = found.reasons
    assert reason.startswith("./mine.py was ")


def test_where_nothing_that_was_noted_has_changed_the_code_is_to_blame(
    alone: None, computed: Study, tmp_path: Path
) -> None:
    (row,) = computed.evaluations
    wrong = replace(row, values={**row.values, "area": 1.0})
    found = rewritten(computed, tmp_path, [wrong]).rerun(1)
    (reason,) = found.reasons
    assert "then the code has, under the same version" in reason


def test_what_failed_fails_again_or_does_not(alone: None, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SURE.replace("return", "raise RuntimeError('no')\n    return"))
    study = evaluated(tmp_path, {"bn": "all"}, changes=TABULATED)
    found = study.rerun(1)
    assert found.equal
    rows = rerun_rows(found)
    assert rows.rows[0][0] == "failure"
    assert "RuntimeError: no" in rows.rows[0][1]
    assert rows.rows[0][3] == "none"
    assert rows.notes[0] == "it fails again, for the same reason"
    (tmp_path / "mine.py").write_text(SURE)
    found = study.rerun(1)
    assert not found.equal
    assert found.now.values.keys() == {"sure", "area"}
    rows = rerun_rows(found)
    assert rows.rows[0][2:] == ("none", "another")
    assert rows.notes[0] == "it failed then, and does not fail now"
    assert 0 in rows.emphasised


def test_a_worker_that_dies_takes_nothing_along(
    ray_cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.py").write_text(SURE)
    study = evaluated(tmp_path, {"bn": "all"}, changes=TABULATED)
    (tmp_path / "mine.py").write_text(SURE.replace("return", "__import__('os')._exit(1)\n    return"))
    found = study.rerun(1)
    assert found.now.failure == "worker died: its process was killed, or crashed (attempt 3)"
    assert rerun_rows(found).notes[0] == "it did not fail then, and fails now"
    died = rewritten(study, tmp_path, [found.now])
    (tmp_path / "mine.py").write_text(SURE)
    monkeypatch.setattr("explorer.rerun._hired", lambda problem, _: SimulatedPool(problem, 1))
    found = died.rerun(1)
    assert not found.now.failed
    assert "worker died then, which need" in found.reasons[0]


def test_an_objective_that_reads_a_time_is_not_compared(alone: None, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SURE.replace("training.accuracy", "1 / (1 + training.training_time_s)"))
    study = evaluated(tmp_path, {"bn": "all"}, changes=TABULATED)
    found = study.rerun(1)
    assert found.equal
    assert "sure" not in [number.name for number in found.numbers]


def test_a_study_of_functions_is_repeated_with_its_problem(
    ray_cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = run(family_problem(), budget=2, study="chips", store=str(tmp_path / "x.db"))
    monkeypatch.setattr("explorer.rerun._hired", lambda problem, _: SimulatedPool(problem, 1))
    with pytest.raises(InputError, match=r"load_study\('.*x.db'\).rerun\(2, problem\) with the same problem"):
        study.rerun(2)
    assert study.rerun(2, family_problem()).equal
    larger = {"accuracy": accuracy, "latency": latency, "area": lambda designs: 2 * area(designs)}
    other = family_problem(functions=larger)
    assert [number.name for number in study.rerun(2, other).differing] == ["area"]


def test_what_a_run_would_lack_is_said_before(alone: None, trained: Study, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    search: dict[str, Any] = {**trained.record.search, "data_dir": str(tmp_path / "data")}
    with pytest.raises(InputError, match="holds no train-images-idx3-ubyte"):
        rewritten(trained, tmp_path, search=search).rerun(1)


@pytest.mark.parametrize(
    ("stored", "now", "equal", "difference"),
    [
        (1.0, 1.0, True, 0.0),
        (1.0, 1.5, False, 0.5),
        (None, 1.0, False, None),
        (None, None, True, None),
        (math.nan, math.nan, True, 0.0),
        (math.inf, math.inf, True, 0.0),
    ],
)
def test_numbers_are_compared_to_the_last_bit(
    stored: float | None, now: float | None, equal: bool, difference: float | None
) -> None:
    number = Compared("x", "field", "", stored, now)
    assert (number.equal, number.difference) == (equal, difference)
