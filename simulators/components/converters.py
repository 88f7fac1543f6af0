"""Analog-to-digital converters: the resolution that a crossbar needs, and what a converter costs.

Energy and area are the regression over the Murmann survey of published converters that comes with Accelergy's ADC
plug-in: a figure of merit over resolution and speed, and a trend over technology nodes.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["adc_area_mm2", "adc_bits", "adc_conversion_energy_j"]

FloatArray: TypeAlias = NDArray[np.float64]

TECHNOLOGY_NM = 32.0


def adc_bits(rows: ArrayLike, cell_bits: ArrayLike, input_bits_per_cycle: int = 1) -> FloatArray:
    """Resolution that a column sum needs (ISAAC), one bit saved by ISAAC's column inversion.

    Args:
        rows: rows of a crossbar that are read together.
        cell_bits: bits per cell.
        input_bits_per_cycle: bits that a DAC puts on a row at a time.
    """
    cell_bits = np.asarray(cell_bits, dtype=np.float64)
    one_bit = (cell_bits == 1) | (input_bits_per_cycle == 1)
    full: FloatArray = np.ceil(np.log2(rows)) + input_bits_per_cycle + cell_bits - one_bit
    return full - 1


def adc_conversion_energy_j(bits: ArrayLike, rate_hz: ArrayLike, technology_nm: float = TECHNOLOGY_NM) -> FloatArray:
    """Energy of one conversion.

    The fit holds from 4 bits up; below, its slope from 4 to 5 bits goes on, so that no cost reaches zero.

    Args:
        bits: resolution.
        rate_hz: samples per second, at most 1e10.
        technology_nm: feature size.
    """
    bits = np.asarray(bits, dtype=np.float64)
    energy = _survey_energy_pj(np.maximum(bits, 4), rate_hz, technology_nm)
    if np.any(bits < 4):
        four, five = (_survey_energy_pj(np.float64(count), rate_hz, technology_nm) for count in (4, 5))
        energy = energy * (five / four) ** np.minimum(bits - 4, 0)
    return energy * 1e-12


def _survey_energy_pj(bits: NDArray[Any] | np.float64, rate_hz: ArrayLike, technology_nm: float) -> FloatArray:
    sndr = 6.02 * bits + 1.76
    merit = np.minimum(213.781 - 2.8719 * np.log(rate_hz), 128.307 + 3.2205 * np.ceil(bits))
    trend = np.exp(26.050 + 1.8800 * np.log(technology_nm) - 2.8291 * np.log(bits) - 1.4702)
    energy: FloatArray = 0.5 * 10 ** ((sndr - merit) / 10) * trend
    return energy


def adc_area_mm2(bits: ArrayLike, rate_hz: ArrayLike, technology_nm: float = TECHNOLOGY_NM) -> FloatArray:
    """Area of one converter; arguments as :func:`adc_conversion_energy_j`."""
    energy_pj = adc_conversion_energy_j(bits, rate_hz, technology_nm) * 1e12
    area_um2: FloatArray = np.exp(
        1.34619 + 0.99328 * np.log(technology_nm) + 0.18072 * np.log(rate_hz) + 0.29912 * np.log(energy_pj)
    )
    return area_um2 * 1e-6
