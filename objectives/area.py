"""How much silicon a chip takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objectives.objective import objective
from simulators.protocol import Report


@objective(direction="minimize", unit="mm2")
def area(hardware: Report) -> NDArray[np.float64]:
    """Silicon area summed over the stacked layers."""
    return hardware.area_mm2
