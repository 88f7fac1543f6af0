"""What the simulator shows to people: tables and pictures of one design, and the figures that the model is made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from simulators.accelerators.deeptrain.views import design, network_on_chip, reference
from simulators.protocol import Designs, Maps, Table, View, Workload

if TYPE_CHECKING:
    from simulators.accelerators.deeptrain.simulator import DeepTrain

__all__ = ["make_views"]


def make_views(simulator: DeepTrain) -> tuple[View, ...]:
    """All views of a simulator."""
    components = design.components
    found: dict[str, tuple[str, Callable[[DeepTrain, Designs, Workload], Table | Maps]]] = {
        "summary": ("totals", design.summary),
        "mapping": ("crossbars, copies and stage times of each layer", design.mapping),
        "layers": ("energy per image of each layer by component", design.layers),
        "tile": ("the parts of the design's own ReRAM tile beside those of ISAAC's", design.tile),
        "area": ("area of each component", partial(components, quantity="area_mm2", unit="mm2")),
        "energy": ("energy per image of each component", partial(components, quantity="energy_j", unit="J")),
        "power": ("rated power of each component", partial(components, quantity="power_w", unit="W")),
        "baselines": (
            "the design beside AccuReD, REGENT, PipeLayer, ISAAC, ReGAN and graphics cards",
            design.baselines,
        ),
        "noc": ("traffic on the network on chip by layer of the stack, its busiest links", network_on_chip.table),
        "noc-map": ("a picture of it: the busiest link at each router (--out page.html)", network_on_chip.maps),
        "thermal": ("temperature of each layer of the stack", design.thermal),
        "components": ("circuit parts of ISAAC's tile: figures of one, how they scale, the source", reference.parts),
        "devices": ("ReRAM cells that the setting device can name", reference.devices),
        "choices": ("policies, graphics cards and stack orders: what each is, and who published it", reference.choices),
        "technology": ("technology nodes that the setting technology_nm can name", reference.nodes),
        "assumptions": (
            "fitted and guessed numbers in force, and settings that are as defensible another way",
            reference.assumptions,
        ),
    }
    return tuple(View(name, meaning, partial(render, simulator)) for name, (meaning, render) in found.items())
