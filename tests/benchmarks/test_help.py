from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
COMMANDS = [path.stem for path in sorted(FOLDER.glob("*.py")) if "\ndef main(" in path.read_text()]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_says_what_it_measures_before_it_measures(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = importlib.import_module(f"tests.benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        benchmark.main()
    assert ended.value.code == 0
    usage, description, *_ = capsys.readouterr().out.split("\n\n")
    assert usage.startswith(f"usage: {name}")
    assert description.strip().endswith(".")
