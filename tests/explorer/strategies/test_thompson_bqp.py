from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from explorer.archive import Archive
from explorer.domination import Scale
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.space import Space
from explorer.strategies import make_strategy
from explorer.strategies.thompson_bqp import ThompsonBQP
from explorer.surrogates.horseshoe import Quadratic
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs, InputError, Integer
from tests.explorer.problems import all_designs, evaluate, family_problem
from tests.explorer.strategies.conformance import StrategyConformance, ones

QUICK: Mapping[str, object] = {"cold_sweeps": 200, "sweeps": 60, "hyperplanes": 40}


class TestThompsonBQP(StrategyConformance):
    name = "thompson-bqp"
    options: ClassVar[Mapping[str, object]] = {**QUICK, "initial": 4}
    count = 12


def bits_of(design: Design) -> Bits:
    bits = design["bn"]
    assert isinstance(bits, Bits)
    return bits


def quadratic(n: int, seed: int) -> tuple[Problem, float]:
    """A sparse second-order function of ``n`` bits, to be maximised, and its optimum."""
    rng = np.random.default_rng(seed)
    coefficients = np.triu(rng.normal(size=(n, n)) * (rng.random((n, n)) < 0.25)) + np.diag(rng.normal(size=n))

    def value(design: Design) -> float:
        x = np.array(bits_of(design), dtype=float)
        return float(x @ coefficients @ x)

    points = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(float)
    best = ((points @ coefficients) * points).sum(axis=1).max()
    space = Space({"bn": BinaryVector(n)})
    return Problem.from_functions(space, {"y": value}, directions={"y": "maximize"}), float(best)


def steps_to_optimum(name: str, n: int, seed: int, limit: int) -> int:
    """Evaluations until the optimum was found; ``limit`` where it was not."""
    problem, optimum = quadratic(n, seed)
    options = {**QUICK, "initial": n // 2} if name == "thompson-bqp" else {}
    strategy = make_strategy(name, problem, seed, options)
    for number in range(1, limit):
        (evaluation,) = StrategyConformance().drive(strategy, 1)
        if evaluation.values["y"] >= optimum - 1e-9:
            return number
    return limit


def test_it_finds_the_optimum_of_a_sparse_quadratic_in_far_fewer_evaluations_than_random_search() -> None:
    thompson = [steps_to_optimum("thompson-bqp", 8, seed, 60) for seed in range(6)]
    random = [steps_to_optimum("random", 8, seed, 256) for seed in range(6)]
    assert max(thompson) < 60
    assert np.mean(thompson) < 0.4 * np.mean(random)


def test_what_is_to_be_made_small_is_made_small() -> None:
    def steps(direction: str) -> list[float]:
        problem = Problem.from_functions(
            Space({"bn": BinaryVector(12)}), {"y": lambda design: float(sum(bits_of(design)[:6]))},
            directions={"y": direction},  # type: ignore[dict-item]  # one of the two words, below
        )  # fmt: skip
        found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, QUICK), 20)
        return [evaluation.values["y"] for evaluation in found[10:]]

    assert np.mean(steps("minimize")) < 1.5
    assert np.mean(steps("maximize")) > 4.5


def test_a_price_of_bits_makes_solutions_sparser() -> None:
    """Every bit is worth 0.3 of the objective: at a price of 1 none is worth having, at 0 all are."""
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(10)}), {"y": lambda design: 0.3 * sum(bits_of(design))}, directions={"y": "maximize"}
    )  # fmt: skip

    def on(sparsity: object) -> list[int]:
        strategy = make_strategy("thompson-bqp", problem, 0, {**QUICK, "sparsity": sparsity})
        return [sum(bits_of(e.design)) for e in StrategyConformance().drive(strategy, 24)][12:]

    free, priced, both = on(0.0), on(1), on([0.0, 1.0])
    assert np.mean(free) > 7
    assert np.mean(priced) < 3
    assert np.mean(both[0::2]) - np.mean(both[1::2]) > 4 or np.mean(both[1::2]) - np.mean(both[0::2]) > 4


def test_linear_constraints_hold_by_construction_and_their_optimum_is_found() -> None:
    """At most 4 of 16 bits and 2 layers more than bits: random search finds the best of 2517 x 3 designs rarely."""
    space = Space({"bn": BinaryVector(16), "layers": Integer(0, 20)}, ["sum(bn) <= 4", "layers >= sum(bn) + 2"])

    def value(design: Design) -> float:
        x = np.array(bits_of(design), dtype=float)
        layers = design["layers"]
        assert isinstance(layers, int)
        return float(x @ np.arange(16) - layers)

    problem = Problem.from_functions(space, {"y": value}, directions={"y": "maximize"})
    found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 15}), 60)
    assert max(e.values["y"] for e in found) >= 15 + 14 + 13 + 12 - 6 - 2


def grey_box(seed: int) -> Problem:
    """Accuracy is read from 10 bits and trained; latency and area are exact and depend on the chip, too."""
    rng = np.random.default_rng(seed)
    effect, pair = rng.normal(size=10), np.triu(rng.normal(size=(10, 10)) * (rng.random((10, 10)) < 0.2), 1)

    def accuracy(design: Design) -> float:
        x = np.array(bits_of(design), dtype=float)
        return float(x @ effect + x @ pair @ x)

    def latency(designs: Designs) -> NDArray[np.float64]:
        return np.asarray(designs["bn"].sum(axis=1) + 12.0 / designs["tiles"])

    def area(designs: Designs) -> NDArray[np.float64]:
        return np.asarray(10.0 * designs["tiles"] + 0 * designs["bn"].sum(axis=1))

    return Problem.from_functions(
        Space({"bn": BinaryVector(10), "tiles": Integer(1, 8)}, ["sum(bn) <= 8"]),
        {"accuracy": accuracy, "latency": latency, "area": area},
        directions={"accuracy": "maximize", "latency": "minimize", "area": "minimize"},
        cheap={"latency", "area"}, reads={"accuracy": ["bn"]},
    )  # fmt: skip


def hypervolume_of(problem: Problem, found: Sequence[Evaluation]) -> float:
    """Of the front of some evaluations, on a scale that is the same for every strategy."""
    some = problem.space.unpack(problem.sample(np.random.default_rng(0), 200))
    ruler = Scale.of(problem, [evaluate(problem, design) for design in some])
    archive = Archive(problem)
    for evaluation in found:
        archive.add(evaluation)
    return ruler.hypervolume(archive.front.matrix)


def hypervolume(name: str, seed: int, count: int) -> float:
    problem = grey_box(seed)
    options = QUICK if name == "thompson-bqp" else {}
    return hypervolume_of(problem, StrategyConformance().drive(make_strategy(name, problem, seed, options), count))


def test_in_a_grey_box_it_gains_more_hypervolume_than_random_search() -> None:
    gains = [hypervolume("thompson-bqp", seed, 20) - hypervolume("random", seed, 20) for seed in range(4)]
    assert np.mean(gains) > 0.02
    assert np.mean(np.array(gains) > 0) >= 0.75


def test_a_batch_opens_a_new_family_with_each_proposal() -> None:
    """Also while nothing of the batch is known: members of one family would be trained twice."""
    problem = grey_box(0)
    strategy = make_strategy("thompson-bqp", problem, 0, QUICK)
    evaluations = StrategyConformance().drive(strategy, 12)
    batch = strategy.suggest(8)
    families = {problem.family(e.design) for e in evaluations} | {problem.family(p.design) for p in batch}
    assert len(families) == 20


@pytest.mark.parametrize("seed", range(6))
def test_families_that_run_elsewhere_or_whose_worker_died_are_not_opened_again(seed: int) -> None:
    problem = family_problem()  # 8 families
    random = make_strategy("random", problem, 0)
    seen: dict[str, Proposal] = {}
    while len(seen) < 6:
        (proposal,) = random.suggest(1)
        seen.setdefault(problem.family(proposal.design), proposal)
    first = list(seen.values())
    dead = replace(problem.evaluate(first[0]), failure="worker died", family="", values={}, quantities={})
    strategy = make_strategy("thompson-bqp", problem, seed, {**QUICK, "initial": 2})
    strategy.update([dead, *map(problem.evaluate, first[1:4])], first[4:])
    new = {problem.family(proposal.design) for proposal in strategy.suggest(2)}
    assert len(new) == 2
    assert not new & set(seen)


def test_families_that_others_train_a_part_of_the_way_are_not_taken_from_it() -> None:
    problem = family_problem()
    designs = {problem.family(design): design for design in all_designs(problem)}
    whole, short = list(designs.values())[:4], list(designs.values())[4:]
    strategy = make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 2})
    strategy.update([problem.evaluate(Proposal(design, 20)) for design in whole], [])
    strategy.update([], [Proposal(design, 3) for design in short])
    strategy.update([problem.evaluate(Proposal(design, 3)) for design in short], [])
    proposals = strategy.suggest(4)
    assert {problem.family(proposal.design) for proposal in proposals} == set(map(problem.family, short))


def test_what_is_drawn_above_all_that_was_seen_counts_in_full() -> None:
    """Hypervolume is measured in a box around what was seen; it must grow, or all beyond it would be worth the same."""
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(12)}), {"x": ones, "y": ones}, directions={"x": "maximize", "y": "maximize"}
    )
    strategy = ThompsonBQP(problem, 0, QUICK)
    few = [problem.space.design({"bn": "1" * on + "0" * (12 - on)}) for on in range(4)]
    strategy.update([evaluate(problem, design) for design in few], [])
    drawn = Quadratic(0.0, np.ones(12), np.zeros((12, 12)))
    candidates = np.array([[1] * on + [0] * (12 - on) for on in (4, 10, 7)], dtype=np.int8)
    chosen = strategy._best(candidates, {"x": drawn, "y": drawn})
    assert chosen is not None
    assert sum(bits_of(chosen)) == 10


@pytest.mark.parametrize("values", ["constant", "one observation", "huge", "an outlier"])
def test_degenerate_observations_do_not_stop_it(values: str) -> None:
    functions = {
        "constant": lambda _: 0.7, "one observation": lambda _: 3.0,
        "huge": lambda design: 1e300 * sum(bits_of(design)),
        "an outlier": lambda design: 1e12 if sum(bits_of(design)) == 3 else float(sum(bits_of(design))),
    }  # fmt: skip
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(6)}), {"y": functions[values], "z": lambda _: 1.0},
        directions={"y": "maximize", "z": "minimize"},
    )  # fmt: skip
    strategy = make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 1 if values == "one observation" else 4})
    if values == "one observation":
        strategy.update(list(map(problem.evaluate, strategy.suggest(1))), [])
        assert len({proposal.design for proposal in strategy.suggest(10)}) == 10
    else:
        assert len({evaluation.design for evaluation in StrategyConformance().drive(strategy, 16)}) == 16


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"sparsity": "much"}, "sparsity"), ({"sparsity": math.nan}, "sparsity"), ({"sparsity": []}, "sparsity"),
        ({"sparsity": [0.1, math.inf]}, "sparsity.1"), ({"initial": 0}, "initial"), ({"sweeps": 0}, "sweeps"),
        ({"cold_sweeps": 2.5}, "cold_sweeps"), ({"hyperplanes": -1}, "hyperplanes"), ({"hyperplane": 9}, "hyperplane"),
    ],
)  # fmt: skip
def test_wrong_options_are_refused_by_name(options: Mapping[str, object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        make_strategy("thompson-bqp", family_problem(), 0, options)
    assert caught.value.field == f"strategy.options.{field}"


def test_a_misspelt_option_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match=r"thompson-bqp has no such option .*did you mean 'sparsity'"):
        make_strategy("thompson-bqp", family_problem(), 0, {"sparsty": 0.1})


def test_a_single_bit_is_decided_and_then_nothing_is_left() -> None:
    problem = Problem.from_functions(Space({"bn": BinaryVector(1)}), {"y": ones}, directions={"y": "maximize"})
    strategy = make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 1})
    found = StrategyConformance().drive(strategy, 2)
    assert sorted(evaluation.values["y"] for evaluation in found) == [0.0, 1.0]
    assert strategy.suggest(1) == []


def test_repeats_of_a_design_with_other_values_are_learnt_from() -> None:
    """Replicates are data like any other: 30 of the best design in the noise say more than one."""
    problem, _ = quadratic(6, 0)
    strategy = ThompsonBQP(problem, 0, {**QUICK, "initial": 2})
    rng = np.random.default_rng(0)
    designs = [problem.space.design({"bn": text}) for text in ("000000", "111111", "101010")]
    noisy = [
        replace(problem.evaluate(Proposal(design, replicate=number)), values={"y": float(rng.normal(number % 3, 3))})
        for number in range(10)
        for design in designs
    ]
    strategy.update(noisy, [])
    proposals = strategy.suggest(3)
    assert len({proposal.design for proposal in proposals} - set(designs)) == 3


def test_values_that_are_no_numbers_are_failures_which_it_does_not_try_again() -> None:
    def value(design: Design) -> float:
        bits = bits_of(design)
        return math.nan if bits[0] else float(sum(bits))

    problem = Problem.from_functions(Space({"bn": BinaryVector(6)}), {"y": value}, directions={"y": "maximize"})
    found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 5}), 30)
    assert any(evaluation.failed for evaluation in found)
    assert len({evaluation.design for evaluation in found}) == 30
    assert max(evaluation.values.get("y", 0) for evaluation in found) == 5


def test_a_search_of_which_every_evaluation_fails_goes_on_to_the_end() -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(4)}), {"y": lambda _: math.inf}, directions={"y": "minimize"}
    )
    strategy = make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 2})
    assert len(StrategyConformance().drive(strategy, 16)) == 16
    assert strategy.suggest(1) == []


def test_a_space_without_a_feasible_design_is_refused_with_the_constraint() -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(6)}, ["sum(bn) >= 7"]), {"y": ones}, directions={"y": "maximize"}
    )
    with pytest.raises(InputError, match=r"sum\(bn\) >= 7"):
        make_strategy("thompson-bqp", problem, 0, QUICK).suggest(1)


def test_more_bits_under_constraints_than_the_semidefinite_program_holds_are_told_and_still_searched(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(260)}, ["sum(bn) <= 200"]), {"y": ones}, directions={"y": "maximize"}
    )
    options = {"cold_sweeps": 2, "sweeps": 1, "hyperplanes": 4, "initial": 2}
    strategy = make_strategy("thompson-bqp", problem, 0, options)
    assert "260 choices under constraints" in caplog.text
    assert "low-rank relaxation takes its place" in caplog.text
    found = StrategyConformance().drive(strategy, 4)
    assert all(sum(bits_of(evaluation.design)) <= 200 for evaluation in found)


@pytest.mark.parametrize("kind", ["bits", "categories"])
def test_what_is_proposed_after_the_best_was_found_is_still_good(kind: str) -> None:
    """Once the maximiser and its neighbours are tried the next best follow, and not designs at random."""
    space = Space(
        {"bn": BinaryVector(10)} if kind == "bits" else {f"v{i}": Categorical(["a", "b", "c", "d"]) for i in range(5)}
    )

    def value(design: Design) -> float:
        choices = design["bn"] if kind == "bits" else ["abcd".index(str(choice)) for choice in design.values()]
        return -float(sum(choices))  # type: ignore[arg-type]  # numbers, both

    problem = Problem.from_functions(space, {"y": value}, directions={"y": "maximize"})
    found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, {**QUICK, "initial": 12}), 70)
    assert np.mean([e.values["y"] for e in found[30:]]) > -3  # at random: -5 and -7.5


def test_a_price_of_bits_is_one_of_the_first_trained_objective() -> None:
    """Black box: latency in seconds is trained, too; a price in units of accuracy must not swamp it."""
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(10)}),
        {"accuracy": lambda d: 0.01 * sum(bits_of(d)[:5]), "latency": lambda d: 1e-6 * (10 - sum(bits_of(d)[5:]))},
        directions={"accuracy": "maximize", "latency": "minimize"},
    )
    options = {**QUICK, "initial": 10, "sparsity": 1e-4}
    found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, options), 40)
    assert np.mean([sum(bits_of(e.design)) for e in found[25:]]) > 6  # more bits are better for both


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        (True, "sparsity", "write a number"), (-0.1, "sparsity", "0 or more"), ("much", "sparsity", "write a number"),
        (float("nan"), "sparsity", "write a finite number"), ([], "sparsity", "at least one"),
        ([1, "much"], "sparsity.1", "write a number"), ([0.1, -1], "sparsity.1", "0 or more"),
    ],
)  # fmt: skip
def test_prices_that_make_no_sense_are_refused(wrong: object, field: str, says: str) -> None:
    problem, _ = quadratic(4, 0)
    with pytest.raises(InputError, match=says) as caught:
        make_strategy("thompson-bqp", problem, 0, {"sparsity": wrong})
    assert caught.value.field == f"strategy.options.{field}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_count_as_failures(value: float) -> None:
    problem, _ = quadratic(6, 0)
    strategy = ThompsonBQP(problem, 0, {**QUICK, "initial": 3})
    (first,) = strategy.suggest(1)
    strategy.update([replace(problem.evaluate(first), values={"y": value})], [])
    found = StrategyConformance().drive(strategy, 8)
    assert first.design not in {e.design for e in found}


def test_values_of_any_size_are_scaled() -> None:
    problem = Problem.from_functions(
        Space({"bn": BinaryVector(6)}), {"y": lambda d: 1e300 * sum(bits_of(d))}, directions={"y": "maximize"}
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = StrategyConformance().drive(make_strategy("thompson-bqp", problem, 0, QUICK), 16)
    assert max(e.values["y"] for e in found) == pytest.approx(6e300)


def test_designs_that_fail_do_not_hide_which_of_the_others_are_best() -> None:
    """As accuracy does: without the first two bits nothing is learned, far below what tells the rest apart."""

    def value(design: Design) -> float:
        bits = bits_of(design)
        return 0.1 if sum(bits[:2]) == 0 else 0.85 + 0.01 * sum(bits[2:6]) - 0.01 * sum(bits[6:])

    problem = Problem.from_functions(Space({"bn": BinaryVector(10)}), {"y": value}, directions={"y": "maximize"})
    found = [
        max(e.values["y"] for e in StrategyConformance().drive(make_strategy("thompson-bqp", problem, seed, QUICK), 32))
        for seed in range(4)
    ]
    assert np.mean(found) > 0.886
