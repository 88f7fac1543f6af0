"""How well the network learns, on a bad chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from objectives.objective import objective
from simulators.protocol import Report


@objective(
    direction="maximize",
    unit="fraction",
    bounds=(0.0, 1.0),
    systematic_error="accuracy_images_error",
    random_error="accuracy_worst_chips_error",
)
def accuracy_worst(training: Report) -> NDArray[np.float64]:
    """Fraction of the validation images that the network labels correctly on nine of ten chips; of 2 draws or more."""
    return training.accuracy_worst
