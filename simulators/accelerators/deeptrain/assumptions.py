"""The numbers of the DeepTrain model that no table gives. Sections are the paper's.

Two of them are calibrated, one for times and one for energies (:mod:`.calibration` derives the latter); the rest are
read from other publications or are plain guesses, and say so.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.accelerators.deeptrain.policies import CARDS, card_assumption
from simulators.components import DEVICES, isaac_tile_totals
from simulators.protocol import Assumption

__all__ = ["ASSUMPTIONS", "FERMI_LANE_RATE"]

FERMI_LANE_RATE = 16 * 32 * 700e6  # 16 SMs, one full warp of 32 lanes per cycle each, 700 MHz (table I)

_CELL = next(iter(DEVICES.values()))
_WRITES = "the setting device: what its cell takes, unless replaced here (view devices)"
_LEVELS = "up to four stacked layers below 100 C (section V.A), for 3R1G and 2R2G"


def _of_cards() -> Iterator[Assumption]:
    """Figures of graphics cards: peak and memory are known, and the limit of the power."""
    for name, card in CARDS.items():
        for figure, unit, least, meaning in (
            ("peak_flops", "1/s", 1.0, "32-bit floating-point operations per second"),
            ("bytes_per_s", "B/s", 1.0, "what its memory carries"),
            ("power_w", "W", 0.8, "what it draws while it trains, at most its board's limit"),
        ):
            value: float = getattr(card, figure)
            yield Assumption(
                card_assumption(name, figure), value, unit, value / 100, value * 100, card.source, f"{name}: {meaning}",
                likely=(least * value, value), counts_if="with graphics cards",
            )  # fmt: skip


ASSUMPTIONS = (
    Assumption(
        "bn_lane_instructions_per_element", 68.0, "", 5, 500,
        "calibrated to 'relatively balanced' All-BN on 2R2G (section VI.B)",
        "GPU lane-instructions per normalised element, forward and backward together",
        likely=(49, 93),  # all four networks of the paper are balanced on 2R2G within a factor of two
    ),
    Assumption(
        "bn_forward_share", 1 / 3, "", 0.0, 1.0,
        "guess: backward runs two reductions and one update where forward runs one pass",
        "share of those instructions that inference executes; 0: normalisations are folded into the weights",
        likely=(0.0, 0.5),
        counts_if="in inference",
    ),
    Assumption(
        "gpu_lane_instructions_per_s", FERMI_LANE_RATE, "1/s", 1e9, 1e14,
        "table I and GPGPU-Sim's GTX 480: 16 SMs x 32 lanes x 700 MHz",
        "lane-instructions per second of one GPU layer at full rate",
        likely=(FERMI_LANE_RATE / 2, FERMI_LANE_RATE),
    ),
    Assumption(
        "gpu_energy_per_lane_instruction_j", 35.65e-12, "J", 1e-12, 500e-12,
        "calibrated to the mean energy saving of 16.6 % of BO-N on 3R1G (section VI.E)",
        "energy of one lane-instruction, its caches and registers included (derived in calibration.py)",
        likely=(33e-12, 45e-12),
    ),
    Assumption(
        "gpu_lane_instructions_per_mac", 2.0, "", 1.0, 50.0,
        "guess: one fused multiply-add, and as many loads, stores and indices as it shares with others",
        "GPU lane-instructions per multiply-accumulate, where GPU layers compute products (policy regent)",
        likely=(1.0, 4.0),
        counts_if="policy: regent",
    ),
    Assumption(
        "card_utilisation", 0.5, "", 0.01, 1.0,
        "guess; about what makes 'up to 15 x' come out for VGG-19 (section VI.G)",
        "share of its peak that a graphics card reaches in convolutions",
        likely=(0.3, 0.7),
        counts_if="with graphics cards",
    ),
    Assumption(
        "card_bytes_per_bn_element", 32.0, "B", 4.0, 200.0,
        "32-bit values: forward reads twice and writes once, backward reads both inputs twice and writes once",
        "memory traffic of a graphics card per normalised element",
        likely=(20.0, 32.0),
        counts_if="with graphics cards",
    ),
    *_of_cards(),
    Assumption(
        "gpu_layer_power_w", 12.0, "W", 0.1, 200.0,
        "fitted together with the thermal resistances",
        "power of a GPU layer for the thermal model",
    ),
    Assumption(
        "gpu_layer_area_mm2", 144 * isaac_tile_totals()[1], "mm2", 1.0, 1000.0,
        "stacked dies have one footprint: that of a default ReRAM layer",
        "area of a GPU layer",
    ),
    Assumption(
        "training_passes", 3, "", 2, 4,
        "PipeLayer, HPCA 2017: forward, error backward, weight gradient",
        "matrix-vector passes over the network for a training image",
        likely=(3, 3),
    ),
    Assumption(
        "adc_scaling", 1.0, "", 0.0, 2.0,
        "1: the regression over the Murmann survey of converters, from ISAAC's converter on",
        "how fast converters get dearer away from ISAAC's 8 bits at 1.28 GS/s: power of the survey's ratio",
        likely=(0.7, 1.3),
    ),
    Assumption(
        "input_bits", 16, "bit", 1, 32, "section IV.A", "bits of an input, one per crossbar read", likely=(16, 16)
    ),
    Assumption(
        "weight_bits", 16, "bit", 1, 32, "section IV.A", "bits of a weight, spread over cells", likely=(16, 16)
    ),
    Assumption(
        "activation_bits", 16, "bit", 1, 32,
        "section IV.A", "bits of an activation kept for the backward pass", likely=(16, 16),
    ),
    Assumption(
        "write_energy_per_bit_j", _CELL.write_energy_per_bit_j, "J", 1e-16, 1e-7,
        _WRITES, "energy of writing one bit into a cell",
        likely=(1e-13, 5e-12),
    ),
    Assumption(
        "row_write_time_s", _CELL.write_time_s, "s", 1e-9, 1e-3,
        _WRITES, "time of writing one row of a crossbar; all crossbars write at once",
        likely=(10e-9, 1e-6),
        counts_if="in times of batches and epochs",
    ),
    Assumption(
        "link_bytes_per_s", 4.8e9, "B/s", 1e8, 1e12,
        "ISAAC, ISCA 2016, table 1: flits of 32 bits at 1.2 GHz",
        "what a link of the network on chip carries, in each direction",
        counts_if="link_time: counted",
    ),
    Assumption(
        "router_delay_s", 4 / 1.2e9, "s", 1e-10, 1e-6,
        "guess: four cycles (route, allocate, switch, link) of ISAAC's 1.2 GHz logic",
        "time of a flit from one router to the next on an idle network on chip",
        likely=(1 / 1.2e9, 5 / 1.2e9),
        counts_if="in the view noc",
    ),
    Assumption(
        "wire_energy_per_byte_mm_j", 0.97e-12, "J", 1e-14, 1e-10,
        "Keckler et al., GPUs and the Future of Parallel Computing, IEEE Micro 2011: 310 pJ for 256 bits over 10 mm",
        "energy of a byte over 1 mm of a link within a layer; routers are part of the tiles",
    ),
    Assumption(
        "tsv_energy_per_byte_j", 0.4e-12, "J", 1e-15, 1e-10,
        "guess: some 50 fF at 1 V per bit", "energy of a byte from one layer of the stack to the next",
        likely=(0.1e-12, 2e-12),
    ),
    Assumption(
        "ambient_k", 318.15, "K", 250.0, 350.0,
        "45 C, fitted to " + _LEVELS, "temperature around the stack", likely=(298.15, 328.15),
    ),
    Assumption(
        "layer_resistance_k_per_w", 0.05, "K/W", 0.0, 10.0,
        "fitted to " + _LEVELS, "thermal resistance of one layer of the stack",
    ),
    Assumption(
        "sink_resistance_k_per_w", 0.2, "K/W", 0.0, 10.0,
        "fitted to " + _LEVELS, "thermal resistance between the stack and the surroundings",
    ),
)  # fmt: skip
