from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest

from simulators.protocol import InputError
from simulators.training.table import COLUMNS, MEASURES, TrainingTable, quality, read_table
from tests.simulators.training.tables import made_up_table, settings


def table_of(accuracies: dict[str, list[list[float]]], epochs: int) -> TrainingTable:
    """Accuracies by placement, training and epoch."""
    rows = [
        (bn, replicate, 7 + replicate, epoch, accuracy, accuracy / 2, 1 - accuracy, 3.0)
        for bn, trainings in accuracies.items()
        for replicate, curve in enumerate(trainings)
        for epoch, accuracy in enumerate(curve, 1)
    ]
    return TrainingTable(
        pandas.DataFrame(rows, columns=["bn", "replicate", "seed", "epoch", *MEASURES]), settings(epochs)
    )


def test_what_is_read_is_what_was_written_to_the_last_digit(tmp_path: Path) -> None:
    table = table_of({"01": [[1 / 3, 0.1 + 0.2]], "10": [[0.7, 0.8]]}, 2)
    table.write(tmp_path / "new" / "table.parquet")
    found = read_table(tmp_path / "new" / "table.parquet")
    assert found.settings == table.settings
    assert list(found.rows.columns) == list(COLUMNS)
    for name in COLUMNS:
        assert found.rows[name].tolist() == table.rows[name].tolist(), name
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["table.parquet"]


def test_the_whole_table_is_small(tmp_path: Path) -> None:
    made_up_table(epochs=12).write(tmp_path / "table.parquet")
    assert len(read_table(tmp_path / "table.parquet").curves) == 256
    assert (tmp_path / "table.parquet").stat().st_size < 400_000


def test_a_table_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    table_of({"01": [[0.5]]}, 1).write(path)
    first = read_table(path)
    assert read_table(path) is first
    table_of({"01": [[0.5]], "10": [[0.6]]}, 1).write(path)
    assert sorted(read_table(path).curves) == ["01", "10"]
    assert read_table(path).checksum != first.checksum


def test_a_table_that_is_missing_damaged_or_something_else_is_refused_with_advice(tmp_path: Path) -> None:
    missing, damaged, other, columns = (tmp_path / f"{name}.parquet" for name in ("a", "b", "c", "d"))
    damaged.write_bytes(b"PAR1 and then nothing")
    pandas.DataFrame({"x": [1]}).to_parquet(other)
    table = made_up_table(placements=1)
    rows = table.rows.drop(columns="loss")
    rows.attrs = table.settings.model_dump()
    rows.to_parquet(columns)
    for path, words in (
        (missing, "there is no table"),
        (damaged, "is no table"),
        (other, "settings"),
        (columns, "loss"),
    ):
        with pytest.raises(InputError) as caught:
            read_table(path)
        assert words in caught.value.message
        assert str(path) in caught.value.message
        assert "python examples/bn_table.py" in caught.value.message
        assert caught.value.field == "table"


def test_the_last_results_of_a_training_that_diverged_stand_for_the_rest_and_took_no_time() -> None:
    (curve,) = table_of({"01": [[0.5, 0.1]]}, 4).curves["01"]
    assert curve.trained == 2
    assert curve.measures[:, 0].tolist() == [0.5, 0.1, 0.1, 0.1]
    assert curve.measures[:, 3].tolist() == [3, 3, 0, 0]


def test_noise_is_pooled_over_placements_and_the_range_is_that_of_their_means() -> None:
    table = table_of({"00": [[0.2, 0.4], [0.2, 0.6]], "01": [[0.1, 0.7], [0.1, 0.7]], "10": [[0.5, 0.8]]}, 2)
    found = quality(table)
    assert found.noise == pytest.approx(np.sqrt((0.02 + 0) / 2))  # of the two that have two trainings
    assert found.typical_noise == pytest.approx(np.sqrt(0.02) / 2)
    low, high = 0.5 + 0.2 * 0.2, 0.7 + 0.8 * 0.1  # linear quantiles of 0.5, 0.7, 0.8
    assert found.spread == pytest.approx(high - low)
    assert found.ratio == pytest.approx(0.1 / (high - low))
    assert found.rank_correlations == pytest.approx((0.5, 1.0))


def test_placements_that_do_not_learn_with_every_seed_can_be_left_out() -> None:
    more = {"11": [[0.85], [0.87]]}
    table = table_of({"00": [[0.1], [0.9]], "01": [[0.8], [0.82]], "10": [[0.9], [0.92]], **more}, 1)
    assert quality(table).noise > 0.25
    assert quality(table, least=0.75).noise == pytest.approx(0.02 / np.sqrt(2))


def test_too_few_placements_tell_nothing() -> None:
    table = table_of({"00": [[0.1], [0.9]], "01": [[0.8], [0.82]], "10": [[0.9], [0.92]]}, 1)
    with pytest.raises(InputError, match="2 of 3 placements reach 75% with every seed; 3 are needed"):
        quality(table, least=0.75)


@pytest.mark.filterwarnings("error")
def test_an_epoch_in_which_nothing_is_learnt_yet_has_no_order() -> None:
    found = quality(table_of({"00": [[0.1, 0.3]], "01": [[0.1, 0.5]], "10": [[0.1, 0.4]]}, 2))
    assert np.isnan(found.rank_correlations[0])
    assert found.rank_correlations[1] == pytest.approx(1)
    assert np.isnan(found.noise), "with one seed nothing is known of luck"
