"""The network of a design, out of a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explorer import InputError, Study
from explorer.trained_model import Retraining
from simulators.training.datasets import load_images
from simulators.training.model import accuracy, load_model
from tests.explorer.studies import evaluated, rewritten

LEARNING = (
    "simulators: [deeptrain, training]",
    "simulators: {deeptrain: {}, training: {recipe: {batch_size: 8, warmup_epochs: 0}}}",
)
VALIDATION = load_images("fashion-mnist", "bundled").validation


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Three trainings of two families; only to be read."""
    folder = tmp_path_factory.mktemp("trained")
    return evaluated(
        folder, {"bn": "all"}, {"bn": "C5,C7", "crossbar_size": 64}, {"bn": "all", "replicate": 1}, changes=(LEARNING,)
    )


def without_checkpoints(study: Study, folder: Path, **record: object) -> Study:
    """A study whose trainings are not kept."""
    return rewritten(study, folder, search={**study.record.search, "checkpoints": str(folder / "elsewhere")}, **record)


def test_a_design_has_the_network_that_its_accuracy_was_judged_by(trained: Study, tmp_path: Path) -> None:
    begun: list[Retraining] = []
    found = trained.model("bn=C5,C7", begin=begun.append)
    found.write(tmp_path / "model.pt")
    model = load_model(tmp_path / "model.pt")
    (_, evaluation, _) = trained.evaluations
    assert accuracy(model, VALIDATION) == evaluation.values["accuracy"] > 0.1
    assert model.about.bn == evaluation.design.to_json()["bn"] == "00001010"
    assert model.about.design == evaluation.design.to_json()
    assert model.about.origin["evaluation"] == 2
    assert model.about.origin["key"] == evaluation.digest
    assert model.about.origin["values"] == dict(evaluation.values)
    assert (begun, found.trained, found.differences) == ([], 0, {})


def test_a_member_of_a_family_has_the_network_of_its_familys_training(trained: Study, tmp_path: Path) -> None:
    found = trained.model({"bn": "all", "reram_layers": 1})
    found.write(tmp_path / "model.pt")
    about = load_model(tmp_path / "model.pt").about
    assert about.seed == trained.evaluations[0].seed
    assert about.design["reram_layers"] == 1
    assert about.origin["values"] == {"accuracy": trained.evaluations[0].values["accuracy"]}
    assert found.repeats == (3,)
    assert trained.model(3).repeats == (1,)
    assert trained.model(3).content != trained.model(1).content


def test_what_is_not_kept_is_trained_again_to_the_same_network(trained: Study, tmp_path: Path) -> None:
    begun: list[Retraining] = []
    found = without_checkpoints(trained, tmp_path).model(1, begin=begun.append)
    assert found.content == trained.model(1).content
    (said,) = begun
    assert (said.units, said.unit, said.folder, said.changes) == (1, "epochs", str(tmp_path / "elsewhere"), ())
    assert said.took_s == trained.evaluations[0].quantities["training_time_s"]
    assert (found.trained, found.differences) == (1, {})


def test_where_torch_is_another_it_is_said_before_that_the_network_may_differ(trained: Study, tmp_path: Path) -> None:
    begun: list[Retraining] = []
    older = without_checkpoints(trained, tmp_path, provenance={**trained.record.provenance, "training.torch": "1.0.0"})
    found = older.model(1, begin=begun.append)
    assert [change.partition(", is")[0] for change in begun[0].changes] == ["training.torch was 1.0.0"]
    assert found.changes == begun[0].changes


def test_what_would_be_another_network_is_refused(trained: Study, tmp_path: Path) -> None:
    other = without_checkpoints(
        trained, tmp_path, provenance={**trained.record.provenance, "training.images_sha256": "0" * 64}
    )
    with pytest.raises(InputError, match=r"study: training.images_sha256 was 0{12}\.\.\., is .*: it would be another"):
        other.model(1)


def test_where_the_images_are_gone_it_is_said(trained: Study, tmp_path: Path) -> None:
    search = {**trained.record.search, "data_dir": str(tmp_path / "gone")}
    with pytest.raises(InputError, match=r"data_dir: '.*gone' is not a folder"):
        rewritten(trained, tmp_path, search=search).model(1)


def test_another_result_than_the_studys_is_told(trained: Study, tmp_path: Path) -> None:
    (row, *_) = trained.evaluations
    stored = replace(row, quantities={**row.quantities, "loss": 9.0})
    assert rewritten(trained, tmp_path, [stored]).model(1).differences == {"loss": (9.0, row.quantities["loss"])}


def test_no_file_of_an_objective_is_run_but_that_of_the_network_has_to_be_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from objectives import objective\n\n@objective(direction='maximize')\ndef sure(training):\n"
        "    return training.accuracy\n"
    )
    network = (
        "from torch import nn\n\ndef build():\n    return nn.Sequential(\n        nn.Conv2d(1, 32, 3, stride=4), "
        "nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10)\n    )\n"
    )
    (tmp_path / "net.py").write_text(network)
    study = evaluated(tmp_path, {"bn": "1"}, changes=(
        ("network: vgg11", "network: './net.py:build'"), ("[accuracy, latency, area]", "['./mine.py:sure', area]"),
        ("{width: 0.0625, train_images: 300}", "{width: 0.25, train_images: 64}"),
    ))  # fmt: skip
    (tmp_path / "mine.py").write_text("raise SystemExit(7)")
    found = study.model(1)
    assert found.trained == 0
    (tmp_path / "net.py").write_text(network + "\n# another\n")
    with pytest.raises(InputError, match=r"\./net.py was .*: it would be another network"):
        study.model(1)
    (tmp_path / "net.py").unlink()
    with pytest.raises(InputError, match="cannot read"):
        study.model(1)


def test_a_study_in_which_nothing_is_trained_has_no_networks(tmp_path: Path) -> None:
    hardware = (("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))
    study = evaluated(tmp_path, {"bn": "all"}, changes=hardware)
    with pytest.raises(InputError, match="nothing is trained in study 'small'"):
        study.model(1)


def test_trainings_out_of_a_table_have_no_networks(tmp_path: Path) -> None:
    study = evaluated(tmp_path, {"bn": "all"}, changes=(
        ("simulators: [deeptrain, training]", "simulators: [deeptrain, tabulated]"),
        ("proxy: {width: 0.0625, train_images: 300}\n", ""),
    ))  # fmt: skip
    with pytest.raises(InputError, match="'tabulated' has no networks to give"):
        study.model(1)


def test_of_several_simulators_that_train_one_has_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from objectives import objective\n\n@objective(direction='maximize')\ndef sure(tabulated):\n"
        "    return tabulated.accuracy\n"
    )
    both = "{deeptrain: {}, training: {proxy: {train_images: 64}}, tabulated: {}}"
    study = evaluated(tmp_path, {"bn": "all"}, changes=(
        ("simulators: [deeptrain, training]", f"simulators: {both}"),
        ("proxy: {width: 0.0625, train_images: 300}\n", ""), ("[accuracy, latency, area]", "['./mine.py:sure', area]"),
    ))  # fmt: skip
    with pytest.raises(InputError, match="simulator: training and tabulated train in this study"):
        study.model(1)
    with pytest.raises(InputError, match="simulator: 'deeptrain' does not train in this study; choose training or tab"):
        study.model(1, simulator="deeptrain")
    with pytest.raises(InputError, match="'tabulated' has no networks"):
        study.model(1, simulator="tabulated")
