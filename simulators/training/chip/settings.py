"""What a search file says of the chip that a network is trained on and for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simulators.components.variables import DERIVED
from simulators.protocol import Value, shown
from simulators.training.chip.cells import CELLS, Cell, CellKind
from simulators.training.chip.effects import Drift, Effect, Programming, RandomTelegraph, ThermalShot
from simulators.training.chip.faults import StuckCells, worn_out

if TYPE_CHECKING:
    from simulators.training.chip.chip import Chip

__all__ = ["ChipSettings", "Wear"]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _kind_of_cell(value: Any) -> Any:
    if isinstance(value, str):
        if value not in CELLS:
            raise ValueError(
                f"'{value}' is not known; choose {', '.join(CELLS)}, or write on_ohm, off_ohm and read_voltage_v"
            )
        return CELLS[value]
    if isinstance(value, Mapping | CellKind):
        return value
    raise ValueError(f"write one of {', '.join(CELLS)}, or a mapping of on_ohm, off_ohm and read_voltage_v, not "
                     f"{shown(value)}")  # fmt: skip


def _switched(default: object) -> BeforeValidator:
    """Reads ``false`` as none and ``true`` as the default."""

    def read(value: Any) -> Any:
        if value is not None and not isinstance(value, bool | Mapping | type(default)):
            raise ValueError(f"write true, false or a mapping, not {shown(value)}")
        return {True: default, False: None}[value] if isinstance(value, bool) else value

    return BeforeValidator(read)


def _absent(default: object) -> BeforeValidator:
    """Reads ``false`` as the default, which is nothing."""
    return BeforeValidator(lambda value: default if value is False else value)


class Wear(_Settings):
    """Cells wear out by being written.

    Args:
        endurance_writes: that half of the cells survive (PANTHER, section 7.8: 1e9, conservative).
        shape: how suddenly they fail (Weibull): 1 at a constant rate, more the later.
        writes: that each cell has behind it.
        on: share of the worn cells that are stuck on; the others are stuck off.
        trainings_per_year, epochs_per_training, failed_share: how a chip is used, for its lifetime: so many trainings
            of the full data set, and so many more that fail (PANTHER: 1000 of 100 epochs, half of all fail).
    """

    endurance_writes: float = Field(1e9, gt=0)
    shape: float = Field(2.0, gt=0)
    writes: float = Field(0.0, ge=0)
    on: float = Field(0.5, ge=0, le=1)
    trainings_per_year: float = Field(1000.0, gt=0)
    epochs_per_training: float = Field(100.0, gt=0)
    failed_share: float = Field(0.5, ge=0, lt=1)


class ChipSettings(_Settings):
    """The chip, as far as it is no design variable; each effect can be written ``false``.

    Args:
        cells: kind of cell by name, or its resistances and read voltage.
        in_training: ``noise``: every forward pass is that of the chip (ReSNA); ``none``: training knows nothing of it.
        draws: how often a trained network is written and judged: to the chip that it was trained on, or, where training
            knew of none, to another such chip every time; accuracy is the mean.
        thermal_shot, programming, random_telegraph, drift: effects on conductances.
        stuck: cells that cannot be written.
        wear: cells that no longer can.
        weight_bits, input_bits: of fixed-point numbers.
        products: ``fast``: noise of the right variance on whole products; ``explicit``: bit by bit and cell by cell,
            dozens of times as long; ``auto``: explicit where converters saturate (``converter_share`` below 1).
        converter_share: of the largest sums that converters can read, see
            :class:`simulators.training.chip.converter.Converter`.
    """

    cells: Annotated[CellKind, BeforeValidator(_kind_of_cell)] = next(iter(CELLS.values()))
    in_training: Literal["noise", "none"] = "noise"
    draws: int = Field(3, ge=1, le=1000)
    thermal_shot: Annotated[ThermalShot | None, _switched(ThermalShot())] = ThermalShot()
    programming: Annotated[Programming | None, _switched(Programming())] = Programming()
    random_telegraph: Annotated[RandomTelegraph | None, _switched(RandomTelegraph())] = RandomTelegraph()
    drift: Annotated[Drift | None, _switched(Drift())] = Drift()
    stuck: Annotated[StuckCells, _absent(StuckCells())] = StuckCells()
    wear: Annotated[Wear, _absent(Wear())] = Wear()
    weight_bits: int = Field(16, ge=2, le=16)
    input_bits: int = Field(16, ge=2, le=16)
    converter_share: float = Field(1.0, gt=0, le=1)
    products: Literal["auto", "fast", "explicit"] = "auto"

    @model_validator(mode="after")
    def _saturating_bit_by_bit(self) -> ChipSettings:
        if self.products == "fast" and self.converter_share < 1:
            raise ValueError(
                f"products fast know no converters that saturate (converter_share {self.converter_share:g}); write "
                "products: explicit, or leave it out"
            )
        return self

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Those that are switched on."""
        every = (self.thermal_shot, self.programming, self.random_telegraph, self.drift)
        return tuple(effect for effect in every if effect is not None)

    @property
    def all_stuck(self) -> StuckCells:
        """Faulty cells and worn ones."""
        worn = worn_out(self.wear.writes, self.wear.endurance_writes, self.wear.shape)
        sound = (1 - self.stuck.on - self.stuck.off) * worn
        return StuckCells(
            self.stuck.on + sound * self.wear.on, self.stuck.off + sound * (1 - self.wear.on), self.stuck.in_gradients
        )

    @property
    def in_words(self) -> str:
        """What a reader of results has to know of the chip; what is as usual is left out."""
        kind = self.cells
        name = next((name for name, known in CELLS.items() if known == kind), "")
        words = [f"{name} cells" if name else f"cells of {kind.on_ohm:g} to {kind.off_ohm:g} ohm"]
        words += [] if name else [f"read at {kind.read_voltage_v:g} V"]
        words += [
            "noise in training" if self.in_training == "noise" else "no noise in training",
            f"draws: {self.draws}",
        ]
        switches = ("thermal_shot", "programming", "random_telegraph", "drift")
        words += [f"{switch.replace('_', ' ')} off" for switch in switches if getattr(self, switch) is None]
        faulty = self.all_stuck
        words += [f"{faulty.on:.3g} stuck on, {faulty.off:.3g} off"] if faulty.any else []
        words += [f"converters for {self.converter_share:g} of the largest sums"] if self.converter_share < 1 else []
        return ", ".join(words)

    def chip(self, chosen: Mapping[str, Value]) -> Chip:
        """The chip of a design.

        Args:
            chosen: values of the variables of :mod:`simulators.training.chip.variables`.
        """
        from simulators.training.chip.chip import Chip  # imports torch

        adc_bits = chosen["adc_bits"]
        number = {name: float(str(value)) for name, value in chosen.items() if name not in ("adc_bits", "bn")}
        cell = Cell(self.cells, int(number["cell_bits"]), number["frequency_hz"], number["temperature_k"])
        return Chip(
            cell,
            int(number["crossbar_size"]),
            0 if adc_bits == DERIVED else int(str(adc_bits)),
            self.converter_share,
            self.effects,
            self.all_stuck,
            self.weight_bits,
            self.input_bits,
            number["weight_clip"],
            self.explicit,
        )

    @property
    def explicit(self) -> bool:
        """Whether products are computed bit by bit."""
        return self.products == "explicit" or (self.products == "auto" and self.converter_share < 1)
