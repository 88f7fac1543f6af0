from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.spec import Mistake, SearchFileError, override, parse_spec, read_search, read_settings
from explorer.yaml_source import Source
from simulators.protocol import InputError
from tests.explorer.searches import write_search


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: the file is empty: a search"),
        ("# nothing\n", "line 1: the file is empty: a search"),
        ("- a\n- b\n", "line 1: a search"),
        ("hello", "line 1: a search"),
        ("3", "line 1: a search"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(SearchFileError, match=f"{words} file is a mapping of sections"):
        read_search(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\x93NUMPY\xff\xfe\x00")
    for path, words in (
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "binary.yaml", "is not a text file"),
        (Path("a\0b"), "null byte"),
    ):
        with pytest.raises(InputError, match=words):
            read_search(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = write_search(tmp_path)
    path.write_text("\ufeff" + path.read_text(), encoding="utf-8")
    assert parse_spec(read_search(path)).name == "small"


@pytest.mark.parametrize(
    ("settings", "where", "value"),
    [
        (["budget.evaluations=10"], ("budget", "evaluations"), 10),
        (["workers.cpus=2"], ("workers", "cpus"), 2.0),
        (["workers=3"], ("workers", "count"), 3),
        (["strategy.options.a={b: [1, 2]}"], ("strategy", "options"), {"a": {"b": [1, 2]}}),
        (["simulators.training.device=cpu"], ("simulators",), {"deeptrain": {}, "training": {"device": "cpu"}}),
        (["proxy=none"], ("proxy",), "none"),
        (["confirm.families=1", "confirm=~"], ("confirm",), None),
        (["store=a=b"], ("store",), "a=b"),
    ],
)
def test_settings_override_fields_even_below_shorthands(
    tmp_path: Path, settings: list[str], where: tuple[str, ...], value: object
) -> None:
    found: Any = parse_spec(read_search(write_search(tmp_path), settings))
    for name in where:
        found = getattr(found, name)
    assert found == value


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("nonsense", "is not key=value"),
        ("=3", "is not key=value"),
        ("a..b=3", "is not key=value"),
        (".=3", "is not key=value"),
        ("seed=[1", "not YAML"),
        ("budget={evaluations: 1, evaluations: 2}", "evaluations is written more than once"),
        ("workload.network.deeper=1", "network is no section"),
        ("objectives.0=accuracy", "objectives is no section"),
        ("seed.x=1", "seed is no section"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(tmp_path: Path, setting: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("[", r"\[")):
        read_search(write_search(tmp_path), [setting])


def test_a_setting_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^--set budget\.evaluations: it is given twice; keep one$"):
        read_search(write_search(tmp_path), ["budget.evaluations=1", "seed=1", "budget.evaluations=2"])


def test_a_setting_below_a_section_that_makes_no_sense_is_refused_too(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[deeptrain, training]", "[deeptrain, deeptrain]"))
    with pytest.raises(InputError, match="simulators: deeptrain is named twice"):
        read_search(path, ["simulators.training.device=cpu"])


def test_a_mistake_around_a_setting_names_line_and_option(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("fidelity: {epochs: 1}", "fidelity:\n  epochs: {low: 1, high: 2}"))
    source = read_search(path, ["fidelity.epochs.high=x"])
    line = path.read_text().split("\n").index("  epochs: {low: 1, high: 2}") + 1
    assert source.place("fidelity.epochs.high") == (None, "--set")
    assert source.place("fidelity.epochs") == (line, "--set")
    assert source.place("workload") == (source.lines["workload"], "")
    assert str(Mistake("fidelity.epochs", "odd", line, "--set")) == f"line {line} and --set: fidelity.epochs: odd"


def test_overriding_leaves_the_source_as_it_is() -> None:
    source = Source({"workers": {"count": 1}, "seed": 0}, "f", {"workers": 1, "workers.count": 1, "seed": 2})
    changed = override(source, {"workers.count": 2, **read_settings(["seed=5"])})
    assert source.data == {"workers": {"count": 1}, "seed": 0}
    assert changed.data == {"workers": {"count": 2}, "seed": 5}
    assert changed.place("seed") == (None, "--set")
