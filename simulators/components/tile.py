"""ISAAC's tile with other crossbars, cells, read rates, converters and technology, every part scaled by its own law."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.components.converters import adc_area_mm2, adc_bits, adc_conversion_energy_j
from simulators.components.parts import (
    CROSSBARS_PER_IMA,
    IMAS_PER_TILE,
    ISAAC_IMA,
    ISAAC_TILE,
    Law,
    Part,
    isaac_tile_totals,
)
from simulators.components.technology import NODES, REFERENCE_NM

__all__ = ["AdcModel", "Tile", "TileBudget", "TileRules", "isaac_tile", "total_of"]

FloatArray: TypeAlias = NDArray[np.float64]
TileBudget: TypeAlias = Literal["cells", "area"]
AdcModel: TypeAlias = Literal["isaac", "survey"]

CROSSBAR_SIZE, CELL_BITS, READ_RATE_HZ = 128, 2, 10e6  # of ISAAC
CROSSBARS_PER_TILE = IMAS_PER_TILE * CROSSBARS_PER_IMA
ISAAC_ADC_BITS, ISAAC_ADC_RATE_HZ = 8, CROSSBAR_SIZE * READ_RATE_HZ  # 1.28 GS/s: all columns in one read


def total_of(parts: Mapping[str, FloatArray]) -> FloatArray:
    """Sum over the parts; arrays of one shape."""
    return np.asarray(sum(parts.values()), dtype=np.float64)


@dataclass(frozen=True)
class TileRules:
    """Choices that all tiles share.

    Args:
        budget: what tiles with different crossbars have in common: ``cells`` (96 x 128 x 128, ISAAC's) or ``area``
            (what fits into ISAAC's 0.372 mm2, at least one crossbar).
        adc_model: ``isaac`` is ISAAC's converter, scaled as the survey of converters scales; ``survey`` is the
            survey's own figure, which costs more at ISAAC's point (2.47 mW, 0.0065 mm2 against 2 mW, 0.0012 mm2).
        technology_nm: one of :data:`~simulators.components.technology.NODES_NM`.
        adc_scaling: 1: converters follow the survey from ISAAC's point on; 0: all cost what ISAAC's does; in between
            and beyond as a power of the survey's ratio.
    """

    budget: TileBudget = "cells"
    adc_model: AdcModel = "isaac"
    technology_nm: int = REFERENCE_NM
    adc_scaling: float = 1.0


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

    @cached_property
    def total_power_w(self) -> FloatArray:
        """Power of a tile."""
        return total_of(self.power_w)

    @cached_property
    def total_area_mm2(self) -> FloatArray:
        """Area of a tile."""
        return total_of(self.area_mm2)


def isaac_tile(
    crossbar_size: NDArray[Any],
    cell_bits: NDArray[Any],
    frequency_hz: NDArray[Any],
    given_adc_bits: ArrayLike = 0,
    rules: TileRules | None = None,
) -> Tile:
    """ISAAC's tile with other crossbars, recomputed from its parts (:data:`~simulators.components.parts.LAWS`).

    Power is proportional to the work, hence to the read rate; bits per cell cost ADC resolution.

    Args:
        crossbar_size: rows, and as many columns, of a crossbar; shape (tiles,).
        cell_bits: bits per cell; shape (tiles,).
        frequency_hz: crossbar reads per second; shape (tiles,).
        given_adc_bits: resolution of the converters; 0: what a column sum needs. Shape (tiles,) or a number.
        rules: by default ISAAC's.
    """
    size, cells, rate, bits = np.broadcast_arrays(crossbar_size, cell_bits, frequency_hz, given_adc_bits)
    if size.shape == (1,):  # single designs: many stacks are built of the same few kinds of tile
        return _one_kind(size.item(), cells.item(), rate.item(), bits.item(), rules or TileRules())
    return _tiles(size, cells, rate, bits, rules or TileRules())


@lru_cache(maxsize=1024)
def _one_kind(size: float, cell_bits: float, frequency_hz: float, given_adc_bits: float, rules: TileRules) -> Tile:
    one = np.array([size]), np.array([cell_bits]), np.array([frequency_hz]), np.array([given_adc_bits])
    tile = _tiles(one[0], one[1], one[2], one[3], rules)
    for values in (
        tile.crossbars,
        tile.adc_bits,
        tile.adcs_per_crossbar,
        *tile.power_w.values(),
        *tile.area_mm2.values(),
    ):
        values.setflags(write=False)  # shared by all callers
    return tile


def _tiles(
    crossbar_size: NDArray[Any],
    cell_bits: NDArray[Any],
    frequency_hz: NDArray[Any],
    given_adc_bits: NDArray[Any],
    rules: TileRules,
) -> Tile:
    size = np.asarray(crossbar_size, dtype=np.float64)
    cells = np.asarray(cell_bits, dtype=np.float64)
    pace = np.asarray(frequency_hz, dtype=np.float64) / READ_RATE_HZ
    lines = size / CROSSBAR_SIZE
    bits = np.where(np.asarray(given_adc_bits) > 0, given_adc_bits, adc_bits(size, cells)).astype(np.float64)
    sample_rate = size * pace * READ_RATE_HZ  # of one crossbar
    adcs = np.ceil(sample_rate / ISAAC_ADC_RATE_HZ - 1e-9)
    adc_power, adc_area = _converter_factors(bits, sample_rate / adcs, rules)
    outputs = lines * cells / CELL_BITS
    factors: Mapping[Law, tuple[FloatArray, FloatArray]] = {
        "converters": (adcs * adc_power, adcs * adc_area),
        "rows": (lines * pace, lines),
        "columns": (lines * pace, lines),
        "adders": (lines * pace, lines * pace),
        "cells": (lines**2 * pace, lines**2),
        "output bits": (outputs * pace, outputs),
        "fixed": (pace, np.ones_like(pace)),
    }
    power, area = _scaled(ISAAC_IMA, factors, 1 / CROSSBARS_PER_IMA, rules)  # of one crossbar
    shared_power, shared_area = _scaled(ISAAC_TILE, factors, np.ones_like(lines), rules)
    if rules.budget == "cells":
        crossbars = np.floor(CROSSBARS_PER_TILE / lines**2)
    else:
        room = isaac_tile_totals()[1] - total_of(shared_area)
        crossbars = np.floor(room / total_of(area) + 1e-9)
    crossbars = np.maximum(crossbars, 1.0)
    return Tile(
        crossbars,
        bits,
        adcs,
        {name: crossbars * value for name, value in power.items()} | shared_power,
        {name: crossbars * value for name, value in area.items()} | shared_area,
    )


def _converter_factors(bits: FloatArray, rate_hz: FloatArray, rules: TileRules) -> tuple[FloatArray, FloatArray]:
    """Power and area of one converter beside ISAAC's."""
    reference_w, reference_mm2 = _survey_at_isaacs_point()
    power = (adc_conversion_energy_j(bits, rate_hz, rules.technology_nm) * rate_hz / reference_w) ** rules.adc_scaling
    area = (adc_area_mm2(bits, rate_hz, rules.technology_nm) / reference_mm2) ** rules.adc_scaling
    if rules.adc_model == "survey":
        isaac = next(part for part in ISAAC_IMA if part.law == "converters")
        return power * reference_w / isaac.power_w, area * reference_mm2 / isaac.area_mm2
    return power, area


@lru_cache(maxsize=1)
def _survey_at_isaacs_point() -> tuple[float, float]:
    """Power and area of ISAAC's converter by the survey."""
    power_w = adc_conversion_energy_j(ISAAC_ADC_BITS, ISAAC_ADC_RATE_HZ) * ISAAC_ADC_RATE_HZ
    return float(power_w), float(adc_area_mm2(ISAAC_ADC_BITS, ISAAC_ADC_RATE_HZ))


def _scaled(
    parts: Sequence[Part],
    factors: Mapping[Law, tuple[FloatArray, FloatArray]],
    share: float | FloatArray,
    rules: TileRules,
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Power and area of each part with the law and the technology applied, times ``share``."""
    node, power, area = NODES[rules.technology_nm], {}, {}
    for part in parts:
        power_factor, area_factor = factors[part.law]
        if part.circuit != "converter":  # whose factors know the node
            power_factor = power_factor * node.power_factor(part.circuit)
            area_factor = area_factor * node.area_factor(part.circuit)
        power[part.name] = part.count * part.power_w * share * power_factor
        area[part.name] = part.count * part.area_mm2 * share * area_factor
    return power, area
