"""Where time, energy and area of designs go: by layer of the network and by component of the chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from explorer.study import Study
from simulators.protocol import Design, HardwareSimulator, InputError
from simulators.protocol.user_files import is_in_file

__all__ = ["Breakdown", "breakdowns"]

UNITS = {"s": "s", "j": "J", "mm2": "mm2"}
"""What the last word of a quantity's name says of its unit; others (counts) are no part of a whole."""


@dataclass(frozen=True, eq=False)
class Breakdown:
    """The parts of a quantity.

    Args:
        simulator: that says so.
        quantity: as in its report, without the unit.
        unit: in SI.
        by: what the parts are of.
        parts: their names.
        values: designs x parts; NaN where a design cannot be built.
    """

    simulator: str
    quantity: str
    unit: str
    by: Literal["layer", "component"]
    parts: tuple[str, ...]
    values: NDArray[np.float64]


def breakdowns(study: Study, designs: Sequence[Design]) -> list[Breakdown]:
    """What the hardware simulators of a study say of where time, energy and area of some designs go.

    Args:
        study: with installed simulators; no user's file is run.
        designs: of its space.

    Raises:
        InputError: the study was made from functions, has no hardware simulator that says so, or its network comes from
            a user's file.
    """
    spec = study.spec
    if spec is None:
        raise InputError(
            f"study '{study.name}' was made from Python functions: no simulator says where it goes", "study"
        )
    if is_in_file(spec.workload.network):
        raise InputError(
            f"the network of this study comes from {spec.workload.network}, which is not run for a picture; rex "
            f"simulate NAME --network {spec.workload.network} --view energy shows a design",
            "study",
        )
    bench = study.bench(spec)
    asked = study.outline.space.designs(designs)
    found: list[Breakdown] = []
    for name, simulator in bench.simulators.items():
        if isinstance(simulator, HardwareSimulator):
            report = simulator.simulate(asked, bench.workload, breakdown=True)
            for quantity, values in report.by_layer.items():
                found += _parts(name, quantity, "layer", report.layers, values)
            for quantity, components in report.by_component.items():
                table = np.column_stack([np.broadcast_to(part, len(designs)) for part in components.values()])
                found += _parts(name, quantity, "component", tuple(components), table)
    if not found:
        raise InputError("no simulator of this study says where time, energy or area go", "study")
    return found


def _parts(
    simulator: str, quantity: str, by: Literal["layer", "component"], parts: Sequence[str], values: NDArray[np.float64]
) -> list[Breakdown]:
    """A breakdown, if its quantity is one that parts make up."""
    name, _, last = quantity.rpartition("_")
    if last not in UNITS or not name:
        return []
    return [
        Breakdown(
            simulator,
            name.replace("_", " "),
            UNITS[last],
            by,
            tuple(part.replace("_", " ") for part in parts),
            np.asarray(values),
        )
    ]
