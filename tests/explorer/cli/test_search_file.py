"""``rex check`` and ``rex schema``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.explorer.searches import line_of, write_search
from tests.ftp import READING, Ftp

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_nothing_is_wrong_with_the_examples(cli: Callable[..., Any], tmp_path: Path, path: Path) -> None:
    ended = cli("check", path)
    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"{path}: nothing wrong\nworkload: ")
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_wrong_is_told_on_stderr_with_code_2(cli: Callable[..., Any], tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("seed: 0", "sed: 0"), ("strategy: random", "strategy: rando"), ("bn: search", "bn: 9")
    )
    ended = cli("check", path, "--set", "workers=0")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"rex: {path}: 4 mistakes\n")
    assert [line.split(":")[0].strip() for line in ended.err.splitlines()[1:]] == [
        "--set workers", *(f"line {line_of(path, text)}" for text in ("bn: 9", "rando", "sed:"))
    ]  # fmt: skip


def test_options_are_checked_with_the_file(cli: Callable[..., Any], tmp_path: Path) -> None:
    path = write_search(tmp_path)
    assert cli("check", path, "--set", "fidelity.epochs=2").code == 0
    ended = cli("check", path, "--data-dir", "nowhere")
    assert ended.code == 2
    assert f"--data-dir: '{tmp_path / 'nowhere'}' is not a folder" in ended.err


@pytest.mark.parametrize("command", ["check", "run"])
def test_checkpoints_where_nothing_can_be_kept_are_a_mistake_of_the_file(
    cli: Callable[..., Any], tmp_path: Path, command: str
) -> None:
    with Ftp(tmp_path, READING) as ftp:
        path = write_search(tmp_path, ("seed: 0", f"seed: 0\ncheckpoints: {ftp.url('/kept')}"))
        for options, words in (
            ([], f"line {line_of(path, 'kept')}: checkpoints: {ftp.url('/kept')} cannot be used (550 Not enough priv"),
            (["--set", "checkpoints=ftp://user:secret@host/x"], "--set checkpoints: a password in a URL would be kept"),
            (["--set", "checkpoints=xyz://host/x"], "--set checkpoints: fsspec knows no protocol 'xyz'"),
        ):
            ended = cli(command, path, *options)
            assert (ended.code, ended.out) == (2, "")
            assert ended.err.startswith(f"rex: {path}: 1 mistake\n  {words}")
            assert "secret" not in ended.err
            assert list(tmp_path.iterdir()) == [path]


def test_the_schema_is_a_json_schema_that_search_files_satisfy(cli: Callable[..., Any], tmp_path: Path) -> None:
    ended = cli("schema")
    assert ended.code == 0
    schema = json.loads(ended.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    data = yaml.safe_load(write_search(tmp_path).read_text())
    jsonschema.validate(data, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "sed": 3}, schema)
