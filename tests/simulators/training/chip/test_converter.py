"""Converters: what they read, and what rounding does to noise, against numbers drawn one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from simulators.protocol import InputError
from simulators.training.chip.converter import Converter, rounded_variance, rounding_gain

DRAWN = 400_000


def as_tensor(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


@pytest.mark.parametrize("sigma", [0.05, 0.15, 0.2, 0.3, 0.4, 0.5, 0.74, 0.76, 1.5, 20.0])
def test_rounded_noise_has_the_variance_and_keeps_the_part_that_is_told(sigma: float) -> None:
    drawn = sigma * np.random.default_rng(0).standard_normal(DRAWN)
    rounded = np.round(drawn)
    assert rounded_variance(as_tensor(sigma**2)).item() == pytest.approx(rounded.var(), rel=0.03, abs=2e-5)
    gain = (drawn * rounded).mean() / sigma**2
    assert rounding_gain(as_tensor(sigma**2)).item() == pytest.approx(gain, rel=0.03, abs=2e-4)


@given(st.floats(0, 50))
def test_rounding_small_noise_takes_it_away_and_large_noise_adds_a_twelfth(variance: float) -> None:
    rounded = rounded_variance(as_tensor(variance)).item()
    assert 0 <= rounded <= variance + 1 / 12 + 1 / 4
    if variance < 0.004:
        assert rounded < 1e-9
    if variance > 0.6:
        assert rounded == pytest.approx(variance + 1 / 12)


@pytest.mark.parametrize("bits", [0, 9, 8, 6])
@pytest.mark.parametrize("sigma", [0.0, 0.3, 3.0])
@pytest.mark.parametrize("spread", [0.8, 4.0, 60.0])
def test_the_error_of_a_reading_is_that_of_sums_drawn_one_by_one(bits: int, sigma: float, spread: float) -> None:
    converter = Converter(512, 2, bits)
    rng = np.random.default_rng(1)
    sums = np.round(spread * rng.standard_normal(DRAWN))
    noisy = torch.from_numpy(sums + sigma * rng.standard_normal(DRAWN))
    errors = converter.read(noisy, torch.zeros(())).numpy() - sums
    expected = converter.error_variance(as_tensor(sigma**2), as_tensor((sums**2).mean())).item()
    assert expected == pytest.approx((errors**2).mean(), rel=0.2, abs=1e-3)


def test_a_converter_of_as_many_bits_as_needed_reads_sums_as_they_are() -> None:
    converter = Converter(64, 4)
    assert (converter.needed_bits, converter.step) == (9, 1)
    sums = torch.arange(-256.0, 257.0)
    assert torch.equal(converter.read(sums, torch.zeros(())), sums)
    assert Converter(64, 4, 12).step == 1, "more bits tell no more of whole numbers"


def test_every_bit_less_doubles_the_step() -> None:
    assert [Converter(64, 4, bits).step for bits in (9, 8, 7, 4)] == [1, 2, 4, 32]


def test_beyond_what_it_can_read_a_converter_saturates() -> None:
    converter = Converter(64, 4, 8, share=0.5)
    assert (converter.step, converter.largest) == (1, 128)
    assert converter.read(torch.tensor([-500.0, -128.0, 3.0, 129.0]), torch.zeros(())).tolist() == [-128, -128, 3, 128]


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan")])
def test_a_share_of_nothing_or_more_than_all_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=r"converter_share: .*above 0, at most 1"):
        Converter(64, 2, share=share)
