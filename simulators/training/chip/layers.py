"""Convolutions and fully connected layers whose weights lie on ReRAM crossbars.

They have the parameters of the plain layers, and under the same names. Forward they compute what the chip computes;
backward, gradients go straight through rounding and noise (Bengio et al., 2013), to the weights as they are stored.

Two ways to compute the same distribution. ``fast``: one product with the weights as they were written, and noise of the
variance that all reads and conversions of an output have together. ``explicit`` (:mod:`.explicit`): every input bit,
every cell of a word and every crossbar by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from simulators.training.chip.chip import Chip
from simulators.training.chip.explicit import Columns, columns_of, multiply
from simulators.training.chip.masks import Masks
from simulators.training.chip.noise import NoiseSource
from simulators.training.chip.readings import Statistics, squares_below, statistics_of
from simulators.training.chip.words import fixed_point, step_of

__all__ = ["Crossbar", "CrossbarConv2d", "CrossbarLinear"]

KNOWN_FOR = 32
"""Products of a layer for which its :class:`.Statistics` are good: they change slowly, and take a millisecond."""


@dataclass(frozen=True, eq=False)
class Stored:
    """Weights as they lie in cells; tensors of the weight's shape.

    Args:
        values: whole numbers of steps, faults included.
        step: value of a word's least significant bit.
        deviation: of what is read from what was written, in steps; None where there is none.
        columns: every cell by itself, where products are explicit.
    """

    values: Tensor
    step: Tensor | float
    deviation: Tensor | None
    columns: Columns | None = None


class Crossbar(nn.Module):
    """What both kinds of layers share."""

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(self, plain: nn.Conv2d | nn.Linear, chip: Chip, noise: NoiseSource) -> None:
        super().__init__()
        self.weight, self.bias = plain.weight, plain.bias  # type: ignore[assignment]  # parameters, but torch says tensors
        self.chip, self.noise = chip, noise
        self.masks: Masks | None = None  # stuck cells; none where all are sound
        self._kept: Stored | None = None
        self._known: Statistics | None = None
        self._known_at, self._known_for = 0, 0
        tables, levels = chip.tables, chip.deviations
        device = plain.weight.device
        self._half = 2 ** (chip.weight_bits - 1)
        self._mean, written = tables.mean.to(device), tables.written_deviation.to(device)
        self._written = written[:1] if bool((written == written[0]).all()) else written  # often the same for all words
        self._levels = torch.tensor(
            np.stack([levels.mean, levels.written_variance, levels.read_variance]),
            dtype=torch.float32,
            device=device,
        )

    @property
    def kernel(self) -> Tensor:
        """The weights as those of a convolution."""
        return self.weight if self.weight.dim() == 4 else self.weight[..., None, None]

    def keep(self) -> None:
        """Write the weights once, for all that is computed until :meth:`release`."""
        with torch.no_grad():
            self._kept = self._write(self.kernel)

    def release(self) -> None:
        """Write the weights for every product again, as in training."""
        self._kept = None

    def _write(self, weight: Tensor) -> Stored:
        """Weights in cells: rounded, faults in their places, and deviating."""
        step = step_of(weight, self.chip.weight_bits)
        values = torch.div(weight, step).round_()
        if self.masks:
            values = self._read_back(values, self.masks)
        if self.chip.explicit:
            return Stored(values, step, None, columns_of(self._words(values).flatten(1), self.chip, self.noise))
        return Stored(values, step, self._deviation(values) if self.chip.deviates else None)

    def _deviation(self, values: Tensor) -> Tensor:
        """Of what is read from what was written, in steps."""
        words = self._words(values).to(torch.int64)
        means = self._mean[words]
        if not self.chip.deviates_when_written:
            return means
        written = self._written[words] if len(self._written) > 1 else self._written
        return means.addcmul_(written, self.noise.normal(values.shape))

    def _words(self, values: Tensor) -> Tensor:
        """Stored words of whole numbers of steps."""
        return (
            values.add(self._half).to(torch.int32).clamp_(0, 2 * self._half - 1)
        )  # numbers, even of a diverged network

    def _read_back(self, values: Tensor, masks: Masks) -> Tensor:
        """What faulty cells make of whole numbers of steps, in place; what is no number stays so."""
        written = values[masks.places]
        read = masks.applied(self._words(written)).float().sub_(self._half)
        values[masks.places] = torch.where(written.isfinite(), read, written)
        return values

    def as_stored(self, gradient: Tensor) -> Tensor:
        """A gradient of the weights as cells hold it, some of them faulty."""
        if self.masks is None or not self.chip.stuck.in_gradients:
            return gradient
        step = step_of(gradient, self.chip.weight_bits)
        read: Tensor = self._read_back(torch.div(gradient, step).round_(), self.masks).mul_(step)
        return read

    def statistics(self, inputs: Tensor, input_step: Tensor | float, values: Tensor) -> Statistics:
        """Those of now, or of shortly before."""
        if self._known is None or self._known_at != self.noise.times_seeded or self._known_for >= KNOWN_FOR:
            words = self._words(values).flatten()
            self._known = statistics_of(inputs, input_step, words, self.weight[0].numel(), self.chip, self._levels)
            self._known_at, self._known_for = self.noise.times_seeded, 0
        self._known_for += 1
        return self._known


class _Product(torch.autograd.Function):
    """A convolution on crossbars, see :class:`Crossbar`; its gradients are those of what is stored."""

    @staticmethod
    def forward(
        context: Any, inputs: Tensor, weight: Tensor, bias: Tensor | None, layer: Crossbar, stride: Any, padding: Any
    ) -> Tensor:
        chip = layer.chip
        step = step_of(inputs, chip.input_bits)
        rounded = fixed_point(inputs, step)
        stored = layer._kept or layer._write(weight)
        statistics = None if chip.exact or chip.explicit else layer.statistics(rounded, step, stored.values)
        values = stored.values
        if statistics is not None and chip.converter.step > 1:
            values = values * statistics.signal
        if stored.deviation is not None and statistics is not None:
            values = torch.addcmul(values, stored.deviation, statistics.gain)
        values = torch.mul(values, stored.step).contiguous(memory_format=torch.channels_last)
        context.save_for_backward(rounded, values)
        context.layer, context.stride, context.padding, context.biased = layer, stride, padding, bias is not None
        if stored.columns is not None:
            return _explicit(rounded / step, stored.columns, layer, stride, padding, step * stored.step)
        outputs: Tensor = torch.ops.aten.convolution(rounded, values, bias, stride, padding, (1, 1), False, (0, 0), 1)
        if statistics is not None:
            squares = squares_below(rounded, weight.shape[2:], stride, padding)
            deviation = (squares * statistics.variance).sqrt_().mul_(stored.step)
            batch, channels, height, width = outputs.shape
            noise = layer.noise.normal((batch, height, width, channels)).mul_(deviation[..., None])
            outputs.permute(0, 2, 3, 1).add_(noise)
        return outputs

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Any:
        rounded, values = context.saved_tensors
        wanted = (context.needs_input_grad[0], context.needs_input_grad[1], context.biased)
        of_inputs, of_weight, of_bias = torch.ops.aten.convolution_backward(
            gradients[0], rounded, values, [values.shape[0]] if context.biased else None, context.stride,
            context.padding, (1, 1), False, (0, 0), 1, wanted,
        )  # fmt: skip
        return of_inputs, context.layer.as_stored(of_weight), of_bias, None, None, None


def _explicit(
    inputs: Tensor, columns: Columns, layer: Crossbar, stride: Any, padding: Any, step: Tensor | float
) -> Tensor:
    """A convolution of whole numbers, every bit and cell by itself; ``step``: what one of the result stands for."""
    kernel = layer.kernel.shape[2:]
    patches = functional.unfold(inputs, kernel, padding=padding, stride=stride).transpose(1, 2)
    height, width = (
        (size + 2 * around - window) // by + 1
        for size, around, window, by in zip(inputs.shape[2:], padding, kernel, stride, strict=True)
    )
    found = multiply(patches.reshape(-1, patches.shape[2]), columns, layer.chip, layer.noise) * step
    outputs = found.float().view(len(inputs), height, width, -1).permute(0, 3, 1, 2)
    return outputs if layer.bias is None else outputs + layer.bias.detach()[:, None, None]


class CrossbarConv2d(Crossbar):
    """A convolution on crossbars.

    Args:
        plain: whose parameters it takes over; neither dilated nor grouped.
        chip: on which its weights lie.
        noise: where it draws noise from.
    """

    def __init__(self, plain: nn.Conv2d, chip: Chip, noise: NoiseSource) -> None:
        super().__init__(plain, chip, noise)
        if plain.dilation != (1, 1) or plain.groups != 1 or isinstance(plain.padding, str):
            raise ValueError("crossbars take convolutions without dilation and groups, padded by numbers")
        self.stride, self.padding = plain.stride, plain.padding

    def forward(self, inputs: Tensor) -> Tensor:
        """As ``torch.nn.Conv2d``: batch x in_channels x height x width."""
        return _product(inputs, self.kernel, self.bias, self, self.stride, self.padding)


class CrossbarLinear(Crossbar):
    """A fully connected layer on crossbars: a convolution of one pixel. Arguments as :class:`CrossbarConv2d`."""

    def forward(self, inputs: Tensor) -> Tensor:
        """As ``torch.nn.Linear``: batch x in_features."""
        return _product(inputs[..., None, None], self.kernel, self.bias, self, (1, 1), (0, 0))[..., 0, 0]


def _product(inputs: Tensor, kernel: Tensor, bias: Tensor | None, layer: Crossbar, stride: Any, padding: Any) -> Tensor:
    found: Tensor = _Product.apply(inputs, kernel, bias, layer, stride, padding)  # type: ignore[no-untyped-call]  # torch does not annotate it
    return found
