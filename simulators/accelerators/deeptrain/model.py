"""The DeepTrain model: hardware combinations first, then every design's normalisations on top of them."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import Combinations, bits_of, distinct_combinations
from simulators.accelerators.deeptrain.energy import StackEnergy, stack_energy
from simulators.accelerators.deeptrain.mapping import Mapping, map_network
from simulators.accelerators.deeptrain.pipeline import bn_work, instructions_per_element, schedule
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.deeptrain.thermal import layer_powers_w, stack_temperatures_k
from simulators.accelerators.deeptrain.variables import HARDWARE_VARIABLES
from simulators.accelerators.layers import LayerTable, layer_table
from simulators.components import Tile, isaac_tile, total_of
from simulators.protocol import Assumptions, Designs, Field, Report, Workload
from simulators.workloads import bn_variable, dataset_shape

__all__ = ["DOES_NOT_FIT", "FIELDS", "GPU", "Stacks", "build_stacks", "evaluate"]

FloatArray = NDArray[np.float64]

GPU = "gpu"  # component name of the GPU layers
DOES_NOT_FIT = "does not fit: needs {crossbars_needed:.0f} crossbars, the stack has {crossbars_available:.0f}"

FIELDS: MappingType[str, Field] = {
    "latency_s": Field("s", "steady-state time per image: one pipeline stage"),
    "stage_time_s": Field("s", "the slower of the convolution and normalisation stages"),
    "conv_stage_time_s": Field("s", "slowest weight layer on ReRAM"),
    "bn_stage_time_s": Field("s", "batch normalisation of one image on the GPU layers"),
    "image_latency_s": Field("s", "one image through the whole pipeline"),
    "batch_time_s": Field("s", "one batch, filling the pipeline and updating the weights included"),
    "epoch_time_s": Field("s", "all training images of the data set once"),
    "energy_j": Field("J", "energy per image"),
    "area_mm2": Field("mm2", "silicon summed over the stacked layers"),
    "footprint_mm2": Field("mm2", "area of the largest layer of the stack"),
    "power_w": Field("W", "rated power of the stack: all tiles working"),
    "average_power_w": Field(
        "W", "energy per image / stage time; may exceed power_w: weight gradients take energy, no time"
    ),
    "peak_temperature_k": Field("K", "hottest layer at rated power"),
    "crossbars_needed": Field("", "crossbars that hold every layer once"),
    "crossbars_available": Field("", "crossbars of the stack"),
    "crossbars_used": Field("", "crossbars with all copies of slow layers"),
    "adc_bits": Field("bit", "resolution of the tiles' analog-to-digital converters"),
    "bn_layers": Field("", "number of batch normalisations"),
    "gpu_instructions": Field("", "GPU lane-instructions per image"),
}


@dataclass(frozen=True, eq=False)
class Stacks:
    """Distinct pieces of hardware with a network mapped onto them; arrays of shape (stacks,) or (stacks, layers).

    Args:
        table: the network's layers.
        hardware: variables of each stack, and which of them each design has.
        tile: the ReRAM tiles.
        mapping: layers on crossbars.
        product_time_s: of one matrix-vector product.
        energy: of everything but normalisation.
        gpu_rate: lane-instructions per second.
        power_w, area_mm2: by component, for the whole stack at rated power.
        footprint_mm2: area of the largest layer.
        temperatures_k: of each layer from the heat sink on, shape (stacks, layers of the highest stack).
    """

    table: LayerTable
    hardware: Combinations
    tile: Tile
    mapping: Mapping
    product_time_s: FloatArray
    energy: StackEnergy
    gpu_rate: FloatArray
    power_w: MappingType[str, FloatArray]
    area_mm2: MappingType[str, FloatArray]
    footprint_mm2: FloatArray
    temperatures_k: FloatArray


def build_stacks(designs: Designs, workload: Workload, settings: Settings, assumed: Assumptions) -> Stacks:
    """The distinct hardware among some designs, with the workload mapped onto it.

    Raises:
        InputError: a column holds a value that its variable does not allow, or the workload is unknown.
    """
    table, training = layer_table(workload), workload.mode == "training"
    hardware = distinct_combinations(designs, HARDWARE_VARIABLES)
    frequency = hardware["frequency_hz"]
    tile = isaac_tile(hardware["crossbar_size"], hardware["cell_bits"], frequency, settings.tile_budget)
    mapping = map_network(table, hardware, tile, training, settings, assumed)
    product_time_s = assumed["input_bits"] / frequency
    product_energy_j = tile.total_power_w / tile.crossbars * product_time_s
    reram_layers, gpu_layers, tiles = (hardware[name] for name in ("reram_layers", "gpu_layers", "tiles_per_layer"))
    gpu_power_w, gpu_area_mm2 = assumed["gpu_layer_power_w"], assumed["gpu_layer_area_mm2"]
    powers = layer_powers_w(reram_layers, tiles * tile.total_power_w, gpu_layers, gpu_power_w, settings)
    return Stacks(
        table,
        hardware,
        tile,
        mapping,
        product_time_s,
        stack_energy(table, mapping, product_energy_j, training, settings, assumed),
        gpu_layers * assumed["gpu_lane_instructions_per_s"],
        {name: reram_layers * tiles * value for name, value in tile.power_w.items()} | {GPU: gpu_layers * gpu_power_w},
        {name: reram_layers * tiles * value for name, value in tile.area_mm2.items()}
        | {GPU: gpu_layers * gpu_area_mm2},
        np.maximum(tiles * tile.total_area_mm2, gpu_area_mm2),
        stack_temperatures_k(powers, assumed),
    )


def evaluate(
    designs: Designs, workload: Workload, settings: Settings, assumed: Assumptions, breakdown: bool = False
) -> Report:
    """Totals of all designs; times and energies are NaN where the network does not fit.

    Raises:
        InputError: a column holds a value that its variable does not allow, or the workload is unknown.
    """
    stacks = build_stacks(designs, workload, settings, assumed)
    table, mapping, index = stacks.table, stacks.mapping, stacks.hardware.index
    training = workload.mode == "training"
    bits = bits_of(designs, bn_variable(workload))
    bn_layers, elements, stage_elements = bn_work(bits, table.bn_elements, settings)
    instructions = instructions_per_element(training, assumed)
    instruction_j = assumed["gpu_energy_per_lane_instruction_j"]

    time_per_element = (instructions / stacks.gpu_rate)[index]
    conv_stage_time_s = (mapping.stage_products * stacks.product_time_s)[index]
    bn_stage_time_s = stage_elements * time_per_element
    pipeline = schedule(
        conv_stage_time_s,
        bn_stage_time_s,
        len(table.names) + bn_layers,
        (stacks.hardware["crossbar_size"] * assumed["row_write_time_s"])[index],
        training,
        settings.batch_size,
        dataset_shape(workload.dataset).train_images,
    )
    energy_j = stacks.energy.by_layer_j.sum(axis=1)[index] + elements * (instructions * instruction_j)
    totals = {
        "latency_s": pipeline.stage_time_s,
        "stage_time_s": pipeline.stage_time_s,
        "conv_stage_time_s": conv_stage_time_s,
        "bn_stage_time_s": bn_stage_time_s,
        "image_latency_s": pipeline.image_latency_s,
        "batch_time_s": pipeline.batch_time_s,
        "epoch_time_s": pipeline.epoch_time_s,
        "energy_j": energy_j,
        "area_mm2": total_of(stacks.area_mm2)[index],
        "footprint_mm2": stacks.footprint_mm2[index],
        "power_w": total_of(stacks.power_w)[index],
        "average_power_w": energy_j / pipeline.stage_time_s,
        "peak_temperature_k": stacks.temperatures_k.max(axis=1, initial=0.0)[index],
        "crossbars_needed": mapping.needed.astype(np.float64)[index],
        "crossbars_available": mapping.available.astype(np.float64)[index],
        "crossbars_used": mapping.used[index],
        "adc_bits": stacks.tile.adc_bits[index],
        "bn_layers": bn_layers,
        "gpu_instructions": elements * instructions,
    }
    shape = (len(designs),)
    report = Report(
        {name: np.broadcast_to(values, shape) for name, values in totals.items()},
        {DOES_NOT_FIT: np.broadcast_to(~mapping.fits[index], shape)},
    )
    if not breakdown:
        return report
    placed = np.zeros((len(bits), len(table.names)))
    placed[:, table.convolutions] = bits * table.bn_elements
    return Report(
        report.totals,
        report.infeasible,
        layers=table.names,
        by_layer=_by_layer(stacks, placed, instructions, instruction_j, shape[0]),
        by_component=_by_component(stacks, elements * (instructions * instruction_j), shape[0]),
    )


def _by_layer(
    stacks: Stacks, bn_elements: FloatArray, instructions: float, instruction_j: float, count: int
) -> dict[str, FloatArray]:
    """Quantities of each weight layer; ``bn_elements`` is what its normalisation works on, shape (designs, layers)."""
    mapping, index = stacks.mapping, stacks.hardware.index
    products = np.ceil(stacks.table.positions / mapping.copies)
    crossbars = mapping.weight_crossbars + mapping.transposed_crossbars + mapping.activation_crossbars
    by_layer = {
        "conv_stage_time_s": (products * stacks.product_time_s[:, None])[index],
        "bn_stage_time_s": bn_elements * (instructions / stacks.gpu_rate)[index][:, None],
        "copies": mapping.copies[index],
        "crossbars_needed": crossbars.astype(np.float64)[index],
        "energy_j": stacks.energy.by_layer_j[index] + bn_elements * (instructions * instruction_j),
    }
    return {name: np.broadcast_to(values, (count, values.shape[1])) for name, values in by_layer.items()}


def _by_component(stacks: Stacks, bn_energy_j: FloatArray, count: int) -> dict[str, dict[str, FloatArray]]:
    """Energy, area and power of each component; they sum to the totals."""
    index, energy = stacks.hardware.index, stacks.energy
    products_j, tile_power_w = energy.products_j.sum(axis=1), stacks.tile.total_power_w
    energies = {name: (products_j * power / tile_power_w)[index] for name, power in stacks.tile.power_w.items()}
    energies["weight_update"] = energy.weight_update_j.sum(axis=1)[index]
    energies["activation_writes"] = energy.activation_writes_j.sum(axis=1)[index]
    energies[GPU] = bn_energy_j
    by_component = {
        "energy_j": energies,
        "area_mm2": {name: values[index] for name, values in stacks.area_mm2.items()},
        "power_w": {name: values[index] for name, values in stacks.power_w.items()},
    }
    return {
        quantity: {name: np.broadcast_to(values, (count,)) for name, values in parts.items()}
        for quantity, parts in by_component.items()
    }
