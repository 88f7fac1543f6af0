"""Who computes what: DeepTrain's way, and those of the architectures that it is compared with, on the same stack.

AccuReD is DeepTrain's policy with All-BN on 2R2G (paper, section VI.A), and without GPU layers and normalisations it is
PipeLayer's, ISAAC's and ReGAN's: designs, not policies of their own. Where the GPU layers compute products, too, it is
another policy, and a graphics card has no stack at all. Comparisons of architectures are comparisons of designs: name
some policies as values of ``policy``, or show the view ``baselines``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BASELINES",
    "CARDS",
    "POLICIES",
    "Baseline",
    "Card",
    "Policy",
    "card_assumption",
    "card_in_force",
    "is_true",
]


@dataclass(frozen=True)
class Card:
    """A graphics card that trains the whole network.

    Args:
        peak_flops: 32-bit floating-point operations per second.
        bytes_per_s: of its memory.
        power_w: of the board.
        area_mm2: of the die.
        temperature_k: that its cooler keeps it at under load.
        source: where the numbers are printed.
    """

    peak_flops: float
    bytes_per_s: float
    power_w: float
    area_mm2: float
    temperature_k: float
    source: str


BOOST_K = 273.15 + 84  # GPU Boost's default target temperature

CARDS: Mapping[str, Card] = {
    "titan-xp": Card(12.15e12, 547.7e9, 250.0, 471.0, BOOST_K, "NVIDIA's data of the Titan Xp (GP102)"),
    "rtx-2080-ti": Card(13.45e12, 616e9, 250.0, 754.0, BOOST_K, "NVIDIA's data of the GeForce RTX 2080 Ti (TU102)"),
}
"""Graphics cards by the name of their policy."""


def card_assumption(card: str, figure: str) -> str:
    """The name of the assumption that holds a figure of a card: ``titan_xp_power_w``."""
    return f"{card.replace('-', '_')}_{figure}"


def card_in_force(name: str, assumed: Mapping[str, float]) -> Card:
    """A card with its figures as they are assumed.

    Args:
        name: of its policy.
        assumed: all assumptions in force.
    """
    return replace(
        CARDS[name],
        peak_flops=assumed[card_assumption(name, "peak_flops")],
        bytes_per_s=assumed[card_assumption(name, "bytes_per_s")],
        power_w=assumed[card_assumption(name, "power_w")],
    )


@dataclass(frozen=True)
class Policy:
    """How a network is shared out.

    Args:
        meaning: one line.
        source: who published it.
        normalises: whether a placement with normalisations can be built.
        backward_on_gpu: errors and weight gradients are computed by the GPU layers, not on ReRAM.
        card: everything runs on a graphics card.
    """

    meaning: str
    source: str
    normalises: bool = True
    backward_on_gpu: bool = False
    card: Card | None = None


POLICIES: Mapping[str, Policy] = {
    "deeptrain": Policy("all products on ReRAM, normalisation on GPU layers (AccuReD: with all of them, on 2R2G)",
                        "the paper, section IV"),
    "regent": Policy(
        "forward products on ReRAM, backward products on GPU layers (REGENT, 3D-ReG): nothing normalises",
        "the paper, section VI.A", normalises=False, backward_on_gpu=True,
    ),
    "titan-xp": Policy("everything on an NVIDIA Titan Xp", "the paper, section VI.G", card=CARDS["titan-xp"]),
    "rtx-2080-ti": Policy("everything on an NVIDIA GeForce RTX 2080 Ti", "PANTHER, its GPU baseline",
                          card=CARDS["rtx-2080-ti"]),
}  # fmt: skip
"""All policies by name; the first is the default."""


@dataclass(frozen=True)
class Baseline:
    """A published way to train, as choices of a design's variables; the rest stays at its default.

    Args:
        name: what it is called.
        choices: values of variables, as written in a search file.
        note: what a comparison with it has to know.
    """

    name: str
    choices: Mapping[str, object]
    note: str = ""


BASELINES: Sequence[Baseline] = (
    Baseline("AccuReD: 2R2G, All-BN", {"reram_layers": 2, "gpu_layers": 2, "bn": "all"}),
    Baseline("REGENT, 3D-ReG: 2R2G, no BN", {"policy": "regent", "reram_layers": 2, "gpu_layers": 2, "bn": "none"}),
    Baseline(
        "PipeLayer, ISAAC: 4R, no BN",
        {"reram_layers": 4, "gpu_layers": 0, "activation_copies": "pipelayer", "bn": "none"},
        "ISAAC only infers: it is this design in inference; trained as PipeLayer trains, on ISAAC's tiles",
    ),
    Baseline(
        "ReGAN: 4R, no BN",
        {"reram_layers": 4, "gpu_layers": 0, "bn": "none"},
        "it normalises where the divisor is a power of two, in under 2 % of the cases: as good as not at all",
    ),
    Baseline("Titan Xp, All-BN", {"policy": "titan-xp", "reram_layers": 0, "gpu_layers": 0, "bn": "all"}),
    Baseline("RTX 2080 Ti, All-BN", {"policy": "rtx-2080-ti", "reram_layers": 0, "gpu_layers": 0, "bn": "all"}),
)
"""What designs are compared with."""


def is_true(policies: NDArray[Any], attribute: str) -> NDArray[np.bool_]:
    """Whether an attribute of the policy of each stack holds; shape (stacks,)."""
    return np.array([bool(getattr(POLICIES[name], attribute)) for name in policies], dtype=bool)
