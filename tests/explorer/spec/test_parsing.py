from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from explorer.spec import SearchFileError, SearchSpec, override, parse_spec, read_search
from explorer.spec.sections import BudgetSpec, ConfirmSpec, StrategySpec, WorkerSpec, WorkloadSpec
from explorer.yaml_source import Source
from tests.explorer.searches import SEARCH, line_of, write_search


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
        ("workers: 1", "workers: 0", "workers", "write a whole number from 1 up, or all, not 0"),
        ("workers: 1", "workers: two", "workers", "mapping of count, cpus, gpus"),
        ("workers: 1", "workers: true", "workers", "mapping of count"),
        ("workers: 1", "workers: {count: 2, cpu: 1}", "workers.cpu", "did you mean 'cpus'?"),
        ("workers: 1", "workers: {cpus: .inf}", "workers.cpus", "finite"),
        ("seed: 0", "seed: -1", "seed", "write 0 to 4294967295, not -1"),
        ("seed: 0", "seed: 4294967296", "seed", "write 0 to 4294967295, not 4294967296"),
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
        ("dataset: fashion-mnist", "input_size: 1000000", "workload.input_size", "write 1 to 100000, not 1000000"),
        ("[deeptrain, training]", "deeptrain", "simulators", "write a mapping"),
        ("[deeptrain, training]", "[deeptrain, training, deeptrain]", "simulators", "named twice"),
        (
            "[deeptrain, training]",
            "[deeptrain, {training: {}}]",
            "simulators",
            "a list of names, or one mapping with settings",
        ),
        ("[deeptrain, training]", "{deeptrain: 3}", "simulators.deeptrain", "write a mapping"),
        ("[accuracy, latency, area]", "[]", "objectives", "at least one"),
        ("[accuracy, latency, area]", "accuracy", "objectives", "write a list, not 'accuracy'"),
        ("[accuracy, latency, area]", "[accuracy, 1]", "objectives.1", "write text, not "),
        ("  - reram_layers <= 3", "  - [a]", "constraints.0", "write text, not "),
        ("{bn: none}]", "3]", "initial.1", "write a mapping"),
        ("[{bn: all}, {bn: none}]", "{bn: all}", "initial", "write a list"),
        ("seed: 0", "store: 3", "store", "write text, not "),
        ("strategy: random", "strategy: {options: {}}", "strategy.name", "is missing; name one (rex list strategies)"),
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


ODD = (None, True, 0, -1, 0.5, 2**70, float("nan"), "", "x", "x" * 200, [], [1], {}, {"x": 1})
SECTIONS = {
    "workload": WorkloadSpec, "strategy": StrategySpec, "budget": BudgetSpec, "confirm": ConfirmSpec,
    "workers": WorkerSpec,
}  # fmt: skip
FIELDS = [*SearchSpec.model_fields, *(f"{name}.{field}" for name in SECTIONS for field in SECTIONS[name].model_fields)]


@pytest.mark.parametrize("field", FIELDS)
def test_whatever_a_field_holds_it_is_refused_in_the_words_of_this_project(tmp_path: Path, field: str) -> None:
    source = read_search(write_search(tmp_path))
    refused = []
    for value in ODD:
        try:
            parse_spec(override(source, {field: value}))
        except SearchFileError as error:
            refused.append(str(error))
    assert refused
    assert not [message for message in refused if "should" in message or "valid" in message or ", got" in message]


def test_all_wrong_fields_are_told_in_one_go_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("name: small", "name: a/b"), ("seed: 0", "seed: x"), ("workers: 1", "workers: -2"), ("epochs: 1", "")
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


def test_what_is_written_more_than_once_is_told_beside_other_mistakes_and_the_last_counts(tmp_path: Path) -> None:
    three = "workers: 0\nworkers: 2\nworkers: 3"
    path = write_search(tmp_path, ("workers: 1", three), ("seed: 0", "seed: -1\nseed: -2"))
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(path))
    first, keep = line_of(path, "workers:"), "keep one (the other checks go by the last)"
    told = [(mistake.line, mistake.field, mistake.message) for mistake in error.value.mistakes]
    assert told == [
        (first + 2, "workers", f"is written 3 times, in lines {first}, {first + 1} and {first + 2}; {keep}"),
        (first + 4, "seed", f"is written 2 times, in lines {first + 3} and {first + 4}; {keep}"),
        (first + 4, "seed", "write 0 to 4294967295, not -2"),
    ]
    assert error.value.rest is not None
    assert error.value.rest.workers.count == 3


def test_a_spec_is_read_back_from_its_json(tmp_path: Path) -> None:
    source = read_search(write_search(tmp_path))
    again = Source(json.loads(json.dumps(source.data)), "f")
    assert parse_spec(again) == parse_spec(source)
    assert yaml.safe_load(yaml.safe_dump(source.data)) == source.data
