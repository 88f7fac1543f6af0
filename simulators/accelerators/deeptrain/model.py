"""The DeepTrain model: hardware combinations first, then every design's normalisations on top of them."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulators.accelerators.batches import Combinations, bits_of, sums_of_groups
from simulators.accelerators.deeptrain.energy import StackEnergy, stack_energy
from simulators.accelerators.deeptrain.gpu import GpuWork, gpu_work
from simulators.accelerators.deeptrain.mapping import Mapping, map_network
from simulators.accelerators.deeptrain.noc import Links, NetworkOnChip, Traffic, busiest_links, transport_energy
from simulators.accelerators.deeptrain.pipeline import bn_work, schedule
from simulators.accelerators.deeptrain.policies import CARDS, card_in_force, is_true
from simulators.accelerators.deeptrain.settings import Settings
from simulators.accelerators.deeptrain.stacking import layer_kinds
from simulators.accelerators.deeptrain.thermal import LIMIT_K, layer_powers_w, stack_temperatures_k
from simulators.accelerators.layers import LayerTable, layer_table
from simulators.accelerators.recent import Recent
from simulators.components import Tile, adc_bits, isaac_tile, total_of
from simulators.components.variables import DERIVED
from simulators.protocol import Assumptions, Designs, Field, LazyColumns, Report, Workload
from simulators.workloads import bn_variable, dataset_shape

__all__ = ["DOES_NOT_FIT", "FIELDS", "VIAS", "WIRES", "Stacks", "build_stacks", "evaluate"]

FloatArray = NDArray[np.float64]

GPU, CARD, WIRES, VIAS = "gpu", "card", "noc_wires", "noc_vias"  # components beside those of the tile
NO_GPU_LAYER = (
    "there is no GPU layer to normalise on (on ReRAM the divisor would have to be a power of two, as it is in under "
    "2 % of the cases): choose bn none or more gpu_layers"
)
NOTHING_NORMALISES = "forward products stay on ReRAM under this policy, and nothing normalises there: choose bn none"
NO_BACKWARD = "this policy computes the backward pass on GPU layers: choose at least one"
NO_LAYERS_ON_A_CARD = "a graphics card has no layers: choose reram_layers 0 and gpu_layers 0"
DOES_NOT_FIT = "does not fit: needs {crossbars_needed:.0f} crossbars, the stack has {crossbars_available:.0f}"

FIELDS: MappingType[str, Field] = {
    "latency_s": Field("s", "steady-state time per image: one pipeline stage"),
    "stage_time_s": Field("s", "the slowest of the pipeline's stages"),
    "conv_stage_time_s": Field("s", "slowest weight layer on ReRAM (graphics card: all products)"),
    "bn_stage_time_s": Field("s", "batch normalisation of one image on the GPU layers"),
    "backward_stage_time_s": Field("s", "backward products of one image on the GPU layers (policy regent)"),
    "link_stage_time_s": Field("s", "one image over the busiest link of the network on chip"),
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
    "peak_temperature_k": Field("K", f"hottest layer at rated power; the paper's limit is {LIMIT_K:g} K (100 C)"),
    "crossbars_needed": Field("", "crossbars that hold every layer once"),
    "crossbars_available": Field("", "crossbars of the stack"),
    "crossbars_used": Field("", "crossbars with all copies of slow layers"),
    "adc_resolution_bits": Field("bit", "resolution of the tiles' analog-to-digital converters"),
    "adc_bits_short": Field("bit", "bits that a column sum needs beyond that"),
    "bn_layers": Field("", "number of batch normalisations"),
    "gpu_instructions": Field("", "lane-instructions of the GPU layers for normalisation, per image"),
}


@dataclass(frozen=True, eq=False)
class Stacks:
    """Distinct pieces of hardware with a network mapped onto them; arrays of shape (stacks,) or (stacks, layers).

    Args:
        table: the network's layers.
        hardware: variables of each stack, and which of them each design has.
        kinds: of the layers from the heat sink on, shape (stacks, layers of the highest stack).
        tile: the ReRAM tiles.
        mapping: layers on crossbars.
        product_time_s: of one matrix-vector product.
        energy: of everything on the ReRAM layers.
        gpu: work of GPU layers or a card.
        network: on chip.
        transport: joules over wires and vias.
        power_w, area_mm2: by component, for the whole stack at rated power.
        footprint_mm2: area of the largest layer.
        temperatures_k: of each layer from the heat sink on, shape (stacks, layers of the highest stack).
        peak_temperature_k: of the hottest layer, or what a card's cooler keeps it at.
        settings, assumed, training: what all of it follows from.
    """

    table: LayerTable
    hardware: Combinations
    kinds: NDArray[np.int8]
    tile: Tile
    mapping: Mapping
    product_time_s: FloatArray
    energy: StackEnergy
    gpu: GpuWork
    network: NetworkOnChip
    transport: Traffic
    power_w: MappingType[str, FloatArray]
    area_mm2: MappingType[str, FloatArray]
    footprint_mm2: FloatArray
    temperatures_k: FloatArray
    peak_temperature_k: FloatArray
    settings: Settings
    assumed: Assumptions
    training: bool

    def on(self, hardware: Combinations) -> Stacks:
        """The same for other designs with the same hardware."""
        return replace(self, hardware=hardware)

    @property
    def conv_times_s(self) -> FloatArray:
        """Stage time of each weight layer on ReRAM; of all together on a card, where it is not one stage of many."""
        products = np.ceil(self.table.positions / self.mapping.copies) * self.product_time_s[:, None]
        return np.where(self.gpu.on_card[:, None], self.gpu.product_time_s, products)

    @property
    def energies_j(self) -> FloatArray:
        """Joules per image and layer but for normalisation and transport."""
        return self.energy.by_layer_j + self.gpu.product_energy_j


def build_stacks(
    hardware: Combinations, workload: Workload, settings: Settings, assumed: Assumptions, links: Recent[Links]
) -> Stacks:
    """Distinct pieces of hardware with the workload mapped onto them.

    Args:
        hardware: of some designs.
        workload: the network.
        settings, assumed: of the model.
        links: remembers the busiest links of stacks.

    Raises:
        InputError: the workload is unknown.
    """
    table, training = layer_table(workload), workload.mode == "training"
    frequency, policies, tiles = (hardware[name] for name in ("frequency_hz", "policy", "tiles_per_layer"))
    given_bits = np.array([0 if str(bits) == DERIVED else int(bits) for bits in hardware["adc_bits"]])
    tile = isaac_tile(
        hardware["crossbar_size"], hardware["cell_bits"], frequency, given_bits, settings.tile_rules(assumed)
    )
    mapping = map_network(table, hardware, tile, training, settings, assumed)
    product_time_s = assumed["input_bits"] / frequency
    product_energy_j = tile.total_power_w / tile.crossbars * product_time_s
    on_card = is_true(policies, "card")
    reram_layers, gpu_layers = (hardware[name] * ~on_card for name in ("reram_layers", "gpu_layers"))
    kinds = layer_kinds(reram_layers, gpu_layers, hardware["stack_order"])
    powers = layer_powers_w(kinds, tiles * tile.total_power_w, assumed["gpu_layer_power_w"])
    temperatures_k = stack_temperatures_k(powers, assumed)
    gpu_area = np.where(gpu_layers > 0, assumed["gpu_layer_area_mm2"], 0.0)
    in_force = {name: card_in_force(name, assumed) for name in CARDS}
    cards = {name: [getattr(in_force[policy], name) if policy in CARDS else 0.0 for policy in policies]
             for name in ("power_w", "area_mm2", "temperature_k")}  # fmt: skip
    footprint = np.maximum(np.where(reram_layers > 0, tiles * tile.total_area_mm2, 0.0), gpu_area)
    network = NetworkOnChip(workload, table, mapping, hardware, tile, kinds, settings, assumed, links)
    return Stacks(
        table,
        hardware,
        kinds,
        tile,
        mapping,
        product_time_s,
        stack_energy(table, mapping, product_energy_j, training, settings, assumed),
        gpu_work(table, policies, gpu_layers, training, assumed),
        network,
        transport_energy(network, footprint),
        {name: reram_layers * tiles * value for name, value in tile.power_w.items()}
        | {GPU: gpu_layers * assumed["gpu_layer_power_w"], CARD: np.array(cards["power_w"])},
        {name: reram_layers * tiles * value for name, value in tile.area_mm2.items()}
        | {GPU: gpu_layers * gpu_area, CARD: np.array(cards["area_mm2"])},
        footprint + cards["area_mm2"],
        temperatures_k,
        np.where(on_card, cards["temperature_k"], temperatures_k.max(axis=1, initial=assumed["ambient_k"])),
        settings,
        assumed,
        training,
    )


def evaluate(stacks: Stacks, designs: Designs, workload: Workload, breakdown: bool = False) -> Report:
    """Totals of all designs; times and energies are NaN where the network does not fit.

    Args:
        stacks: of these designs.
        designs: any number.
        workload: the network.
        breakdown: by layer and by component, too.

    Raises:
        InputError: a column of ``bn`` holds a value that it does not allow.
    """
    table, mapping, index, count = stacks.table, stacks.mapping, stacks.hardware.index, len(designs)
    settings, gpu = stacks.settings, stacks.gpu
    bits = bits_of(designs, bn_variable(workload))
    bn_layers, elements, stage_elements = bn_work(bits, table.bn_elements, settings)
    shape = (count,)
    impossible = _impossible(stacks, bn_layers, shape)
    conv_times_s = stacks.conv_times_s
    conv_stage_time_s = np.where(gpu.on_card, conv_times_s.sum(axis=1), conv_times_s.max(axis=1))[index]
    bn_stage_time_s = stage_elements * gpu.time_per_element_s[index]
    backward_s = np.where(gpu.on_card, 0.0, gpu.product_time_s.sum(axis=1))
    stage_time_s = np.maximum(conv_stage_time_s, bn_stage_time_s + backward_s[index])
    if gpu.on_card.any():
        stage_time_s = np.where(gpu.on_card[index], conv_stage_time_s + bn_stage_time_s, stage_time_s)

    stage_time_s, conv_stage_time_s, bn_stage_time_s = (  # of what cannot be built there is none
        _without(time_s, impossible) for time_s in (stage_time_s, conv_stage_time_s, bn_stage_time_s)
    )

    def link_stage_time_s() -> FloatArray:
        time_s = busiest_links(stacks.network, index, bits, count) / stacks.assumed["link_bytes_per_s"]
        return _without(time_s, impossible)

    links = {}
    if settings.link_time == "counted":
        links["link_stage_time_s"] = link_stage_time_s()
        stage_time_s = np.maximum(stage_time_s, links["link_stage_time_s"])
    update_time_s = np.where(gpu.on_card, 0.0, stacks.hardware["crossbar_size"] * stacks.assumed["row_write_time_s"])
    pipeline = schedule(
        stage_time_s,
        np.where(gpu.on_card, 0.0, float(len(table.names)))[index] + bn_layers * ~gpu.on_card[index],
        update_time_s[index],
        stacks.training,
        settings.batch_size,
        dataset_shape(workload.dataset).train_images,
    )
    transport_j = _transport(stacks, bits)
    energy_j = stacks.energies_j.sum(axis=1)[index] + elements * gpu.energy_per_element_j[index] + transport_j
    energy_j = _without(energy_j, impossible)
    needed_bits = adc_bits(stacks.hardware["crossbar_size"], stacks.hardware["cell_bits"])
    totals = {
        "latency_s": stage_time_s,
        "stage_time_s": stage_time_s,
        "conv_stage_time_s": conv_stage_time_s,
        "bn_stage_time_s": bn_stage_time_s,
        "backward_stage_time_s": backward_s[index],
        **links,
        "image_latency_s": pipeline.image_latency_s,
        "batch_time_s": pipeline.batch_time_s,
        "epoch_time_s": pipeline.epoch_time_s,
        "energy_j": energy_j,
        "area_mm2": total_of(stacks.area_mm2)[index],
        "footprint_mm2": stacks.footprint_mm2[index],
        "power_w": total_of(stacks.power_w)[index],
        "average_power_w": energy_j / stage_time_s,
        "peak_temperature_k": stacks.peak_temperature_k[index],
        "crossbars_needed": mapping.needed.astype(np.float64)[index],
        "crossbars_available": mapping.available.astype(np.float64)[index],
        "crossbars_used": mapping.used[index],
        "adc_resolution_bits": np.where(gpu.on_card, 0.0, stacks.tile.adc_bits)[index],
        "adc_bits_short": np.where(gpu.on_card, 0.0, np.maximum(needed_bits - stacks.tile.adc_bits, 0.0))[index],
        "bn_layers": bn_layers,
        "gpu_instructions": elements * gpu.instructions_per_element[index],
    }

    def total(name: str) -> FloatArray:
        return np.broadcast_to(totals[name], shape) if name in totals else link_stage_time_s()

    does_not_fit = {DOES_NOT_FIT: np.broadcast_to(~mapping.fits[index], shape)}
    report = Report(LazyColumns(FIELDS, total), does_not_fit | impossible)
    if not breakdown:
        return report
    placed = np.zeros((len(bits), len(table.names)))
    placed[:, table.convolutions] = bits
    by_layer, by_component = _by_layer(stacks, placed, count), _by_component(stacks, elements, bits, count)
    for name in ("conv_stage_time_s", "bn_stage_time_s"):
        by_layer[name] = _without(by_layer[name], impossible)
    for name in ("normalisation_energy_j", "transport_energy_j", "energy_j"):
        by_layer[name] = _without(by_layer[name], report.infeasible)
    by_component["energy_j"] = {
        name: _without(part, report.infeasible) for name, part in by_component["energy_j"].items()
    }
    return Report(report.totals, report.infeasible, layers=table.names, by_layer=by_layer, by_component=by_component)


def _without(values: FloatArray, impossible: MappingType[str, NDArray[np.bool_]]) -> FloatArray:
    """NaN for designs that cannot be built; the first dimension of ``values`` is designs."""
    for mask in impossible.values():
        values = np.where(mask.reshape(-1, *[1] * (values.ndim - 1)), np.nan, values)
    return values


def _transport(stacks: Stacks, bits: NDArray[np.uint8]) -> FloatArray:
    """Joules over wires and vias, shape (designs,) or (1,)."""
    return sums_of_groups(
        stacks.hardware.index, bits, stacks.transport.base.sum(axis=(1, 2)), stacks.transport.by_bit.sum(axis=-1)
    )


def _impossible(stacks: Stacks, bn_layers: FloatArray, shape: tuple[int]) -> dict[str, NDArray[np.bool_]]:
    """Why which designs cannot be built, but for those that do not fit; only reasons that some design has."""
    index, hardware = stacks.hardware.index, stacks.hardware
    on_card, no_gpu = stacks.gpu.on_card, hardware["gpu_layers"] == 0
    backward = is_true(hardware["policy"], "backward_on_gpu") & stacks.training
    of_stacks = {
        NO_LAYERS_ON_A_CARD: on_card & ~(no_gpu & (hardware["reram_layers"] == 0)),
        NO_BACKWARD: backward & no_gpu,
    }
    with_normalisations = {
        NO_GPU_LAYER: no_gpu & ~on_card,
        NOTHING_NORMALISES: ~is_true(hardware["policy"], "normalises"),
    }
    found = {reason: which[index] for reason, which in of_stacks.items() if which.any()}
    for reason, which in with_normalisations.items():
        if which.any():
            found[reason] = which[index] & (bn_layers > 0)
    return {reason: np.broadcast_to(mask, shape) for reason, mask in found.items() if mask.any()}


def _by_layer(stacks: Stacks, placed: FloatArray, count: int) -> dict[str, FloatArray]:
    """Quantities of each weight layer; ``placed`` is 1 where a normalisation follows it, shape (designs, layers)."""
    table, mapping, gpu, index = stacks.table, stacks.mapping, stacks.gpu, stacks.hardware.index
    bn_elements = placed * table.out_elements
    transport_j = stacks.transport.base.sum(axis=-1)
    added_j = np.zeros_like(transport_j)
    added_j[:, table.convolutions] = stacks.transport.by_bit.sum(axis=-1)
    crossbars = mapping.weight_crossbars + mapping.transposed_crossbars + mapping.activation_crossbars
    by_layer = {
        "conv_stage_time_s": stacks.conv_times_s[index],
        "bn_stage_time_s": bn_elements * gpu.time_per_element_s[index][:, None],
        "copies": np.where(gpu.on_card[:, None], 0.0, mapping.copies)[index],
        "crossbars_needed": crossbars.astype(np.float64)[index],
        "normalisation_energy_j": bn_elements * gpu.energy_per_element_j[index][:, None],
        "transport_energy_j": transport_j[index] + placed * added_j[index],
        "energy_j": (stacks.energies_j + transport_j)[index]
        + bn_elements * gpu.energy_per_element_j[index][:, None]
        + placed * added_j[index],
    }
    return {name: np.broadcast_to(values, (count, values.shape[1])) for name, values in by_layer.items()}


def _by_component(
    stacks: Stacks, elements: FloatArray, bits: NDArray[np.uint8], count: int
) -> dict[str, dict[str, FloatArray]]:
    """Energy, area and power of each component; they sum to the totals."""
    index, energy, gpu = stacks.hardware.index, stacks.energy, stacks.gpu
    products_j, tile_power_w = energy.products_j.sum(axis=1), stacks.tile.total_power_w
    energies = {name: (products_j * power / tile_power_w)[index] for name, power in stacks.tile.power_w.items()}
    energies["weight_update"] = energy.weight_update_j.sum(axis=1)[index]
    energies["activation_writes"] = energy.activation_writes_j.sum(axis=1)[index]
    computed_j = gpu.product_energy_j.sum(axis=1)[index] + elements * gpu.energy_per_element_j[index]
    energies[GPU] = np.where(gpu.on_card[index], 0.0, computed_j)
    energies[CARD] = np.where(gpu.on_card[index], computed_j, 0.0)
    for position, name in enumerate((WIRES, VIAS)):
        base, by_bit = stacks.transport.base[..., position], stacks.transport.by_bit[..., position]
        energies[name] = sums_of_groups(index, bits, base.sum(axis=1), by_bit)
    by_component = {
        "energy_j": energies,
        "area_mm2": {name: values[index] for name, values in stacks.area_mm2.items()},
        "power_w": {name: values[index] for name, values in stacks.power_w.items()},
    }
    return {
        quantity: {name: np.broadcast_to(values, (count,)) for name, values in parts.items()}
        for quantity, parts in by_component.items()
    }
