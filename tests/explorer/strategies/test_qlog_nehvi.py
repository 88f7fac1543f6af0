from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from explorer.strategies import make_strategy
from tests.explorer.strategies.conformance import StrategyConformance
from tests.explorer.strategies.test_annealing import one_objective


class TestQLogNEHVI(StrategyConformance):
    name = "qlog-nehvi"
    options: ClassVar[Mapping[str, object]] = {"initial": 4, "samples": 8}
    count = 6


def test_it_finds_better_designs_than_random_search() -> None:
    best = {}
    for name, options in (("qlog-nehvi", {"initial": 6, "samples": 8}), ("random", {})):
        strategy = make_strategy(name, one_objective(10), 0, options)
        best[name] = max(e.values["y"] for e in StrategyConformance().drive(strategy, 16))
    assert best["qlog-nehvi"] > best["random"] + 0.3
