"""Layers on crossbars: exact where the chip is, and as noisy as a chip computed cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from torch import Tensor, nn

from simulators.training.chip.cells import CELLS, Cell
from simulators.training.chip.chip import Chip
from simulators.training.chip.effects import Drift, Effect, Programming, RandomTelegraph, ThermalShot
from simulators.training.chip.faults import StuckCells
from simulators.training.chip.network import deployed, onto_chip
from simulators.training.chip.words import digits_of, fixed_point, step_of

CPU = torch.device("cpu")
EFFECTS = (ThermalShot(), Programming(), RandomTelegraph(), Drift())
QUIET = Cell(CELLS["3k-3M"], 2, 1e7, 300.0)
LOUD = Cell(CELLS["240k-24M"], 4, 1e9, 400.0)


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2, padding=1),
        nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(48, 5),
    )  # fmt: skip


def images(count: int = 6) -> Tensor:
    return torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def rounded(layer: nn.Conv2d | nn.Linear) -> None:
    with torch.no_grad():
        layer.weight.copy_(fixed_point(layer.weight, step_of(layer.weight, 16)))


@pytest.mark.parametrize("explicit", [False, True])
@pytest.mark.parametrize("cell_bits", [1, 2, 8])
def test_a_chip_without_effects_computes_fixed_point_products_exactly(cell_bits: int, explicit: bool) -> None:
    cell = Cell(CELLS["3k-3M"], cell_bits, 1e7, 300.0)
    for plain, inputs in (
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), images()), (nn.Linear(30, 4), torch.randn(7, 30)),
    ):  # fmt: skip
        rounded(plain)
        network = nn.Sequential(plain)
        inputs = fixed_point(inputs, step_of(inputs, 16))
        expected = plain(inputs)
        onto_chip(network, Chip(cell, 32, explicit=explicit), 0)
        assert network(inputs).detach().numpy() == pytest.approx(expected.detach().numpy(), rel=1e-5, abs=1e-5)


def test_gradients_are_those_of_the_weights_and_inputs_as_they_are_stored() -> None:
    plain, chip = small(), small()
    onto_chip(chip, Chip(QUIET, 64), 0)
    found = []
    for network in (plain, chip):
        inputs = images().requires_grad_()
        network(inputs).square().sum().backward()
        assert inputs.grad is not None
        found.append([inputs.grad, *(parameter.grad for parameter in network.parameters())])
    for exact, straight in zip(*found, strict=True):
        assert straight is not None
        assert exact is not None
        assert (straight - exact).abs().max() <= 2e-3 * exact.abs().max() + 1e-6


def test_gradients_agree_with_differences_of_many_noisy_outputs() -> None:
    """The mean over noise of what a step along a weight changes, and the mean of its gradients."""
    network = nn.Sequential(nn.Linear(20, 3))
    noise = onto_chip(network, Chip(LOUD, 64, effects=(ThermalShot(),)), 0)
    weight, inputs = next(network.parameters()), torch.rand(50, 20)
    direction, size = torch.zeros_like(weight), 0.05
    direction[1, 4] = size
    changes, slopes = [], []
    for seed in range(200):
        losses = []
        for sign in (1, -1):
            with torch.no_grad():
                weight += sign * direction
            noise.seed(seed)
            losses.append(float(network(inputs).sum().detach()))
            with torch.no_grad():
                weight -= sign * direction
        changes.append((losses[0] - losses[1]) / 2)
        weight.grad = None
        network(inputs).sum().backward()
        assert weight.grad is not None
        slopes.append(float((weight.grad * direction).sum()))
    assert np.mean(changes) == pytest.approx(np.mean(slopes), rel=0.02)


def cell_by_cell(
    inputs: NDArray[np.int64], words: NDArray[np.int64], chip: Chip, effects: Sequence[Effect], rng: np.random.Generator
) -> NDArray[np.float64]:
    """A product with every single cell drawn at every single read; written cells once."""
    cell, size = chip.cell, chip.crossbar_size
    step, middle, half = cell.step_s, (2**cell.bits - 1) / 2, 2 ** (cell.bits - 1)
    around = slice(half - 1, half + 1)
    means = sum(effect.mean_s(cell) for effect in effects if not isinstance(effect, RandomTelegraph)) / step
    reads = sum(effect.variance_s2(cell) for effect in effects if isinstance(effect, ThermalShot)) / step**2
    writes = sum(effect.variance_s2(cell) for effect in effects if isinstance(effect, Programming)) / step**2
    telegraph = sum(effect.change_s(cell) for effect in effects if isinstance(effect, RandomTelegraph)) / step
    trapped = telegraph if isinstance(telegraph, np.ndarray) else np.zeros(2**cell.bits)
    reference = np.mean(means[around] + trapped[around] / 2)
    total = np.zeros((len(inputs), len(words)))
    digits = digits_of(torch.from_numpy(words.T.copy()), 16, cell.bits).numpy()
    written = np.sqrt(writes[digits]) * rng.standard_normal(digits.shape)
    for plane in range(16):
        bits = (inputs >> plane) & 1
        for place, levels in enumerate(digits):
            for first in range(0, len(levels), size):
                rows = slice(first, first + size)
                held, driven = levels[rows], bits[:, rows, None]
                noise = np.sqrt(reads[held]) * rng.standard_normal((len(inputs), *held.shape))
                noise += trapped[held] * (rng.random((len(inputs), *held.shape)) < 0.5)
                conducted = held - middle + means[held] - reference + written[place, rows]
                sums = (driven * (conducted + noise)).sum(axis=1)
                rows_driven = driven.sum(axis=1)
                read = chip.converter.read(torch.from_numpy(sums), torch.from_numpy(rows_driven)).numpy()
                read += middle * rows_driven
                total += 2.0 ** (plane + cell.bits * place) * read
    return total - 2**15 * inputs.sum(axis=1, keepdims=True)


CHIPS = [
    Chip(Cell(CELLS["3k-3M"], 8, 1e9, 400.0), 64, effects=EFFECTS),
    Chip(Cell(CELLS["3k-3M"], 8, 1e9, 400.0), 64, 9, effects=EFFECTS),
    Chip(Cell(CELLS["240k-24M"], 4, 1e8, 350.0), 32, effects=EFFECTS),
    Chip(Cell(CELLS["240k-24M"], 2, 1e9, 400.0), 128, effects=EFFECTS),
    Chip(QUIET, 64, effects=(ThermalShot(), Programming(), RandomTelegraph())),
]


@pytest.mark.parametrize("chip", CHIPS, ids=lambda chip: f"{chip.cell.bits} bit, {chip.converter_bits or 'all'} ADC")
def test_fast_and_explicit_products_are_distributed_as_those_of_single_cells(chip: Chip) -> None:
    """Means, variances and the distribution of errors, in units of the exact product's deviation."""
    rng = np.random.default_rng(0)
    plain = nn.Linear(100, 8, bias=False)
    inputs = torch.relu(torch.randn(60, 100, generator=torch.Generator().manual_seed(2)))
    input_step, step = float(step_of(inputs, 16)), float(step_of(plain.weight.detach(), 16))
    whole = (inputs / input_step).round().numpy().astype(np.int64)
    words = (plain.weight.detach() / step).round().numpy().astype(np.int64) + 2**15
    exact = whole @ (words - 2**15).T
    scale = exact.std()
    errors: dict[str, list[NDArray[np.float64]]] = {"cells": [], "explicit": [], "fast": []}
    for repeat in range(8):
        errors["cells"].append((cell_by_cell(whole, words, chip, chip.effects, rng) - exact) / scale)
        for way in ("explicit", "fast"):
            network = nn.Sequential(nn.Linear(100, 8, bias=False))
            network.load_state_dict({"0.weight": plain.weight.detach()})
            on_chip = Chip(
                chip.cell, chip.crossbar_size, chip.converter_bits, effects=chip.effects, explicit=way == "explicit"
            )
            noise = onto_chip(network, on_chip, 0)
            noise.seed(repeat)
            found = network(inputs).detach().double().numpy() / (input_step * step)
            errors[way].append((found - exact) / scale)
    cells = np.array(errors["cells"])
    for way in ("explicit", "fast"):
        other = np.array(errors[way])
        assert other.mean() == pytest.approx(cells.mean(), abs=0.1 * cells.std() + 1e-4), way
        assert np.sqrt((other**2).mean()) == pytest.approx(np.sqrt((cells**2).mean()), rel=0.15, abs=2e-4), way
        if cells.std() > 1e-3:
            assert ks_2samp(other.ravel() / other.std(), cells.ravel() / cells.std()).statistic < 0.1, way


def test_what_all_cells_have_in_common_scales_products_and_does_no_more() -> None:
    """Whatever the reference column does, a weight of 0 stays one, though its cells are not all in the middle."""
    for cell_bits in (1, 2, 4, 8):
        hot = Chip(Cell(CELLS["3k-3M"], cell_bits, 1e7, 400.0), 64, effects=(Drift(-5e-4, 300.0),))
        zero, largest = hot.tables.mean[2**15], hot.tables.mean[-1]
        assert largest == pytest.approx(-0.05 * 2**15, rel=1e-3)
        assert abs(zero) < 1e-4 * abs(largest)


def test_parameters_keep_their_names_and_their_owner() -> None:
    network = small()
    before = dict(network.named_parameters())
    onto_chip(network, Chip(LOUD, 64, effects=EFFECTS), 0)
    after = dict(network.named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    assert network.state_dict().keys() == small().state_dict().keys()


def test_a_written_network_stays_as_it_is_written_and_reads_differ() -> None:
    inputs = images()
    for effects, same in (((Programming(0),), True), ((ThermalShot(),), False)):
        network = small().eval()
        noise = onto_chip(network, Chip(LOUD, 64, effects=effects), 0)
        with torch.no_grad():
            with deployed(network, noise, 0, 5):
                first, second = network(inputs), network(inputs)
            with deployed(network, noise, 0, 6):
                other = network(inputs)
            with deployed(network, noise, 0, 5):
                again = network(inputs)
        distance = (first - second).abs().max()
        assert (distance < 0.4 * (first - other).abs().max()) == same
        assert torch.equal(first, again), "the same seed, the same chip and the same reads"


def test_stuck_cells_change_weights_and_gradients_of_one_chip_alike() -> None:
    chip = Chip(QUIET, 64, stuck=StuckCells(0.02, 0.02))
    found = []
    for seed in (1, 1, 2):
        network = small()
        onto_chip(network, chip, seed)
        network(images()).sum().backward()
        found.append([parameter.grad for parameter in network.parameters()])
    for one, same in zip(found[0], found[1], strict=True):
        assert one is not None
        assert same is not None
        assert torch.equal(one, same)
    assert any(not torch.equal(one, other) for one, other in zip(found[0], found[2], strict=True))  # type: ignore[arg-type]  # gradients are there
    sound = Chip(QUIET, 64, stuck=StuckCells(0.02, 0.02, in_gradients=False))
    network = small()
    onto_chip(network, sound, 1)
    network(images()).sum().backward()
    grads = [parameter.grad for parameter in network.parameters()]
    assert any(not torch.equal(one, other) for one, other in zip(found[0], grads, strict=True))  # type: ignore[arg-type]  # gradients are there


def test_a_diverged_network_is_computed_without_complaint() -> None:
    network = small()
    onto_chip(network, Chip(LOUD, 64, effects=EFFECTS, stuck=StuckCells(0.01, 0.01)), 0)
    with torch.no_grad():
        next(network.parameters()).fill_(torch.nan)
    assert not network(images()).isfinite().all()


def errors_of(chip: Chip, rows: int, inputs: Tensor, times: int = 6) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a chip adds to a product, and the product: times x images x outputs, and images x outputs."""
    torch.manual_seed(3)
    plain = nn.Linear(rows, 10, bias=False)
    rounded(plain)
    inputs = fixed_point(inputs, step_of(inputs, 16))
    exact = plain(inputs).detach().double().numpy()
    network = nn.Sequential(plain)
    noise = onto_chip(network, chip, 0)
    found = []
    for seed in range(times):
        noise.seed(seed)
        found.append(network(inputs).detach().double().numpy() - exact)
    return np.array(found), exact


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("cell", "rows"), [(Cell(CELLS["240k-24M"], 2, 1e7, 300.0), 150), (Cell(CELLS["3k-3M"], 4, 1e9, 350.0), 144)]
)
def test_the_fast_way_is_as_noisy_for_inputs_of_both_signs_and_crossbars_that_are_not_full(
    cell: Cell, rows: int, signed: bool
) -> None:
    inputs = torch.randn(60, rows, generator=torch.Generator().manual_seed(2))
    inputs = inputs if signed else torch.relu(inputs)
    effects = (ThermalShot(), Programming(), RandomTelegraph())
    fast, _ = errors_of(Chip(cell, 128, effects=effects), rows, inputs)
    explicit, _ = errors_of(Chip(cell, 128, effects=effects, explicit=True), rows, inputs)
    # most of the noise is rounded away, and how often it is not hangs on its deviation exponentially
    assert fast.std() == pytest.approx(explicit.std(), rel=0.3)


@pytest.mark.parametrize(("cell_bits", "adc_bits"), [(8, 5), (4, 5), (2, 6)])
def test_what_coarse_converters_lose_of_every_output_is_lost_the_fast_way_too(cell_bits: int, adc_bits: int) -> None:
    inputs = torch.relu(torch.randn(60, 150, generator=torch.Generator().manual_seed(2)))
    cell = Cell(CELLS["3k-3M"], cell_bits, 1e7, 300.0)
    kept, spread = [], []
    for way in (False, True):
        errors, exact = errors_of(Chip(cell, 64, adc_bits, effects=(ThermalShot(),), explicit=way), 150, inputs)
        centred = exact - exact.mean()
        kept.append(1 + float((errors * centred).mean() / (centred**2).mean()))
        spread.append(errors.std())
    assert kept[0] == pytest.approx(kept[1], abs=0.05)
    assert spread[0] == pytest.approx(spread[1], rel=0.25)


@pytest.mark.parametrize("cell_bits", [2, 4, 8])
def test_converters_that_lose_nothing_lose_nothing_of_the_largest_sums_either(cell_bits: int) -> None:
    torch.manual_seed(0)
    plain = nn.Linear(128, 3, bias=False)
    with torch.no_grad():
        plain.weight.uniform_(0.9, 0.99)
    rounded(plain)
    inputs = fixed_point(torch.rand(4, 128) * 0.3 + 0.69, 2.0**-15)
    expected = plain(inputs)
    network = nn.Sequential(plain)
    onto_chip(network, Chip(Cell(CELLS["3k-3M"], cell_bits, 1e7, 300.0), 128, explicit=True), 0)
    assert network(inputs).detach().numpy() == pytest.approx(expected.detach().numpy(), rel=1e-5)
