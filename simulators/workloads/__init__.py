"""Networks as layer tables, and the PyTorch modules built from the same tables."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from simulators.protocol import NETWORKS, BinaryVector, InputError, Variable, Workload, find_plugin, is_in_file
from simulators.workloads.datasets import DATASETS, DatasetShape, dataset_shape
from simulators.workloads.network import Layer, Network
from simulators.workloads.own import own_network

__all__ = ["DATASETS", "DatasetShape", "Layer", "Network", "bn_variable", "dataset_shape", "network_for"]


def network_for(workload: Workload, width: float = 1.0) -> Network:
    """The layer table of a workload's network.

    Args:
        workload: names the network, the data set and options; a user's file whose text it lacks is looked for from the
            working directory on.
        width: fraction of the full network's channels (1.0: the full network).

    Raises:
        InputError: unknown network, data set or option, or an input too small for the network.
    """
    return _network(workload.with_source(Path()), width)


@lru_cache(maxsize=64)
def _network(workload: Workload, width: float) -> Network:
    try:
        if is_in_file(workload.network):
            return own_network(workload).scaled(width)
        build = find_plugin(NETWORKS, workload.network, "network")
    except InputError as error:
        raise error.under("workload.network") from None
    shape = dataset_shape(workload.dataset)
    network: Network = build(
        shape.channels, workload.input_size or shape.size, workload.classes or shape.classes, width,
        dict(workload.options),
    )  # fmt: skip
    return network


def bn_variable(workload: Workload) -> Variable:
    """The variable ``bn`` that all simulators of a network share: one bit per convolution.

    Its default is the placement that the network was written with, after all convolutions where there is none.

    Raises:
        InputError: as :func:`network_for`, or the network has no convolution.
    """
    network = network_for(workload)
    if not network.convolutions:
        raise InputError(
            f"network '{network.name}' has no convolution, so that there is nothing to place a batch normalisation "
            "behind; let it have at least one",
            "workload.network",
        )
    domain = BinaryVector(len(network.convolutions), item="C")
    return Variable(
        "bn", domain, domain.parse(network.bn or "all"), meaning="convolutions followed by batch normalisation",
        label="BN after {}", searched=True, labels=(("all", "All-BN"), ("none", "no BN")),
    )  # fmt: skip
