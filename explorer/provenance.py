"""What results depend on beside the search file: data, recipes, versions, a user's Python files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from explorer.simulator_problem import SimulatorProblem
from explorer.spec import SearchSpec
from simulators.protocol import file_and_name

__all__ = ["changes", "digests", "provenance_of"]


def provenance_of(problem: SimulatorProblem, spec: SearchSpec, folder: Path) -> dict[str, str]:
    """All of it, by name.

    Args:
        problem: what is searched.
        spec: the search file.
        folder: relative paths in it start here.
    """
    return {**problem.provenance(), **digests(spec.user_names, folder)}


def digests(names: Iterable[str], folder: Path) -> dict[str, str]:
    """SHA-256 of the files that are named as ``FILE.py:FUNCTION``, by file."""
    files = {file_and_name(name, "")[0] for name in names}
    return {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in sorted(files)}


def changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What was noted and is different now, in words; what was not noted then is passed over."""
    return [
        f"{name} was {_short(then[name])}, is {_short(now.get(name))}" for name in then if then[name] != now.get(name)
    ]


def _short(text: str | None) -> str:
    """A checksum by its beginning, anything else as it stands."""
    return f"{text[:12]}..." if text and re.fullmatch("[0-9a-f]{64}", text) else str(text)
