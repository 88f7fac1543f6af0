"""Cells and what changes their conductance, against the closed forms and against cells drawn one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.training.chip.cells import CELLS, Cell, CellKind
from simulators.training.chip.effects import Drift, Effect, Programming, RandomTelegraph, ThermalShot, deviations

K, Q = 1.380649e-23, 1.602176634e-19
HOT = Cell(CELLS["3k-3M"], 8, 1e9, 400.0)
EFFECTS = (ThermalShot(), Programming(), RandomTelegraph(), Drift())


def test_levels_are_evenly_spaced_between_off_and_on() -> None:
    levels = HOT.conductances_s
    assert levels[0] == pytest.approx(1 / 3e6)
    assert levels[-1] == pytest.approx(1 / 3e3)
    assert np.diff(levels) == pytest.approx(np.full(255, HOT.step_s))


def test_thermal_and_shot_noise_is_that_of_the_formula() -> None:
    expected = (1 / 3e3) * 1e9 * (4 * K * 400 + 2 * Q * 0.15) / 0.15**2
    assert ThermalShot().variance_s2(HOT)[-1] == pytest.approx(expected)


@pytest.mark.parametrize(("bits", "cell_bits", "sigma_steps"), [(8, 8, 1 / 3), (8, 2, 1 / 3 * 3 / 255), (0, 2, 1 / 3)])
def test_writes_are_a_third_of_a_step_off(bits: int, cell_bits: int, sigma_steps: float) -> None:
    cell = Cell(CELLS["10k-1M"], cell_bits, 1e7, 300.0)
    assert np.sqrt(Programming(bits).variance_s2(cell)) / cell.step_s == pytest.approx(
        np.full(2**cell_bits, sigma_steps)
    )


def test_a_trapped_electron_is_there_half_of_the_time() -> None:
    effect, rng = RandomTelegraph(), np.random.default_rng(0)
    conductance = HOT.conductances_s
    slowed = 0.0015 * conductance + 1.662e-7
    change = conductance * slowed / (conductance - slowed)
    drawn = change * (rng.random((20_000, len(change))) < 0.5)
    above = conductance >= 1e-6
    assert effect.mean_s(HOT)[above] == pytest.approx(drawn.mean(axis=0)[above], rel=0.05)
    assert effect.variance_s2(HOT)[above] == pytest.approx(drawn.var(axis=0)[above], rel=0.05)


def test_below_a_microsiemens_a_trapped_electron_changes_what_it_does_there() -> None:
    cell = Cell(CELLS["240k-24M"], 4, 1e7, 300.0)
    change = RandomTelegraph().change_s(cell)
    at_limit = 1e-6 * (0.0015e-6 + 1.662e-7) / (1e-6 - 0.0015e-6 - 1.662e-7)
    assert change[cell.conductances_s < 1e-6] == pytest.approx(at_limit)


def test_heat_takes_the_same_part_of_every_conductance() -> None:
    assert Drift(per_k=-1e-3).mean_s(HOT) == pytest.approx(-0.1 * HOT.conductances_s)
    assert not Drift(written_at_k=400).mean_s(HOT).any()
    assert Drift(per_k=-1.0).mean_s(HOT) == pytest.approx(-HOT.conductances_s), "no conductance is negative"


def test_effects_add_up_and_each_can_be_left_out() -> None:
    every = deviations(HOT, EFFECTS)
    single = [deviations(HOT, [effect]) for effect in EFFECTS]
    for name in ("mean", "written_variance", "read_variance"):
        assert getattr(every, name) == pytest.approx(sum(getattr(one, name) for one in single))
    nothing = deviations(HOT, [])
    assert not any(part.any() for part in (nothing.mean, nothing.written_variance, nothing.read_variance))


@given(st.sampled_from(sorted(CELLS)), st.integers(1, 8), st.floats(1e6, 1e9), st.floats(250, 420))
def test_noise_grows_with_temperature_and_read_rate(name: str, bits: int, rate_hz: float, temperature_k: float) -> None:
    calm = Cell(CELLS[name], bits, rate_hz, temperature_k)
    for louder in (Cell(CELLS[name], bits, 2 * rate_hz, temperature_k), Cell(CELLS[name], bits, rate_hz, 500.0)):
        assert np.all(ThermalShot().variance_s2(louder) > ThermalShot().variance_s2(calm))


def test_the_read_voltage_decides_how_loud_reads_are() -> None:
    low, high = (Cell(CELLS[name], 8, 1e9, 400.0) for name in ("3k-3M", "3k-3M-3.3V"))
    ratio = ThermalShot().variance_s2(low) / ThermalShot().variance_s2(high)
    assert ratio == pytest.approx(np.full(256, ratio[0]))
    assert math.sqrt(ratio[0]) == pytest.approx(5.61, abs=0.01)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: CellKind(3e6, 3e3, 0.15), "has to be above on_ohm"),
        (lambda: CellKind(3e3, 3e6, 0.0), "greater than or equal to 0.001"),
        (lambda: CellKind(5e3, 5e3 + 1e-9, 0.1), "at least 1.1 times on_ohm"),
        (lambda: CellKind(3e3, math.inf, 0.1), "finite"),
        (lambda: Cell(CELLS["2k-2M"], 9, 1e7, 300.0), "less than or equal to 8"),
        (lambda: Cell(CELLS["2k-2M"], 8, 1e7, -3.0), "greater than 0"),
        (lambda: RandomTelegraph(probability=1.5), "less than or equal to 1"),
        (lambda: RandomTelegraph(a_s=1e-6), "not below G"),
        (lambda: Programming(bits=9), "less than or equal to 8"),
        (lambda: Drift(written_at_k=0.0), "greater than 0"),
    ],
)
def test_impossible_numbers_are_refused(build: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        build()  # type: ignore[operator]  # of a list of mistakes


def test_every_effect_says_when_it_is_drawn() -> None:
    assert {type(effect).__name__: effect.at for effect in EFFECTS} == {
        "ThermalShot": "read", "Programming": "write", "RandomTelegraph": "read", "Drift": "read",
    }  # fmt: skip
    assert all(isinstance(effect, Effect) for effect in EFFECTS)
