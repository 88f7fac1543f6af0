"""Trained networks as files, and read again without anything else."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch

from simulators.protocol import Design, Folder, InputError, ModelFile, Workload, load_simulator
from simulators.training import ImageTraining
from simulators.training.about import About
from simulators.training.datasets import load_images
from simulators.training.judging import judged, share
from simulators.training.model import READER, TrainedNetwork, accuracy, load_model
from simulators.training.tensors import read_tensors, tensor_file
from simulators.workloads import network_for

WORKLOAD = Workload("vgg11", "fashion-mnist")
LEARNING: Mapping[str, object] = {
    "proxy": {"width": 0.0625, "train_images": 384}, "recipe": {"batch_size": 8, "warmup_epochs": 0}, "device": "cpu",
}  # fmt: skip
CHIP = {"draws": 2, "cells": "240k-24M", "stuck": {"on": 0.001}}
VALIDATION = load_images("fashion-mnist", "bundled").validation

OWN = """
from torch import nn

class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, x):
        return nn.functional.relu(x + self.inner(x))

def build(classes):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), Skip(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    )
"""


def exported(
    epochs: int = 1, folder: Path | None = None, workload: Workload = WORKLOAD, bn: str = "all", seed: int = 0,
    provenance: Mapping[str, str] | None = None, **settings: object,
) -> tuple[ModelFile, list[int]]:  # fmt: skip
    """A file, and the epochs that were trained for it in one go."""
    begun: list[int] = []
    found = ImageTraining({**LEARNING, **settings}).export(
        Design({"bn": bn, "reram_layers": 3}), workload, fidelity=epochs, seed=seed,
        checkpoints=Folder(folder) if folder else None, provenance=provenance, origin={"study": "mine"},
        begin=begun.append,
    )  # fmt: skip
    return found, begun


def loaded(found: ModelFile, tmp_path: Path) -> TrainedNetwork:
    (tmp_path / "model.pt").write_bytes(found.content)
    return load_model(tmp_path / "model.pt")


def simulated(epochs: int, folder: Path | None = None, **settings: object) -> dict[str, float]:
    report = ImageTraining({**LEARNING, **settings}).simulate(
        Design({"bn": "all"}), WORKLOAD, fidelity=epochs, checkpoints=Folder(folder) if folder else None
    )
    return report.row()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two epochs of the training."""
    folder = tmp_path_factory.mktemp("checkpoints")
    simulated(2, folder)
    return folder


@pytest.fixture(scope="module")
def after_one() -> ModelFile:
    """The network after one epoch, trained for the file."""
    found, begun = exported()
    assert begun == [1]
    return found


def test_a_network_is_read_again_as_accurate_as_it_was_judged(after_one: ModelFile, tmp_path: Path) -> None:
    model = loaded(after_one, tmp_path)
    assert accuracy(model, VALIDATION) == model.about.results.accuracy == after_one.report.row()["accuracy"] > 0.2
    scores = model(torch.from_numpy(VALIDATION.images[:7]))
    assert scores.shape == (7, 10)
    floats = torch.from_numpy(VALIDATION.images[:7]).float()
    before = floats.clone()
    assert torch.equal(model(floats), scores)
    assert torch.equal(floats, before), "images are left as they are"
    assert after_one.reader == READER


def test_the_readmes_lines_read_a_network_and_find_it_as_accurate(
    after_one: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = (Path(__file__).parents[3] / "README.md").read_text().split("```python\n")[1:]
    (lines,) = (block.partition("```")[0] for block in blocks if "load_model" in block)
    loaded(after_one, tmp_path)
    monkeypatch.chdir(tmp_path)
    exec(lines, {})  # noqa: S102  # our own
    *_, last = capsys.readouterr().out.splitlines()
    found, recorded = last.split()
    assert found == recorded


def test_a_file_says_all_that_is_known_of_its_network(after_one: ModelFile, tmp_path: Path) -> None:
    about = loaded(after_one, tmp_path).about
    assert about.network == network_for(WORKLOAD, 0.0625)
    assert about.bn == "11111111"
    assert about.design == {"bn": "all", "reram_layers": 3}
    assert (about.seed, about.results.epochs, about.chip) == (0, 1, None)
    assert (about.images.train, about.images.validation, about.images.classes) == (384, 2000, 10)
    assert about.images.sha256 == load_images("fashion-mnist", "bundled").checksum
    assert about.recipe.batch_size == 8
    assert about.origin == {"study": "mine"}
    assert about.provenance["machine"] == after_one.report.provenance["machine"]
    assert torch.__version__ in about.provenance["machine"]
    assert read_tensors(after_one.content)["about"] == about.model_dump(mode="json"), "plain values"


@pytest.mark.parametrize("network", ["resnet20", "vgg16"])
def test_every_network_is_built_again_from_what_a_file_says(network: str, after_one: ModelFile, tmp_path: Path) -> None:
    about = loaded(after_one, tmp_path).about
    other = about.model_copy(update={"network": network_for(Workload(network, "cifar10"), 0.125)})
    assert About.model_validate(other.model_dump(mode="json")).network == other.network


def test_what_is_kept_is_not_trained_again_and_the_file_is_the_same(
    after_one: ModelFile, kept: Path, tmp_path: Path
) -> None:
    found, begun = exported(2, kept)
    again, trained = exported(2)
    assert (begun, trained) == ([], [2])
    assert found.report.row()["paid"] == 0
    assert found.content == again.content
    assert accuracy(loaded(found, tmp_path), VALIDATION) == simulated(2, kept)["accuracy"]


def test_after_fewer_epochs_than_are_kept_a_network_is_trained_again_and_what_is_kept_stays(
    after_one: ModelFile, kept: Path
) -> None:
    (file,) = kept.iterdir()
    before = file.read_bytes()
    found, begun = exported(1, kept)
    assert begun == [1]
    assert found.content == after_one.content
    assert file.read_bytes() == before


def test_after_more_epochs_than_are_kept_a_training_goes_on_and_is_kept(tmp_path: Path) -> None:
    simulated(1, tmp_path)
    found, begun = exported(2, tmp_path)
    assert begun == [1]
    assert found.report.row()["paid"] == 1
    assert exported(2, tmp_path)[1] == []


def test_a_damaged_checkpoint_is_trained_again(
    kept: Path, after_one: ModelFile, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (file,) = kept.iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / file.name).write_bytes(content)
    found, begun = exported(1, tmp_path)
    assert begun == [1]
    assert "is damaged" in caplog.text
    assert found.content == after_one.content


@pytest.mark.parametrize(
    "noted",
    [{"torch": "1.2.3", "machine": "cuda (H100), torch 1.2.3"}, {"torch": "1.2.9"}],
    ids=lambda noted: str(len(noted)),
)
def test_what_another_machine_trained_is_found_by_what_was_noted(
    noted: dict[str, str], kept: Path, tmp_path: Path
) -> None:
    (file,) = kept.iterdir()
    training = ImageTraining({**LEARNING, "device": "auto"})
    asked = training._asked(Design({"bn": "all"}), WORKLOAD, 2, 0, None)
    (tmp_path / asked.file("cuda", "1.2.0")).write_bytes(file.read_bytes())
    found, begun = exported(2, tmp_path, device="auto", provenance=noted)
    assert begun == []
    assert found.report.row()["accuracy"] == simulated(2, kept)["accuracy"]


def test_on_its_chip_a_network_is_as_accurate_as_each_time_that_it_was_judged(tmp_path: Path) -> None:
    found, _ = exported(chip=CHIP, seed=3)
    model = loaded(found, tmp_path)
    assert model.about.chip is not None
    assert model.about.chip.chip.cell.bits == 2
    assert "bn" not in model.about.chip.chosen
    exactly = accuracy(model, VALIDATION)
    drawn = []
    for draw in (0, 1):
        with model.on_chip(draw) as written:
            drawn.append(accuracy(written, VALIDATION))
    assert tuple(drawn) == model.about.results.draws
    assert sum(drawn) / 2 == model.about.results.accuracy == found.report.row()["accuracy"] > 0.12
    with model.on_chip(7) as written:
        assert accuracy(written, VALIDATION) not in (*drawn, exactly)
    assert accuracy(model, VALIDATION) == exactly, "the network itself stays as it is"


def test_a_network_of_exact_arithmetic_has_no_chip(after_one: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trained for exact arithmetic"), loaded(after_one, tmp_path).on_chip():
        pass


def test_ones_own_network_needs_its_file_no_longer(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    workload = Workload("mine.py:build", "fashion-mnist").with_source(tmp_path)
    found, _ = exported(workload=workload, bn="10", proxy={"width": 0.5, "train_images": 320})
    (tmp_path / "mine.py").unlink()
    model = loaded(found, tmp_path)
    assert accuracy(model, VALIDATION) == found.report.row()["accuracy"]
    assert [layer.kind for layer in model.about.network.layers].count("add") == 1


def test_a_training_that_diverged_has_a_network_too(tmp_path: Path) -> None:
    wild = {"batch_size": 16, "warmup_epochs": 0, "learning_rate": 1e30, "average_decay": 0, "gradient_norm": 1e30}
    found, _ = exported(2, bn="none", recipe=wild)
    model = loaded(found, tmp_path)
    assert model.about.results.diverged
    assert model.about.results.epochs == 1
    assert accuracy(model, VALIDATION) == model.about.results.accuracy == 0.1


def test_reading_draws_no_random_numbers_of_the_caller(after_one: ModelFile, tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    loaded(after_one, tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_images_of_another_shape_are_refused(after_one: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\(2, 1, 28, 28\) do not fit; .* batches of 1 x 32 x 32"):
        loaded(after_one, tmp_path)(torch.zeros(2, 1, 28, 28))


class Malice:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("run",)


def changed(content: bytes, **about: object) -> bytes:
    stored = read_tensors(content)
    return tensor_file({**stored, "about": {**stored["about"], **about}})


def test_what_is_no_such_file_is_refused_and_nothing_of_it_is_run(
    after_one: ModelFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = after_one.content
    middle = len(content) // 2
    cases = {
        b"": "damaged, or no file of rex model",
        b"text": "damaged, or no file of rex model",
        pickle.dumps(Malice()): "damaged, or no file of rex model",
        tensor_file({"weights": {}}): "no file of rex model",
        tensor_file([1, 2]): "no file of rex model",
        content[:-100]: "damaged",
        content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]: "damaged",
        changed(content, layout=99): "layout 99, this version reads 1",
        changed(content, seed="many"): r"no file of rex model \(about.seed: ",
        changed(content, bn="11110000"): "its weights are not those of its network",
        changed(content, bn="1"): "its weights are not those of its network",
    }
    path = tmp_path / "model.pt"
    for wrong, words in cases.items():
        path.write_bytes(wrong)
        with pytest.raises(InputError, match=words):
            load_model(path)
    with pytest.raises(InputError, match=r"cannot be read .*rex model writes such files"):
        load_model(tmp_path / "none.pt")
    with pytest.raises(InputError, match="cannot be read"):
        load_model(tmp_path)
    assert capsys.readouterr().out == ""


def test_a_simulator_without_networks_says_so() -> None:
    with pytest.raises(InputError, match="'tabulated' has no networks to give"):
        load_simulator("tabulated")().export(Design({"bn": "all"}), WORKLOAD, fidelity=1)  # type: ignore[attr-defined]  # it trains


def test_scores_that_are_no_numbers_tell_nothing() -> None:
    images, labels = torch.zeros(4, 1), torch.tensor([0, 1, 0, 1])
    found, loss = judged(lambda some: torch.full((len(some), 2), float("nan")), images, labels)
    assert share(found) == 0.5
    assert loss == pytest.approx(0.6931, abs=1e-4)
