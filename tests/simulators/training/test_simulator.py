from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from simulators.protocol import Bits, Design, Folder, InputError, Report, Workload, load_simulator, remote_folders
from simulators.training import ImageTraining
from simulators.training import simulator as training
from simulators.training.trainer import choose_device, reproducible
from simulators.workloads import network_for
from tests.ftp import Ftp

WORKLOAD = Workload("vgg11", "fashion-mnist")
TINY: Mapping[str, object] = {
    "proxy": {"width": 0.0625, "train_images": 192},
    "recipe": {"batch_size": 32, "augmentation": "flip_crop"},
    "device": "cpu",
}
LEARNING: Mapping[str, object] = {
    "proxy": {"train_images": 1500},
    "recipe": {"batch_size": 32, "warmup_epochs": 0},
    "device": "cpu",
}

OWN = """
from torch import nn
def build():
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, 10)
    )
"""


def trained(
    bn: str = "all", epochs: int = 1, seed: int = 0, checkpoints: Path | str | None = None,
    settings: Mapping[str, object] = TINY,
) -> Report:  # fmt: skip
    simulator = ImageTraining(settings)
    bits = simulator.variables(WORKLOAD)[0].domain.parse(bn)
    folder = None if checkpoints is None else Folder(checkpoints)
    return simulator.simulate(Design({"bn": bits}), WORKLOAD, fidelity=epochs, seed=seed, checkpoints=folder)


def results(report: Report) -> dict[str, object]:
    """Everything but times and what was paid."""
    totals = {name: value for name, value in report.row().items() if name not in ("paid", "training_time_s")}
    return totals | {name: values.tolist() for name, values in report.series.items() if name != "paid_time_s"}


def same_states(*paths: Path) -> bool:
    """Whether two checkpoints hold the same weights, averages and momenta, bit for bit."""
    states = [torch.load(path, weights_only=True)["state"] for path in paths]
    momenta = [state["momenta"] for state in states]
    parts = [(state["network"], state["average"]) for state in states]
    return all(
        torch.equal(value, other[name]) for part, other in zip(*parts, strict=True) for name, value in part.items()
    ) and all(torch.equal(*pair) for pair in zip(*momenta, strict=True))


def test_importing_it_and_asking_what_a_run_needs_does_not_import_torch() -> None:
    program = (
        "import sys, simulators.training as training; from simulators.protocol import Workload; "
        "simulator = training.ImageTraining(); workload = Workload('vgg11', 'fashion-mnist'); "
        "simulator.check(workload); simulator.provenance(workload); simulator.variables(workload); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_training_does_not_load_the_compiler_which_takes_longer_than_torch_itself() -> None:
    program = (
        "import sys, simulators.training as training; from simulators.protocol import Design, Workload; "
        f"simulator = training.ImageTraining({dict(TINY)!r}); workload = Workload('vgg11', 'fashion-mnist'); "
        "simulator.simulate(Design({'bn': simulator.variables(workload)[0].default}), workload, fidelity=1, seed=0); "
        "sys.exit(bool({'torch._dynamo', 'torch._inductor'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_it_is_found_by_name_and_says_what_it_reads_and_offers() -> None:
    assert load_simulator("training") is ImageTraining
    simulator = ImageTraining({"max_epochs": 30})
    assert simulator.reads(WORKLOAD) == ("bn",)
    assert (simulator.fidelity().name, simulator.fidelity().low, simulator.fidelity().high) == ("epochs", 1, 30)
    assert simulator.variables(WORKLOAD)[0].default == Bits([1] * 8)


def test_it_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(ImageTraining(TINY))).settings == ImageTraining(TINY).settings  # noqa: S301  # our own bytes


def test_with_batch_normalisation_it_learns_and_without_it_does_not() -> None:
    """The DeepTrain paper's effect (section III), in seconds."""
    assert trained("all", 2, settings=LEARNING).row()["accuracy"] > 0.6
    assert trained("none", 2, settings=LEARNING).row()["accuracy"] < 0.15


def test_a_report_holds_every_declared_field_and_the_curves() -> None:
    report = trained(epochs=2)
    row = report.row()
    assert set(row) == set(ImageTraining.fields)
    assert report.count == 1
    assert 0 <= row["accuracy"] <= 1
    assert (row["epochs"], row["paid"], row["diverged"]) == (2, 2, 0)
    assert row["parameters"] == network_for(WORKLOAD, 0.0625).parameters([1] * 8)
    assert {name: len(values) for name, values in report.series.items()} == dict.fromkeys(
        ("accuracy", "test_accuracy", "loss", "paid_time_s"), 2
    )
    assert report.series["accuracy"][-1] == row["accuracy"]
    assert report.series["paid_time_s"].sum() == pytest.approx(row["training_time_s"])


def test_a_report_says_on_what_machine_it_was_trained_also_when_it_was_kept(tmp_path: Path) -> None:
    said = trained(checkpoints=tmp_path).provenance
    assert said == {"machine": f"cpu ({torch.backends.cpu.get_cpu_capability()}), torch {torch.__version__}"}
    (file,) = tmp_path.iterdir()
    stored = torch.load(file, weights_only=True)
    torch.save({**stored, "machine": "cpu (another)"}, file)
    assert trained(checkpoints=tmp_path).provenance == {"machine": "cpu (another)"}


def test_the_same_seed_gives_the_same_values_and_another_seed_others() -> None:
    assert results(trained(epochs=2, seed=3)) == results(trained(epochs=2, seed=3))
    assert results(trained(epochs=2, seed=3)) != results(trained(epochs=2, seed=4))


def test_continuing_from_4_to_12_epochs_is_training_12_bit_for_bit(tmp_path: Path) -> None:
    trained("C2,C5", 4, checkpoints=tmp_path / "continued")
    continued = trained("C2,C5", 12, checkpoints=tmp_path / "continued")
    straight = trained("C2,C5", 12, checkpoints=tmp_path / "straight")
    assert results(continued) == results(straight)
    assert (continued.row()["paid"], straight.row()["paid"]) == (8, 12)
    assert np.count_nonzero(continued.series["paid_time_s"]) == 8

    (kept,), (kept_straight,) = ([*(tmp_path / name).iterdir()] for name in ("continued", "straight"))
    assert kept.name == kept_straight.name
    assert same_states(kept, kept_straight)


def test_fewer_epochs_than_trained_are_answered_from_the_curve_for_nothing(tmp_path: Path) -> None:
    fresh = trained(epochs=2)
    trained(epochs=3, checkpoints=tmp_path)
    found = trained(epochs=2, checkpoints=tmp_path)
    assert results(found) == results(fresh)
    assert found.row()["paid"] == 0
    assert not found.series["paid_time_s"].any()
    assert found.row()["training_time_s"] > 0


def test_every_finished_epoch_is_kept_so_that_an_interrupted_training_goes_on(tmp_path: Path) -> None:
    class InterruptedTrainingError(Exception):
        pass

    from simulators.training import checkpoint, trainer

    simulator = ImageTraining(TINY)
    with pytest.MonkeyPatch.context() as patch:
        train_epoch = trainer.Trainer.train_epoch

        def killed_in_epoch_3(self: trainer.Trainer, epoch: int) -> bool:
            if epoch == 2:
                raise InterruptedTrainingError
            return train_epoch(self, epoch)

        patch.setattr(trainer.Trainer, "train_epoch", killed_in_epoch_3)
        with pytest.raises(InterruptedTrainingError):
            simulator.simulate(Design({}), WORKLOAD, fidelity=4, checkpoints=Folder(tmp_path))
    kept = checkpoint.read_checkpoint(Folder(tmp_path), next(tmp_path.iterdir()).name)
    assert kept is not None
    assert len(kept.curve) == 2
    assert trained(epochs=3, checkpoints=tmp_path).row()["paid"] == 1


def test_what_changes_results_never_shares_a_checkpoint(tmp_path: Path) -> None:
    trained(checkpoints=tmp_path)
    others = [
        {"seed": 1},
        {"bn": "C1"},
        {"settings": {**TINY, "recipe": {"batch_size": 32}}},
        {"settings": {**TINY, "proxy": {"width": 0.0625, "train_images": 160}}},
        {"settings": {**TINY, "proxy": {"width": 0.125, "train_images": 192}}},
    ]
    for other in others:
        assert trained(checkpoints=tmp_path, **other).row()["paid"] == 1, other  # type: ignore[arg-type]  # mixed values
    assert len(list(tmp_path.iterdir())) == 1 + len(others)


def test_what_does_not_change_results_shares_a_checkpoint(tmp_path: Path) -> None:
    trained(checkpoints=tmp_path)
    for other in (
        {"max_epochs": 30},
        {"threads": 2},
        {"proxy": {"width": 0.0625, "train_images": 192, "data": "bundled"}},
    ):
        assert trained(checkpoints=tmp_path, settings={**TINY, **other}).row()["paid"] == 0


def test_no_training_goes_on_where_another_kind_of_arithmetic_began_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Devices and versions of PyTorch round differently; a folder may be shared by machines with either."""
    asked = ImageTraining(TINY)._asked(Design({"bn": "all"}), WORKLOAD, 1, 0, None)
    assert asked.file("cpu", "2.98.0") != asked.file("cuda", "2.98.0")
    paid = []
    for installed in ("2.98.0", "2.99.0", "2.99.1+cu130"):
        monkeypatch.setattr(training, "version", {"torch": installed}.__getitem__)
        paid.append(trained(checkpoints=tmp_path).row()["paid"])
    assert paid == [1, 1, 0], "the two of 2.99 share theirs"
    assert {file.name for file in tmp_path.iterdir()} == {asked.file("cpu", release) for release in ("2.98", "2.99")}


def test_no_training_goes_on_where_another_network_of_a_user_s_file_began_it(tmp_path: Path) -> None:
    simulator, folder = ImageTraining(TINY), Folder(tmp_path / "checkpoints")
    paid = []
    for channels in (16, 32, 16):
        (tmp_path / "my.py").write_text(OWN.replace("CHANNELS", str(channels)))
        workload = Workload("my.py:build", "fashion-mnist").with_source(tmp_path)
        design = Design({"bn": Bits([1])})
        paid.append(simulator.simulate(design, workload, fidelity=1, checkpoints=folder).row()["paid"])
    assert paid == [1, 1, 0]


def test_the_automatic_choice_of_a_device_and_the_device_share_checkpoints(tmp_path: Path) -> None:
    chosen = choose_device("auto").type
    trained(checkpoints=tmp_path, settings={**TINY, "device": chosen})
    assert trained(checkpoints=tmp_path, settings={**TINY, "device": "auto"}).row()["paid"] == 0


def test_checkpoints_can_be_switched_off(tmp_path: Path) -> None:
    trained(checkpoints=tmp_path, settings={**TINY, "keep_checkpoints": False})
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_trained_afresh_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = trained(epochs=2, checkpoints=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    with caplog.at_level(logging.WARNING):
        after = trained(epochs=2, checkpoints=tmp_path)
    assert "damaged" in caplog.text
    assert results(after) == results(before)
    assert after.row()["paid"] == 2
    assert trained(epochs=2, checkpoints=tmp_path).row()["paid"] == 0


def test_a_diverged_training_stops_and_reports_finite_numbers(tmp_path: Path) -> None:
    settings = {**TINY, "recipe": {"batch_size": 32, "learning_rate": 1e30, "gradient_norm": 1e30, "warmup_epochs": 0}}
    report = trained("none", 4, checkpoints=tmp_path, settings=settings)
    row = report.row()
    assert (row["diverged"], row["epochs"], row["paid"]) == (1, 1, 1)
    assert row["accuracy"] == 0.1  # everything is put into class 0
    assert row["loss"] == pytest.approx(np.log(10))
    assert report.series["accuracy"].tolist() == [0.1] * 4
    assert np.isfinite(list(row.values())).all()
    assert trained("none", 8, checkpoints=tmp_path, settings=settings).row()["paid"] == 0


def test_training_leaves_the_processes_own_random_numbers_and_settings_alone() -> None:
    torch.manual_seed(5)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    trained()
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    with reproducible(3):
        assert torch.get_num_threads() == 3


def test_unknown_epochs_networks_and_bits_are_refused() -> None:
    simulator = ImageTraining(TINY)
    for epochs in (0, 21, 1.5, True):
        with pytest.raises(InputError, match="choose 1 to 20"):
            simulator.simulate(Design({}), WORKLOAD, fidelity=epochs)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(InputError) as caught:
        simulator.simulate(Design({"bn": Bits("101")}), WORKLOAD, fidelity=1)
    assert caught.value.field == "bn"
    with pytest.raises(InputError) as caught:
        simulator.check(Workload("vgg12", "fashion-mnist"))
    assert caught.value.field == "workload.network"


@pytest.mark.parametrize(
    ("settings", "workload", "field"),
    [
        ({}, Workload("vgg11", "cifar10"), "data_dir"),
        ({"data_dir": "/nonexistent"}, WORKLOAD, "data_dir"),
        ({"proxy": {"train_images": 6001}}, WORKLOAD, "proxy.train_images"),
        ({"proxy": {"train_images": 63}}, WORKLOAD, "recipe.batch_size"),
        ({}, Workload("vgg11", "fashion-mnist", input_size=64), "workload.input_size"),
        ({}, Workload("vgg11", "fashion-mnist", classes=5), "workload.classes"),
        ({}, Workload("vgg11", "mnist"), "workload.dataset"),
    ],
)
def test_a_check_finds_what_a_run_would_lack(settings: dict[str, object], workload: Workload, field: str) -> None:
    with pytest.raises(InputError) as caught:
        ImageTraining(settings).check(workload)
    assert caught.value.field == field
    with pytest.raises(InputError):
        ImageTraining(settings).simulate(Design({}), workload, fidelity=1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_is_refused_where_there_is_none() -> None:
    with pytest.raises(InputError, match="no CUDA device") as caught:
        ImageTraining({"device": "cuda"}).check(WORKLOAD)
    assert caught.value.field == "device"


def test_a_training_survives_a_folder_that_can_be_neither_read_nor_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        report = trained(epochs=2, checkpoints=tmp_path / "file")
    assert results(report) == results(trained(epochs=2))
    assert report.row()["paid"] == 2
    told = [record.getMessage() for record in caplog.records]
    assert ["cannot be read" in told[0], *("cannot be kept" in line for line in told[1:])] == [True] * 3


ELSEWHERE = """
import sys
from simulators.protocol import Design, Folder, Workload
from simulators.training import ImageTraining

simulator = ImageTraining({settings!r})
bits = simulator.variables(Workload("vgg11", "fashion-mnist"))[0].domain.parse("C2,C5")
report = simulator.simulate(Design({{"bn": bits}}), Workload("vgg11", "fashion-mnist"), fidelity=1,
                            checkpoints=Folder({place!r}))
sys.exit(report.row()["paid"] != 1)
"""


def test_a_training_begun_by_another_process_goes_on_from_a_remote_folder_bit_for_bit(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp:
        program = ELSEWHERE.format(settings=dict(TINY), place=ftp.url("/remote"))
        subprocess.run([sys.executable, "-c", program], check=True)
        continued = trained("C2,C5", 3, checkpoints=ftp.url("/remote"))
        again = trained("C2,C5", 3, checkpoints=ftp.url("/remote"))
    straight = trained("C2,C5", 3, checkpoints=tmp_path / "local")
    assert results(continued) == results(straight) == results(again)
    assert [report.row()["paid"] for report in (continued, straight, again)] == [2, 3, 0]
    assert (continued.series["paid_time_s"] == 0).tolist() == [True, False, False]
    (remote,), (local,) = ([*(tmp_path / name).iterdir()] for name in ("remote", "local"))
    assert remote.name == local.name
    assert same_states(remote, local)


def test_a_remote_folder_that_is_gone_for_a_while_costs_a_training_nothing_but_going_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simulators.training import trainer

    monkeypatch.setattr(remote_folders, "PAUSES_S", (0.01,))
    train_epoch = trainer.Trainer.train_epoch

    def with_the_server_away_in_epoch_2(self: trainer.Trainer, epoch: int) -> bool:
        if epoch == 1:
            ftp.stop()
        elif epoch == 2:
            ftp.start()
        return train_epoch(self, epoch)

    with Ftp(tmp_path) as ftp:
        trained(epochs=1, checkpoints=ftp.url())
        with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
            patch.setattr(trainer.Trainer, "train_epoch", with_the_server_away_in_epoch_2)
            report = trained(epochs=3, checkpoints=ftp.url())
        assert [record.getMessage() for record in caplog.records if "cannot be kept" in record.getMessage()]
        assert results(report) == results(trained(epochs=3))
        assert report.row()["paid"] == 2
        assert trained(epochs=3, checkpoints=ftp.url()).row()["paid"] == 0

        ftp.stop()
        with caplog.at_level(logging.WARNING):
            afresh = trained(epochs=3, checkpoints=ftp.url())
        assert "cannot be read" in caplog.text
        assert results(afresh) == results(report)
        assert afresh.row()["paid"] == 3
        ftp.start()


def test_provenance_names_images_recipe_and_proxy() -> None:
    told = ImageTraining(TINY).provenance(WORKLOAD)
    assert told["images"] == "Fashion-MNIST, bundled (192 train, 2000 validation, 2000 test)"
    assert len(told["images_sha256"]) == 64
    assert '"learning_rate":0.04' in told["recipe"]
    assert '"width":0.0625' in told["proxy"]
    assert told["torch"] == torch.__version__.split("+")[0] or told["torch"] == torch.__version__


def test_a_residual_network_trains_with_as_many_bits_as_the_full_one() -> None:
    workload = Workload("resnet20", "fashion-mnist")
    report = ImageTraining(TINY).simulate(Design({}), workload, fidelity=1)
    assert report.row()["parameters"] < 10_000
    assert report.row()["loss"] < 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "0.125 of the width on the bundled images"),
        ({"proxy": {"width": 0.5, "train_images": 300}}, "0.5 of the width on 300 of the bundled images"),
        ({"proxy": {"width": 1}}, "the full network on the bundled images"),
        ({"proxy": "none", "data_dir": "somewhere"}, "the full network on the full data set"),
    ],
)
def test_what_is_really_trained_is_told_in_words_the_default_too(settings: dict[str, object], words: str) -> None:
    assert ImageTraining(settings).trained(Workload("vgg11", "fashion-mnist")) == words
