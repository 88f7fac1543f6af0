"""One mistake hides no other, and causes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.assembly import assemble_source
from explorer.spec import SearchFileError
from explorer.yaml_source import read_yaml
from tests.explorer.assembly.mistakes import MISSPELT, mistakes_in, told
from tests.explorer.searches import write_search


def test_every_mistake_of_a_file_with_many_is_told_in_one_go_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "many.yaml"
    path.write_text(
        """\
name: many mistakes
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {width: 0.0625, train_images: 100000}
simulators: [deeptrain, training]
variables:
  bn: [all, 102]
  reram_layer: 3
  crossbar_size: [64, 100]
fidelity: {epochs: 99}
objectives: [acuracy, latency]
constraints:
  - reram_layers + <= 4
strategy: nsga3
initial: [{bn: all}, {cell_bits: 9}, {bn: 3456789}]
budgets: {evaluations: 4}
workers: {count: -1, gpu: 1}
sed: 3
"""
    )
    assert {(line, field) for line, field, _ in mistakes_in(path)} == {
        (None, "budget"),
        (1, "name"),
        (3, "proxy.train_images"),
        (6, "variables.bn"),
        (7, "variables.reram_layer"),
        (8, "variables.crossbar_size"),
        (9, "fidelity.epochs"),
        (10, "objectives.0"),
        (12, "constraints.0"),
        (13, "strategy"),
        (14, "initial.1.cell_bits"),
        (14, "initial.2.bn"),
        (15, "budgets"),
        (16, "workers.count"),
        (16, "workers.gpu"),
        (17, "sed"),
    }


EVERYTHING_WRONG = """\
name: m
workload: {network: vgg12, dataset: fasion-mnist}
proxy: {width: 0.0625, widht: 3}
simulators: {deeptrain: {asumptions: {}}, training: }
variables:
  bn: 10
  frequency_hz: [20 s, 10 MHz]
  reram_layer: 3
  crossbar_size: [64, 100]
fidelity: {epochs: 99}
objectives: [accuracy, latncy]
constraints:
  - reram_layers + <= 4
  - latency < 1 us
  - aera < 3
  - test_accuracy > 80 %
  - area_mm2 < 3 K
  - reram_layers + bn[17] <= 9
strategy: {name: nsga2, popsize: 3, options: {crossover_prob: half}}
initial: [{bn: 10, cell_bits: 9, reram_layers: 12, foo: 3}, {frequency_hz: 20 Mhz}]
budget: {wall_time_s: 2 W}
workers: 0
"""


def test_an_unknown_network_and_wrong_settings_hide_no_other_mistake_and_cause_none() -> None:
    with pytest.raises(SearchFileError) as raised:
        assemble_source(read_yaml(EVERYTHING_WRONG, "m.yaml"), Path())
    assert [(mistake.line, mistake.field) for mistake in raised.value.mistakes] == [
        (2, "workload.network"),
        (2, "workload.dataset"),
        (3, "proxy.widht"),
        (4, "simulators.deeptrain.asumptions"),
        (7, "variables.frequency_hz"),  # how many bits bn has depends on the network
        (8, "variables.reram_layer"),
        (9, "variables.crossbar_size"),
        (10, "fidelity.epochs"),
        (11, "objectives.1"),
        (13, "constraints.0"),  # and of the next, latency is what latncy may mean
        (15, "constraints.2"),
        (16, "constraints.3"),
        (17, "constraints.4"),
        (19, "strategy.popsize"),
        (19, "strategy.options.crossover_prob"),
        (19, "strategy.options.popsize"),
        (20, "initial.0.foo"),
        (20, "initial.0.reram_layers"),
        (20, "initial.0.cell_bits"),
        (20, "initial.1.frequency_hz"),
        (21, "budget.wall_time_s"),
        (22, "workers"),
    ]


def test_an_unknown_simulator_leaves_what_the_others_say_to_be_looked_at() -> None:
    text = """\
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {train_images: 100000}
simulators: [chip, training]
variables: {bn: [all, 102], reram_layers: 30}
fidelity: {epochs: 99}
objectives: [accuracy, area, energy]
constraints: [area < 3 K, area_mm2 < 3, accuracy < 3 K]
strategy: {name: tpe, options: {n_startup_trials: -1.5}}
initial: [{bn: 102, reram_layers: 30}]
budget: {evaluations: 1}
"""
    with pytest.raises(SearchFileError) as raised:
        assemble_source(read_yaml(text, "m.yaml"), Path())
    assert [mistake.field for mistake in raised.value.mistakes] == [
        "proxy.train_images",
        "simulators",
        "variables.bn",  # and not reram_layers, area_mm2, or that nothing is called 'hardware'
        "fidelity.epochs",
        "constraints.0",
        "constraints.2",
        "strategy.options.n_startup_trials",
        "initial.0.bn",
    ]
    assert str(raised.value).endswith(
        "\n  not checked until simulators is mended: "
        "objectives.1, objectives.2, variables.reram_layers, constraints.1, initial.0.reram_layers"
    )


def test_an_unknown_network_is_told_beside_an_unknown_simulator() -> None:
    source = read_yaml(
        "workload: {network: vgg12}\nsimulators: [deeptrian, training]\nobjectives: [area]\nbudget: {evaluations: 1}\n",
        "search.yaml",
    )
    with pytest.raises(SearchFileError) as raised:
        assemble_source(source, Path())
    assert [mistake.line for mistake in raised.value.mistakes] == [1, 2]
    assert "unknown network 'vgg12' (did you mean 'vgg11', 'vgg16' or 'vgg19'?)\n" in str(raised.value)


def test_without_simulators_no_blame_falls_on_what_needs_them(tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("[deeptrain, training]", "[deeptrian, training]"), ("strategy: random", "strategy: x")
    )
    assert [field for _, field, _ in mistakes_in(path)] == ["simulators", "strategy"]


def test_without_a_workload_no_data_are_missed() -> None:
    fields, _ = told("simulators: [training]\nobjectives: [accuracy]\nbudget: {evaluations: 1}\n")
    assert fields == ["workload"]


@pytest.mark.parametrize("section", ["workload", "objectives", "budget"])
def test_a_section_that_is_missing_hides_no_mistake_of_the_others(section: str) -> None:
    kept = [line for line in MISSPELT.splitlines() if not line.startswith(section)]
    fields, message = told("\n".join(kept))
    expected = {"proxy.width", "simulators", "variables.reram_layer", "fidelity.epochs", "constraints.0", "strategy"}
    unchecked = set(message.partition("not checked until ")[2].partition(": ")[2].split(", "))
    assert section in fields
    assert expected <= {*fields, *unchecked}
    assert unchecked <= {"constraints.0", "initial.0.bn", ""}


def test_every_item_of_a_list_is_judged_by_itself_and_keeps_its_number() -> None:
    text = """\
workload: {network: vgg11, dataset: fashion-mnist}
simulators: [deeptrain]
objectives: [3, latency, aria]
constraints:
  - 5
  - latency < 2 mm2
  - {a: b}
  - reram_layers <= 3
  - latency + < 3
initial: [{bn: all}, {reram_layers: 2.5}, {foo: 1}, [a], {bn: 1010}]
budget: {evaluations: 3}
"""
    fields, _ = told(text)
    assert sorted(fields) == [
        "constraints.0",
        "constraints.1",
        "constraints.2",
        "constraints.4",
        "initial.1.reram_layers",
        "initial.2.foo",
        "initial.3",
        "initial.4.bn",
        "objectives.0",
        "objectives.2",
    ]


def test_repeated_fields_hide_nothing_and_the_last_is_looked_at(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("seed: 0", "seed: 0\nseed: 1"), ("{bn: none}]", "{bn: C99}]\ninitial: [{bn: C98}]"))
    assert [(field, message[:9]) for _, field, message in mistakes_in(path)] == [
        ("initial", "is writte"),
        ("initial.0.bn", "'C98': th"),
        ("seed", "is writte"),
    ]
