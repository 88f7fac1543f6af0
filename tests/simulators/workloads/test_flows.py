from __future__ import annotations

from simulators.protocol import Workload
from simulators.workloads import network_for
from simulators.workloads.flows import Flow, flows
from simulators.workloads.network import IMAGE, NetworkBuilder


def test_a_chain_sends_what_its_pools_leave() -> None:
    found = flows(network_for(Workload("vgg11")))
    assert found[0] == Flow("C1", "C2", 64 * 16 * 16, normalised=True)
    assert found[2] == Flow("C3", "C4", 256 * 8 * 8, normalised=True)
    assert found[-1] == Flow("C8", "F1", 512, normalised=True)
    assert [(flow.source, flow.destination) for flow in found[:-1]] == [(f"C{n}", f"C{n + 1}") for n in range(1, 8)]


def test_sums_are_where_their_first_input_is() -> None:
    builder = NetworkBuilder("small", 3, 8)
    first = builder.convolution(4, 3)
    builder.convolution(4, 3)
    main = builder.convolution(4, 3, activation=False)
    builder.add(main, first)
    builder.max_pool(2, 2)
    builder.linear(10)
    assert flows(builder.build()) == (
        Flow("C1", "C2", 256, normalised=True),
        Flow("C2", "C3", 256, normalised=True),
        Flow("C3", "C3", 256, normalised=True),  # back from its normalisation
        Flow("C1", "C3", 256, normalised=True),
        Flow("C3", "F1", 64, normalised=False),
    )


def test_sums_of_sums_stay_where_they_are_and_images_come_from_outside() -> None:
    builder = NetworkBuilder("small", 4, 8)
    first = builder.convolution(4, 3)
    one = builder.add(IMAGE, first)
    builder.add(one, first)
    builder.linear(10)
    assert flows(builder.build()) == (
        Flow("C1", "C1", 256, normalised=True),
        Flow("C1", "C1", 256, normalised=True),
        Flow("C1", "F1", 256, normalised=False),
    )


def test_every_layer_but_the_first_receives_all_that_it_reads() -> None:
    for name in ("vgg16", "resnet18", "resnet20"):
        network = network_for(Workload(name))
        received = {layer.name: 0 for layer in network.matrices}
        for flow in flows(network):
            received[flow.destination] += flow.elements * (flow.source != flow.destination)
        for layer in network.matrices[1:]:
            read = layer.in_channels * layer.in_size**2
            assert received[layer.name] >= read, layer.name
