"""Circuit components that accelerators are built of: power, area, delay, how each scales, and where it is printed.

The reference point is the ISAAC tile (Shafiee et al., ISCA 2016, table 1: 32 nm, 1.2 GHz digital logic, a crossbar read
every 100 ns); with the default technology, converter model and variables it comes out exactly. One file per concern:
``parts`` (the table), ``converters`` (ADCs), ``technology`` (other nodes), ``devices`` (ReRAM cells), ``tile`` (ISAAC's
tile with other crossbars). All functions broadcast over arrays of designs.
"""

from simulators.components.converters import adc_area_mm2, adc_bits, adc_conversion_energy_j
from simulators.components.devices import DEVICES, Device
from simulators.components.parts import (
    IMAS_PER_TILE,
    ISAAC_CHIP,
    ISAAC_IMA,
    ISAAC_TILE,
    LAWS,
    TILES_PER_CHIP,
    Part,
    isaac_chip_totals,
    isaac_ima_totals,
    isaac_tile_totals,
)
from simulators.components.technology import NODES, NODES_NM, Node
from simulators.components.tile import Tile, TileRules, isaac_tile, total_of

__all__ = [
    "DEVICES",
    "IMAS_PER_TILE",
    "ISAAC_CHIP",
    "ISAAC_IMA",
    "ISAAC_TILE",
    "LAWS",
    "NODES",
    "NODES_NM",
    "TILES_PER_CHIP",
    "Device",
    "Node",
    "Part",
    "Tile",
    "TileRules",
    "adc_area_mm2",
    "adc_bits",
    "adc_conversion_energy_j",
    "isaac_chip_totals",
    "isaac_ima_totals",
    "isaac_tile",
    "isaac_tile_totals",
    "total_of",
]
