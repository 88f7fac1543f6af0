"""Whatever is in the file: a message, never a traceback."""

from __future__ import annotations

import copy
import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.protocol import InputError
from tests.explorer.assembly.mistakes import assembled

DEMO = Path(__file__).parents[3] / "examples" / "demo.yaml"


Path_ = tuple[Any, ...]


def _places(node: Any, path: Path_ = ()) -> list[Path_]:
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for key, value in below for place in _places(value, (*path, key)))]


ODD = [
    None, True, 0, -1, 1.5, 2**70, float("inf"), float("nan"), "", "x", "none", "all", "search", [], {}, [[]], [None],
    {"": 1}, {"low": 1}, {"low": "a", "high": []}, ["deeptrain"], "1" * 400, "ü\u2028", "a.b:c", "x.py:f", "./:",
    [[1, 0]], "~nobody-here/x", {"name": "tpe", "options": {"n_startup_trials": "lots"}},
]  # fmt: skip


def _mutated(data: Any, pick: random.Random) -> Any:
    data = copy.deepcopy(data)
    for _ in range(pick.randint(1, 4)):
        path = pick.choice(_places(data)[1:] or [()])
        if not path:
            return pick.choice(ODD)
        parent = data
        for key in path[:-1]:
            parent = parent[key]
        kind = pick.choice(["delete", "retype", "rename", "duplicate", "swap"])
        if kind == "delete":
            del parent[path[-1]]
        elif kind == "retype":
            parent[path[-1]] = copy.deepcopy(pick.choice(ODD))
        elif kind == "rename" and isinstance(parent, dict):
            parent[pick.choice(["x", "low", "bn", "name", "seed", str(path[-1])[:-1] or "y"])] = parent.pop(path[-1])
        elif kind == "duplicate" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[path[-1]]))
        elif kind == "swap":
            other = pick.choice(_places(data)[1:])
            value: Any = data
            for key in other:
                value = value[key]
            parent[path[-1]] = copy.deepcopy(value)
    return data


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_search_file_with_anything_wrong_is_refused_or_assembled(tmp_path: Path, seed: int) -> None:
    data = yaml.safe_load(DEMO.read_text())
    path = tmp_path / "mutated.yaml"
    path.write_text(yaml.safe_dump(_mutated(data, random.Random(seed)), sort_keys=False, allow_unicode=True))
    with suppress(InputError):  # and nothing else
        assert assembled(path).problem.space.size > 0


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_search_file_with_any_typing_error_is_refused_or_assembled(tmp_path: Path, seed: int) -> None:
    pick, text = random.Random(seed), DEMO.read_text()
    for _ in range(pick.randint(1, 3)):
        at = pick.randrange(len(text))
        kind = pick.choice(["drop", "insert", "line"])
        if kind == "drop":
            text = text[:at] + text[at + pick.randint(1, 3) :]
        elif kind == "insert":
            text = text[:at] + pick.choice("{}[]:,-#'\"&*!|>%@\t\n 0x") + text[at:]
        else:
            lines = text.splitlines()
            lines.insert(pick.randrange(len(lines)), pick.choice(lines))
            text = "\n".join(lines)
    path = tmp_path / "mutated.yaml"
    path.write_text(text)
    with suppress(InputError):  # and nothing else
        assert assembled(path).problem.space.size > 0
