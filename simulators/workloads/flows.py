"""Who sends how much to whom when a network runs: what travels between the layers that hold weights.

Pools and sums have no place of their own: a pool is where its input comes from, a sum where its first input comes from,
to which the other sends. The image comes from outside.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulators.workloads.network import IMAGE, Network

__all__ = ["Flow", "flows"]


@dataclass(frozen=True)
class Flow:
    """Elements that one layer's place sends to another's for each image, going forward.

    Args:
        source, destination: names of layers with weights. The two are the same where a sum reads what comes back from a
            batch normalisation elsewhere.
        elements: as many; pooled already.
        normalised: whether it is the source's own output, which a batch normalisation may lie behind, and no sum.
    """

    source: str
    destination: str
    elements: int
    normalised: bool


def flows(network: Network) -> tuple[Flow, ...]:
    """All of them, in forward order."""
    found: list[Flow] = []
    elements = {IMAGE: network.in_channels * network.in_size**2}
    place: dict[str, tuple[str, bool]] = {IMAGE: (IMAGE, False)}
    for layer in network.layers:
        elements[layer.name] = layer.out_elements
        sources = sorted(layer.inputs, key=lambda name: place[name][0] == IMAGE)  # a sum is not where images are
        home, own = (layer.name, True) if layer.weights else place[sources[0]]
        if layer.kind == "add":
            own = False
        if layer.weights or layer.kind == "add":
            for name in sources:
                source, normalised = place[name]
                if source != IMAGE and (source != home or normalised):
                    found.append(Flow(source, home, elements[name], normalised))
        place[layer.name] = home, own
    return tuple(found)
