"""ReRAM cells by name: what a write costs, how fast a cell is read, and how many bits it holds.

Published cells differ by orders of magnitude, so that there is no cell, but only named ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["DEVICES", "Device"]

TUTORIAL = "tutorial on ReRAM processing in memory, comparison of memories (ReRAM)"


@dataclass(frozen=True)
class Device:
    """A ReRAM cell.

    Args:
        most_bits: that a cell holds.
        read_time_s: of one read.
        write_time_s: of one write of a row, all pulses.
        write_energy_per_bit_j: all pulses.
        endurance_writes: after which a cell may fail.
        source: where the numbers are printed.
    """

    most_bits: int
    read_time_s: float
    write_time_s: float
    write_energy_per_bit_j: float
    endurance_writes: float
    source: str


DEVICES: Mapping[str, Device] = {
    "single-pulse": Device(8, 10e-9, 10e-9, 1e-13, 1e9, f"{TUTORIAL}; endurance: PANTHER, section 7.8, conservative"),
    "program-verify": Device(
        8, 10e-9, 300e-9, 3e-12, 1e9, f"{TUTORIAL}, 30 pulses a write (PANTHER: tens of pulses); endurance: PANTHER"
    ),
    "pipelayer": Device(
        4, 29.31e-9, 50.88e-9, 3.91e-9 / 4, 1e9,
        "Song et al., PipeLayer, HPCA 2017: a read of 29.31 ns, a write of 50.88 ns and 3.91 nJ for 4 bits; "
        "endurance: PANTHER, section 7.8, conservative",
    ),
}  # fmt: skip
"""All of them by name; the first is the default."""
