from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest
from optuna.samplers.nsgaii import UniformCrossover

from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import make_strategy
from simulators.protocol import BinaryVector, Design, InputError
from tests.explorer.problems import family_problem
from tests.explorer.strategies.conformance import StrategyConformance, ones


class TestNSGA2(StrategyConformance):
    name = "nsga2"
    options: ClassVar[Mapping[str, object]] = {"population_size": 8}


class TestTPE(StrategyConformance):
    name = "tpe"


class TestGPSampler(StrategyConformance):
    name = "gp-sampler"
    options: ClassVar[Mapping[str, object]] = {"n_startup_trials": 9}
    count = 10


@pytest.mark.parametrize(
    ("name", "options", "field", "words"),
    [
        (
            "nsga2",
            {"population_sise": 3},
            "population_sise",
            "did you mean 'population_size'?); there are crossover_prob, ",
        ),
        ("nsga2", {"popsize": 3}, "popsize", "nsga2 has no such option"),
        ("nsga2", {"popsize": 3}, "popsize", "mutation_prob, population_size, swapping_prob"),
        ("tpe", {"seed": 3}, "seed", "tpe has no such option"),
        ("gp-sampler", {"seed": 3}, "seed", "gp-sampler has no such option"),
        ("tpe", {"n_startup_trials": "many"}, "n_startup_trials", "write a whole number, not 'many'"),
        ("tpe", {"n_startup_trials": True}, "n_startup_trials", "write a whole number, not True"),
        ("tpe", {"multivariate": 1}, "multivariate", "write true or false or nothing, not 1"),
        ("nsga2", {"crossover_prob": "half"}, "crossover_prob", "write a number, not 'half'"),
        ("nsga2", {"crossover": "uniform"}, "crossover", "takes an object of Python (BaseCrossover | None)"),
        ("nsga2", {"population_size": 1}, "population_size", "must be greater than or equal to 2"),
        ("nsga2", {"crossover_prob": 2.0}, "crossover_prob", "crossover_prob"),
    ],
)
def test_an_option_that_the_sampler_does_not_take_is_named_with_what_it_takes(
    name: str, options: Mapping[str, object], field: str, words: str
) -> None:
    with pytest.raises(InputError) as error:
        make_strategy(name, family_problem(), 0, options)
    assert error.value.field == f"strategy.options.{field}"
    assert words in error.value.message
    assert "__init__" not in error.value.message


def test_python_code_may_hand_the_sampler_objects() -> None:
    assert make_strategy("nsga2", family_problem(), 0, {"crossover": UniformCrossover(), "population_size": 4})


@pytest.mark.parametrize(("name", "options"), [("nsga2", {"population_size": 10}), ("tpe", {})])
def test_it_learns(name: str, options: Mapping[str, object]) -> None:
    """More bits are better: random search hardly ever finds 20 of 24."""
    problem = Problem.from_functions(Space({"bn": BinaryVector(24)}), {"x": ones}, directions={"x": "maximize"})

    def best(strategy: str, seed: int) -> float:
        search = make_strategy(strategy, problem, seed, options if strategy == name else {})
        found = StrategyConformance().drive(search, 120)
        return max(evaluation.values["x"] for evaluation in found)

    assert np.mean([best(name, seed) for seed in range(2)]) > np.mean([best("random", seed) for seed in range(2)])


def test_options_reach_the_sampler() -> None:
    def designs(options: Mapping[str, object]) -> list[Design]:
        strategy = make_strategy("tpe", family_problem(), 0, options)
        return [evaluation.design for evaluation in StrategyConformance().drive(strategy, 12)]

    usual = designs({"n_startup_trials": 4})
    assert designs({"n_startup_trials": 4, "multivariate": True}) == usual
    assert designs({"n_startup_trials": 4, "multivariate": False}) != usual
    assert designs({"n_startup_trials": 4, "n_ei_candidates": 2}) != usual


def test_it_learns_from_constraints_on_outcomes() -> None:
    """At most 6 of 24 bits may be on, which only an evaluation tells."""
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(24)}), {"x": ones, "cost": ones}, directions={"x": "maximize", "cost": "maximize"},
        constraints=["cost <= 6"],
    )  # fmt: skip
    found = StrategyConformance().drive(make_strategy("nsga2", problem, 0, {"population_size": 10}), 150)
    violations = [evaluation.violation for evaluation in found]
    assert np.mean(violations[-30:]) < 0.6 * np.mean(violations[:30])


def test_nothing_is_written_to_the_terminal() -> None:
    code = """
from tests.explorer.strategies.conformance import PROBLEMS, StrategyConformance
from explorer.strategies import make_strategy
for name in ("nsga2", "tpe"):
    for case in ("mixed", "outcome constraints"):
        StrategyConformance().drive(make_strategy(name, PROBLEMS[case]()), 14)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
