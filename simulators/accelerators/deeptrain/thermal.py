"""Temperatures of a stack (Cong, Wei and Zhang, ICCAD 2004).

Rated power heats it: a tile cannot draw more for long, so this is the upper limit of any steady state, whatever the
network and the placement of its normalisations. Energy per image / stage time is no better guess: it may exceed the
rated power only because weight gradients cost energy without crossbars or time of their own (:mod:`.energy`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.deeptrain.stacking import GPU_LAYER, RERAM_LAYER
from simulators.protocol import Assumptions

__all__ = ["LIMIT_K", "layer_powers_w", "stack_temperatures_k"]

LIMIT_K = 373.15
"""What no layer may exceed: 100 C, section V.A of the paper."""


def layer_powers_w(
    kinds: NDArray[np.int8], reram_power_w: NDArray[np.float64], gpu_power_w: float
) -> NDArray[np.float64]:
    """Power of each layer from the heat sink on; zero beyond a stack's last layer.

    Args:
        kinds: of each layer, shape (stacks, layers of the highest stack).
        reram_power_w: of one ReRAM layer, shape (stacks,).
        gpu_power_w: of one GPU layer.

    Returns:
        shape of ``kinds``.
    """
    return np.where(kinds == RERAM_LAYER, reram_power_w[:, None], np.where(kinds == GPU_LAYER, gpu_power_w, 0.0))


def stack_temperatures_k(powers_w: NDArray[np.float64], assumed: Assumptions) -> NDArray[np.float64]:
    """T(k) = T_ambient + sum over i <= k of R (sum over j >= i of P_j) + R_sink (sum of all P_j).

    Args:
        powers_w: of each layer, the one at the heat sink first, shape (..., layers).
        assumed: the ambient temperature and the two resistances.

    Returns:
        shape (..., layers); the last layer is the hottest.
    """
    through = np.cumsum(powers_w[..., ::-1], axis=-1)[..., ::-1]  # heat that crosses each layer on its way to the sink
    rise = np.cumsum(assumed["layer_resistance_k_per_w"] * through, axis=-1)
    temperatures: NDArray[np.float64] = (
        assumed["ambient_k"] + rise + assumed["sink_resistance_k_per_w"] * powers_w.sum(axis=-1, keepdims=True)
    )
    return temperatures
