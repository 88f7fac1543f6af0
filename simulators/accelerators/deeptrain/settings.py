"""Settings of the DeepTrain simulator: rules of the model that are no design variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.components import TileBudget
from simulators.protocol import InputError, field_path, plain_words, suggestion

__all__ = ["Settings", "parse_settings"]


class Settings(BaseModel):
    """Choices of mapping, pipeline and stack; the defaults are those that the constants are calibrated with.

    Attributes:
        batch_size: images between two weight updates; the paper gives none.
        tile_budget: what tiles with different crossbars have in common.
        replicate: copies of a layer hold W and its transpose, or W alone (the backward stage is then taken to keep up).
        transposed: crossbars of the transpose: as many as W takes, or by its own rows and columns.
        activation_copies: of each layer's output kept for the backward pass: one, or PipeLayer's 2 (L - l) + 1.
        bn_time: all normalisations share the GPU tiles in time (sum), or the slowest one counts (the paper's max).
        next_to_sink: which layers lie at the heat sink.
        assumptions: replaced assumptions by name.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    batch_size: int = Field(64, ge=1)
    tile_budget: TileBudget = "cells"
    replicate: Literal["both", "weights"] = "both"
    transposed: Literal["as_large", "own_ceilings"] = "as_large"
    activation_copies: Literal["one", "pipelayer"] = "one"
    bn_time: Literal["sum", "max"] = "sum"
    next_to_sink: Literal["reram", "gpu"] = "reram"
    assumptions: dict[str, object] = {}


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
