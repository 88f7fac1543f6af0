"""What the paper publishes of its four networks: how many batch normalisations, and where its optimiser puts them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from simulators.protocol import Designs, Workload
from simulators.workloads import bn_variable

__all__ = ["ALL_BN", "BO_N", "MEAN_ENERGY_SAVING", "all_and_bo_n", "placements", "stack_name"]

BO_N = {  # section VI.D: convolutions that keep their normalisation, counted from 1
    "vgg11": (5, 7),
    "vgg16": (5, 7, 8, 13),
    "vgg19": (5, 8, 11, 16),
    "resnet18": (3, 6, 7, *range(9, 18)),
}

ALL_BN = {"vgg11": 8, "vgg16": 13, "vgg19": 16, "resnet18": 20}  # convolutions, each with its normalisation

MEAN_ENERGY_SAVING = 0.166  # section VI.E: BO-N against All-BN on 3R1G, mean of the four networks


def all_and_bo_n(workload: Workload, reram_layers: int, gpu_layers: int) -> Designs:
    """Two designs of one stack: normalisation after all convolutions, and where the paper's optimiser puts it."""
    every = range(1, ALL_BN[workload.network] + 1)
    return placements(workload, reram_layers, gpu_layers, every, BO_N[workload.network])


def placements(workload: Workload, reram_layers: int, gpu_layers: int, *positions: Iterable[int]) -> Designs:
    """A design for each of some placements on one stack.

    Args:
        workload: the network.
        reram_layers, gpu_layers: of the stack.
        positions: for each design the convolutions, from 1, that a normalisation follows.
    """
    domain = bn_variable(workload).domain
    bits = [domain.parse(",".join(f"C{position}" for position in chosen) or "none") for chosen in positions]
    return Designs(
        {
            "bn": domain.column(bits),
            "reram_layers": np.array([reram_layers]),
            "gpu_layers": np.array([gpu_layers]),
        }
    )


def stack_name(reram_layers: int, gpu_layers: int) -> str:
    """The paper's name of a stack, ``3R1G``."""
    return f"{reram_layers}R{gpu_layers}G"
