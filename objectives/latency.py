"""How long a chip takes for an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objectives.objective import objective
from simulators.protocol import Report


@objective(direction="minimize", unit="s")
def latency(hardware: Report) -> NDArray[np.float64]:
    """Steady-state time per image: one pipeline stage."""
    return hardware.latency_s
