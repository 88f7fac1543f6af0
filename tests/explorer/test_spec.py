from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from explorer.spec import SearchFileError, SearchSpec, override, parse_spec, read_search, read_settings
from explorer.yaml_source import Source, read_yaml
from simulators.protocol import InputError
from tests.explorer.searches import SEARCH, line_of, write_search

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("budget: {", "budgets: {", "budgets", "no such field (did you mean 'budget'?)"),
        ("budget: {evaluations: 5}", "budget: {evaluation: 5}", "budget.evaluation", "did you mean 'evaluations'?"),
        ("budget: {evaluations: 5}", "budget: {}", "budget", "give at least one limit"),
        ("budget: {evaluations: 5}", "budget: 16", "budget", "write a mapping of evaluations, epochs, cost"),
        ("{evaluations: 5}", "{evaluations: 0}", "budget.evaluations", "write 1 or more, not 0"),
        ("{evaluations: 5}", "{evaluations: 2.5}", "budget.evaluations", "write a whole number, not "),
        ("{evaluations: 5}", "{evaluations: true}", "budget.evaluations", "write a whole number, not "),
        ("{evaluations: 5}", "{evaluations: '5'}", "budget.evaluations", "write a whole number, not "),
        ("{evaluations: 5}", "{evaluations: .inf}", "budget.evaluations", "write a whole number, not "),
        ("{evaluations: 5}", "{wall_time_s: .nan}", "budget.wall_time_s", "finite"),
        ("{evaluations: 5}", "{cost: .inf}", "budget.cost", "write a finite number, not inf"),
        ("{evaluations: 5}", "{cost: 0}", "budget.cost", "write a number above 0, not 0"),
        ("{evaluations: 5}", "{cost: lots}", "budget.cost", "write a number, not 'lots'"),
        ("seed: 0", "reproducible: 1", "reproducible", "write true or false, not 1"),
        ("{evaluations: 5}", "{cost: 1, epochs: 1}", "budget", "the same limit"),
        ("budget: {evaluations: 5}", "budget: {evaluations: 5}\nconfirm: 3", "confirm", "mapping of replicates"),
        ("budget: {evaluations: 5}", "budget: {evaluations: 5}\nconfirm: {replicates: 0}", "confirm.replicates", "1"),
        ("workers: 2", "workers: 0", "workers", "write 1 or more, not 0"),
        ("workers: 2", "workers: two", "workers", "mapping of count, cpus, gpus"),
        ("workers: 2", "workers: true", "workers", "mapping of count"),
        ("workers: 2", "workers: {count: 2, cpu: 1}", "workers.cpu", "did you mean 'cpus'?"),
        ("workers: 2", "workers: {cpus: .inf}", "workers.cpus", "finite"),
        ("seed: 0", "seed: -1", "seed", "write 0 or more, not -1"),
        ("seed: 0", "seed: 4294967296", "seed", "write at most 4294967295, not 4294967296"),
        ("seed: 0", "seed: 0x10", "seed", "write a whole number, not "),
        ("seed: 0", "seed:", "seed", "write a whole number, not nothing"),
        ("name: small", "name: ../x", "name", "letters, digits"),
        ("name: small", "name: 3", "name", "write text, not "),
        ("name: small", f"name: {'x' * 101}", "name", "100"),
        ("{width: 0.0625, train_images: 300}", "3", "proxy", "write none, or a mapping"),
        ("{width: 0.0625, train_images: 300}", "nothing", "proxy", "write none, or a mapping"),
        ("workload: {network: vgg11, dataset: fashion-mnist}", "workload: vgg11", "workload", "mapping of network"),
        ("network: vgg11, ", "", "workload.network", "is missing"),
        ("dataset: fashion-mnist", "mode: infer", "workload.mode", "'training' or 'inference'"),
        ("dataset: fashion-mnist", "input_size: 1000000000", "workload.input_size", "at most 100000, not 1000000000"),
        ("[deeptrain, training]", "deeptrain", "simulators", "write a mapping"),
        ("[deeptrain, training]", "[deeptrain, training, deeptrain]", "simulators", "named twice"),
        ("[deeptrain, training]", "{deeptrain: 3}", "simulators.deeptrain", "write a mapping"),
        ("[accuracy, latency, area]", "[]", "objectives", "at least one"),
        ("[accuracy, latency, area]", "accuracy", "objectives", "write a list, not 'accuracy'"),
        ("[accuracy, latency, area]", "[accuracy, 1]", "objectives.1", "write text, not "),
        ("  - reram_layers <= 3", "  - [a]", "constraints.0", "write text, not "),
        ("{bn: none}]", "3]", "initial.1", "write a mapping"),
        ("[{bn: all}, {bn: none}]", "{bn: all}", "initial", "write a list"),
        ("seed: 0", "store: 3", "store", "write text, not "),
        ("strategy: random", "strategy: [random]", "strategy", "mapping of name, options"),
        ("{epochs: 1}", "4", "fidelity", "write a mapping"),
    ],
)
def test_a_wrong_field_is_named_with_its_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    path = write_search(tmp_path, (old, new))
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(path))
    mistake = next(m for m in error.value.mistakes if m.field.startswith(field))
    assert words in mistake.message
    assert mistake.line == SEARCH[: SEARCH.index(old)].count("\n") + new.count("\n") + 1


def test_all_wrong_fields_are_told_in_one_go_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("name: small", "name: a/b"), ("seed: 0", "seed: x"), ("workers: 2", "workers: -2"), ("epochs: 1", "")
    )
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(path))
    lines = [mistake.line for mistake in error.value.mistakes]
    assert [mistake.field for mistake in error.value.mistakes] == ["name", "workers", "seed"]
    assert lines == [line_of(path, text) for text in ("name:", "workers:", "seed:")]
    assert str(error.value).startswith(f"{path}: 3 mistakes\n  line 1: name: ")


def test_required_sections_are_named_when_they_are_missing() -> None:
    with pytest.raises(SearchFileError) as error:
        parse_spec(Source({}, "f"))
    assert {mistake.field for mistake in error.value.mistakes} == {"workload", "simulators", "objectives", "budget"}


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


def test_what_is_written_more_than_once_is_told_beside_other_mistakes_and_the_last_counts(tmp_path: Path) -> None:
    three = "workers: 0\nworkers: 2\nworkers: 3"
    path = write_search(tmp_path, ("workers: 2", three), ("seed: 0", "seed: -1\nseed: -2"))
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(path))
    first, keep = line_of(path, "workers:"), "keep one (the other checks go by the last)"
    told = [(mistake.line, mistake.field, mistake.message) for mistake in error.value.mistakes]
    assert told == [
        (first + 2, "workers", f"is written 3 times, in lines {first}, {first + 1} and {first + 2}; {keep}"),
        (first + 4, "seed", f"is written 2 times, in lines {first + 3} and {first + 4}; {keep}"),
        (first + 4, "seed", "write 0 or more, not -2"),
    ]
    assert error.value.rest is not None
    assert error.value.rest.workers.count == 3


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
        (["seed=1", "seed=2"], ("seed",), 2),
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


def test_a_wrong_setting_is_not_blamed_on_a_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(write_search(tmp_path), ["budget.evaluations=-1", "proxy={width: 1}", "nme=x"]))
    assert {(m.field, m.line) for m in error.value.mistakes} == {("budget.evaluations", None), ("nme", None)}
    assert "\n  --set budget.evaluations: write 1 or more, not -1" in str(error.value)
    assert "\n  --set nme: there is no such field (did you mean 'name'?)" in str(error.value)


def test_overriding_leaves_the_source_as_it_is() -> None:
    source = Source({"workers": {"count": 1}, "seed": 0}, "f", {"workers": 1, "workers.count": 1, "seed": 2})
    changed = override(source, {"workers.count": 2, **read_settings(["seed=5"])})
    assert source.data == {"workers": {"count": 1}, "seed": 0}
    assert changed.data == {"workers": {"count": 2}, "seed": 5}
    assert changed.place("seed") == (None, "--set")


def test_the_readme_shows_the_demo() -> None:
    section = (EXAMPLES.parent / "README.md").read_text().partition("## The search file")[2]
    shown = section.partition("```yaml\n")[2].partition("```")[0]
    assert read_yaml(shown, "README.md").data == read_search(EXAMPLES / "demo.yaml").data


def test_a_search_file_error_crosses_process_borders(tmp_path: Path) -> None:
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(write_search(tmp_path, ("seed: 0", "seed: x"))))
    copy = pickle.loads(pickle.dumps(error.value))  # noqa: S301  # our own
    assert str(copy) == str(error.value)
    assert copy.mistakes == error.value.mistakes


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_json_schema_accepts_the_examples(path: Path) -> None:
    jsonschema.validate(read_search(path).data, SearchSpec.model_json_schema())


def test_the_json_schema_refuses_what_the_reader_refuses() -> None:
    schema = SearchSpec.model_json_schema()
    data = read_search(EXAMPLES / "demo.yaml").data
    for wrong in ({"seed": "x"}, {"budgets": {}}, {"workers": "two"}, {"budget": {"evaluations": 0}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **wrong}, schema)


def test_a_spec_is_read_back_from_its_json(tmp_path: Path) -> None:
    source = read_search(write_search(tmp_path))
    again = Source(json.loads(json.dumps(source.data)), "f")
    assert parse_spec(again) == parse_spec(source)
    assert yaml.safe_load(yaml.safe_dump(source.data)) == source.data
