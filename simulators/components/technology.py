"""Other technology nodes than ISAAC's 32 nm.

First-order scaling at one clock: lengths with the node; the capacitance of a gate with its length, hence the power of
logic and memories with length x supply voltage squared (Dennard et al., JSSC 1974, with the supply that a node really
has). Cells of a crossbar shrink with the pitch, but their resistances set what a read takes. Converters follow the
survey of :mod:`simulators.components.converters`, which has the node in it; off-chip links stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simulators.components.parts import Circuit

__all__ = ["NODES", "NODES_NM", "REFERENCE_NM", "Node"]

REFERENCE_NM = 32  # of all parts of the table


@dataclass(frozen=True)
class Node:
    """A technology node.

    Args:
        length_nm: its name.
        supply_v: nominal supply of high-performance logic.
        source: where that is printed.
    """

    length_nm: int
    supply_v: float
    source: str = "Predictive Technology Model, Arizona State University: nominal supply of its high-performance cards"

    def area_factor(self, circuit: Circuit) -> float:
        """Area beside that at 32 nm; converters are not asked here."""
        return 1.0 if circuit == "link" else (self.length_nm / REFERENCE_NM) ** 2

    def power_factor(self, circuit: Circuit) -> float:
        """Power beside that at 32 nm, at the same rate; converters are not asked here."""
        if circuit in ("array", "link"):
            return 1.0
        return self.length_nm / REFERENCE_NM * (self.supply_v / NODES[REFERENCE_NM].supply_v) ** 2


NODES: Mapping[int, Node] = {
    node.length_nm: node for node in (Node(65, 1.1), Node(45, 1.0), Node(32, 0.9), Node(22, 0.8), Node(16, 0.7))
}
NODES_NM = tuple(NODES)
"""Nodes that can be chosen."""
