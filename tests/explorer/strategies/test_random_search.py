from __future__ import annotations

from collections import Counter

import pytest

from explorer.strategies import make_strategy
from explorer.strategies.random_search import RandomSearch
from simulators.protocol import InputError
from tests.explorer.problems import all_designs, family_problem
from tests.explorer.strategies.conformance import StrategyConformance


class TestRandomSearch(StrategyConformance):
    name = "random"


def test_every_feasible_design_is_equally_likely_to_come_first() -> None:
    problem = family_problem(constraints=["sum(bn) <= 1"])
    counts = Counter(RandomSearch(problem, seed).suggest(1)[0].design for seed in range(960))
    assert set(counts) == set(all_designs(problem))
    assert min(counts.values()) > 15  # 40 expected
    assert max(counts.values()) < 70


def test_what_is_left_of_a_nearly_used_up_space_comes_in_random_order() -> None:
    problem = family_problem()
    last = {RandomSearch(problem, seed).suggest(46)[-1].design for seed in range(12)}
    assert len(last) > 6


def test_random_search_has_no_options() -> None:
    with pytest.raises(InputError, match=r"strategy\.options\.temperature: random search has no options"):
        make_strategy("random", family_problem(), 0, {"temperature": 1})


def test_an_unknown_strategy_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="unknown strategy 'nsga' \\(did you mean 'nsga2'"):
        make_strategy("nsga", family_problem())
