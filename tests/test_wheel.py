"""The product as users install it: a wheel, far from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from explorer import load_study
from tests.explorer.searches import environment, write_search

ROOT = Path(__file__).parents[1]
PACKAGES = {"explorer", "simulators", "objectives", "clusters"}


def pip(*arguments: object) -> None:
    options = ["--disable-pip-version-check", "--no-deps", "--no-index", "--quiet"]
    command, *rest = map(str, arguments)
    ended = subprocess.run(
        [sys.executable, "-m", "pip", command, *options, *rest], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def target(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder with the wheel installed into it."""
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheel)
    return folder


def test_the_wheel_holds_the_four_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert wheel.name.startswith("reram_explorer-")
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    data = "simulators/training/data"
    assert {f"{data}/{name}" for name in ("fashion_mnist_10k.npz", "bn_vgg11.parquet", "LICENSE")} <= set(names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    tracked = {str(path.relative_to(ROOT)) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    assert tracked <= set(names), "every module is in the wheel"


OBJECTIVE = """
from pathlib import Path

import explorer
from objectives import objective

@objective(direction="minimize")
def home(hardware):
    assert Path(explorer.__file__).is_relative_to({target!r}), explorer.__file__
    return hardware.area_mm2
"""


def test_a_search_runs_from_the_installed_wheel_outside_the_repository(target: Path, tmp_path: Path) -> None:
    (tmp_path / "home.py").write_text(OBJECTIVE.format(target=str(target)))
    path = write_search(
        tmp_path,
        ("[accuracy, latency, area]", "[accuracy, 'home.py:home', area]"),
        ("{evaluations: 5}", "{evaluations: 3}"),
    )
    rex = target / "bin" / "rex"
    assert os.access(rex, os.X_OK)
    ended = subprocess.run(
        [rex, "run", path], cwd=tmp_path, env=environment(PYTHONPATH=str(target), RAY_ADDRESS=""),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    study = load_study(tmp_path / "results" / "small.db")
    assert [e.failure for e in study.evaluations] == [""] * 3  # the objective ran in the workers, from the wheel
    assert (tmp_path / "results" / "small.html").exists()
