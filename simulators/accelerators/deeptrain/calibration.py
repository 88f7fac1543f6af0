"""Where the calibrated energy constant comes from.

The paper gives no energy per GPU instruction, but one ratio that hangs on it: BO-N takes 16.6 % less energy than All-BN
on 3R1G, mean of four networks. The energy per lane-instruction is the one at which the model says so. Print it with::

    python -m simulators.accelerators.deeptrain.calibration
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import brentq

from simulators.accelerators.deeptrain.published import BO_N, MEAN_ENERGY_SAVING, all_and_bo_n
from simulators.accelerators.deeptrain.simulator import DeepTrain
from simulators.protocol import Workload

__all__ = ["calibrated_gpu_energy_j", "mean_energy_saving"]

ENERGY = "gpu_energy_per_lane_instruction_j"


def mean_energy_saving(simulator: DeepTrain) -> float:
    """Share of All-BN's energy that BO-N saves on 3R1G, mean of the four networks (ResNet-18: CIFAR stem)."""
    savings = []
    for network in BO_N:
        workload = Workload(network)
        all_bn, bo_n = simulator.simulate(all_and_bo_n(workload, 3, 1), workload).energy_j
        savings.append(1 - bo_n / all_bn)
    return float(np.mean(savings))


def calibrated_gpu_energy_j(saving: float = MEAN_ENERGY_SAVING) -> float:
    """Energy per GPU lane-instruction at which the model's mean saving is ``saving``, the rest at its default."""

    def excess(energy_j: float) -> float:
        return mean_energy_saving(DeepTrain({"assumptions": {ENERGY: energy_j}})) - saving

    return float(brentq(excess, 1e-12, 500e-12, xtol=1e-16))


if __name__ == "__main__":
    sys.stdout.write(f"{ENERGY} = {calibrated_gpu_energy_j():.4g}\n")
