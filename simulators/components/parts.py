"""The table of circuit parts: ISAAC's in-situ multiply-accumulate unit (IMA), tile and chip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "CROSSBARS_PER_IMA",
    "IMAS_PER_TILE",
    "ISAAC_CHIP",
    "ISAAC_IMA",
    "ISAAC_TILE",
    "LAWS",
    "TILES_PER_CHIP",
    "Circuit",
    "Law",
    "Part",
    "isaac_chip_totals",
    "isaac_ima_totals",
    "isaac_tile_totals",
]

Law: TypeAlias = Literal["converters", "rows", "columns", "adders", "cells", "output bits", "fixed", "chip"]
"""How a part's power and area follow the crossbar: a key of :data:`LAWS`."""

Circuit: TypeAlias = Literal["logic", "memory", "array", "converter", "link"]
"""What a part is made of, hence how it follows the technology node (:mod:`simulators.components.technology`)."""

LAWS: Mapping[Law, str] = {
    "converters": "as many as read all columns in a cycle at 1.28 GS/s or less; each by the ADC model",
    "rows": "power and area with the rows of a crossbar, power also with the read rate",
    "columns": "power and area with the columns of a crossbar, power also with the read rate",
    "adders": "power and area with the columns and the read rate: more adders keep up with more conversions",
    "cells": "power and area with the cells of a crossbar, power also with the read rate",
    "output bits": "power and area with columns x bits per cell, power also with the read rate",
    "fixed": "one size for all tiles, power with the read rate",
    "chip": "one size for all chips",
}
"""What each law says, in words."""

ISAAC = "Shafiee et al., ISAAC, ISCA 2016, table 1"
CLOCK_S = 1 / 1.2e9  # of ISAAC's digital logic
READ_S = 100e-9  # of ISAAC's crossbars, and a stage of its pipeline: one access of the eDRAM


@dataclass(frozen=True)
class Part:
    """A circuit part inside its parent (IMA, tile or chip).

    Args:
        name: what it is.
        count: how many of them the parent has; a fraction where parents share one.
        power_w, area_mm2: of one, at full rate.
        delay_s: of one operation: a crossbar read, a conversion, a clock cycle of logic, a byte over a link.
        law: how power and area follow the crossbar.
        circuit: what it is made of.
        source: where the numbers are printed.
    """

    name: str
    count: float
    power_w: float
    area_mm2: float
    delay_s: float
    law: Law
    circuit: Circuit
    source: str = ISAAC


CROSSBARS_PER_IMA, IMAS_PER_TILE, TILES_PER_CHIP = 8, 12, 168
LINES = CROSSBARS_PER_IMA * 128  # rows, and as many columns, of all crossbars of an IMA

ISAAC_IMA = (
    Part("adc", CROSSBARS_PER_IMA, 2e-3, 1.2e-3, 1 / 1.28e9, "converters", "converter"),
    Part("dac", LINES, 4e-3 / LINES, 1.7e-4 / LINES, READ_S, "rows", "logic"),  # of one bit: an inverter
    Part("sample_and_hold", LINES, 1e-5 / LINES, 4e-5 / LINES, READ_S, "columns", "logic"),
    Part("crossbar", CROSSBARS_PER_IMA, 3e-4, 2.5e-5, READ_S, "cells", "array"),
    Part("shift_and_add", 4, 5e-5, 6e-5, CLOCK_S, "adders", "logic"),
    Part("input_register", 1, 1.24e-3, 2.1e-3, CLOCK_S, "rows", "memory"),
    Part("output_register", 1, 2.3e-4, 7.7e-4, CLOCK_S, "output bits", "memory"),
)
ISAAC_TILE = (
    Part("edram", 1, 20.7e-3, 0.083, READ_S, "fixed", "memory"),
    Part("bus", 1, 7e-3, 0.090, CLOCK_S, "fixed", "logic"),
    Part("router", 0.25, 42e-3, 0.151, CLOCK_S, "fixed", "logic"),  # shared by four tiles
    Part("sigmoid", 2, 0.26e-3, 3e-4, CLOCK_S, "fixed", "logic"),
    Part("tile_shift_and_add", 1, 5e-5, 6e-5, CLOCK_S, "fixed", "logic"),
    Part("max_pool", 1, 4e-4, 2.4e-4, CLOCK_S, "fixed", "logic"),
    Part("tile_output_register", 1, 1.68e-3, 3.2e-3, CLOCK_S, "fixed", "memory"),
)
ISAAC_CHIP = (Part("hyper_transport", 1, 10.4, 22.88, 1 / 6.4e9, "chip", "link"),)


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
