"""Variables of ReRAM crossbars that several simulators read: one definition, so that they mean the same to all."""

from __future__ import annotations

from collections.abc import Sequence

from simulators.protocol import Categorical, Variable

__all__ = ["ADC_BITS", "CELL_BITS", "CROSSBAR_SIZE", "DERIVED", "read_rate"]

DERIVED = "derived"
"""ADC bits: what a column sum needs."""

CROSSBAR_SIZE = Variable(
    "crossbar_size", Categorical((32, 64, 128, 256, 512)), 128, meaning="rows, and as many columns, of a crossbar",
    label="{0}x{0}", searched=True,
)  # fmt: skip

CELL_BITS = Variable(
    "cell_bits", Categorical((1, 2, 4, 8)), 2, "bit", "bits per ReRAM cell", "{} bit/cell", searched=True
)

ADC_BITS = Variable(
    "adc_bits", Categorical((DERIVED, *range(4, 15))), DERIVED, "bit",
    "resolution of the converters: derived is what a column sum needs", "{}-bit ADCs",
    labels=((DERIVED, "derived ADC bits"),),
)  # fmt: skip


def read_rate(frequencies_hz: Sequence[float]) -> Variable:
    """How often crossbars are read.

    Args:
        frequencies_hz: that can be chosen, 10 MHz among them.
    """
    return Variable(
        "frequency_hz", Categorical(tuple(frequencies_hz)), 10e6, "Hz", "crossbar reads per second", "{} Hz",
        labels=tuple((hertz, f"{hertz / 1e6:g} MHz") for hertz in frequencies_hz),
    )  # fmt: skip
