from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies.drawn_fronts import DrawnFronts, FrontSampler, limits, on_front
from explorer.strategies.unit_encoding import UnitEncoding
from explorer.surrogates.fidelity_gp import FidelityGP
from simulators.protocol import BinaryVector, Designs
from tests.explorer.problems import family_problem
from tests.explorer.test_families import families_of

CONSTRAINTS: list[list[str]] = [[], ["latency <= 2", "area < 340"], ["accuracy >= 0.55"], ["accuracy >= 2"]]


@pytest.mark.parametrize("constraints", CONSTRAINTS)
def test_a_family_is_on_the_front_exactly_where_it_reaches_its_limit(constraints: list[str]) -> None:
    problem = family_problem(constraints=constraints)
    families = families_of(problem)
    for seed in range(20):
        values = np.random.default_rng(seed).normal(0.6, 0.2, (1, len(families)))
        front = set(families.family[on_front(families, values)].tolist())
        reached = set(np.flatnonzero(values[0] >= limits(families, values)[0]).tolist())
        assert front <= reached
        if not problem.outcome_constraints:
            assert front == reached


def test_just_above_its_limit_a_family_comes_to_the_front_and_just_below_it_does_not() -> None:
    problem = family_problem()
    families = families_of(problem)
    rng = np.random.default_rng(1)
    for _ in range(10):
        values = rng.normal(0.6, 0.2, (1, len(families)))
        bounds = limits(families, values)[0]
        for family in np.flatnonzero(values[0] < bounds):
            for step, there in ((1e-9, True), (-1e-9, False)):
                changed = values.copy()
                changed[0, family] = bounds[family] + step
                assert (family in families.family[on_front(families, changed)]) == there


def test_without_cheap_objectives_the_greatest_value_on_the_front_limits_all() -> None:
    problem = family_problem(cheap=set(), reads={name: ["bn"] for name in ("accuracy", "latency", "area")})
    families = families_of(problem)
    values = np.random.default_rng(0).normal(size=(3, len(families)))
    front = values[:, families.family[on_front(families, values)]]
    assert np.array_equal(limits(families, values), np.tile(front.max(axis=1, keepdims=True), len(families)))


def drawn_of(problem: Problem, values: Mapping[str, Sequence[float]]) -> DrawnFronts:
    """A single draw: per expensive objective a value for each of the families, in the direction to be made large."""
    families = families_of(problem)
    draws = np.array([values[objective.name] for objective in problem.expensive])[:, None]
    found = limits(families, draws[:, 0])[:, None]
    points = UnitEncoding(problem.space, problem.reads).encode(families.own)
    return DrawnFronts(families, points, draws, found, (on_front(families, draws[:, 0]),))


def test_the_whole_front_is_within_reach_and_not_its_ends_alone() -> None:
    problem = family_problem(cheap=set(), reads={name: ["bn"] for name in ("accuracy", "latency", "area")})
    line = np.linspace(0, 1, 8)
    drawn = drawn_of(problem, {"accuracy": line, "latency": -line, "area": 0 * line})
    assert drawn.reach.all()
    gains = drawn.gains(np.zeros((0, 3)), np.ones(8, dtype=bool))
    assert (gains[0, 1:-1] > gains[0, [0, -1]].max()).all()  # what lies in the middle covers more than the ends


def test_families_better_than_all_that_was_seen_gain_by_how_much() -> None:
    problem = family_problem(cheap=set(), reads={name: ["bn"] for name in ("accuracy", "latency", "area")})
    accuracy = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]
    drawn = drawn_of(problem, {"accuracy": accuracy, "latency": [-1.0] * 8, "area": [-1.0] * 8})
    front = np.array([[0.5, 1.0, 1.0]])
    assert drawn.reach[0].tolist() == [False] * 7 + [True]
    gains = drawn.gains(front, np.ones(8, dtype=bool))[0]
    assert gains.tolist() == pytest.approx([0.0] * 7 + [0.7 / 0.77])  # of a box from 0.43 to 1.2
    assert drawn.scale(front).high[0] == 1.2
    assert drawn.gains(front, np.arange(8) < 7)[0].max() == 0.0  # the one on the front is not wanted


def test_what_a_family_adds_that_is_being_trained_is_not_gained_twice() -> None:
    problem = family_problem(cheap=set(), reads={name: ["bn"] for name in ("accuracy", "latency", "area")})
    line = np.linspace(0, 1, 8)
    drawn = drawn_of(problem, {"accuracy": line, "latency": -line, "area": 0 * line})
    front, everyone = np.zeros((0, 3)), np.ones(8, dtype=bool)
    alone, beside = drawn.gains(front, everyone)[0], drawn.gains(front, everyone, pending=[3])[0]
    assert beside[3] == 0.0
    assert (beside < alone).all()
    assert np.argmax(beside) != np.argmax(alone)
    both = drawn.gains(front, everyone, pending=[3, int(np.argmax(beside))])[0]
    assert (both <= beside).all()


def test_a_family_gains_by_members_that_satisfy_the_constraints_alone() -> None:
    problem = family_problem(constraints=["accuracy - latency / 10 >= 0.5"])
    good = drawn_of(problem, {"accuracy": [0.9] * 8})
    poor = drawn_of(problem, {"accuracy": [0.9, *[0.45] * 7]})
    front = np.zeros((0, 3))
    wanted = np.ones(8, dtype=bool)
    assert (good.gains(front, wanted)[0] > 0).any()
    assert np.flatnonzero(poor.gains(front, wanted)[0]).tolist() == [0]


def test_of_a_large_space_the_search_finds_the_fronts_of_the_drawn_functions() -> None:
    """2^16 families, of which a few hundred are looked at: the best there is is among them, or nearly."""
    gains = np.random.default_rng(0).normal(size=16)

    def price(designs: Designs) -> NDArray[np.float64]:
        return np.asarray(designs["bn"].sum(axis=1), dtype=np.float64)

    problem = Problem.from_functions(
        Space({"bn": BinaryVector(16)}), {"gain": lambda design: 0.0 * len(design), "price": price},
        directions={"gain": "maximize", "price": "minimize"}, cheap={"price"},
    )  # fmt: skip
    encoding = UnitEncoding(problem.space, problem.reads)
    x = np.random.default_rng(1).integers(0, 2, (80, 16)).astype(float)
    posterior = FidelityGP(encoding.ordinal, fidelity=False).fit(x, np.ones(80), x @ gains)
    sampler = FrontSampler(problem, encoding, np.random.default_rng(2))
    drawn = sampler.draw([posterior], 4, [])
    assert drawn.draws.shape == drawn.limits.shape == (1, 4, len(drawn.families))
    found = drawn.draws[0].max(axis=1)
    assert found.mean() == pytest.approx(np.maximum(gains, 0).sum(), rel=0.15)
    assert (drawn.reach.sum(axis=1) >= 5).all()  # a front over the prices, not a point
