"""Layer tables against published parameter and operation counts."""

import pytest

from simulators.protocol import InputError, Workload
from simulators.workloads import bn_variable, dataset_shape, network_for

IMAGENET = {"dataset": "imagenet"}


def table(name, dataset="cifar10", width=1.0, size=None, **options):
    return network_for(Workload(name, dataset, input_size=size, options=tuple(options.items())), width)


def parameters(network, normalised):
    return network.parameters([int(normalised)] * len(network.convolutions))


@pytest.mark.parametrize(
    ("name", "options", "normalised", "count"),
    [
        ("vgg11", {"head": "classic", **IMAGENET}, False, 132_863_336),
        ("vgg16", {"head": "classic", **IMAGENET}, False, 138_357_544),
        ("vgg19", {"head": "classic", **IMAGENET}, False, 143_667_240),
        ("vgg16", {"head": "classic", **IMAGENET}, True, 138_365_992),
        ("resnet18", {"stem": "imagenet", **IMAGENET}, True, 11_689_512),
        ("vgg16", {}, True, 14_728_266),
        ("resnet18", {}, True, 11_173_962),
        ("resnet20", {}, True, 269_722),
        ("resnet32", {}, True, 464_154),
        ("resnet44", {}, True, 658_586),
        ("resnet56", {}, True, 853_018),
        ("resnet20", {"shortcut": "convolution"}, True, 272_474),
    ],
)
def test_parameters_are_those_of_the_published_networks(name, options, normalised, count):
    assert parameters(table(name, **options), normalised) == count


@pytest.mark.parametrize(
    ("name", "options", "macs"),
    [
        ("vgg16", {"head": "classic", **IMAGENET}, 15.470e9),
        ("resnet18", {"stem": "imagenet", **IMAGENET}, 1.814e9),
        ("resnet20", {}, 40.55e6),
        ("vgg16", {}, 313.2e6),
    ],
)
def test_multiply_accumulates_are_those_of_the_published_networks(name, options, macs):
    assert table(name, **options).macs == pytest.approx(macs, rel=5e-4)


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("vgg11", {}, 8),
        ("vgg16", {}, 13),
        ("vgg19", {}, 16),
        ("resnet18", {}, 20),
        ("resnet20", {}, 19),
        ("resnet32", {}, 31),
        ("resnet44", {}, 43),
        ("resnet56", {}, 55),
        ("resnet20", {"shortcut": "convolution"}, 21),
    ],
)
def test_there_is_one_bn_bit_per_convolution(name, options, count):
    workload = Workload(name, options=tuple(options.items()))
    assert len(network_for(workload).convolutions) == count
    assert bn_variable(workload).domain.length == count


@pytest.mark.parametrize("name", ["vgg11", "vgg16", "vgg19", "resnet18", "resnet20", "resnet56"])
def test_tables_are_closed_and_in_forward_order(name):
    seen = {"image"}
    shapes = {}
    for layer in table(name).layers:
        assert set(layer.inputs) <= seen
        for source in layer.inputs:
            if source in shapes:
                channels, size = shapes[source]
                flat = channels * size**2 if layer.kind == "linear" else channels
                assert flat == layer.in_channels
        assert layer.name not in seen
        seen.add(layer.name)
        shapes[layer.name] = (layer.out_channels, layer.out_size)
    assert table(name).layers[-1].out_channels == 10


def test_convolutions_are_numbered_in_forward_order_with_shortcuts():
    convolutions = table("resnet18").convolutions
    assert [layer.name for layer in convolutions] == [f"C{number}" for number in range(1, 21)]
    assert [layer.name for layer in convolutions if layer.kernel == 1] == ["C8", "C13", "C18"]


def test_resnet_adds_each_block_to_its_own_source():
    layers = {layer.name: layer for layer in table("resnet18").layers}
    assert layers["R1"].inputs == ("C3", "C1")
    assert layers["R3"].inputs == ("C7", "C8")
    assert layers["C8"].inputs == ("R2",)


def test_width_scales_channels_and_keeps_the_bits():
    full, half = table("vgg16"), table("vgg16", width=0.5)
    assert len(full.convolutions) == len(half.convolutions)
    assert [layer.out_channels * 2 for layer in half.convolutions] == [
        layer.out_channels for layer in full.convolutions
    ]
    assert half.layers[-1].out_channels == 10


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "fashion-mnist", "tiny-imagenet"])
def test_datasets_set_channels_size_and_classes(dataset):
    network, shape = table("vgg11", dataset), dataset_shape(dataset)
    assert (network.in_channels, network.in_size) == (shape.channels, shape.size)
    assert network.layers[-1].out_channels == shape.classes


def test_an_input_too_small_says_where_it_ends():
    with pytest.raises(InputError, match=r"too small.*P5"):
        table("vgg11", size=16)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (Workload("vgg12"), "workload.network: unknown network 'vgg12'.*did you mean 'vgg1"),
        (Workload("vgg11", "cifar"), "workload.dataset: unknown data set 'cifar'.*cifar10"),
        (Workload("vgg11", options=(("stem", "cifar"),)), "no option.*head"),
        (Workload("resnet18", options=(("stem", "large"),)), "workload.stem: .*choose cifar, imagenet"),
    ],
)
def test_unknown_workloads_say_what_is_known(workload, words):
    with pytest.raises(InputError, match=words):
        network_for(workload)
