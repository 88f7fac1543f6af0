from __future__ import annotations

import numpy as np
import pytest

from simulators.protocol import Designs, Table, Workload
from simulators.training import ImageTraining
from simulators.training.chip.cells import CELLS

WORKLOAD = Workload("vgg11", "fashion-mnist")
LOUD = Designs(
    {name: np.array([value]) for name, value in (("cell_bits", 8), ("frequency_hz", 1e9), ("temperature_k", 400))}
)


def shown(simulator: ImageTraining, name: str) -> Table:
    (view,) = [view for view in simulator.views() if view.name == name]
    found = view.render(LOUD, WORKLOAD)
    assert isinstance(found, Table)
    assert all(len(row) == len(found.columns) for row in found.rows)
    return found


def test_every_kind_of_cell_is_shown_and_few_bits_make_noise_small() -> None:
    table = shown(ImageTraining(), "cells")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["cells"] for row in rows if row["cells"]] == list(CELLS)
    loud = "thermal and shot, 1000 MHz, 400 K"
    for kind in range(len(CELLS)):
        noise = [row[loud].value for row in rows[4 * kind : 4 * kind + 4]]
        assert noise == sorted(noise)
        assert noise[-1] == pytest.approx(255 * noise[0], rel=0.02)
    assert rows[3][loud].value == pytest.approx(0.55, abs=0.01), "He et al. print 0.05 to 0.52 at the highest level"


def test_a_chip_is_shown_level_by_level_with_the_effects_that_it_has() -> None:
    table = shown(ImageTraining({"chip": {"random_telegraph": False, "stuck": {"on": 0.01}}}), "chip")
    assert [row[0] for row in table.rows][:: len(table.rows) - 1] == [0, 255]
    assert table.columns == (
        "level", "conductance_s", "thermal shot: deviation", "programming: deviation", "drift: mean",
    )  # fmt: skip
    assert [row[3].value for row in table.rows] == pytest.approx([1 / 3] * len(table.rows))
    drift = [row[4].value for row in table.rows]
    assert drift[0] == pytest.approx(-drift[-1]) == pytest.approx(0.05 * 127.5, rel=1e-3)
    assert "1 % of cells are stuck on, 0 % off: 1.99 % of weights have one" in table.notes
    assert any("needs converters of 14 bits" in note for note in table.notes)


def test_without_a_chip_there_is_no_view_of_it() -> None:
    assert [view.name for view in ImageTraining().views()] == ["cells"]
