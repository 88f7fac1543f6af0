"""Which layers of a stack are ReRAM and which GPU, from the heat sink on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GPU_LAYER", "NO_LAYER", "ORDERS", "RERAM_LAYER", "layer_kinds"]

NO_LAYER, RERAM_LAYER, GPU_LAYER = 0, 1, 2

ORDERS = {
    "reram-first": "ReRAM layers, the hotter ones, next to the heat sink",
    "gpu-first": "GPU layers next to the heat sink",
    "alternating": "ReRAM and GPU layers in turn, a ReRAM layer next to the heat sink; what is left over behind them",
}
"""Orders by name, and what they mean; the first is the default."""


@lru_cache(maxsize=1024)
def _kinds(reram: int, gpu: int, order: str) -> tuple[int, ...]:
    if order == "reram-first":
        return (RERAM_LAYER,) * reram + (GPU_LAYER,) * gpu
    if order == "gpu-first":
        return (GPU_LAYER,) * gpu + (RERAM_LAYER,) * reram
    pairs = min(reram, gpu)
    rest = (RERAM_LAYER,) * (reram - pairs) + (GPU_LAYER,) * (gpu - pairs)
    return (RERAM_LAYER, GPU_LAYER) * pairs + rest


def layer_kinds(
    reram_layers: NDArray[np.int64], gpu_layers: NDArray[np.int64], orders: NDArray[Any]
) -> NDArray[np.int8]:
    """The kind of each layer from the heat sink on; ``NO_LAYER`` beyond a stack's last one.

    Args:
        reram_layers, gpu_layers: how many, shape (stacks,).
        orders: names of orders, shape (stacks,).

    Returns:
        shape (stacks, layers of the highest stack).
    """
    height = int((reram_layers + gpu_layers).max(initial=0))
    kinds = np.full((len(orders), height), NO_LAYER, dtype=np.int8)
    for stack, (reram, gpu, order) in enumerate(
        zip(reram_layers.tolist(), gpu_layers.tolist(), orders.tolist(), strict=True)
    ):
        kinds[stack, : reram + gpu] = _kinds(reram, gpu, order)
    return kinds
