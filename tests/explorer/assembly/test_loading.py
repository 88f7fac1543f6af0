from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.assembly import assemble_source
from explorer.yaml_source import read_yaml
from simulators.training.table import SHIPPED
from tests.explorer.assembly.mistakes import assembled, check_told_alone, mistakes_in
from tests.explorer.images import write_fashion_mnist
from tests.explorer.searches import line_of, write_search

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("vgg11", "vgg12", "workload.network", "unknown network 'vgg12'"),
        ("vgg11", "./none.py:build", "workload.network", "cannot read"),
        ("vgg11", "./none.py", "workload.network", "which of its functions?"),
        ("fashion-mnist", "fasion-mnist", "workload.dataset", "did you mean 'fashion-mnist'?"),
        ("fashion-mnist}", "fashion-mnist, classes: 5}", "workload.classes", "leave it out"),
        ("fashion-mnist}", "fashion-mnist, options: {x: y}}", "workload", "no option"),
        ("[accuracy, latency", "[accuracy_worst, latency", "objectives.0", "chip: {draws: 3}"),
        ("[deeptrain,", "[deeptrian,", "simulators", "did you mean 'deeptrain'?"),
        ("[deeptrain, training]", "{deeptrain: {a: 1}, training: }", "simulators.deeptrain.a", "no such setting"),
        ("[deeptrain, training]", "[]", "simulators", "known: deeptrain, tabulated, training"),
        ("train_images: 300", "widht: 1", "proxy.widht", "did you mean 'width'?"),
        ("train_images: 300", "train_images: 100000", "proxy.train_images", "there are 6000"),
        ("train_images: 300", "train_images: 10", "simulators.training.recipe.batch_size", "smaller batch_size"),
        ("{width: 0.0625, train_images: 300}", "none", "data_dir", "set data_dir"),
        ("seed: 0", "data_dir: nowhere", "data_dir", "is not a folder"),
    ],
)
def test_a_wrong_workload_simulator_or_setting_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


def test_a_network_of_a_file_is_found_from_the_search_file(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "my.py").write_text((EXAMPLES / "my_network.py").read_text())
    problem = assembled(write_search(tmp_path, ("vgg11", "nets/my.py:build"))).problem
    assert problem.space.size == 2**7 * 3 * 2 * 7 * 4
    assert problem.outline.workload.startswith(
        "nets/my.py:build on fashion-mnist, training; hardware: the full network"
    )


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
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=closed)
    assert ended.stdout.startswith("SearchFileError"), ended
    assert "store: results cannot be written; choose another place" in ended.stdout
    assert "data_dir: " in ended.stdout
    assert "Permission denied" in ended.stdout


def test_a_table_is_found_from_the_search_file_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.parquet").write_bytes(SHIPPED.read_bytes())
    path = write_search(
        tmp_path, ("[deeptrain, training]", "{deeptrain: {}, tabulated: {table: own.parquet}}"),
        ("proxy: {width: 0.0625, train_images: 300}\n", ""),
    )  # fmt: skip
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert assembled(path).problem.provenance()["tabulated.table"] == "own.parquet"
    (tmp_path / "own.parquet").unlink()
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "own.parquet"), "simulators.tabulated.table")
    assert str(tmp_path / "own.parquet") in message


def test_an_objective_is_not_run_before_the_search_is(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import os\nfrom objectives import objective\n\n"
        "@objective(direction='maximize')\ndef gone(training):\n    os._exit(3)\n"
    )
    assert assembled(write_search(tmp_path, ("[accuracy, latency", "['mine.py:gone', latency"))).problem


CHIP = """\
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {width: 0.0625, train_images: 300}
simulators:
  deeptrain: {}
  training: {chip: {cells: {on_ohm: 5e3, off_ohm: 5e6, read_voltage_v: 0.1}}}
variables:
  temperature_k: [350]
  weight_clip: search
fidelity: {epochs: 1}
objectives: [accuracy, accuracy_worst, latency, lifetime_years]
constraints: [peak_temperature_k <= temperature_k]
budget: {evaluations: 3}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", {}),
        ("_v: 0.1", "_v: 0", {"chip.cells.read_voltage_v": "write 0.001 to 100, not 0"}),
        ("_v: 0.1", "_v: fast", {"chip.cells.read_voltage_v": "write a number, not 'fast'"}),
        (", read_voltage_v: 0.1", "", {"chip.cells.read_voltage_v": "is missing"}),
        ("off_ohm: 5e6", "off_ohm: 5e2", {"chip.cells": "has to be above on_ohm"}),
        (", read_", ", raed_", {
            "chip.cells.raed_voltage_v": "did you mean 'read_voltage_v'?", "chip.cells.read_voltage_v": "is missing",
        }),
        ("{chip: {", "{chips: {", {"chips": "did you mean 'chip'?"}),
        ("{cells:", "{products: fast, converter_share: 0.5, cells:", {"chip": "write products: explicit"}),
        ("{cells:", "{stuck: {onn: 0.1}, cells:", {"chip.stuck.onn": "did you mean 'on'?"}),
        ("{cells:", "{drift: {perk: 1}, cells:", {"chip.drift.perk": "did you mean 'per_k'?"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_chip_is_told_and_not_what_follows_from_it(
    tmp_path: Path, old: str, new: str, told: dict[str, str]
) -> None:
    (tmp_path / "search.yaml").write_text(CHIP.replace(old, new, 1))
    if not told:
        assemble_source(read_yaml(CHIP, "search.yaml"), tmp_path)
        return
    found = {field: message for _, field, message in mistakes_in(tmp_path / "search.yaml")}
    assert found.keys() == {f"simulators.training.{field}" for field in told}
    for field, words in told.items():
        assert words in found[f"simulators.training.{field}"]


def test_what_only_a_chip_has_is_told_with_the_setting_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text(re.sub("{chip.*", "{}", CHIP))
    found = {field: message for _, field, message in mistakes_in(tmp_path / "search.yaml")}
    assert found.keys() == {
        "variables.temperature_k", "variables.weight_clip", "objectives.1", "objectives.3", "constraints.0",
    }  # fmt: skip
    assert all("`simulators: {training: {chip: " in message for message in found.values())
