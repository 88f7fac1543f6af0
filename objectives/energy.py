"""How much energy a chip takes for an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objectives.objective import objective
from simulators.protocol import Report


@objective(direction="minimize", unit="J")
def energy(hardware: Report) -> NDArray[np.float64]:
    """Energy per image."""
    return hardware.energy_j
