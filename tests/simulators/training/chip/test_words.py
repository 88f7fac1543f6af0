"""Fixed-point words in cells: rounding, digits, tables, and faults."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.training.chip.cells import CELLS, Cell
from simulators.training.chip.effects import Programming, RandomTelegraph, ThermalShot, deviations
from simulators.training.chip.faults import StuckCells, worn_out
from simulators.training.chip.masks import Masks
from simulators.training.chip.words import digits_of, fixed_point, step_of, word_tables


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20), st.integers(4, 16))
def test_values_are_rounded_to_the_finest_power_of_two_that_holds_all_of_them(numbers: list[float], bits: int) -> None:
    values = torch.tensor(numbers)
    largest = values.abs().max().item()
    step = float(step_of(values, bits))
    assert np.log2(step) == round(np.log2(step))
    assert torch.equal(fixed_point(values, step), torch.round(values / step) * step)
    limit = 2 ** (bits - 1) - 1
    assert round(largest / step) <= limit
    if largest > 1e-30:
        assert round(largest / (step / 2)) > limit


def test_what_is_not_finite_stays_so() -> None:
    for wrong in (torch.nan, torch.inf):
        values = torch.tensor([1.0, wrong])
        assert not fixed_point(values, step_of(values, 16)).isfinite().all()


@given(st.integers(2, 16), st.integers(1, 8), st.integers(0, 2**32))
def test_digits_put_together_are_the_word(word_bits: int, cell_bits: int, seed: int) -> None:
    words = torch.from_numpy(np.random.default_rng(seed).integers(0, 2**word_bits, 20))
    digits = digits_of(words, word_bits, cell_bits)
    assert int(digits.max()) < 2**cell_bits
    assert len(digits) == -(-word_bits // cell_bits)
    assert torch.equal(sum(digit << (cell_bits * place) for place, digit in enumerate(digits)), words)


@pytest.mark.parametrize("cell_bits", [1, 2, 4, 8])
def test_tables_are_what_cells_drawn_one_by_one_add_up_to(cell_bits: int) -> None:
    rng, count = np.random.default_rng(0), 40_000
    known = deviations(Cell(CELLS["10k-1M"], cell_bits, 1e9, 400.0), [ThermalShot(), Programming(0), RandomTelegraph()])
    tables = word_tables(known, 16, cell_bits)
    words = torch.tensor([0, 1, 777, 32768, 65535])
    powers = 2.0 ** np.arange(0, 16, cell_bits)
    digits = digits_of(words, 16, cell_bits).numpy()
    assert tables.mean[words].numpy() == pytest.approx(powers @ known.mean[digits], rel=1e-5, abs=1e-3)
    written, read = tables.written_deviation[words].square(), tables.read_variance[words]
    for variance, found in ((known.written_variance, written), (known.read_variance, read)):
        drawn = np.sqrt(variance[digits])[..., None] * rng.standard_normal((*digits.shape, count))
        assert found.numpy() == pytest.approx(np.tensordot(powers, drawn, axes=1).var(axis=-1), rel=0.05)


def read_back(masks: Masks, words: torch.Tensor) -> torch.Tensor:
    read = words.clone()
    read[masks.places] = masks.applied(words[masks.places])
    return read


def test_the_same_chip_has_the_same_stuck_cells_and_as_many_as_it_should() -> None:
    shape, stuck = torch.Size([200, 100]), StuckCells(on=0.02, off=0.05)
    one, same, other = (Masks.draw(shape, stuck, 16, 4, seed) for seed in (3, 3, 4))
    assert torch.equal(one.kept, same.kept)
    assert torch.equal(one.on, same.on)
    assert not torch.equal(one.kept, other.kept)
    zeros, ones = read_back(one, torch.zeros(shape).int()), read_back(one, torch.full(shape, 65535).int())
    on, off = digits_of(zeros, 16, 4) == 15, digits_of(ones, 16, 4) == 0
    assert on.float().mean().item() == pytest.approx(0.02, rel=0.05)
    assert off.float().mean().item() == pytest.approx(0.05, rel=0.05)
    assert not (on & off).any()
    touched = digits_of(zeros, 16, 4).bool() | (digits_of(ones, 16, 4) != 15)
    words = torch.from_numpy(np.random.default_rng(0).integers(0, 65536, shape)).int()
    read = digits_of(read_back(one, words), 16, 4)
    assert torch.equal(read[~touched], digits_of(words, 16, 4)[~touched]), "sound cells hold what was written"


def test_half_of_the_cells_survive_the_endurance() -> None:
    assert worn_out(0, 1e9, 2) == 0
    assert worn_out(1e9, 1e9, 2) == worn_out(1e9, 1e9, 5) == pytest.approx(0.5)
    shares = [worn_out(writes, 1e9, 3) for writes in (1e7, 1e8, 1e9, 1e10)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [{"on": -0.1}, {"off": 1.1}, {"on": 0.6, "off": 0.6}, {"on": float("nan")}])
def test_impossible_shares_of_stuck_cells_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        StuckCells(**wrong)
