"""How long the chip lasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objectives.objective import objective
from simulators.protocol import Report


@objective(direction="maximize", unit="years")
def lifetime_years(training: Report) -> NDArray[np.float64]:
    """Years until the cells of a chip that trains such networks are worn out."""
    return training.lifetime_years
