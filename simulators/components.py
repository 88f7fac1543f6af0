"""Circuit parts: power and area of each, how they scale, and where each number is printed.

The reference point is the ISAAC tile (Shafiee et al., ISCA 2016, table 1: 32 nm, 1.2 GHz digital logic, a crossbar read
every 100 ns). Tiles with other crossbars, cells or read rates are that tile with every part scaled by its own law, so
the reference point stays exact. All functions broadcast over arrays of designs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "IMAS_PER_TILE",
    "ISAAC_CHIP",
    "ISAAC_IMA",
    "ISAAC_TILE",
    "TILES_PER_CHIP",
    "Part",
    "Tile",
    "TileBudget",
    "adc_area_mm2",
    "adc_bits",
    "adc_conversion_energy_j",
    "isaac_chip_totals",
    "isaac_ima_totals",
    "isaac_tile",
    "isaac_tile_totals",
    "total_of",
]

FloatArray: TypeAlias = NDArray[np.float64]
TileBudget: TypeAlias = Literal["cells", "area"]

ISAAC = "Shafiee et al., ISAAC, ISCA 2016, table 1"
MURMANN = "regression of the Murmann ADC survey published with Accelergy's ADC plug-in"


@dataclass(frozen=True)
class Part:
    """A circuit part inside its parent (IMA, tile or chip).

    Args:
        name: what it is.
        count: how many of them the parent has; a fraction where parents share one.
        power_w, area_mm2: of one.
        source: where the numbers are printed.
    """

    name: str
    count: float
    power_w: float
    area_mm2: float
    source: str = ISAAC


CROSSBARS_PER_IMA, IMAS_PER_TILE, TILES_PER_CHIP = 8, 12, 168
CROSSBAR_SIZE, CELL_BITS = 128, 2
READ_RATE_HZ = 10e6
LINES = CROSSBARS_PER_IMA * CROSSBAR_SIZE  # rows, and as many columns, of all crossbars of an IMA
TECHNOLOGY_NM = 32.0

ISAAC_IMA = (
    Part("adc", CROSSBARS_PER_IMA, 2e-3, 1.2e-3),
    Part("dac", LINES, 4e-3 / LINES, 1.7e-4 / LINES),
    Part("sample_and_hold", LINES, 1e-5 / LINES, 4e-5 / LINES),
    Part("crossbar", CROSSBARS_PER_IMA, 3e-4, 2.5e-5),
    Part("shift_and_add", 4, 5e-5, 6e-5),
    Part("input_register", 1, 1.24e-3, 2.1e-3),
    Part("output_register", 1, 2.3e-4, 7.7e-4),
)
ISAAC_TILE = (
    Part("edram", 1, 20.7e-3, 0.083),
    Part("bus", 1, 7e-3, 0.090),
    Part("router", 0.25, 42e-3, 0.151),  # shared by four tiles
    Part("sigmoid", 2, 0.26e-3, 3e-4),
    Part("tile_shift_and_add", 1, 5e-5, 6e-5),
    Part("max_pool", 1, 4e-4, 2.4e-4),
    Part("tile_output_register", 1, 1.68e-3, 3.2e-3),
)
ISAAC_CHIP = (Part("hyper_transport", 1, 10.4, 22.88),)

CROSSBARS_PER_TILE = IMAS_PER_TILE * CROSSBARS_PER_IMA
ISAAC_ADC_BITS, ISAAC_ADC_RATE_HZ = 8, CROSSBAR_SIZE * READ_RATE_HZ  # 1.28 GS/s: all columns in one read


def _totals(parts: Iterable[Part]) -> tuple[float, float]:
    chosen = tuple(parts)
    return sum(part.count * part.power_w for part in chosen), sum(part.count * part.area_mm2 for part in chosen)


def isaac_ima_totals() -> tuple[float, float]:
    """Power in watts and area in mm2 of one ISAAC in-situ multiply-accumulate unit."""
    return _totals(ISAAC_IMA)


def isaac_tile_totals() -> tuple[float, float]:
    """Power in watts and area in mm2 of one ISAAC tile: 12 IMAs and what they share."""
    (ima_power, ima_area), (power, area) = isaac_ima_totals(), _totals(ISAAC_TILE)
    return IMAS_PER_TILE * ima_power + power, IMAS_PER_TILE * ima_area + area


def isaac_chip_totals() -> tuple[float, float]:
    """Power in watts and area in mm2 of the ISAAC chip: 168 tiles and the off-chip link."""
    (tile_power, tile_area), (power, area) = isaac_tile_totals(), _totals(ISAAC_CHIP)
    return TILES_PER_CHIP * tile_power + power, TILES_PER_CHIP * tile_area + area


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
    """Energy of one conversion (Murmann fit: Walden-like figure of merit over resolution and speed).

    The fit holds from 4 bits up; below, its slope from 4 to 5 bits goes on, so that no cost reaches zero.

    Args:
        bits: resolution.
        rate_hz: samples per second, at most 1e10.
        technology_nm: feature size.
    """
    bits = np.asarray(bits, dtype=np.float64)
    energy = _murmann_energy_pj(np.maximum(bits, 4), rate_hz, technology_nm)
    if np.any(bits < 4):
        four, five = (_murmann_energy_pj(np.float64(count), rate_hz, technology_nm) for count in (4, 5))
        energy = energy * (five / four) ** np.minimum(bits - 4, 0)
    return energy * 1e-12


def _murmann_energy_pj(bits: FloatArray | np.float64, rate_hz: ArrayLike, technology_nm: float) -> FloatArray:
    sndr = 6.02 * bits + 1.76
    merit = np.minimum(213.781 - 2.8719 * np.log(rate_hz), 128.307 + 3.2205 * np.ceil(bits))
    trend = np.exp(26.050 + 1.8800 * np.log(technology_nm) - 2.8291 * np.log(bits) - 1.4702)
    energy: FloatArray = 0.5 * 10 ** ((sndr - merit) / 10) * trend
    return energy


def adc_area_mm2(bits: ArrayLike, rate_hz: ArrayLike, technology_nm: float = TECHNOLOGY_NM) -> FloatArray:
    """Area of one ADC (Murmann fit); arguments as :func:`adc_conversion_energy_j`."""
    energy_pj = adc_conversion_energy_j(bits, rate_hz, technology_nm) * 1e12
    area_um2: FloatArray = np.exp(
        1.34619 + 0.99328 * np.log(technology_nm) + 0.18072 * np.log(rate_hz) + 0.29912 * np.log(energy_pj)
    )
    return area_um2 * 1e-6


def total_of(parts: Mapping[str, FloatArray]) -> FloatArray:
    """Sum over the parts; arrays of one shape."""
    return np.asarray(sum(parts.values()), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Tile:
    """A tile scaled from ISAAC's; arrays of shape (tiles,), one entry per kind of tile.

    Args:
        crossbars: per tile.
        adc_bits: resolution of its ADCs.
        adcs_per_crossbar: as many as reading all columns in one cycle takes.
        power_w, area_mm2: by part, for the whole tile, working at full rate.
    """

    crossbars: FloatArray
    adc_bits: FloatArray
    adcs_per_crossbar: FloatArray
    power_w: Mapping[str, FloatArray]
    area_mm2: Mapping[str, FloatArray]

    @property
    def total_power_w(self) -> FloatArray:
        """Power of a tile."""
        return total_of(self.power_w)

    @property
    def total_area_mm2(self) -> FloatArray:
        """Area of a tile."""
        return total_of(self.area_mm2)


def isaac_tile(
    crossbar_size: NDArray[Any], cell_bits: NDArray[Any], frequency_hz: NDArray[Any], budget: TileBudget = "cells"
) -> Tile:
    """ISAAC's tile with other crossbars, recomputed from its parts.

    Laws, each against ISAAC's own part: an ADC by the ratio of the Murmann fit at its resolution and rate, and as many
    as the columns need at 1.28 GS/s or less; crossbars by cells; DACs and input registers by rows; sample-and-hold and
    adders by columns; output registers by the bits that the columns give. Buffers, bus, router and function units stay
    as they are. Power is proportional to the work, hence to the read rate; bits per cell cost ADC resolution.

    Args:
        crossbar_size: rows, and as many columns, of a crossbar; shape (tiles,).
        cell_bits: bits per cell; shape (tiles,).
        frequency_hz: crossbar reads per second; shape (tiles,).
        budget: what all tiles share: ``cells`` (96 x 128 x 128, ISAAC's) or ``area`` (what fits into ISAAC's 0.372 mm2,
            at least one crossbar).
    """
    size = np.asarray(crossbar_size, dtype=np.float64)
    cells = np.asarray(cell_bits, dtype=np.float64)
    pace = np.asarray(frequency_hz, dtype=np.float64) / READ_RATE_HZ
    lines = size / CROSSBAR_SIZE
    bits = adc_bits(size, cells)
    sample_rate = size * pace * READ_RATE_HZ  # of one crossbar
    adcs = np.ceil(sample_rate / ISAAC_ADC_RATE_HZ - 1e-9)
    rate = sample_rate / adcs
    reference = (ISAAC_ADC_BITS, ISAAC_ADC_RATE_HZ)
    adc_power = adc_conversion_energy_j(bits, rate) / adc_conversion_energy_j(*reference) * rate / ISAAC_ADC_RATE_HZ
    scale_power = {
        "adc": adcs * adc_power,
        "dac": lines * pace,
        "sample_and_hold": lines * pace,
        "crossbar": lines**2 * pace,
        "shift_and_add": lines * pace,
        "input_register": lines * pace,
        "output_register": lines * cells / CELL_BITS * pace,
    }
    scale_area = {
        "adc": adcs * adc_area_mm2(bits, rate) / adc_area_mm2(*reference),
        "dac": lines,
        "sample_and_hold": lines,
        "crossbar": lines**2,
        "shift_and_add": lines * pace,  # more adders keep up with more conversions
        "input_register": lines,
        "output_register": lines * cells / CELL_BITS,
    }
    per_crossbar = {part.name: part.count / CROSSBARS_PER_IMA for part in ISAAC_IMA}
    power = {part.name: per_crossbar[part.name] * part.power_w * scale_power[part.name] for part in ISAAC_IMA}
    area = {part.name: per_crossbar[part.name] * part.area_mm2 * scale_area[part.name] for part in ISAAC_IMA}
    if budget == "cells":
        crossbars = np.floor(CROSSBARS_PER_TILE / lines**2)
    else:
        room = IMAS_PER_TILE * isaac_ima_totals()[1]
        crossbars = np.floor(room / sum(area.values()) + 1e-9)
    crossbars = np.maximum(crossbars, 1.0)
    ones = np.ones_like(crossbars)
    return Tile(
        crossbars,
        bits,
        adcs,
        {name: crossbars * value for name, value in power.items()}
        | {part.name: part.count * part.power_w * pace * ones for part in ISAAC_TILE},
        {name: crossbars * value for name, value in area.items()}
        | {part.name: part.count * part.area_mm2 * ones for part in ISAAC_TILE},
    )
