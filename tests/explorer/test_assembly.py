from __future__ import annotations

import copy
import gzip
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.assembly import Assembly, assemble_source
from explorer.spec import SearchFileError, read_search
from explorer.yaml_source import read_yaml
from simulators.protocol import Bits, InputError
from tests.explorer.searches import SEARCH, line_of, write_search

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMO = EXAMPLES / "demo.yaml"


def assembled(path: Path) -> Assembly:
    return assemble_source(read_search(path), path.parent, path.name)


def mistakes_in(path: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SearchFileError) as error:
        assembled(path)
    return [(mistake.line, mistake.field, mistake.message) for mistake in error.value.mistakes]


def test_a_search_file_becomes_a_problem_with_its_initial_designs(tmp_path: Path) -> None:
    assembly = assembled(write_search(tmp_path))
    problem = assembly.problem
    assert problem.space.size == 256 * 3 * 2 * 7 * 4  # gpu_layers and cell_bits are searched unless they are given
    assert [objective.name for objective in problem.objectives] == ["accuracy", "latency", "area"]
    assert [objective.cheap for objective in problem.objectives] == [False, True, True]
    assert problem.reads == ("bn",)
    assert problem.full_fidelity == 1
    assert [proposal.design["bn"] for proposal in assembly.initial] == [Bits("11111111"), Bits("00000000")]


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("crossbar_size:", "crosbar_size:", "variables.crosbar_size", "did you mean 'crossbar_size'?"),
        ("[64, 128]", "[64, 100]", "variables.crossbar_size", "100 is not allowed; choose one of"),
        ("[64, 128]", "[64, 64]", "variables.crossbar_size", "appear twice"),
        ("[64, 128]", "[]", "variables.crossbar_size", "the list is empty"),
        ("[64, 128]", "[[64], 128]", "variables.crossbar_size", "not allowed"),
        ("{low: 1, high: 3}", "{low: 3, high: 1}", "variables.reram_layers", "put the smaller number first"),
        ("{low: 1, high: 3}", "{lo: 1}", "variables.reram_layers", "write {low: 1, high: 7}"),
        ("{low: 1, high: 3}", "1.5", "variables.reram_layers", "choose an integer from 1 to 7"),
        ("bn: search", "bn: {low: 1}", "variables.bn", "is for integers"),
        ("bn: search", "bn: [[1, 0, 1]]", "variables.bn", "has 3 bits, but 8 are needed"),
        ("bn: search", "bn: [[a, b, c, d, e, f, g, h]]", "variables.bn", "0 and 1 only"),
        ("bn: search", "bn: [[~, ~, ~, ~, ~, ~, ~, 0.5]]", "variables.bn", "0 and 1 only"),
        ("bn: search", "bn: [all, none, all]", "variables.bn", "appear twice"),
        ("[accuracy, latency", "[acuracy, latency", "objectives.0", "did you mean 'accuracy'?"),
        ("[accuracy, latency", "[accuracy, accuracy", "objectives.1", "named twice"),
        ("[accuracy, latency", "[accuracy, ./none.py:f", "objectives.1", "cannot read"),
        ("  - area < 400 mm2", "  - area < < 400 mm2", "constraints.1", "^"),
        ("  - area < 400 mm2", "  - aera < 400 mm2", "constraints.1", "did you mean 'area'?"),
        ("  - area < 400 mm2", "  - area < 400 K", "constraints.1", "mm2"),
        ("  - area < 400 mm2", "  - area + 1", "constraints.1", "compare it"),
        ("  - area < 400 mm2", "  - bn > 1", "constraints.1", "sum(bn)"),
        ("strategy: random", "strategy: randon", "strategy", "did you mean 'random'?"),
        ("strategy: random", "strategy: {name: random, options: {a: 1}}", "strategy.options.a", "no options"),
        ("strategy: random", "strategy: {name: tpe, options: {a: 1}}", "strategy.options.a", "no such option"),
        ("random", "{name: tpe, options: {n_startup_trials: lots}}", "strategy.options.n_startup_trials", "not 'lots'"),
        ("{bn: none}]", "{bn: 102}]", "initial.1.bn", "not a binary vector"),
        ("{bn: none}]", "{b: none}]", "initial.1.b", "unknown variable"),
        ("{bn: none}]", "{frequency_hz: 2e7}]", "initial.1.frequency_hz", "is not searched; name it under variables"),
        ("{bn: none}]", "{reram_layers: 4}]", "initial.1.reram_layers", "choose an integer from 1 to 3"),
        ("{epochs: 1}", "{epochs: 0}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: 400000}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: 1.5}", "fidelity.epochs", "choose 1 to 20"),
        ("{epochs: 1}", "{epochs: {low: 5, high: 2}}", "fidelity.epochs", "5 to 2"),
        ("{epochs: 1}", "{epochs: {lo: 1}}", "fidelity.epochs", "{low: 1, high: N}"),
        ("{epochs: 1}", "{epoch: 1}", "fidelity", "write {epochs: N}"),
        ("vgg11", "vgg12", "workload.network", "unknown network 'vgg12'"),
        ("fashion-mnist", "fasion-mnist", "workload.dataset", "did you mean 'fashion-mnist'?"),
        ("fashion-mnist}", "fashion-mnist, classes: 5}", "workload.classes", "leave it out"),
        ("fashion-mnist}", "fashion-mnist, options: {x: y}}", "workload", "no option"),
        ("[deeptrain,", "[deeptrian,", "simulators", "did you mean 'deeptrain'?"),
        ("[deeptrain, training]", "{deeptrain: {a: 1}, training: }", "simulators.deeptrain.a", "no such setting"),
        ("[deeptrain, training]", "[]", "simulators", "known: deeptrain, training"),
        ("[deeptrain, training]", "[deeptrain]", "objectives.0", "no report is called 'training'"),
        ("train_images: 300", "widht: 1", "proxy.widht", "did you mean 'width'?"),
        ("train_images: 300", "train_images: 100000", "proxy.train_images", "there are 6000"),
        ("train_images: 300", "train_images: 10", "simulators.training.recipe.batch_size", "smaller batch_size"),
        ("{width: 0.0625, train_images: 300}", "none", "data_dir", "set data_dir"),
        ("seed: 0", "data_dir: nowhere", "data_dir", "is not a folder"),
    ],
)
def test_a_mistake_is_told_alone_with_its_place_and_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    (line, where, message), *more = mistakes_in(write_search(tmp_path, (old, new)))
    assert not more, "what only follows from it is not told"
    assert where == field
    assert words in message
    section = field.partition(".")[0]
    place = old if section in ("variables", "constraints") else f"{section}:"
    in_file = place in SEARCH or place in new
    assert line == (line_of(tmp_path / "search.yaml", new if place == old else place) if in_file else None)


def test_a_space_without_any_design_says_which_constraint_leaves_how_many(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "area < 1 mm2"), ("[{bn: all}, {bn: none}]", "[]"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "constraints:"), "constraints")
    assert "area < 1 mm2 holds for 0 of 43008 designs" in message


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("peak_temperature_k <= 100", "(peak_temperature_k is 3"),
        ("peak_temperature_k <= 100", " K, and bare numbers are kelvin: for degrees Celsius write 100 C)"),
        ("peak_temperature_k <= 100 K", " K)"),
        ("1 mm2 > area", "holds for 0 of 43008 designs that satisfy these (area is 104.7 mm² to 1335 mm²)"),
        ("reram_layers + gpu_layers <= 1", "holds for 0 of 43008 designs (reram_layers + gpu_layers is 2 to 10)"),
        ("reram_layers >= 4 and gpu_layers > 1", "reram_layers >= 4 and gpu_layers > 1 holds for 0 of 43008 designs"),
    ],
)
def test_a_constraint_that_no_design_meets_says_what_it_limits_in_fact(
    tmp_path: Path, constraint: str, words: str
) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("area < 400 mm2", constraint)))
    assert field == "constraints"
    assert words in message


def test_an_initial_design_that_cannot_be_built_says_why(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("reram_layers <= 3", "reram_layers <= 2"), ("{bn: none}", "{reram_layers: 3}"))
    found = mistakes_in(path)
    assert [(line, field) for line, field, _ in found] == [
        (line_of(path, "initial:"), "initial.0"),
        (line_of(path, "initial:"), "initial.1"),
    ]
    assert all("violates reram_layers <= 2" in message for _, _, message in found)


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


def test_without_simulators_no_blame_falls_on_what_needs_them(tmp_path: Path) -> None:
    path = write_search(
        tmp_path, ("[deeptrain, training]", "[deeptrian, training]"), ("strategy: random", "strategy: x")
    )
    assert [field for _, field, _ in mistakes_in(path)] == ["simulators", "strategy"]


def test_a_variable_that_nothing_reads_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))
    assembly = assembled(path)
    assert assembly.problem.fidelity is None, "no objective reads the training simulator: nothing is trained"
    nothing = "constraints:\n  - reram_layers <= 3\n  - area < 400 mm2\n"
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy]"), (nothing, ""))
    assert any("only deeptrain reads it" in message for _, _, message in mistakes_in(path))


def test_only_simulators_that_something_reads_are_kept(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))
    assert set(assembled(path).problem.simulators) == {"deeptrain"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('never mind')", "fails to load: RuntimeError: never mind"),
        ("def f(hardware): return 1", "not decorated"),
        ("x = 3", "is not in the file"),
        ("from objectives import objective\n@objective(direction='up')\ndef f(hardware): ...", "direction 'up'"),
        ("from objectives import objective\n@objective(direction='minimize')\ndef f(*a): ...", "plain name"),
        ("from objectives import objective\n@objective(direction='minimize')\ndef f(hardwear): ...", "hardwear"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_file_with_a_broken_objective_is_a_mistake_in_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy, './mine.py:f', area]"))
    found = mistakes_in(path)
    assert [(line, field) for line, field, _ in found] == [(line_of(path, "objectives:"), "objectives.1")]
    assert words in found[0][2]


def write_fashion_mnist(folder: Path, count: int = 10_100) -> Path:
    """The standard files, from the bundled images over and over."""
    import numpy as np

    from simulators.training.datasets import BUNDLE, read_bundle

    images, labels = read_bundle(BUNDLE)
    folder.mkdir(exist_ok=True)
    for part, number in (("train", count), ("t10k", 500)):
        chosen = np.arange(number) % len(images)
        for name, magic, array in (("images-idx3", 3, images[chosen]), ("labels-idx1", 1, labels[chosen])):
            head = bytes([0, 0, 8, magic]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fashion_mnist(tmp_path_factory.mktemp("images"))


def test_a_data_folder_is_found_from_the_search_file_and_damage_in_it_is_named(tmp_path: Path, images: Path) -> None:
    (tmp_path / "data").symlink_to(images)
    path = write_search(tmp_path, ("seed: 0", "data_dir: data"), (", train_images: 300", ""))
    assert "100 train" in assembled(path).problem.provenance()["training.images"]

    copy_of = tmp_path / "damaged"
    copy_of.mkdir()
    for file in images.iterdir():
        (copy_of / file.name).write_bytes(file.read_bytes())
    path = write_search(tmp_path, ("seed: 0", "data_dir: damaged"), (", train_images: 300", ""))
    whole = (images / "t10k-labels-idx1-ubyte").read_bytes()
    for damage in (whole[:-1], whole + b"x", b"", b"\x00\x00\x0d\x01" + whole[4:], whole[:8] + b"\x0b" * 500):
        (copy_of / "t10k-labels-idx1-ubyte").write_bytes(damage)
        ((line, field, message),) = mistakes_in(path)
        assert (line, field) == (line_of(path, "data_dir:"), "data_dir")
        assert "t10k-labels-idx1-ubyte is damaged" in message
    (copy_of / "t10k-labels-idx1-ubyte").unlink()
    (copy_of / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(whole)[:-20])
    ((_, _, message),) = mistakes_in(path)
    assert "cannot be decompressed" in message
    (copy_of / "t10k-labels-idx1-ubyte.gz").unlink()
    ((_, _, message),) = mistakes_in(path)
    assert "holds no t10k-labels-idx1-ubyte" in message


@pytest.mark.skipif(os.getuid() != 0, reason="becoming another user takes root")
def test_data_that_may_not_be_read_is_a_mistake_and_no_traceback(tmp_path: Path, images: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in (*tmp_path.parents[:3], images.parent):
        parent.chmod(0o755)
    data = tmp_path / "data"
    data.mkdir()
    for file in images.iterdir():
        (data / file.name).write_bytes(file.read_bytes())
    (data / "train-images-idx3-ubyte").chmod(0o000)
    path = write_search(tmp_path, ("seed: 0", "data_dir: data"), (", train_images: 300", ""))
    code = f"""
import os, pathlib
import explorer.function_problem  # what may be imported later: the other user may not be allowed to
from explorer.assembly import assemble_source
from explorer.spec import read_search
path = pathlib.Path({str(path)!r})
assemble_source(read_search(path, ["data_dir={images}"]), path.parent)  # imports all else that it takes
os.setgid(65534); os.setuid(65534)
try:
    assemble_source(read_search(path), path.parent, "f")
except Exception as error:
    print(type(error).__name__, error)
"""
    closed = tmp_path / "closed"  # a working folder that the other user may not enter
    closed.mkdir(mode=0o700)
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=closed)
    assert ended.stdout.startswith("SearchFileError"), ended
    assert "store: results cannot be written; choose another place" in ended.stdout
    assert "data_dir: " in ended.stdout
    assert "Permission denied" in ended.stdout


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_nothing_is_wrong_with_the_examples(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert assemble_source(read_search(path), path.parent).initial


# -- whatever is in the file: a message, never a traceback ---------------------------------------------------------

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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_search_file_with_anything_wrong_is_refused_or_assembled(tmp_path: Path, seed: int) -> None:
    data = yaml.safe_load(DEMO.read_text())
    path = tmp_path / "mutated.yaml"
    path.write_text(yaml.safe_dump(_mutated(data, random.Random(seed)), sort_keys=False, allow_unicode=True))
    with suppress(InputError):  # and nothing else
        assert assembled(path).problem.space.size > 0


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_an_unknown_network_is_told_beside_an_unknown_simulator() -> None:
    source = read_yaml(
        "workload: {network: vgg12}\nsimulators: [deeptrian, training]\nobjectives: [area]\nbudget: {evaluations: 1}\n",
        "search.yaml",
    )
    with pytest.raises(SearchFileError) as raised:
        assemble_source(source, Path())
    assert [mistake.line for mistake in raised.value.mistakes] == [1, 2]
    assert "unknown network 'vgg12' (did you mean 'vgg11', 'vgg16' or 'vgg19'?)\n" in str(raised.value)


def test_held_out_accuracy_cannot_constrain_a_search(tmp_path: Path) -> None:
    path = write_search(tmp_path)
    with pytest.raises(SearchFileError, match="no search may look at test_accuracy"):
        assemble_source(read_search(path, ["constraints=[test_accuracy >= 80 %]"]), tmp_path)


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


@pytest.mark.parametrize(
    ("name", "options"),
    [("random", {"x": 1}), ("nsga2", {"popsize": 1}), ("tpe", {"a": 1}), ("gp-sampler", {"a": 1}),
     ("thompson-bqp", {"swepes": 1})],
)  # fmt: skip
def test_the_options_of_every_strategy_are_looked_at_beside_other_mistakes(
    tmp_path: Path, name: str, options: dict[str, int]
) -> None:
    path = write_search(
        tmp_path, ("random", f"{{name: {name}, options: {options}}}".replace("'", "")), ("area < 400", "aera < 400")
    )
    (_, constraint, _), (line, field, _) = mistakes_in(path)
    assert (constraint, line) == ("constraints.1", line_of(path, "strategy:"))
    assert field.startswith("strategy")


@pytest.mark.parametrize(
    ("written", "choices"),
    [("20 MHz", (2e7,)), ("[5 MHz, 10MHz, 2e7]", (5e6, 1e7, 2e7)), ("['5000 kHz']", (5e6,)), ("search", None)],
)
def test_values_of_variables_may_have_units(tmp_path: Path, written: str, choices: tuple[float, ...] | None) -> None:
    path = write_search(
        tmp_path, ("bn: search", f"bn: search\n  frequency_hz: {written}"), ("{bn: none}]", "{frequency_hz: 20 MHz}]"),
        ("{evaluations: 5}", "{wall_time_s: 2 min}"),
    )  # fmt: skip
    if written == "['5000 kHz']":
        ((_, field, message),) = mistakes_in(path)
        assert field == "initial.1.frequency_hz"
        assert message == "'20 MHz' is not allowed; choose 5 MHz only"
        return
    assembly = assembled(path)
    domain = assembly.problem.space.variables["frequency_hz"].domain
    assert getattr(domain, "choices", None) == (choices or (5e6, 1e7, 2e7, 4e7))
    assert assembly.initial[1].design["frequency_hz"] == 2e7
    assert assembly.spec.budget.wall_time_s == 120


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("20 s", "'20 s' is a time, not a frequency"),
        ("20 Mhz", "unknown unit 'Mhz' (did you mean 'MHz'?)"),
        ("[5 MHz, 15 MHz]", "'15 MHz' is not allowed; choose one of 5 MHz, 10 MHz, 20 MHz, 40 MHz"),
        ("{low: 5 MHz}", "frequency_hz is one of 5 MHz, 10 MHz"),
    ],
)
def test_a_value_in_a_wrong_unit_says_what_it_is_and_what_is_allowed(tmp_path: Path, written: str, words: str) -> None:
    path = write_search(tmp_path, ("bn: search", f"bn: search\n  frequency_hz: {written}"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "frequency_hz"), "variables.frequency_hz")
    assert words in message


HELD_OUT_OBJECTIVES = """
from objectives import objective

FIELD = "test_" + "accuracy"

@objective(direction="maximize")
def plain(training):
    return training.test_accuracy

@objective(direction="maximize")
def within(training):
    def read():
        return training.totals["test_accuracy"]
    return read()

@objective(direction="maximize")
def hidden(training):
    return getattr(training, FIELD)
"""


@pytest.mark.parametrize("name", ["plain", "within"])
def test_an_objective_may_not_read_held_out_accuracy(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(HELD_OUT_OBJECTIVES)
    path = write_search(tmp_path, ("[accuracy, latency, area]", f"[accuracy, latency, area, './mine.py:{name}']"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "objectives:"), "objectives.3")
    assert "no search may look at test_accuracy: it is held out" in message


def test_an_objective_that_finds_another_way_to_held_out_accuracy_gets_none(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HELD_OUT_OBJECTIVES)
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy, latency, area, './mine.py:hidden']"))
    assembly = assembled(path)
    evaluation = assembly.problem.evaluate(assembly.initial[0])
    assert "objective 'hidden': no field 'test_accuracy' in this report" in evaluation.failure


def test_where_no_design_is_feasible_the_initial_ones_are_not_blamed_too(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("area < 400 mm2", "area < 1 mm2"))
    assert [field for _, field, _ in mistakes_in(path)] == ["constraints"]


# -- one mistake hides no other ----------------------------------------------------------------------------------------


def told(text: str) -> tuple[list[str], str]:
    """The fields that are wrong with a search, and the message."""
    with pytest.raises(SearchFileError) as raised:
        assemble_source(read_yaml(text, "m.yaml"), Path())
    return [mistake.field for mistake in raised.value.mistakes], str(raised.value)


MISSPELT = """\
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {width: 0}
simulators:
  deeptrain:
  trainin:
    recipe: {batch_size: 0}
variables: {bn: search, reram_layer: 3}
fidelity: {epochs: 0}
objectives: [accuracy, latncy]
constraints: [peak_temprature_k <= 100 C, latency <= 100 K]
strategy: {name: nsga3, options: {popsize: 3}}
initial: [{bn: C99}]
budget: {evaluations: 3}
"""


def test_a_misspelt_name_that_can_mean_but_one_thing_is_taken_for_it_in_all_other_checks() -> None:
    fields, message = told(MISSPELT)
    assert fields == [
        "proxy.width",
        "simulators",
        "simulators.training.recipe.batch_size",
        "variables.reram_layer",
        "fidelity.epochs",
        "objectives.1",
        "constraints.0",
        "constraints.1",
        "strategy",
        "strategy.options.popsize",
        "initial.0.bn",
    ]
    assert "unknown simulator 'trainin' (did you mean 'training'?); the other checks go by that\n" in message
    assert "line 6: simulators.training.recipe.batch_size" in message
    assert "nsga2 has no such option" in message
    assert "not checked" not in message


def test_feasibility_too_is_looked_at_in_spite_of_a_misspelt_name(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[deeptrain,", "[deeptrian,"), ("area < 400 mm2", "area < 1 mm2"))
    assert [field for _, field, _ in mistakes_in(path)] == ["simulators", "constraints"]


def test_what_a_network_of_several_possible_names_leaves_open_is_said_in_the_last_line() -> None:
    fields, message = told(
        MISSPELT.replace("vgg11", "vgg12")
        .replace("{bn: search, reram_layer: 3}", "{bn: [all, C3], cell_bits: 9}")
        .replace("[{bn: C99}]", "[{bn: all}, {bn: '10000101'}]")
    )
    assert fields[:2] == ["workload.network", "proxy.width"]
    assert "variables.cell_bits" in fields
    assert message.endswith("\n  not checked until workload.network is mended: initial.1.bn"), (
        "all and C3 are right for every network"
    )


def test_without_simulators_those_that_there_are_stand_in_for_them() -> None:
    text = MISSPELT.replace("simulators:\n  deeptrain:\n  trainin:\n    recipe: {batch_size: 0}\n", "")
    fields, message = told(text)
    assert {"simulators", "proxy.width", "variables.reram_layer", "fidelity.epochs", "initial.0.bn"} <= set(fields)
    assert "simulators: is missing; every search file needs it; the other checks go by [deeptrain, training]" in message


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


@pytest.mark.parametrize(
    ("old", "new", "field", "mend"),
    [
        ("{bn: none}]", "{bn: C5,C7,C8, reram_layers: 2}]", "initial.1.bn", "quote it: {bn: 'C5,C7,C8'}"),
        ("{bn: none}]", "{reram_layers: 2, bn: C5,C7}]", "initial.1.bn", "quote it: {bn: 'C5,C7'}"),
    ],
)
def test_a_comma_that_yaml_takes_for_the_end_of_a_value_is_told_with_the_quotes_to_write(
    tmp_path: Path, old: str, new: str, field: str, mend: str
) -> None:
    ((_, where, message),) = mistakes_in(write_search(tmp_path, (old, new)))
    assert where == field
    assert mend in message


def test_a_field_without_a_value_in_a_line_of_its_own_is_no_comma(tmp_path: Path) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("  bn: search", "  bn: search\n  foo:")))
    assert (field, message[:16]) == ("variables.foo", "unknown variable")


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("1 < 2", "'1 < 2' names no variable, field or objective; it holds for every design: remove it"),
        ("2 < 1", "it holds for no design"),
        ("area_mm2 < 1/0", "1/0 is no finite number\n  area_mm2 < 1/0\n             ^^^"),
        (
            "energy < 3 mJ",
            "objective that this search has not: name it under objectives, or write energy_j",
        ),
    ],
)
def test_a_constraint_that_says_nothing_about_designs_of_this_search_is_refused(
    tmp_path: Path, constraint: str, words: str
) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("area < 400 mm2", constraint)))
    assert field == "constraints.1"
    assert words in message


def test_an_objective_that_the_search_has_not_and_its_wrong_unit_are_told_in_one_go(tmp_path: Path) -> None:
    found = mistakes_in(write_search(tmp_path, ("area < 400 mm2", "energy < 400 s")))
    assert [field for _, field, _ in found] == ["constraints.1", "constraints.1"]
    assert "or write energy_j" in found[0][2]
    assert "energy is in J, 400 s is a time" in found[1][2]


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("nonsense://foo", "not nonsense"),
        ("postgresql://user:secret@host:port/db", "the URL of the store cannot be read"),
        ("postgresql:/host/db", "the URL of the store cannot be read"),
        ("postgresql+nothing://host/db", "cannot open the store"),
        ("/dev/null/search.db", "cannot be written"),
        ("/dev/null/folder/search.db", "cannot be written"),
        (".", "is a folder"),
    ],
)
def test_a_store_that_no_run_could_use_is_a_mistake_of_the_file(tmp_path: Path, store: str, words: str) -> None:
    ((line, field, message),) = mistakes_in(path := write_search(tmp_path, ("seed: 0", f"store: {store}")))
    assert (line, field) == (line_of(path, "store:"), "store")
    assert words in message
    assert "secret" not in message


def test_a_store_is_looked_at_without_making_or_asking_anything(tmp_path: Path) -> None:
    for store in (tmp_path / "new" / "search.db", "postgresql://nobody@nowhere.invalid/db"):
        assembled(write_search(tmp_path, ("seed: 0", f"store: {store}")))
    assert [path.name for path in tmp_path.iterdir()] == ["search.yaml"]


def test_checkpoints_that_cannot_be_written_are_a_mistake_of_the_file(tmp_path: Path) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("seed: 0", "checkpoints: /dev/null/x")))
    assert (field, "cannot be written" in message) == ("checkpoints", True)


def test_without_a_workload_no_data_are_missed() -> None:
    fields, _ = told("simulators: [training]\nobjectives: [accuracy]\nbudget: {evaluations: 1}\n")
    assert fields == ["workload"]
