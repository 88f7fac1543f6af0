"""The table that comes with the package: what makes it a benchmark."""

from __future__ import annotations

from simulators.training.table import SHIPPED, quality, read_table


def test_every_placement_is_there_with_whole_curves() -> None:
    table = read_table(SHIPPED)
    assert set(table.curves) == {f"{number:08b}" for number in range(256)}
    assert {len(curve.measures) for curves in table.curves.values() for curve in curves} == {table.settings.epochs}
    assert table.settings.epochs == 12


def test_placements_stand_out_from_luck_and_early_epochs_tell_of_the_last() -> None:
    """But for the placement without BN, which learns with some seeds only."""
    table = read_table(SHIPPED)
    unsure = {bn for bn, curves in table.curves.items() if min(curve.measures[-1, 0] for curve in curves) < 0.75}
    assert unsure == {"00000000"}
    found = quality(table, least=0.75)
    assert found.ratio < 1 / 3
    assert found.rank_correlations[1] >= 0.6


def test_every_placement_was_trained_three_times() -> None:
    assert {len(curves) for curves in read_table(SHIPPED).curves.values()} == {3}
