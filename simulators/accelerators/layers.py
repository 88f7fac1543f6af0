"""A workload's weight layers as arrays: what accelerators count over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import InputError, Workload
from simulators.workloads import network_for
from simulators.workloads.flows import Flow, flows

__all__ = ["LayerTable", "layer_table"]


@dataclass(frozen=True, eq=False)
class LayerTable:
    """Convolutions and fully connected layers of one network, in forward order; arrays of shape (layers,).

    Args:
        names: ``C1``, ..., ``F1``.
        in_channels, out_channels, kernel: of each layer; a fully connected layer is a 1 x 1 kernel on one pixel.
        positions: output pixels: matrix-vector products for one image.
        out_elements: elements of the output for one image.
        weights: number of weights.
        convolutions: indices of the layers that a bit of ``bn`` belongs to.
        flows: what travels between the layers for one image.
    """

    names: tuple[str, ...]
    in_channels: NDArray[np.int64]
    out_channels: NDArray[np.int64]
    kernel: NDArray[np.int64]
    positions: NDArray[np.int64]
    out_elements: NDArray[np.int64]
    weights: NDArray[np.int64]
    convolutions: NDArray[np.int64]
    flows: tuple[Flow, ...]

    @property
    def bn_elements(self) -> NDArray[np.int64]:
        """Elements that a normalisation after each convolution works on, shape (convolutions,)."""
        return self.out_elements[self.convolutions]


LARGEST = 2**53
"""Multiply-accumulates of a network that are still counted exactly: beyond, numbers would be rounded or wrap around."""
LARGEST_TENSOR = 2**48
"""Weights or outputs of a layer: times their bits and copies, it has to stay below 2^63."""


@lru_cache(maxsize=64)
def layer_table(workload: Workload) -> LayerTable:
    """The weight layers of a workload's network.

    Raises:
        InputError: unknown network, data set or option, or a network beyond what can be counted.
    """
    network = network_for(workload)
    layers = network.matrices
    for layer in layers:
        if max(layer.weights, layer.out_elements) > LARGEST_TENSOR or layer.macs * len(layers) > LARGEST:
            sizes = f"{layer.weights:.3g} weights and {layer.out_elements:.3g} outputs per image"
            raise InputError(
                f"layer {layer.name} of {network.name} has {sizes}, more than this model can count "
                f"({LARGEST_TENSOR:.3g} of either, {LARGEST:.3g} multiply-accumulates in all); choose a smaller "
                "network or input_size",
                "workload.network",
            )

    def column(values: list[int]) -> NDArray[np.int64]:
        array = np.array(values, dtype=np.int64)
        array.setflags(write=False)  # shared by all callers
        return array

    return LayerTable(
        tuple(layer.name for layer in layers),
        column([layer.in_channels for layer in layers]),
        column([layer.out_channels for layer in layers]),
        column([layer.kernel for layer in layers]),
        column([layer.out_size**2 for layer in layers]),
        column([layer.out_elements for layer in layers]),
        column([layer.weights for layer in layers]),
        column([index for index, layer in enumerate(layers) if layer.kind == "convolution"]),
        flows(network),
    )
