"""Settings of the DeepTrain simulator: rules of the model that are no design variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from simulators.components import DEVICES, NODES_NM, TileRules
from simulators.components.tile import AdcModel, TileBudget
from simulators.protocol import Assumptions, InputError, field_path, plain_words, suggestion

__all__ = ["Settings", "parse_settings"]


class Settings(BaseModel):
    """Choices of technology, mapping and pipeline; the defaults are those that the constants are calibrated with.

    Attributes:
        batch_size: images between two weight updates; the paper gives none.
        technology_nm: node of the ReRAM layers' circuits.
        adc_model: ISAAC's converter, scaled as the survey of converters scales, or the survey's own figure.
        device: the ReRAM cell: costs of writing, and how many bits and how fast reads it allows.
        tile_budget: what tiles with different crossbars have in common.
        replicate: copies of a layer hold W and its transpose, or W alone (backward is then taken to keep up, which
            makes it an optimistic bound).
        transposed: crossbars of the transpose: as many as W takes, or by its own rows and columns.
        bn_time: all normalisations share the GPU tiles in time (sum), or the slowest one counts (the paper's max).
        routing: on the network on chip, one message to all clusters of a layer along a tree, or one to each.
        link_time: whether the busiest link of the network on chip is a stage of the pipeline.
        assumptions: replaced assumptions by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    batch_size: int = Field(64, ge=1, le=10**9)
    technology_nm: int = 32
    adc_model: AdcModel = "isaac"
    device: str = next(iter(DEVICES))
    tile_budget: TileBudget = "cells"
    replicate: Literal["both", "weights"] = "both"
    transposed: Literal["as_large", "own_ceilings"] = "as_large"
    bn_time: Literal["sum", "max"] = "sum"
    routing: Literal["multicast", "unicast"] = "multicast"
    link_time: Literal["ignored", "counted"] = "ignored"
    assumptions: dict[str, object] = {}

    @field_validator("technology_nm")
    @classmethod
    def _known_node(cls, value: int) -> int:
        if value not in NODES_NM:
            raise ValueError(f"{value} nm is not known; choose {', '.join(map(str, NODES_NM))}")
        return value

    @field_validator("device")
    @classmethod
    def _known_device(cls, value: str) -> str:
        if value not in DEVICES:
            raise ValueError(f"'{value}' is not known; choose {', '.join(DEVICES)}")
        return value

    def tile_rules(self, assumed: Assumptions) -> TileRules:
        """What all tiles share."""
        return TileRules(self.tile_budget, self.adc_model, self.technology_nm, assumed["adc_scaling"])


def parse_settings(settings: Mapping[str, object]) -> Settings:
    """Settings as read from a search file.

    Raises:
        InputError: an unknown name, or a value that is not allowed.
    """
    for name in settings:
        if name not in Settings.model_fields:
            raise InputError(f"deeptrain has no such setting{suggestion(str(name), Settings.model_fields)}", str(name))
    try:
        return Settings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(plain_words(first, Settings), field_path(first, Settings)) from None
