"""Designs as Optuna knows them: every bit, number and category a parameter of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from explorer.space import Space
from simulators.protocol import BinaryVector, Bits, Design, Domain, Integer

__all__ = ["design_of", "distributions_of", "parameters_of"]


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """What values each parameter can have: bits are called ``bn[1]``, ``bn[2]`` and so on."""
    distributions: dict[str, BaseDistribution] = {}
    for name, variable in space.variables.items():
        domain = variable.domain
        if isinstance(domain, BinaryVector) and _bit_by_bit(domain):
            bits = range(1, domain.length + 1)
            distributions.update({f"{name}[{item}]": CategoricalDistribution((0, 1)) for item in bits})
        elif isinstance(domain, Integer):
            distributions[name] = IntDistribution(domain.low, domain.high)
        else:
            choices = [domain.value(value) for value in domain.at(np.arange(domain.size))]
            distributions[name] = CategoricalDistribution([str(c) if isinstance(c, Bits) else c for c in choices])
    return distributions


def parameters_of(space: Space, design: Design) -> dict[str, Any]:
    """A design's parameters."""
    parameters: dict[str, Any] = {}
    for name, variable in space.variables.items():
        value = design[name]
        if _bit_by_bit(variable.domain) and isinstance(value, Bits):
            parameters.update({f"{name}[{item}]": bit for item, bit in enumerate(value, 1)})
        else:
            parameters[name] = str(value) if isinstance(value, Bits) else value
    return parameters


def design_of(space: Space, parameters: Mapping[str, Any]) -> Design:
    """The design that parameters stand for."""
    values: dict[str, Any] = {}
    for name, variable in space.variables.items():
        domain = variable.domain
        if isinstance(domain, BinaryVector) and _bit_by_bit(domain):
            values[name] = [parameters[f"{name}[{item}]"] for item in range(1, domain.length + 1)]
        else:
            values[name] = parameters[name]
    return space.design(values)


def _bit_by_bit(domain: Domain) -> bool:
    """Whether each bit is a parameter; a short list of vectors is one category."""
    return isinstance(domain, BinaryVector) and not domain.choices
