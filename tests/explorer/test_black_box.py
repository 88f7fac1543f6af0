from __future__ import annotations

import numpy as np
import pytest

from explorer.black_box import BlackBox
from explorer.evaluation import Proposal
from explorer.strategies import make_strategy
from simulators.protocol import InputError
from tests.explorer.problems import all_designs, evaluate, family_problem
from tests.explorer.strategies.conformance import StrategyConformance


def test_all_objectives_cost_an_evaluation_and_every_design_is_its_own_family() -> None:
    problem = family_problem()
    black = BlackBox(problem)
    assert len(black.expensive) == 3
    assert black.others is None
    designs = all_designs(problem)
    assert len({black.family(design) for design in designs}) == len(designs)
    assert black.known(problem.space.designs(designs[:2])).objectives == {}


def test_it_evaluates_to_the_same_values() -> None:
    problem = family_problem(constraints=["latency <= 3", "accuracy >= 0.4"])
    black = BlackBox(problem)
    for design in all_designs(problem)[::7]:
        ours, theirs = black.evaluate(Proposal(design, 20)), evaluate(problem, design)
        assert ours.values == theirs.values
        assert ours.cost == theirs.cost
    assert black.full_fidelity == problem.full_fidelity
    assert black.cost(7) == problem.cost(7)


def test_constraints_over_objectives_are_checked_after_an_evaluation_and_others_before() -> None:
    problem = family_problem(constraints=["latency <= 2"])
    black = BlackBox(problem)
    assert [constraint.text for constraint in black.outcome_constraints] == ["latency <= 2"]
    slow = problem.space.design({"bn": "110", "layers": 1, "size": 128})
    assert not problem.known(problem.space.designs([slow])).feasible[0]
    assert black.known(problem.space.designs([slow])).feasible[0]
    assert black.evaluate(Proposal(slow, 20)).violation > 0
    assert black.space.constraints == problem.space.constraints


@pytest.mark.parametrize("name", ["random", "nsga2", "thompson-bqp"])
def test_any_strategy_can_be_told_not_to_look(name: str) -> None:
    strategy = make_strategy(name, family_problem(), 0, {"grey_box": False})
    assert isinstance(strategy.problem, BlackBox)
    assert "grey_box" not in strategy.options
    found = StrategyConformance().drive(strategy, 10)
    assert len({evaluation.design for evaluation in found}) == 10
    assert not isinstance(make_strategy(name, family_problem(), 0, {"grey_box": True}).problem, BlackBox)


def test_the_switch_is_true_or_false() -> None:
    with pytest.raises(InputError, match="true or false, not 'no'") as caught:
        make_strategy("random", family_problem(), 0, {"grey_box": "no"})
    assert caught.value.field == "strategy.options.grey_box"


def test_looking_gains_hypervolume() -> None:
    """The same strategy finds less with as many trainings where the exact objectives are hidden from it."""
    from tests.explorer.strategies.test_thompson_bqp import QUICK, grey_box, hypervolume_of

    gains = []
    for seed in range(2):
        problem = grey_box(seed)
        found = [
            hypervolume_of(
                problem, StrategyConformance().drive(make_strategy("thompson-bqp", problem, seed, options), 16)
            )
            for options in ({**QUICK, "initial": 6}, {**QUICK, "initial": 6, "grey_box": False})
        ]
        gains.append(found[0] - found[1])
    assert np.mean(gains) > 0
