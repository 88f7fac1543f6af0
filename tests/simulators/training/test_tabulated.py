from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest

from simulators.protocol import Bits, Design, Folder, InputError, Report, Workload, remote_folders
from simulators.training import ImageTraining
from simulators.training.table import MEASURES, SHIPPED, TableSettings, TrainingTable, read_table
from simulators.training.tabulated import TabulatedTraining
from tests.ftp import Ftp
from tests.simulators.training.tables import made_up_table, settings

WORKLOAD = Workload("vgg11", "fashion-mnist")
PROXY = {"width": 0.0625, "train_images": 192}
TRAINING = {"proxy": PROXY, "recipe": {"batch_size": 32}, "device": "cpu"}
PLACEMENTS, SEEDS, EPOCHS = ("11111111", "00000000"), (5, 1723774814), 2


def design(bn: str) -> Design:
    return Design({"bn": Bits(map(int, bn))})


@pytest.fixture(scope="module")
def trainings() -> dict[tuple[str, int], Report]:
    """Real ones, of two placements with two seeds each."""
    simulator = ImageTraining(TRAINING)
    return {
        (bn, seed): simulator.simulate(design(bn), WORKLOAD, fidelity=EPOCHS, seed=seed)
        for bn in PLACEMENTS
        for seed in SEEDS
    }


@pytest.fixture(scope="module")
def path(trainings: dict[tuple[str, int], Report], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their table."""
    rows = [
        (
            bn,
            SEEDS.index(seed),
            seed,
            epoch + 1,
            *(report.series[name][epoch] for name in (*MEASURES[:3], "paid_time_s")),
        )
        for (bn, seed), report in trainings.items()
        for epoch in range(EPOCHS)
    ]
    frame = pandas.DataFrame(rows, columns=["bn", "replicate", "seed", "epoch", *MEASURES])
    made = TableSettings(
        network="vgg11", dataset="fashion-mnist", width=0.0625, trained="a little", epochs=EPOCHS,
        provenance=ImageTraining(TRAINING).provenance(WORKLOAD),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("table") / "table.parquet"
    TrainingTable(frame, made).write(path)
    return path


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made-up") / "table.parquet"
    made_up_table().write(path)
    return path


def test_a_seed_that_was_trained_replays_its_training_bit_for_bit(
    trainings: dict[tuple[str, int], Report], path: Path
) -> None:
    simulator = TabulatedTraining({"table": path})
    assert simulator.fidelity().high == EPOCHS
    shorter = ImageTraining(TRAINING).simulate(design(PLACEMENTS[0]), WORKLOAD, fidelity=1, seed=SEEDS[0])
    cases = [(bn, seed, EPOCHS, report) for (bn, seed), report in trainings.items()]
    for bn, seed, epochs, real in [*cases, (PLACEMENTS[0], SEEDS[0], 1, shorter)]:
        replayed = simulator.simulate(design(bn), WORKLOAD, fidelity=epochs, seed=seed)
        assert set(replayed.totals) == set(TabulatedTraining.fields) == set(real.totals) - {"accuracy_images_error"}
        assert set(replayed.series) == set(real.series)
        for name in set(replayed.totals) - {"training_time_s"}:
            assert replayed.totals[name].tolist() == real.totals[name].tolist(), name
        for name in ("accuracy", "test_accuracy", "loss"):
            assert replayed.series[name].tolist() == real.series[name].tolist(), name
    for (bn, seed), real in trainings.items():
        replayed = simulator.simulate(design(bn), WORKLOAD, fidelity=EPOCHS, seed=seed)
        assert replayed.series["paid_time_s"] == pytest.approx(real.series["paid_time_s"], rel=1e-6)
        assert replayed.row()["training_time_s"] == pytest.approx(real.row()["training_time_s"], rel=1e-6)


def test_any_other_seed_replays_one_of_the_trainings_always_the_same(made_up: Path) -> None:
    simulator = TabulatedTraining({"table": made_up})
    curves = [tuple(curve.measures[:, 0]) for curve in read_table(made_up).curves["01010101"]]

    def replayed(seed: int) -> tuple[float, ...]:
        return tuple(simulator.simulate(design("01010101"), WORKLOAD, fidelity=6, seed=seed).series["accuracy"])

    found = [replayed(seed) for seed in range(10_000, 10_060)]
    assert found == [replayed(seed) for seed in range(10_000, 10_060)]
    assert set(found) == set(curves)
    assert min(found.count(curve) for curve in curves) > 8


def test_on_average_it_replays_the_mean_whatever_the_seed(made_up: Path) -> None:
    simulator = TabulatedTraining({"table": made_up, "average": True})
    curves = read_table(made_up).curves["01010101"]
    mean = np.mean([curve.measures[:, 0] for curve in curves], axis=0)
    for seed in (0, 1):
        report = simulator.simulate(design("01010101"), WORKLOAD, fidelity=6, seed=seed)
        assert report.series["accuracy"].tolist() == mean.tolist()
        assert report.row()["accuracy"] == mean[-1]


def test_going_on_pays_the_difference_also_in_another_process_and_asking_for_less_costs_nothing(
    made_up: Path, tmp_path: Path
) -> None:
    simulator = TabulatedTraining({"table": made_up})
    folder = Folder(tmp_path / "checkpoints" / "new")

    def paid(epochs: int, seed: int = 0, bn: str = "00000001", folder: Folder | None = folder) -> tuple[float, int]:
        elsewhere = pickle.loads(pickle.dumps(simulator))  # noqa: S301  # our own bytes
        report = elsewhere.simulate(design(bn), WORKLOAD, fidelity=epochs, seed=seed, checkpoints=folder)
        return report.row()["paid"], np.count_nonzero(report.series["paid_time_s"])

    assert [paid(2), paid(5), paid(5), paid(3), paid(6)] == [(2, 2), (3, 3), (0, 0), (0, 0), (1, 1)]
    assert paid(4, seed=1) == paid(4, bn="10000000") == (4, 4), "other trainings are paid for"
    assert paid(6, folder=None) == paid(6, folder=None) == (6, 6), "nothing is remembered without a folder"


def test_what_was_paid_for_is_remembered_in_a_remote_folder_too_and_forgotten_without_harm_when_that_is_gone(
    made_up: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remote_folders, "PAUSES_S", ())
    simulator = TabulatedTraining({"table": made_up})

    def paid(epochs: int) -> float:
        folder = Folder(ftp.url("/new/folder"))
        return simulator.simulate(design("00000001"), WORKLOAD, fidelity=epochs, checkpoints=folder).row()["paid"]

    with Ftp(tmp_path) as ftp:
        assert [paid(2), paid(5), paid(3)] == [2, 3, 0]
        ftp.stop()
        assert paid(3) == 3
        assert "what was paid for cannot be looked up" in caplog.text
        ftp.start()
        assert paid(6) == 1


def test_what_was_paid_for_under_one_table_is_not_paid_for_under_another(made_up: Path, tmp_path: Path) -> None:
    made_up_table(seed=1).write(tmp_path / "other.parquet")
    for path in (made_up, tmp_path / "other.parquet"):
        report = TabulatedTraining({"table": path}).simulate(
            design("00000001"), WORKLOAD, fidelity=3, checkpoints=Folder(tmp_path / "checkpoints")
        )
        assert report.row()["paid"] == 3


def test_a_training_that_diverged_is_replayed_as_one(tmp_path: Path) -> None:
    rows = [("1" * 8, 0, 0, 1, 0.5, 0.5, 1.0, 2.0), ("1" * 8, 0, 0, 2, 0.1, 0.1, 2.3, 2.0)]
    frame = pandas.DataFrame(rows, columns=["bn", "replicate", "seed", "epoch", *MEASURES])
    TrainingTable(frame, settings(4)).write(tmp_path / "table.parquet")
    simulator = TabulatedTraining({"table": tmp_path / "table.parquet"})

    def row(epochs: int) -> tuple[float, ...]:
        found = simulator.simulate(
            design("1" * 8), WORKLOAD, fidelity=epochs, checkpoints=Folder(tmp_path / "kept")
        ).row()
        return tuple(found[name] for name in ("accuracy", "epochs", "paid", "training_time_s", "diverged"))

    assert [row(1), row(2), row(4), row(4)] == [
        (0.5, 1, 1, 2, 0),
        (0.1, 2, 1, 4, 1),
        (0.1, 2, 0, 4, 1),
        (0.1, 2, 0, 4, 1),
    ]


@pytest.mark.parametrize(
    ("workload", "field"),
    [
        (Workload("vgg16", "fashion-mnist"), "workload.network"),
        (Workload("vgg11", "cifar10"), "workload.dataset"),
        (Workload("vgg11", "fashion-mnist", options=(("head", "classic"),)), "workload.options"),
        (Workload("vgg11", "fashion-mnist", input_size=64), "workload.input_size"),
        (Workload("vgg11", "fashion-mnist", classes=20), "workload.classes"),
    ],
)
def test_a_workload_that_the_table_was_not_made_for_is_refused(made_up: Path, workload: Workload, field: str) -> None:
    simulator = TabulatedTraining({"table": made_up})
    for ask in (simulator.check, simulator.provenance):
        with pytest.raises(InputError, match=r"table\.parquet was made for") as caught:
            ask(workload)
        assert caught.value.field == field
    with pytest.raises(InputError, match="was made for"):
        simulator.simulate(Design({}), workload, fidelity=1)


def test_the_chip_may_do_inference(made_up: Path) -> None:
    TabulatedTraining({"table": made_up}).check(Workload("vgg11", "fashion-mnist", mode="inference"))


def test_a_placement_that_a_partial_table_lacks_is_refused(tmp_path: Path) -> None:
    made_up_table(placements=3).write(tmp_path / "table.parquet")
    simulator = TabulatedTraining({"table": tmp_path / "table.parquet"})
    simulator.check(WORKLOAD)
    assert simulator.simulate(design("00000010"), WORKLOAD, fidelity=1).count == 1
    with pytest.raises(InputError, match=r"3 of 256 .*to train the others: python examples/bn_table.py") as caught:
        simulator.simulate(design("11111111"), WORKLOAD, fidelity=1)
    assert caught.value.field == "bn"


def test_a_fidelity_out_of_range_a_missing_table_and_wrong_settings_are_refused(made_up: Path, tmp_path: Path) -> None:
    for fidelity in (0, 7):
        with pytest.raises(InputError, match="choose 1 to 6"):
            TabulatedTraining({"table": made_up}).simulate(design("1" * 8), WORKLOAD, fidelity=fidelity)
    made_up_table(placements=1).write(tmp_path / "removed.parquet")
    removed = TabulatedTraining({"table": tmp_path / "removed.parquet"})
    (tmp_path / "removed.parquet").unlink()
    assert removed.variables(WORKLOAD)[0].name == "bn"  # what can be listed is listed
    for ask in (removed.check, removed.trained, lambda _: removed.fidelity()):
        with pytest.raises(InputError, match="there is no table"):
            ask(WORKLOAD)
    for given, field, words in (
        ({"tabel": "x"}, "tabel", "did you mean 'table'"),
        ({"table": 3}, "table", "path"),
        ({"table": tmp_path / "none.parquet"}, "table", "there is no table .* make one"),
        ({"average": "perhaps"}, "average", "true or false"),
        ({"proxy": {"width": 0.5}}, "proxy", "stands in the table"),
        ({"recipe": {}}, "recipe", "stands in the table"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            TabulatedTraining(given)
        assert caught.value.field == field


def test_results_depend_on_the_table_and_on_how_it_was_made(made_up: Path) -> None:
    found = TabulatedTraining({"table": made_up, "average": True}).provenance(WORKLOAD)
    assert found == {
        "recipe": "made up", "table": "table.parquet", "table_sha256": read_table(made_up).checksum, "average": "true",
    }  # fmt: skip
    assert TabulatedTraining().path == SHIPPED


def test_a_replay_does_not_import_torch(made_up: Path) -> None:
    program = (
        "import sys; from simulators.training.tabulated import TabulatedTraining; "
        "from simulators.protocol import Design, Workload; "
        f"simulator = TabulatedTraining({{'table': {str(made_up)!r}}}); "
        "simulator.simulate(Design({}), Workload('vgg11', 'fashion-mnist'), fidelity=2); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda rows: rows[:0], "it has no rows"),
        (lambda rows: rows.drop(columns=["accuracy", "seed"]), "it lacks the columns seed, accuracy"),
        (lambda rows: rows.assign(accuracy=rows.accuracy.where(rows.index != 5)), "row 5: accuracy is nan"),
        (lambda rows: rows.assign(test_accuracy=100 * rows.test_accuracy), "row 0: test_accuracy is"),
    ],
)
def test_a_table_without_proper_trainings_is_refused(
    made_up: Path, tmp_path: Path, change: Callable[[pandas.DataFrame], pandas.DataFrame], says: str
) -> None:
    rows = pandas.read_parquet(made_up)
    wrong = change(rows)
    wrong.attrs = rows.attrs
    wrong.to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(InputError, match=f"is no table of trainings .{says}"):
        TabulatedTraining({"table": tmp_path / "wrong.parquet"})


def test_a_table_that_lacks_placements_is_told_before_a_search(
    path: Path, made_up: Path, caplog: pytest.LogCaptureFixture
) -> None:
    TabulatedTraining({"table": made_up}).check(WORKLOAD)
    assert caplog.text == ""
    TabulatedTraining({"table": path}).check(WORKLOAD)
    assert "table.parquet lacks 254 of 256 placements, whose evaluations will fail; to train them: " in caplog.text
