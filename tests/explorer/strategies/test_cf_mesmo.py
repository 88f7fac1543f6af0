from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tests.explorer.strategies.conformance import StrategyConformance

QUICK: Mapping[str, object] = {"initial": 4, "samples": 2, "fidelities": 3}


class TestCFMesmo(StrategyConformance):
    name = "cf-mesmo"
    options: ClassVar[Mapping[str, object]] = QUICK
    count = 6


class TestMesmo(StrategyConformance):
    name = "mesmo"
    options: ClassVar[Mapping[str, object]] = QUICK
    count = 6
