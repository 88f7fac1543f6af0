"""The example of a strategy does all that a strategy must, and what it says of itself."""

from __future__ import annotations

import pytest

from explorer import Integer, Problem, Proposal, Space, make_strategy
from tests.explorer.strategies.conformance import StrategyConformance


@pytest.mark.usefixtures("installed")
class TestHillClimbing(StrategyConformance):
    name = "hill-climbing"

    def test_proposals_differ_from_the_best_design_in_one_variable(self) -> None:
        space = Space({f"x{number}": Integer(1, 9) for number in range(8)})
        problem = Problem.from_functions(space, {"sum": lambda d: sum(d.values())}, directions={"sum": "maximize"})
        low, high = (space.design(dict.fromkeys(space.variables, value)) for value in (2, 7))
        strategy = make_strategy(self.name, problem)
        strategy.update([problem.evaluate(Proposal(design)) for design in (high, low)], [])
        for proposal in strategy.suggest(10):
            assert sum(proposal.design[name] != high[name] for name in high) == 1
