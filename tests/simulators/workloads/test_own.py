from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from simulators.protocol import InputError, Workload
from simulators.workloads import bn_variable, network_for

NETWORK = """\
from torch import nn

def build(in_channels, classes, width="8"):
    width = int(width)
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, 2 * width, 3),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, classes),
    )

def table():
    return 3

def thousand(in_channels):
    return nn.Sequential(nn.Conv2d(in_channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1000))

def bare(in_channels, classes):
    return nn.Sequential(nn.Conv2d(in_channels, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes))

def needs(in_channels, depth):
    return None

def breaks():
    return nn.Conv2d(-1, 3, 3)

def large(in_size, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * in_size**2, classes))

class Module(nn.Sequential):
    def __init__(self, classes):
        super().__init__(nn.Conv2d(3, 4, 1), nn.Sigmoid(), nn.Flatten(), nn.Linear(4 * 32 * 32, classes))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "my.py").write_text(NETWORK)
    return tmp_path


def test_a_network_is_built_for_the_data_set_and_with_its_options(folder: Path) -> None:
    workload = Workload("./my.py:build", "cifar100", options=(("width", "6"),)).with_source(folder)
    network = network_for(workload)
    assert network.name == "./my.py:build"
    assert [layer.out_channels for layer in network.matrices] == [6, 12, 100]
    assert [layer.out_channels for layer in network_for(workload, 0.5).matrices] == [3, 6, 100]
    assert len(bn_variable(workload).domain.parse("all")) == 2
    assert network_for(Workload("my.py:large", input_size=20).with_source(folder)).matrices[0].in_channels == 1200
    assert str(workload) == "./my.py:build on cifar100, width 6, training"


def test_a_design_that_does_not_say_where_has_batch_normalisation_where_the_module_has_it(folder: Path) -> None:
    own, none = (bn_variable(Workload(f"my.py:{name}").with_source(folder)) for name in ("build", "bare"))
    assert own.default == (1, 0)
    assert none.default == (0,)
    assert own.domain.size == 4, "a search is free to place others"
    assert bn_variable(Workload("vgg11")).default == (1,) * 8


def test_a_network_without_convolutions_is_a_table_but_has_no_place_for_batch_normalisation(folder: Path) -> None:
    workload = Workload("my.py:large").with_source(folder)
    assert len(network_for(workload).layers) == 1
    with pytest.raises(
        InputError, match=r"network 'my.py:large' has no convolution.*; let it have at least one"
    ) as told:
        bn_variable(workload)
    assert told.value.field == "workload.network"


def test_it_is_built_where_the_file_is_not(folder: Path) -> None:
    pickled = pickle.dumps(Workload("./my.py:build").with_source(folder))
    (folder / "my.py").unlink()
    assert len(network_for(pickle.loads(pickled)).convolutions) == 2  # noqa: S301  # our own


def test_a_name_without_text_is_looked_for_in_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert len(network_for(Workload("my.py:build")).convolutions) == 2
    (folder / "my.py").write_text(NETWORK.replace("nn.Conv2d(width, 2 * width, 3),", "nn.Conv2d(width, 2 * width, 3),"
                                                  "nn.Conv2d(2 * width, 2 * width, 3),"))  # fmt: skip
    assert len(network_for(Workload("my.py:build")).convolutions) == 3, "a file that has changed is read anew"


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("my.py", {}, r"which of its functions\? Write my.py:FUNCTION"),
        ("none.py:build", {}, "cannot read .*none.py"),
        ("my.py:bild", {}, r"'bild' is no function of 'my.py' \(did you mean 'build'\?\)"),
        ("my.py:table", {}, "gives 3; it has to give a torch.nn.Module"),
        ("my.py:thousand", {}, "gives 1000 scores, cifar10 has 10 classes: let the function have"),
        ("my.py:needs", {}, "nothing to give for its parameter 'depth'; it may have in_channels, in_size, classes"),
        ("my.py:needs", {"depth": "3"}, "gives None"),
        ("my.py:breaks", {}, "fails to build: "),
        ("my.py:build", {"depth": "3"}, r"has no option 'depth' \(did you mean 'width'\?\)"),
        ("my.py:build", {"classes": "3"}, "has no option 'classes'"),
        ("my.py:build", {"width": "wide"}, "fails to build: ValueError: invalid literal"),
        ("my.py:Module", {}, r"'1' \(Sigmoid\) is not supported"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_says_why(folder: Path, name: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words) as told:
        network_for(Workload(name, options=tuple(options.items())).with_source(folder))
    assert told.value.field == "workload.network"


def test_a_file_that_fails_says_so(tmp_path: Path) -> None:
    (tmp_path / "my.py").write_text("1 / 0")
    with pytest.raises(InputError, match=r"network file 'my.py' fails to load: ZeroDivisionError"):
        network_for(Workload("my.py:build").with_source(tmp_path))
