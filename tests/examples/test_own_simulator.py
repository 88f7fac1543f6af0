"""The example of a simulator, installed as its readers would install it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulators.protocol import Designs, InputError, Workload, load_simulator
from tests.explorer.conftest import Outcome, cli
from tests.explorer.searches import rex

__all__ = ["cli"]

SEARCH = """\
name: own
workload: {network: vgg11, dataset: fashion-mnist}
simulators: [multicore]
objectives: [latency, area]
budget: {evaluations: 9}
workers: 1
"""


@pytest.mark.usefixtures("installed")
def test_it_is_listed_simulated_and_searched(package: Path, tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    assert "multicore" in cli("list", "simulators").out
    arguments = ["simulate", "multicore", "--set", "cores=60", "--set", "lanes=256", "--format", "json"]
    report = json.loads(cli(*arguments).out)
    assert report["feasible"] is False
    assert report["reason"] == "43 mm2 are too large to make"
    (tmp_path / "own.yaml").write_text(SEARCH)
    ended = rex("run", "own.yaml", cwd=tmp_path, PYTHONPATH=str(package))  # its workers find the package by this
    assert ended.returncode == 0, ended.stderr
    assert "1/1  " in ended.stdout, "nothing to train: one evaluation is enough"
    assert "computed exactly" in ended.stdout
    rows = json.loads(cli("pareto", "results/own.db", "--format", "json").out)
    assert len(rows) > 10
    assert all(row["area"] <= 25 for row in rows)


IDLE = """
from dataclasses import replace
from own_simulator import VARIABLES, Multicore

class Idle(Multicore):
    name = "idle"

    def variables(self, workload):
        return tuple(replace(variable, searched=False) for variable in VARIABLES)
"""


def test_where_no_variable_is_searched_unasked_the_message_says_what_to_write(package: Path, tmp_path: Path) -> None:
    (tmp_path / "idle.py").write_text(IDLE)
    (tmp_path / "idle-1.dist-info").mkdir()
    (tmp_path / "idle-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: idle\nVersion: 1\n")
    points = "[reram_explorer.simulators]\nidle = idle:Idle\n"
    (tmp_path / "idle-1.dist-info" / "entry_points.txt").write_text(points)
    path = f"{package}{os.pathsep}{tmp_path}"
    (tmp_path / "own.yaml").write_text(SEARCH.replace("multicore", "idle"))
    ended = rex("check", "own.yaml", cwd=tmp_path, PYTHONPATH=path)
    assert ended.returncode == 2
    advice = "variables: {cores: search}"
    assert f"nothing to search: choose among cores, lanes, such as `{advice}`" in ended.stderr
    (tmp_path / "own.yaml").write_text(f"{SEARCH}{advice}\n")
    assert rex("check", "own.yaml", cwd=tmp_path, PYTHONPATH=path).returncode == 0


@pytest.mark.usefixtures("installed")
def test_time_falls_and_area_grows_with_the_number_of_multipliers() -> None:
    simulator = load_simulator("multicore")()
    report = simulator.simulate(Designs({"cores": np.array([1, 2, 4])}), Workload("vgg11"))  # type: ignore[attr-defined]  # a hardware simulator
    assert report.latency_s[0] == pytest.approx(4 * report.latency_s[2])
    assert report.area_mm2 == pytest.approx([0.328, 0.656, 1.312])
    inference = simulator.simulate(Designs({"cores": np.array([1])}), Workload("vgg11", mode="inference"))  # type: ignore[attr-defined]  # a hardware simulator
    assert report.latency_s[0] == pytest.approx(3 * inference.latency_s[0])
    with pytest.raises(InputError, match="no settings"):
        load_simulator("multicore")({"size": 3})
