"""The example that makes the table, on few images."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from explorer import load_study
from simulators.protocol import Workload
from simulators.training.table import read_table
from simulators.training.tabulated import TabulatedTraining
from tests.explorer.conftest import ray_cluster
from tests.explorer.searches import rex
from tests.simulators.training.tables import made_up_table

__all__ = ["ray_cluster"]

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = ("proxy.train_images=128", "proxy.width=0.0625", "fidelity.epochs=2")


@pytest.fixture
def bn_table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("bn_table")


@pytest.fixture
def make(
    bn_table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The script, in an empty folder; what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> str:
        places = ["--folder", "kept", "--out", "table.parquet", "--workers", "1"]
        monkeypatch.setattr(sys, "argv", ["bn_table.py", *places, *arguments])
        capsys.readouterr()
        bn_table.main()
        return capsys.readouterr().out

    return call


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_it_trains_goes_on_and_writes_what_the_simulator_replays(
    make: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make("--placements", "2", "--seeds", "1", *(part for setting in SMALL for part in ("--set", setting)))
    first = {e.key: e.started_at for e in load_study(tmp_path / "kept" / "bn_table.db").evaluations}
    assert len(first) == 2

    told = make("--placements", "3", "--seeds", "2")
    assert "3 of 256 placements, 6 trainings of 2 epochs" in told
    for words in ("seed noise", "10-90 % range", "noise / range", "rank correlation"):
        assert words in told
    study = load_study(tmp_path / "kept" / "bn_table.db")
    assert first.items() <= {e.key: e.started_at for e in study.evaluations}.items(), "nothing was trained again"

    table = read_table(tmp_path / "table.parquet")
    assert {len(curves) for curves in table.curves.values()} == {2}
    then = {name.removeprefix("training."): value for name, value in study.record.provenance.items()}
    assert table.settings.provenance == then
    assert {"images_sha256", "recipe", "proxy", "torch"} <= then.keys()
    simulator = TabulatedTraining({"table": tmp_path / "table.parquet"})
    for e in study.evaluations:
        report = simulator.simulate(e.design, Workload("vgg11", "fashion-mnist"), fidelity=2, seed=e.seed)
        for name in ("accuracy", "test_accuracy", "loss"):
            assert report.series[name].tolist() == e.series[name]
        assert report.row()["accuracy"] == e.values["accuracy"]
        assert report.row()["parameters"] == e.quantities["parameters"]

    (tmp_path / "table.parquet").unlink()
    make("--partial")
    assert read_table(tmp_path / "table.parquet").checksum == table.checksum

    with pytest.raises(SystemExit) as ended:
        make("--set", "fidelity.epochs=3")
    assert ended.value.code == 2
    assert "choose another --folder" in capsys.readouterr().err


def test_there_is_no_partial_table_of_nothing(make: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make("--partial")
    assert ended.value.code == 2
    assert "bn_table.db" in capsys.readouterr().err


def test_it_shows_how_soon_random_placements_have_the_front(bn_table: ModuleType) -> None:
    shares = bn_table.saturation(made_up_table(), draws=5)
    assert list(shares) == [1, 2, 4, 8, 16, 32, 64, 128]
    assert 0 < shares[1] < shares[8] < shares[64] < shares[128] < 1


def test_the_search_file_is_right(tmp_path: Path) -> None:
    ended = rex("check", EXAMPLES / "bn_table.yaml", cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
