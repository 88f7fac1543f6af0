"""The simulator as searches and the command line see it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from simulators.accelerators.batches import distinct_combinations
from simulators.accelerators.deeptrain.assumptions import ASSUMPTIONS
from simulators.accelerators.deeptrain.model import FIELDS, Stacks, build_stacks, evaluate
from simulators.accelerators.deeptrain.noc import Links
from simulators.accelerators.deeptrain.settings import parse_settings
from simulators.accelerators.deeptrain.validation import validation_cases
from simulators.accelerators.deeptrain.variables import hardware_variables
from simulators.accelerators.deeptrain.views import make_views
from simulators.accelerators.recent import Recent
from simulators.components import DEVICES
from simulators.protocol import (
    Assumption,
    Assumptions,
    Designs,
    HardwareSimulator,
    InputError,
    Report,
    ValidationCase,
    Variable,
    View,
    Workload,
)
from simulators.workloads import bn_variable

__all__ = ["DeepTrain"]

FEW = 1000  # stacks of a batch that is worth remembering: a few kilobytes each


class DeepTrain(HardwareSimulator):
    """ReRAM layers for convolutions, GPU layers for batch normalisation, stacked: MRNG.

    Args:
        settings: see :class:`~simulators.accelerators.deeptrain.settings.Settings`.

    Raises:
        InputError: an unknown setting or assumption, or a value that is not allowed.
    """

    name: ClassVar[str] = "deeptrain"
    meaning: ClassVar[str] = "3-D stack of ReRAM layers (convolutions) and GPU layers (batch normalisation)"
    fields = FIELDS
    alternatives: ClassVar[Mapping[str, Sequence[object]]] = {
        "link_time": ["counted"],
        "bn_time": ["max"],
        "transposed": ["own_ceilings"],
        "adc_model": ["survey"],
        "tile_budget": ["area"],
        "device": ["program-verify", "pipelayer"],
        "batch_size": [16, 256],
    }
    assumptions: ClassVar[Sequence[Assumption]] = ASSUMPTIONS

    def __init__(self, settings: Mapping[str, object] | None = None) -> None:
        self.settings = parse_settings(settings or {})
        try:
            self.assumed = Assumptions(ASSUMPTIONS, self._of_device() | self.settings.assumptions)
        except InputError as error:
            raise error.under("assumptions") from None
        self._variables = hardware_variables(self.settings.device, DEVICES[self.settings.device])
        self._single, self._batches, self._links = Recent[Stacks](1024), Recent[Stacks](16), Recent[Links](4096)

    def _of_device(self) -> dict[str, object]:
        """The assumptions that the ReRAM cell sets."""
        cell = DEVICES[self.settings.device]
        return {"write_energy_per_bit_j": cell.write_energy_per_bit_j, "row_write_time_s": cell.write_time_s}

    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        """The stack's variables and one bit of ``bn`` per convolution."""
        return (*self._variables, bn_variable(workload))

    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        """Totals of all designs; a variable that ``designs`` lacks takes its default, other columns are not read.

        Times and energies are NaN where the network does not fit.

        Raises:
            InputError: a column holds a value that its variable does not allow, or the workload is unknown.
        """
        return evaluate(self.stacks(designs, workload), designs, workload, breakdown)

    def stacks(self, designs: Designs, workload: Workload) -> Stacks:
        """The distinct hardware among some designs, with the workload mapped onto it.

        Raises:
            InputError: as :meth:`simulate`.
        """
        hardware = distinct_combinations(designs, self._variables)

        def build() -> Stacks:
            return build_stacks(hardware, workload, self.settings, self.assumed, self._links)

        if len(hardware) > FEW:
            return build()
        remembered = self._single if len(hardware) == 1 else self._batches
        return remembered.get((workload, hardware.key), build).on(hardware)

    def views(self) -> Sequence[View]:
        """Tables of one design."""
        return make_views(self)

    def validation(self) -> Sequence[ValidationCase]:
        """The paper's and ISAAC's figures beside this model's."""
        return validation_cases(self)

    def provenance(self, workload: Workload) -> dict[str, str]:  # noqa: ARG002  # the same for every workload
        """Settings and assumptions that differ from the defaults."""
        settings = self.settings.model_dump(exclude_defaults=True, exclude={"assumptions"})
        return {
            "settings": json.dumps(settings, sort_keys=True),
            "assumptions": json.dumps(self.assumed.replaced, sort_keys=True),
        }
