"""Arrows in one direction: explorer asks objectives, objectives read simulators."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {
    "simulators": {"explorer", "objectives", "clusters"},
    "objectives": {"explorer", "clusters"},
    "clusters": {"explorer", "objectives", "simulators"},
    "explorer": set[str](),
}
PACKAGES = [*FORBIDDEN]
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports anywhere, in functions and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports have no full name"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        assert name.partition(".")[0] not in FORBIDDEN[package], name
        if package in ("explorer", "objectives") and name.startswith("simulators"):
            assert name == "simulators.protocol" or name.startswith("simulators.protocol."), name


def test_no_simulator_and_no_network_is_known_to_the_explorer_by_name() -> None:
    import importlib.metadata as metadata

    names = {
        point.name
        for group in ("simulators", "networks")
        for point in metadata.entry_points(group=f"reram_explorer.{group}")
    }
    assert {"deeptrain", "training", "vgg11"} <= names
    allowed = {"training"}  # also a kind of simulator, and a mode
    for path in (ROOT / "explorer").rglob("*.py"):
        used = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found = (used & names) - allowed
        defaults = {"vgg11", "vgg16"} if path.name == "simulator.py" else set()  # of rex simulate and rex list
        assert found <= defaults, path


HEAVY = ("torch", "ray", "pandas", "optuna", "plotly", "scipy", "sqlalchemy", "moocore")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], HEAVY),
        (["run", "--help"], HEAVY),
        (["schema"], ("torch", "ray", "pandas", "optuna", "plotly", "sqlalchemy")),
        (["list", "simulators"], ("torch", "ray", "pandas", "optuna", "plotly")),
        (["check", str(ROOT / "examples" / "demo.yaml")], ("torch", "ray", "pandas", "plotly")),
        (["simulate", "deeptrain"], ("torch", "ray", "pandas", "optuna", "plotly")),
    ],
    ids=lambda value: " ".join(value)[:20],
)
def test_a_command_imports_only_what_it_needs(arguments: list[str], absent: tuple[str, ...]) -> None:
    code = f"""
import sys
sys.argv = ["rex", *{arguments!r}]
from explorer.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(sorted(set({absent!r}) & set(sys.modules)), file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.strip() == "[]"
