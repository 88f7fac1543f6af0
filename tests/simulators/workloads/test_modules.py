from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from simulators.protocol import NETWORKS, Workload, plugin_names
from simulators.workloads import network_for
from simulators.workloads.modules import NetworkModule, ResidualSum, Subsample

OPTIONS = {
    "vgg11": [(), (("head", "classic"),)],
    "resnet18": [(), (("stem", "imagenet"),)],
    "resnet20": [(), (("shortcut", "convolution"),)],
}
WORKLOADS = [
    Workload(name, dataset, options=options)
    for name in plugin_names(NETWORKS)
    for dataset in ("cifar10", "fashion-mnist")
    for options in OPTIONS.get(name, [()])
]


def placements(count: int) -> list[list[int]]:
    return [[1] * count, [0] * count, [position % 2 for position in range(count)]]


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
@pytest.mark.parametrize("width", [0.125, 1.0])
def test_a_module_has_exactly_the_parameters_that_its_table_counts(workload: Workload, width: float) -> None:
    network = network_for(workload, width)
    for bn in placements(len(network.convolutions)):
        with torch.device("meta"):  # shapes without memory
            module = NetworkModule(network, bn)
        assert sum(parameter.numel() for parameter in module.parameters()) == network.parameters(bn)


@pytest.mark.parametrize("workload", WORKLOADS, ids=str)
def test_every_layer_puts_out_the_shape_that_the_table_says(workload: Workload) -> None:
    network = network_for(workload, 0.125)
    module = NetworkModule(network, placements(len(network.convolutions))[2])
    shapes: dict[str, torch.Size] = {}
    for name, part in module.layers.items():
        part.register_forward_hook(lambda _part, _inputs, output, name=name: shapes.update({name: output.shape}))
    scores = module(torch.randn(2, network.in_channels, network.in_size, network.in_size))
    assert scores.shape == (2, 10)
    for layer in network.layers:
        expected = (2, layer.out_channels, layer.out_size, layer.out_size)
        assert shapes[layer.name] == (expected[:2] if layer.kind == "linear" else expected), layer.name


@given(bits=st.lists(st.integers(0, 1), min_size=8, max_size=8))
@settings(max_examples=20, deadline=None)
def test_batch_normalisation_stands_exactly_where_the_bits_say(bits: list[int]) -> None:
    module = NetworkModule(network_for(Workload("vgg11", "fashion-mnist"), 0.125), bits)
    for position, bit in enumerate(bits, 1):
        chain = module.layers[f"C{position}"]
        assert isinstance(chain, nn.Sequential)
        assert [type(part) for part in chain] == ([nn.Conv2d, nn.BatchNorm2d, nn.ReLU] if bit else [nn.Conv2d, nn.ReLU])


@pytest.mark.parametrize("name", plugin_names(NETWORKS))
def test_every_parameter_takes_part_in_the_result(name: str) -> None:
    network = network_for(Workload(name), 0.125)
    module = NetworkModule(network, [1] * len(network.convolutions))
    module(torch.randn(8, 3, 32, 32)).square().sum().backward()
    for label, parameter in module.named_parameters():
        assert parameter.grad is not None, label
        assert parameter.grad.abs().sum() > 0, label


def test_without_batch_normalisation_gradients_vanish_at_the_first_layers() -> None:
    """DeepTrain, figure 1: about 1000 times smaller at C1 to C5 without batch normalisation."""
    network = network_for(Workload("vgg11"))
    images, labels = torch.randn(16, 3, 32, 32), torch.arange(16) % 10
    ratios = {}
    for bit in (0, 1):
        torch.manual_seed(0)
        module = NetworkModule(network, [bit] * 8)
        weight = module.get_parameter("layers.C3.0.weight")
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(module(images), labels), weight)
        ratios[bit] = float(gradient.abs().mean() / weight.detach().abs().mean())
    assert ratios[1] > 100 * ratios[0]


def test_one_bit_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        NetworkModule(network_for(Workload("vgg11"), 0.125), [1] * 7)


@pytest.mark.parametrize(("size", "stride", "extra"), list(itertools.product((4, 5), (1, 2), (0, 3))))
def test_subsample_takes_every_second_pixel_and_appends_channels_of_zeros(size: int, stride: int, extra: int) -> None:
    images = torch.randn(2, 3, size, size)
    out = Subsample(extra, stride)(images)
    assert torch.equal(out[:, :3], images[:, :, ::stride, ::stride])
    assert out.shape[1] == 3 + extra
    assert not out[:, 3:].any()


def test_residual_sum_rectifies_and_leaves_its_inputs_alone() -> None:
    left, right = torch.tensor([1.0, -2.0]), torch.tensor([1.0, 1.0])
    assert ResidualSum(True)(left, right).tolist() == [2.0, 0.0]
    assert ResidualSum(False)(left, right).tolist() == [2.0, -1.0]
    assert left.tolist() == [1.0, -2.0]


def test_scores_in_evaluation_do_not_depend_on_the_other_images_of_a_batch() -> None:
    module = NetworkModule(network_for(Workload("resnet20", "fashion-mnist")), [1] * 19).eval()
    images = torch.randn(6, 1, 32, 32)
    with torch.inference_mode():
        together = module(images)
        apart = torch.cat([module(image[None]) for image in images])
    torch.testing.assert_close(together, apart, rtol=1e-4, atol=1e-5)
