"""``rex run`` and ``rex resume``."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import Study, load_study
from explorer.domination import nondominated
from explorer.launch import resume
from tests.explorer.searches import rex, write_search

HARDWARE_ONLY = (("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))


def test_a_search_prints_progress_front_comparison_and_where_its_page_is(
    ray_cluster: None, cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_search(tmp_path)
    ended = cli("run", path, "--set", "budget.evaluations=3", "--seed", "3", "--study", "mine")
    assert ended.code == 0, ended.err
    assert len(re.findall(r"(?m)^[123]/3  \dR\dG, .*: accuracy .* \[searching; front \d+, hypervolume", ended.out)) == 3
    workload = (
        "vgg11 on fashion-mnist, training; hardware: the full network; "
        "trained: 0.0625 of the width on 300 of the bundled images, 1 epoch"
    )
    assert f"workload: {workload}\n" in ended.out
    assert ended.out.count(f"\n  {workload}\n") == 1 + ("beside the initial" in ended.out), "below every table"
    assert "Pareto front of mine: " in ended.out
    assert "the whole front: rex pareto results/mine.db" in ended.out
    page = Path(re.search(r"page: (.*\.html)", ended.out)[1])  # type: ignore[index]  # else the test fails
    assert page == tmp_path / "results" / "mine.html"
    assert page.read_text().startswith("<!doctype html>")
    study = load_study("results/mine.db")
    assert study.record.search["seed"] == 3
    assert len(study.evaluations) == 3
    assert "Traceback" not in ended.err


def test_a_finished_study_resumes_to_the_same_result(
    ray_cluster: None, cli: Callable[..., Any], finished_copy: Study
) -> None:
    before = finished_copy.rows
    ended = cli("resume", finished_copy.reference)
    assert ended.code == 0, ended.err
    assert "Pareto front of small" in ended.out
    assert load_study(finished_copy.reference).rows == before


def test_a_front_without_designs_is_said_and_no_error(
    ray_cluster: None, cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "accuracy >= 99 %"))
    ended = cli("run", path, "--set", "budget.evaluations=1", "--workers", "1")
    assert ended.code == 0, ended.err
    words = "the front is empty: of 1 design 1 breaks accuracy >= 99 %"
    assert words in ended.err
    assert words in cli("pareto", "results/small.db").err


def test_a_search_in_which_everything_fails_ends_with_1_and_says_where_the_reasons_are(
    ray_cluster: None, cli: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(
        """
from objectives import objective

@objective(direction="maximize")
def bad(training):
    raise RuntimeError("never mind")
"""
    )
    path = write_search(
        tmp_path, ("[accuracy, latency, area]", "['bad.py:bad', area]"), ("{evaluations: 5}", "{evaluations: 2}")
    )
    ended = cli("run", path, "--workers", "1")
    assert ended.code == 1
    assert "failed, objective 'bad' raised RuntimeError: never mind" in ended.out
    assert "2 evaluations failed: rex status results/small.db says why" in ended.err
    status = cli("status", "results/small.db")
    assert "failed 2 x: objective 'bad' raised RuntimeError: never mind (bad.py, line 6)" in status.out


def test_a_worker_that_dies_is_told_in_the_line_of_its_evaluation_and_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text(
        """
import os
from objectives import objective

@objective(direction="maximize")
def dies(training):
    os._exit(1)
"""
    )
    path = write_search(
        tmp_path, ("[accuracy, latency, area]", "['dies.py:dies', area]"), ("{evaluations: 5}", "{evaluations: 1}")
    )
    ended = rex("run", path, "--workers", "1", cwd=tmp_path)
    assert ended.returncode == 1
    assert "1/1  3R1G, 128x128, 2 bit/cell, All-BN: failed, worker died: its process was killed" in ended.stdout
    assert "raylet" not in ended.stdout + ended.stderr
    (evaluation,) = load_study(tmp_path / "results" / "small.db").evaluations
    assert "The actor died unexpectedly" in evaluation.traceback


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search.yaml", "--set", "budget.evaluations=0"], "--set budget.evaluations: write 1 or more"),
        (["search.yaml", "--set", "nonsense"], "is not key=value"),
        (["search.yaml", "--set", "objectives=[acuracy]"], "did you mean 'accuracy'?"),
        (["search.yaml", "--study", "../mine"], "--study: write letters, digits and . _ - only"),
        (["search.yaml", "--store", "search.yaml"], "is not a SQLite database"),
        (["search.yaml", "--store", "."], "is a folder"),
        (["search.yaml", "--store", "search.yaml/x.db"], "cannot be written"),
        (["search.yaml", "--data-dir", "nowhere"], "is not a folder"),
        (["search.yaml", "--seed", "99999999999"], "--seed: write 0 to 4294967295, not 99999999999"),
        (["none.yaml"], "cannot read the search file none.yaml (No such file or directory)"),
        (["."], "Is a directory"),
        (["search.yaml", "--workers", "0"], "--workers"),
        (["search.yaml", "--seed", "-1"], "--seed"),
        ([], "FILE"),
    ],
)
def test_bad_input_is_one_message_on_stderr_with_code_2_and_leaves_nothing_behind(
    cli: Callable[..., Any], tmp_path: Path, arguments: list[str], words: str
) -> None:
    path = write_search(tmp_path)
    ended = cli("run", *arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert words in ended.err.replace("│\n│ ", "")
    assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == [path]


def test_a_wrong_search_file_is_refused_with_its_lines_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("accuracy, latency", "acuracy, latency"), ("reram_layers:", "reram_layer:"))
    ended = rex("run", path, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.splitlines() == [
        f"rex: {path}: 2 mistakes",
        "  line 8: variables.reram_layer: unknown variable (did you mean 'reram_layers'?)",
        "  line 13: objectives.0: unknown objective 'acuracy' (did you mean 'accuracy'?); the other checks go by that",
    ]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.db"], "there is no study at none.db; `rex run FILE` makes one"),
        (["copy.db#other"], "holds no study 'other'"),
        (
            ["copy.db", "--set", "seed=2"],
            "only budget, confirm, workers and checkpoints_limit can be changed on",
        ),
        (["copy.db", "--set", "budget.evaluations=x"], "--set budget.evaluations: write a whole number"),
        (["."], "is a folder"),
    ],
)
def test_what_cannot_be_resumed_is_one_message_with_code_2(
    cli: Callable[..., Any], finished_copy: Study, arguments: list[str], words: str
) -> None:
    before = finished_copy.rows
    ended = cli("resume", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert finished_copy.refresh().rows == before


def test_a_search_needs_no_terminal_of_a_certain_encoding(tmp_path: Path, finished: Study) -> None:
    for encoding in ("ascii", "latin-1", "utf-8"):
        ended = rex("pareto", finished.reference, cwd=tmp_path, PYTHONIOENCODING=encoding, COLUMNS="200")
        assert ended.returncode == 0, ended.stderr
        assert "Traceback" not in ended.stderr


def test_where_nothing_is_trained_one_evaluation_completes_the_front_and_the_search_says_why(
    ray_cluster: None, cli: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_search(tmp_path, *HARDWARE_ONLY, ("seed: 0", "confirm: {replicates: 3, families: 2}"))
    assert "nothing to train: every design is computed exactly, so one evaluation" in cli("check", path).out
    ended = cli("run", path, "--workers", "1")
    assert ended.code == 0, ended.err
    assert "nothing to train: every design is computed exactly, so one evaluation completes the front" in ended.out
    study = load_study("results/small.db")
    assert len(study.evaluations) == 1
    assert ended.out.count("computed exactly") > len(study.front())
    assert "derived" not in ended.out
    assert "never proposed" not in ended.out
    problem = study.assemble().problem
    every = problem.space.at(range(problem.space.size))
    known = problem.known(every)
    table = np.column_stack([known.objectives[o.name] for o in problem.objectives])[known.feasible]
    best = {tuple(row) for row in table[nondominated(table, problem.objectives)]}
    assert {tuple(row) for row in study.front().matrix} == best, "of all designs"
    status = cli("status", "results/small.db").out
    assert "evaluations: 1 of 1, 0 repeats, 0 failed" in status
    assert "not finished" not in status
    again = cli("resume", "results/small.db")
    assert "already complete, nothing is left to run\n" in again.err
    assert len(study.refresh().evaluations) == 1


def test_a_complete_study_says_so_at_once_and_shows_its_front_without_starting_anything(
    cli: Callable[..., Any], finished_copy: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.workers.pool.RayPool.__init__", lambda *_: pytest.fail("workers are started"))
    ended = cli("resume", finished_copy.reference)
    assert ended.code == 0, ended.err
    assert "already complete, nothing is left to run; a larger budget goes on: rex resume" in ended.err
    assert "Pareto front of small" in ended.out
    assert not resume(finished_copy.reference, settings=["budget.evaluations=6"]).complete
    assert not resume(finished_copy.reference, settings=["confirm={replicates: 2, families: 1}"]).complete


def test_the_version_is_told(cli: Callable[..., Any]) -> None:
    ended = cli("--version")
    assert (ended.code, ended.out) == (0, f"reram-explorer {version('reram-explorer')}\n")
