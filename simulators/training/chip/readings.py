"""What reads of crossbars and conversions of their sums do to the outputs of a layer, as statistics of its numbers.

The fast way of :mod:`.layers`: how many rows an input bit drives, how far a column's sum is from the middle and how
much it is off are looked at in samples of a layer's inputs and words; what a converter makes of such sums is known in
closed form (:mod:`.converter`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from simulators.training.chip.chip import Chip
from simulators.training.chip.words import digits_of

__all__ = ["Statistics", "squares_below", "statistics_of"]

SAMPLED, IMAGES = 1024, 16
"""Words and inputs whose digits are looked at to know how many rows of a crossbar are driven; inputs of so many images
each.
"""


@dataclass(frozen=True, eq=False)
class Statistics:
    """What reads and conversions do to all outputs of a layer alike; tensors without dimensions.

    Args:
        gain: which part of a deviation of weights the converters let through.
        signal: which part of the weights themselves they do: 1 unless they are coarser than a sum's own steps.
        variance: of an output, per sum of its squared inputs, in steps of the word squared.
    """

    gain: Tensor
    signal: Tensor
    variance: Tensor


def statistics_of(
    inputs: Tensor, input_step: Tensor | float, words: Tensor, rows: int, chip: Chip, levels: Tensor
) -> Statistics:
    """Of all conversions of a layer, from some of its inputs and words.

    Inputs above and below zero are run one after the other, and the last crossbar has what rows are left.

    Args:
        inputs: of the layer, batch x channels x height x width, rounded to steps.
        input_step: of its inputs.
        words: stored words of all weights, flat; rows of one output follow one another.
        rows: weights of an output.
        chip: where the words lie.
        levels: mean, variance of writes and variance of reads of each level of a cell, in steps; shape
            (3, levels).
    """
    few = inputs[:: -(-len(inputs) // IMAGES)].flatten(1)
    sample = (few[:, _spread(few.shape[1], inputs.shape[1])] / input_step).round_().to(torch.int32)
    signs = [one for one in (sample.clamp_min(0), (-sample).clamp_min(0)) if one.any()]
    planes = torch.arange(chip.input_bits, device=sample.device, dtype=torch.int32)
    full, rest = divmod(rows, chip.crossbar_size)
    sizes = [(count, size) for count, size in ((full, chip.crossbar_size), (1, rest)) if count and size]
    count = torch.tensor([count for _ in signs for count, _ in sizes], device=sample.device)[:, None, None, None]
    on_average = torch.stack(
        [((one[..., None] >> planes) & 1).float().mean(dim=1)[..., None] * size for one in signs for _, size in sizes]
        or [torch.zeros(len(few), len(planes), 1, device=sample.device)]
    )
    some = -torch.expm1(-on_average)  # how often a conversion has any row that is driven
    driven = on_average / some.clamp_min(1e-12)  # rows then, of one crossbar: signs and sizes x images x planes x 1
    digits = digits_of(words[_spread(len(words), rows)], chip.weight_bits, chip.cell.bits).to(torch.int64)
    mean, written, read = (of_level[digits] for of_level in levels)
    height = (digits - chip.cell.middle).float()
    kept = (driven * mean.mean(dim=1)) ** 2 + driven * (mean.var(dim=1, correction=0) + written.mean(dim=1))
    noise = kept + driven * read.mean(dim=1)
    sums = (driven * height.mean(dim=1)) ** 2 + driven * height.var(dim=1, correction=0)
    places = count * some * 4.0 ** (planes[:, None] + chip.cell.bits * torch.arange(len(digits), device=planes.device))
    gains = chip.converter.gain(noise, sums)
    gain = ((places * kept * gains).sum() / (places * kept).sum()).nan_to_num(1.0)
    fresh = (places * (chip.converter.error_variance(noise, sums) - gains**2 * kept).clamp_min(0.0)).sum()
    signal, all_sums = torch.ones_like(gain), (places * sums).sum()
    if chip.converter.step > 1:
        signal = ((places * sums * gains).sum() / all_sums).nan_to_num(1.0)
        fresh = (fresh - (1 - signal) ** 2 * all_sums).clamp_min(0.0)  # what all outputs lose alike is no noise
    squares = sample.double().square().mean(dim=1).sum() * rows
    return Statistics(gain, signal, (fresh / squares).nan_to_num(0.0, posinf=0.0).float())


def _spread(count: int, period: int) -> slice:
    """Some of many values, spread over all of them, and over what repeats with a period."""
    stride = max(1, count // SAMPLED)
    while math.gcd(stride, period) > 1:
        stride += 1
    return slice(None, None, stride)


def squares_below(inputs: Tensor, kernel: torch.Size, stride: Any, padding: Any) -> Tensor:
    """The sum of all squared inputs that each output position sees: batch x out_height x out_width."""
    pixels = inputs.permute(0, 2, 3, 1)
    ones = torch.ones(pixels.shape[-1], dtype=inputs.dtype, device=inputs.device)
    squares = ((pixels * pixels).reshape(-1, len(ones)) @ ones).view(pixels.shape[:3])
    squares = functional.pad(squares, (padding[1], padding[1], padding[0], padding[0]))
    for dimension, size, step in ((1, kernel[0], stride[0]), (2, kernel[1], stride[1])):
        count = (squares.shape[dimension] - size) // step + 1
        windows = [squares.narrow(dimension, first, step * (count - 1) + 1) for first in range(size)]
        every = [window[:, ::step] if dimension == 1 else window[:, :, ::step] for window in windows]
        squares = every[0].clone()
        for window in every[1:]:
            squares += window
    return squares
