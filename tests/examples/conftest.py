from __future__ import annotations

import importlib
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.protocol import discovery

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples installed as a package that says what the README says it must."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("own_simulator.py", "own_strategy.py"):
        shutil.copy(ROOT / "examples" / name, folder)
    readme = (ROOT / "README.md").read_text()
    said = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])
    lines = []
    for group, points in said["project"]["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
    (folder / "own-1.dist-info").mkdir()
    (folder / "own-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 1\n")
    (folder / "own-1.dist-info" / "entry_points.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package can be found in this process."""
    monkeypatch.syspath_prepend(package)
    importlib.invalidate_caches()
    discovery._group.cache_clear()
    yield
    discovery._group.cache_clear()
