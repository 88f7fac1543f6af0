"""Normal noise, fast: on a CPU it is most of what a noisy layer costs beside its product."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from torch import Tensor

__all__ = ["NoiseSource"]


class NoiseSource:
    """Where layers draw noise from: one for all layers of a network.

    On a CPU a normal number is looked up from 16 random bits: 65 536 quantiles, the outermost 4.3 deviations out, of
    variance 1 and kurtosis 2.999. That takes half of the time of ``torch.randn``. Elsewhere it is ``torch.randn``.

    Args:
        device: of the noise.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.times_seeded = device, 0
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begin anew: what layers then compute hangs on the seed, and on nothing before."""
        self.times_seeded += 1
        if self.device.type == "cpu":
            self._bits = np.random.SFC64(seed)
        else:
            self._generator = torch.Generator(self.device).manual_seed(seed)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Independent standard normal numbers."""
        if self.device.type != "cpu":
            return torch.randn(shape, generator=self._generator, device=self.device)
        count = math.prod(shape)
        raw = self._bits.random_raw(-(-count // 4)).view(np.uint16)[:count]
        return torch.from_numpy(_quantiles().take(raw)).view(shape)


@lru_cache(maxsize=1)
def _quantiles() -> NDArray[np.float32]:
    """The middles of 2^16 equally likely ranges of a normal number, scaled to variance 1."""
    quantiles = ndtri((np.arange(2**16) + 0.5) / 2**16)
    found: NDArray[np.float32] = (quantiles / quantiles.std()).astype(np.float32)
    return found
