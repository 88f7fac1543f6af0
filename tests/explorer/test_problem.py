from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.evaluation import Proposal
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import BinaryVector, Bits, Categorical, Design, Designs, Fidelity, InputError, Integer
from tests.explorer.problems import SPACE, accuracy, all_designs, area, evaluate, family_problem, latency

# -- the contract ---------------------------------------------------------------------------------------------------


def contract_accuracy(design: Design) -> float:
    return 0.5 + sum(design["bn"]) / 20  # type: ignore[arg-type]  # a binary vector's values are Bits


def contract_latency(design: Design) -> float:
    return 4.0 * sum(design["bn"]) + 100 / design["reram_layers"] / design["crossbar_size"]  # type: ignore[arg-type, operator]


def contract_latency_of_a_batch(designs: Designs) -> Any:
    return 4.0 * designs["bn"].sum(axis=1) + 100 / designs["reram_layers"] / designs["crossbar_size"]


@pytest.mark.parametrize("latency", [contract_latency, contract_latency_of_a_batch])
@pytest.mark.parametrize("name", ["random", "nsga2", "tpe"])
def test_the_contract_in_python_holds(latency: Callable[..., Any], name: str) -> None:
    accuracy = contract_accuracy
    from explorer import BinaryVector, Categorical, Fidelity, Integer, Problem, Space, front, make_strategy

    space = Space({"bn": BinaryVector(8), "crossbar_size": Categorical([64, 128, 256]), "reram_layers": Integer(1, 3)},
                  constraints=["reram_layers + sum(bn) <= 9"])  # fmt: skip
    problem = Problem.from_functions(
        space,
        {"accuracy": accuracy, "latency": latency},
        directions={"accuracy": "maximize", "latency": "minimize"},
        cheap={"latency"},
        reads={"accuracy": ["bn"]},
        fidelity=Fidelity("epochs", 1, 20), cost=lambda fidelity: fidelity,
    )  # fmt: skip
    strategy = make_strategy(name, problem, seed=0)
    evaluations = []
    for _ in range(40):
        for proposal in strategy.suggest(1):
            evaluations.append(problem.evaluate(proposal))
            strategy.update(finished=evaluations[-1:], running=[])
    print(front(problem, evaluations))  # noqa: T201  # as in the contract

    assert len({evaluation.key for evaluation in evaluations}) == 40
    paid: set[str] = set()
    for evaluation in evaluations:
        design = evaluation.design
        assert space.satisfied(space.designs([design])).all()
        assert evaluation.values == {
            "accuracy": contract_accuracy(design), "latency": pytest.approx(contract_latency(design))
        }  # fmt: skip
        assert evaluation.cost == (0 if evaluation.family in paid else 20)
        paid.add(evaluation.family)
    found = front(problem, evaluations)
    assert str(found).startswith(f"Pareto front: {len(found)} designs")
    counts = {sum(evaluation.design["bn"]) for evaluation in evaluations}  # type: ignore[arg-type]  # Bits
    assert {sum(point.design["bn"]) for point in found} == counts  # more bits: more accurate, slower
    for point in found:
        wide, deep = point.design["crossbar_size"], point.design["reram_layers"]
        assert (wide, deep) == (256, min(3, 9 - sum(point.design["bn"])))  # the family's best chip, trained or not


# -- evaluations ----------------------------------------------------------------------------------------------------


def test_an_expensive_function_hears_the_fidelity_if_it_wants_to() -> None:
    heard: list[Any] = []

    def both(design: Design, fidelity: int) -> float:
        heard.append(fidelity)
        return 0.0

    def by_default(design: Design, fidelity: int = 20) -> float:
        heard.append(fidelity)
        return 0.0

    def other_default(design: Design, table: str = "mine") -> float:
        heard.append(table)
        return 0.0

    problem = family_problem(
        cheap=(), directions=dict.fromkeys(("a", "b", "c", "d"), "minimize"), reads=None,
        functions={"a": both, "b": by_default, "c": other_default, "d": lambda _: 0.0},
    )  # fmt: skip
    evaluation = evaluate(problem, {}, fidelity=7)
    assert not evaluation.failed
    assert heard == [7, 7, "mine"]
    assert evaluation.cost == 7


def test_without_fidelity_an_evaluation_costs_one() -> None:
    evaluation = evaluate(family_problem(fidelity=None, cost=None), {})
    assert (evaluation.fidelity, evaluation.cost) == (None, 1.0)


BAD: dict[str, tuple[Callable[[Design], Any], str]] = {
    "nan": (lambda _: math.nan, "not finite: accuracy is nan"),
    "infinity": (lambda _: math.inf, "not finite: accuracy is inf"),
    "minus infinity": (lambda _: -math.inf, "not finite: accuracy is -inf"),
    "numpy nan": (lambda _: np.float32("nan"), "not finite: accuracy is nan"),
    "none": (lambda _: None, "TypeError"),
    "word": (lambda _: "high", "ValueError"),
    "two numbers": (lambda _: np.array([0.1, 0.2]), "TypeError"),
    "complex": (lambda _: 1j, "TypeError"),
    "dictionary": (lambda _: {"accuracy": 1.0}, "TypeError"),
    "exception": (lambda _: 1 / 0, "ZeroDivisionError: division by zero"),
    "missing variable": (lambda design: design["cell_bits"], "KeyError: 'cell_bits'"),
    "exception without a message": (lambda _: next(iter(())), "StopIteration"),
    "long exception": (lambda _: int("x" * 10_000), "ValueError"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_goes_wrong_in_an_objective_becomes_a_failed_evaluation_with_its_reason(case: str) -> None:
    function, reason = BAD[case]
    problem = family_problem(functions={"accuracy": function, "latency": latency, "area": area})
    evaluation = evaluate(problem, {"bn": "110"})
    assert evaluation.failed
    assert not evaluation.feasible
    assert evaluation.failure.startswith(reason)
    assert len(evaluation.failure) <= 500
    assert "\n" not in evaluation.failure
    assert evaluation.values == {}
    assert ("test_problem.py" in evaluation.traceback or "float(" in evaluation.traceback) == (
        "Error" in reason or "Stop" in reason
    )
    assert evaluation.family == evaluate(family_problem(), {"bn": "110"}).family


@pytest.mark.parametrize("value", [1, True, np.float64(1), np.int64(1), np.array(1.0)])
def test_any_single_number_is_a_value(value: Any) -> None:
    problem = family_problem(functions={"accuracy": lambda _: value, "latency": latency, "area": area})
    assert evaluate(problem, {}).values["accuracy"] == 1.0
    assert type(evaluate(problem, {}).values["accuracy"]) is float


def test_a_cheap_objective_that_is_no_number_rules_a_design_out_before_anything_is_run() -> None:
    ran: list[Design] = []

    def train(design: Design) -> float:
        ran.append(design)
        return 0.5

    def broken(designs: Designs) -> Any:
        return np.where(designs["size"] == 64, np.inf, latency(designs))

    problem = family_problem(functions={"accuracy": train, "latency": broken, "area": area})
    evaluation = evaluate(problem, {"size": 64})
    assert evaluation.failure == "infeasible: not finite: latency is inf"
    assert ran == []
    assert {design["size"] for design in all_designs(problem)} == {128}


def test_an_infeasible_design_fails_with_every_constraint_that_it_violates_and_is_not_run() -> None:
    problem = family_problem(constraints=["latency <= 3", "area < 340 mm2"], units={"area": "mm2"})
    assert evaluate(problem, {"bn": "111", "layers": 3}).failure == "infeasible: violates layers + sum(bn) <= 5"
    assert evaluate(problem, {"bn": "111", "size": 128}).failure == "infeasible: violates latency <= 3"
    assert evaluate(problem, {"layers": 3, "size": 128}).failure == "infeasible: violates area < 340 mm2"
    assert problem.why_infeasible(problem.space.design({"layers": 2})) == ""
    assert evaluate(problem, {"layers": 3, "size": 128}).cost == 0.0


def test_cheap_functions_are_never_asked_about_designs_outside_the_space() -> None:
    def strict(design: Design) -> float:
        assert design["layers"] + sum(design["bn"]) <= 5  # type: ignore[arg-type, operator]  # Bits
        return 1.0

    problem = family_problem(functions={"accuracy": accuracy, "latency": strict, "area": area})
    assert len(all_designs(problem)) == 46
    assert problem.known(
        problem.space.designs([problem.space.design({"bn": "111", "layers": 3})])
    ).feasible.tolist() == [False]
    members = problem.members(problem.space.design({"bn": "111"}))
    assert problem.known(members).feasible.sum() == 4
    assert len(problem.sample(np.random.default_rng(0), 50)) == 50


# -- constraints ----------------------------------------------------------------------------------------------------


def test_each_constraint_is_checked_as_early_as_it_can_be() -> None:
    problem = family_problem(
        constraints=["layers <= 2", "latency <= 3 and layers >= 1", "accuracy >= 0.6", "accuracy > latency / 9"]
    )
    assert [c.text for c in problem.space.constraints] == ["layers + sum(bn) <= 5", "layers <= 2"]
    assert [c.text for c in problem.cheap_constraints] == ["latency <= 3 and layers >= 1"]
    assert [c.text for c in problem.outcome_constraints] == ["accuracy >= 0.6", "accuracy > latency / 9"]
    assert problem.outline.constraints == problem.outcome_constraints
    assert not evaluate(problem, {"bn": "000"}).feasible
    assert not evaluate(problem, {"bn": "000"}).failed
    assert evaluate(problem, {"bn": "000"}).violation == pytest.approx(0.6 - (0.5 - 1 / 30))
    assert evaluate(problem, {"bn": "010"}).feasible


def test_no_feasible_design_is_said_with_what_each_constraint_leaves() -> None:
    problem = family_problem(constraints=["sum(bn) <= 1", "latency >= 3", "area <= 0 mm2"], units={"area": "mm2"})
    with pytest.raises(InputError) as caught:
        problem.check_feasible()
    assert caught.value.field == "constraints"
    for part in (
        "all 48 designs", "layers + sum(bn) <= 5 holds for 46 of 48", "sum(bn) <= 1 holds for 24 of 48",
        "latency >= 3 holds for 0 of 24 designs that satisfy these", "area <= 0 mm2 holds for 0 of 24",
    ):  # fmt: skip
        assert part in str(caught.value)
    with pytest.raises(InputError, match="loosen one"):
        problem.sample(np.random.default_rng(0), 1)
    family_problem().check_feasible()


def test_no_feasible_design_in_a_huge_space_is_said_too() -> None:
    space = Space({"bn": BinaryVector(60)}, ["sum(bn) <= 20", "sum(bn) >= 21"])
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    with pytest.raises(InputError, match="200000 random designs"):
        problem.check_feasible()


def test_samples_of_a_small_constrained_space_are_uniform() -> None:
    space = Space({"bn": BinaryVector(12)}, ["sum(bn) <= 1"])  # 13 of 4096: rare
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    drawn = problem.sample(np.random.default_rng(0), 13_000)
    counts = np.unique(drawn["bn"] @ (2 ** np.arange(12)), return_counts=True)[1]
    assert len(counts) == 13
    assert counts.min() > 850
    assert counts.max() < 1150


def test_samples_of_a_huge_constrained_space_are_nearly_uniform() -> None:
    space = Space({"bn": BinaryVector(40)}, ["sum(bn) <= 2"])  # 1, 40 and 780 designs with 0, 1 and 2 bits
    problem = Problem.from_functions(space, {"x": lambda _: 0.0}, directions={"x": "minimize"})
    drawn = problem.sample(np.random.default_rng(0), 4000)
    share = np.bincount(drawn["bn"].sum(axis=1).astype(int), minlength=3) / 4000
    assert share == pytest.approx([1 / 821, 40 / 821, 780 / 821], abs=0.02)
    assert drawn["bn"].mean(axis=0) == pytest.approx(np.full(40, 40 / 821), abs=0.02)


# -- families -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 45))
def test_members_of_a_family_share_what_the_expensive_part_reads(index: int) -> None:
    problem = family_problem()
    design = all_designs(problem)[index]
    members = problem.space.unpack(problem.members(design))
    assert design in members
    assert len(set(members)) == len(members) == 6
    assert {problem.family(member) for member in members} == {problem.family(design)}
    assert {evaluate(problem, member).values.get("accuracy") for member in members} - {None} == {accuracy(design)}
    others = [d for d in all_designs(problem) if d["bn"] != design["bn"]]
    assert problem.family(design) not in {problem.family(other) for other in others}


def test_derived_values_are_those_that_an_evaluation_would_find() -> None:
    problem = family_problem()
    evaluation = evaluate(problem, {"bn": "011"})
    members = problem.members(evaluation.design)
    derived = problem.derive(members, problem.known(members), evaluation)
    for row, design in enumerate(problem.space.unpack(members)):
        assert {name: values[row] for name, values in derived.items()} == evaluate(problem, design).values


def test_a_problem_without_cheap_variables_has_families_of_one() -> None:
    problem = family_problem(reads=None)
    design = problem.space.design({"bn": "101"})
    assert problem.space.unpack(problem.members(design)) == [design]


def test_a_family_too_large_to_enumerate_is_sampled() -> None:
    space = Space({"bn": BinaryVector(2), "rest": BinaryVector(40)})
    problem = Problem.from_functions(
        space, {"a": lambda _: 0.0, "b": lambda designs: designs["rest"].sum(axis=1)},
        directions={"a": "minimize", "b": "minimize"}, cheap={"b"}, reads={"a": ["bn"]},
    )  # fmt: skip
    members = problem.members(space.design({"bn": "10"}))
    assert len(members) == 200_000
    assert (members.expanded()["bn"] == [1, 0]).all()


# -- what cannot be a problem ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"directions": {"accuracy": "maximize"}}, "say maximize or minimize for 'latency'"),
        ({"directions": {"accuracy": "up", "latency": "minimize", "area": "minimize"}}, "not 'up'"),
        ({"directions": {"accuracy": "maximize", "x": "minimize"}}, "'x' is not an objective"),
        ({"cheap": {"latencies"}}, "did you mean 'latency'"),
        ({"reads": {"accuracy": ["layer"]}}, "did you mean 'layers'"),
        ({"reads": {"acuracy": ["bn"]}}, "did you mean 'accuracy'"),
        ({"units": {"energy": "J"}}, "'energy' is not an objective"),
        ({"constraints": ["energy <= 3"]}, "unknown name 'energy'"),
        ({"constraints": ["latency"]}, "compare it"),
        ({"functions": {}, "directions": {}, "cheap": (), "reads": {}}, "at least one objective"),
        ({"functions": {"bn": accuracy}, "directions": {"bn": "maximize"}, "cheap": (), "reads": {}}, "is a variable"),
    ],
)  # fmt: skip
def test_names_that_do_not_fit_are_refused_at_once(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        family_problem(**changes)
    assert says in str(caught.value)
    assert caught.value.field


def _nothing(designs: Designs) -> None:
    """Forgets its return."""
    _ = designs["size"] * 2.0


@pytest.mark.parametrize(
    "returned",
    [_nothing, lambda designs: np.zeros((len(designs), 2)), lambda designs: np.zeros(len(designs) + 1),
     lambda designs: ["a"] * len(designs)],
)  # fmt: skip
def test_a_cheap_function_that_returns_no_number_per_design_is_named(returned: Callable[[Designs], Any]) -> None:
    problem = family_problem(functions={"accuracy": accuracy, "latency": returned, "area": area})
    with pytest.raises(InputError, match=r"objective 'latency' returned .* return one number per design"):
        problem.sample(np.random.default_rng(0), 3)


def test_a_constant_stands_for_all_designs_of_a_batch() -> None:
    problem = family_problem(
        functions={"accuracy": accuracy, "latency": lambda designs: 2.0 + 0 * len(designs), "area": area}
    )
    assert problem.known(problem.space.at(range(5))).objectives["latency"].tolist() == [2.0] * 5


def test_a_cheap_function_of_variables_that_all_designs_of_a_batch_share_is_computed_once() -> None:
    problem = family_problem(
        functions={"accuracy": accuracy, "latency": lambda designs: designs["size"] * 2.0, "area": area}
    )
    designs = problem.space.at(range(5)).with_columns({"size": np.array([64])})
    assert problem.known(designs).objectives["latency"].tolist() == [128.0] * 5


def test_a_batch_function_and_a_design_function_say_the_same() -> None:
    one_by_one = family_problem(
        functions={
            "accuracy": accuracy,
            "latency": lambda design: float(latency(SPACE.designs([design]))[0]),
            "area": lambda design: float(area(SPACE.designs([design]))[0]),
        }
    )
    designs = SPACE.at(range(SPACE.size))
    for name, values in family_problem().known(designs).objectives.items():
        np.testing.assert_array_equal(one_by_one.known(designs).objectives[name], values)


def test_a_problem_pickles() -> None:
    problem = family_problem()
    problem.check_feasible()
    again = pickle.loads(pickle.dumps(problem))  # noqa: S301  # our own bytes
    proposal = Proposal(Design({"bn": Bits("110"), "layers": 1, "size": 64}), 20)
    assert again.evaluate(proposal).values == problem.evaluate(proposal).values


def test_fidelity_and_integers_of_one_value_are_allowed() -> None:
    problem = Problem.from_functions(
        Space({"x": Integer(3, 3), "word": Categorical(["only"])}), {"y": lambda design: design["x"]},
        directions={"y": "maximize"}, fidelity=Fidelity("epochs", 4, 4),
    )  # fmt: skip
    assert evaluate(problem, {}).values == {"y": 3.0}
    assert all_designs(problem) == [Design({"x": 3, "word": "only"})]


def test_a_new_member_of_an_evaluated_family_costs_nothing_and_is_not_asked_for_again() -> None:
    asked: list[Design] = []

    def accuracy(design: Design, fidelity: int) -> float:
        asked.append(design)
        return fidelity / 100

    problem = family_problem(functions={"accuracy": accuracy, "latency": latency, "area": area})
    one, other = ({"bn": "010", "layers": layers} for layers in (1, 2))
    assert [evaluate(problem, design).cost for design in (one, other, one)] == [20.0, 0.0, 0.0]
    assert len(asked) == 1
    assert evaluate(problem, other, replicate=1).cost == 20.0  # another seed
    assert evaluate(problem, {"bn": "011"}).cost == 20.0


def test_going_on_costs_the_difference_where_evaluations_go_on() -> None:
    for continues, costs in ((True, [4.0, 8.0, 0.0, 8.0]), (False, [4.0, 12.0, 6.0, 20.0])):
        problem = family_problem(continues=continues)
        assert [evaluate(problem, {"bn": "010"}, fidelity=f).cost for f in (4, 12, 6, 20)] == costs
        assert problem.remaining_cost(12, 4) == (8.0 if continues else 12.0)
        assert problem.remaining_cost(12, None) == 12.0


@pytest.mark.parametrize("cost", [-1.0, float("nan"), float("inf")])
def test_a_cost_that_is_no_price_is_refused(cost: float) -> None:
    with pytest.raises(InputError, match="give a finite number from 0 up"):
        family_problem(cost=lambda _: cost)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cost": 3}, "cost: give a function, not 3"),
        ({"cost": lambda _: "a"}, "cost: the cost at 1 is 'a'; give a finite number"),
        ({"fidelity": None}, "cost: needs a fidelity, whose cost it tells"),
    ],
)
def test_a_cost_that_is_no_function_of_a_fidelity_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        family_problem(**changes)


@pytest.mark.parametrize(("low", "high"), [(1.5, 20), (1, 2.5), (0, 3), (4, 3)])
def test_a_fidelity_counts_whole_steps(low: Any, high: Any) -> None:
    with pytest.raises(InputError, match="must be whole numbers from at least 1 up"):
        Fidelity("epochs", low, high)
