"""What GPU layers do beside normalisation, and what a graphics card takes that does everything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.deeptrain.policies import POLICIES, Card, card_in_force
from simulators.accelerators.layers import LayerTable
from simulators.protocol import Assumptions

__all__ = ["GpuWork", "gpu_work"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GpuWork:
    """Of one image on each of several stacks or cards.

    Args:
        instructions_per_element: lane-instructions of GPU layers per normalised element, shape (stacks,).
        time_per_element_s, energy_per_element_j: of normalising one element, shape (stacks,).
        product_time_s, product_energy_j: of the products that a GPU computes for each layer, shape (stacks, layers):
            none, the backward pass (GPU layers), or all (a card).
        on_card: whether all of it runs on a card, one after the other; shape (stacks,).
    """

    instructions_per_element: FloatArray
    time_per_element_s: FloatArray
    energy_per_element_j: FloatArray
    product_time_s: FloatArray
    product_energy_j: FloatArray
    on_card: NDArray[np.bool_]


def gpu_work(
    table: LayerTable, policies: NDArray[Any], gpu_layers: NDArray[np.int64], training: bool, assumed: Assumptions
) -> GpuWork:
    """The work of GPU layers, or of a card.

    Args:
        table: the network's layers.
        policies: of each stack, shape (stacks,).
        gpu_layers: of each stack, shape (stacks,).
        training: or inference.
        assumed: rates, energies and instructions.
    """
    share = 1.0 if training else assumed["bn_forward_share"]
    instructions = share * assumed["bn_lane_instructions_per_element"]
    instruction_j = assumed["gpu_energy_per_lane_instruction_j"]
    rate = np.maximum(gpu_layers, 1) * assumed["gpu_lane_instructions_per_s"]  # without any, a stack does nothing here
    macs = (table.weights * table.positions).astype(np.float64)
    shape = (len(policies), len(macs))
    work = GpuWork(
        np.full(len(policies), instructions), instructions / rate, np.full(len(policies), instructions * instruction_j),
        np.zeros(shape), np.zeros(shape), np.zeros(len(policies), dtype=bool),
    )  # fmt: skip
    passes = assumed["training_passes"] if training else 1
    for name in sorted(set(policies.tolist())):
        policy, stacks = POLICIES[name], policies == name
        if policy.card is not None:
            _on_card(work, stacks, card_in_force(name, assumed), macs * passes, share, assumed)
        elif policy.backward_on_gpu:
            backward = macs * (passes - 1) * assumed["gpu_lane_instructions_per_mac"]
            work.product_time_s[stacks] = backward / rate[stacks, None]
            work.product_energy_j[stacks] = backward * instruction_j
    return work


def _on_card(
    work: GpuWork, stacks: NDArray[np.bool_], card: Card, macs: FloatArray, share: float, assumed: Assumptions
) -> None:
    """Fill in what a card takes: convolutions at their share of its peak, normalisation at its memory's rate."""
    work.on_card[stacks] = True
    work.instructions_per_element[stacks] = 0.0
    element_s = share * assumed["card_bytes_per_bn_element"] / card.bytes_per_s
    work.time_per_element_s[stacks], work.energy_per_element_j[stacks] = element_s, element_s * card.power_w
    time_s = 2 * macs / (card.peak_flops * assumed["card_utilisation"])
    work.product_time_s[stacks], work.product_energy_j[stacks] = time_s, time_s * card.power_w
