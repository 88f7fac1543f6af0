from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from explorer.domination import Scale
from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import make_strategy
from simulators.protocol import BinaryVector, Bits, Design, InputError
from tests.explorer.strategies.conformance import StrategyConformance


class TestAMOSA(StrategyConformance):
    name = "amosa"
    options: ClassVar[Mapping[str, object]] = {"initial": 4}


def bits_of(design: Design) -> np.ndarray:
    bits = design["bn"]
    assert isinstance(bits, Bits)
    return np.array(bits, dtype=float)


def one_objective(n: int = 14) -> Problem:
    rng = np.random.default_rng(0)
    gains = rng.normal(size=n)
    return Problem.from_functions(
        Space({"bn": BinaryVector(n)}),
        {"y": lambda design: float(bits_of(design) @ gains)},
        directions={"y": "maximize"},
    )


def two_objectives(n: int = 14) -> Problem:
    rng = np.random.default_rng(1)
    gains, prices = rng.exponential(size=n), rng.exponential(size=n)
    return Problem.from_functions(
        Space({"bn": BinaryVector(n)}),
        {"gain": lambda d: float(bits_of(d) @ gains), "price": lambda d: float(bits_of(d) @ prices)},
        directions={"gain": "maximize", "price": "minimize"},
    )


def test_annealing_climbs_where_random_search_does_not_get_to() -> None:
    best = {}
    for name in ("annealing", "random"):
        problem = one_objective()
        options = {"steps": 100} if name == "annealing" else {}
        found = StrategyConformance().drive(make_strategy(name, problem, 0, options), 120)
        best[name] = max(e.values["y"] for e in found)
    rng = np.random.default_rng(0)
    assert best["annealing"] == pytest.approx(np.maximum(rng.normal(size=14), 0).sum())
    assert best["random"] < best["annealing"]


def test_when_hot_it_wanders_and_when_cold_it_stays_near_the_best() -> None:
    means = []
    for temperature in (100.0, 1e-6):
        options = {"initial": 5, "hot": temperature, "cold": temperature}
        found = StrategyConformance().drive(make_strategy("annealing", one_objective(20), 1, options), 80)
        means.append(np.mean([e.values["y"] for e in found[40:]]))
    assert means[0] < means[1] - 1.0


def test_amosa_finds_more_of_the_front_than_random_search() -> None:
    shares = {}
    for name in ("amosa", "random"):
        values = []
        for seed in range(3):
            problem = two_objectives()
            options = {"steps": 150} if name == "amosa" else {}
            found = StrategyConformance().drive(make_strategy(name, problem, seed, options), 150)
            table = np.array([[e.values["gain"], e.values["price"]] for e in found])
            scale = Scale(problem.objectives, (0.0, 0.0), (14.0, 14.0))
            values.append(scale.hypervolume(table))
        shares[name] = np.mean(values)
    assert shares["amosa"] > shares["random"] + 0.01


def test_annealing_refuses_several_objectives() -> None:
    with pytest.raises(InputError, match="choose amosa for several"):
        make_strategy("annealing", two_objectives())


@pytest.mark.parametrize("options", [{"cold": 2.0}, {"steps": 0}, {"hot": -1}, {"warm": 1}])
def test_options_that_make_no_sense_are_refused(options: Mapping[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        make_strategy("amosa", two_objectives(), 0, options)


def test_less_violated_constraints_come_before_all_else() -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(12)}), {"y": lambda design: float(bits_of(design).sum())},
        directions={"y": "maximize"}, constraints=["y <= 4"],
    )  # fmt: skip
    found = StrategyConformance().drive(make_strategy("annealing", problem, 0, {"initial": 4, "steps": 30}), 60)
    best = [sum(bits_of(e.design)) for e in found[20:]]
    assert max(best) <= 6  # it stays where one or two flips lead back
    assert max(e.values["y"] for e in found if e.feasible) == 4
