from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from explorer.domination import Scale
from explorer.strategies import make_strategy
from tests.explorer.strategies.conformance import StrategyConformance
from tests.explorer.strategies.test_annealing import two_objectives


class TestQLogNEHVI(StrategyConformance):
    name = "qlog-nehvi"
    options: ClassVar[Mapping[str, object]] = {"initial": 4, "samples": 8}
    count = 7


def test_it_finds_more_of_the_front_than_random_search() -> None:
    shares = {}
    for name in ("qlog-nehvi", "random"):
        problem = two_objectives(10)
        options = {"initial": 8, "samples": 16} if name == "qlog-nehvi" else {}
        found = StrategyConformance().drive(make_strategy(name, problem, 0, options), 24)
        table = np.array([[e.values["gain"], e.values["price"]] for e in found])
        shares[name] = Scale(problem.objectives, (0.0, 0.0), (10.0, 10.0)).hypervolume(table)
    assert shares["qlog-nehvi"] > shares["random"] + 0.03
