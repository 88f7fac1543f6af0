from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.enumeration import GROUPS, ExactFront, enumerate_front, question
from explorer.enumeration_tables import exact_columns, exact_records, exact_rows, left_out
from explorer.problem import Problem
from explorer.space import Space
from simulators.protocol import BinaryVector, Categorical, Design, Designs, InputError, Integer
from tests.explorer.problems import all_designs, family_problem
from tests.explorer.simulators import Counting, bench_problem, objectives

SPACE = Space(
    {"bits": BinaryVector(3), "layers": Integer(1, 3), "size": Categorical([64, 128])}, ["layers + sum(bits) <= 5"]
)


def random_problem(seed: int, count: int, levels: int, constraints: list[str]) -> Problem:
    """Objectives with few values, so that many designs are equal; a count that has nothing to do with them."""
    tables = np.random.default_rng(seed).integers(0, levels, (count + 1, 2**3, 3, 2)).astype(float)

    def looked_up(table: Any) -> Any:
        def value(designs: Designs) -> Any:
            number = designs["bits"] @ np.array([4, 2, 1])
            return table[number, designs["layers"] - 1, (designs["size"] == 128).astype(int)]

        return value

    names = [*(f"cost{number}" for number in range(count)), "number"]
    ways = {name: "maximize" if number % 2 else "minimize" for number, name in enumerate(names)}
    functions = {name: looked_up(table) for name, table in zip(names, tables, strict=True)}
    return Problem.from_functions(SPACE, functions, directions=ways, cheap=set(names), constraints=constraints)  # type: ignore[arg-type]


def brute_force(problem: Problem, names: list[str], per: str, where: Any) -> dict[Any, set[Design]]:
    """Per group and objective values the non-dominated designs that have them."""
    designs = all_designs(problem)
    known = problem.known(problem.space.designs(designs))
    signs = {objective.name: objective.sign for objective in problem.objectives}
    rows = []
    for at, design in enumerate(designs):
        values = {name: float(known.objectives[name][at]) for name in known.objectives}
        if where(values):
            group = {**values, **design}[per] if per else 0
            rows.append((group, tuple(values[name] for name in names), design))
    found: dict[Any, set[Design]] = {}
    for group, values, design in rows:
        better = [[signs[n] * v for n, v in zip(names, other, strict=True)] for g, other, _ in rows if g == group]
        own = [signs[name] * value for name, value in zip(names, values, strict=True)]
        if not any(all(a >= b for a, b in zip(o, own, strict=True)) and o != own for o in better):
            found.setdefault((group, values), set()).add(design)
    return found


def told(front: ExactFront) -> dict[Any, tuple[Design, int]]:
    rows = range(len(front))
    return {(front.group(r), tuple(front.values[r])): (front.design(r), int(front.others[r])) for r in rows}


@given(
    seed=st.integers(0, 10**6), count=st.integers(1, 3), levels=st.integers(1, 5), chunk=st.integers(1, 60),
    per=st.sampled_from(["", "layers", "size", "number", "bits"]), limited=st.booleans(),
)  # fmt: skip
@settings(max_examples=60)
def test_the_front_is_that_of_all_designs_and_equal_ones_are_counted_whatever_the_chunks(
    seed: int, count: int, levels: int, chunk: int, per: str, limited: bool
) -> None:
    problem = random_problem(seed, count, levels, ["cost0 <= 3", "layers + sum(bits) <= 4"])
    names = [f"cost{number}" for number in range(count)]
    asked = question(problem, objectives=names, per=per, where="number >= 1" if limited else None)
    front = enumerate_front(problem, asked, chunk=chunk)
    expected = brute_force(problem, names, per, lambda values: not limited or values["number"] >= 1)
    found = told(front)
    assert found.keys() == expected.keys()
    for key, (design, others) in found.items():
        assert design in expected[key]
        assert others == len(expected[key]) - 1
    whole = enumerate_front(problem, asked)
    assert told(whole) == found
    assert list(told(whole)) == list(found)
    assert front.enumerated == SPACE.size
    assert front.feasible == whole.feasible >= len(front)


def test_what_is_trained_for_is_left_out_with_its_constraints() -> None:
    problem = family_problem(constraints=["accuracy >= 0.6", "latency <= 3"])
    front = enumerate_front(problem, question(problem))
    assert [objective.name for objective in front.question.objectives] == ["latency", "area"]
    assert (front.values[:, 0] <= 3).all()
    told = left_out(problem)
    assert told == [
        "left out, since it is trained for: accuracy",
        "constraints that are left out for the same reason: accuracy >= 0.6",
    ]


def test_a_report_tells_what_cannot_be_built_and_fields_to_group_by() -> None:
    problem = bench_problem({"counting": Counting()}, objectives("latency", "area"))
    front = enumerate_front(problem, question(problem, per="area_mm2", where="latency_s <= 1 us"))
    assert front.feasible == 6  # of eight: one is too slow, one does not fit
    assert [front.group(row) for row in range(len(front))] == [128, 192, 256, 384]
    assert front.others.tolist() == [1, 0, 1, 0]
    rows = exact_rows(front, "title", limit=1, named=["latency_s", "size"], workload="vgg11")
    assert rows.columns == ("design", "area mm2", "latency [ns] ↓", "area [mm²] ↓", "latency [ns]", "size", "as good")
    assert [row[-1] for row in rows.rows] == ["and 1 other", "-", "and 1 other", "-"]
    records = list(exact_records(front, limit=None, named=["size"]))
    assert list(records[0]) == exact_columns(front, ["size"])
    assert records[0]["area_mm2"] == 128
    assert records[0]["others"] == 1


def test_few_rows_of_each_front_are_spread_over_it() -> None:
    problem = random_problem(3, 3, 50, [])
    front = enumerate_front(problem, question(problem, objectives=["cost0", "cost1", "cost2"], per="layers"))
    shown = list(exact_records(front, limit=2, named=[]))
    for layers in (1, 2, 3):
        own = [row for row in range(len(front)) if front.group(row) == layers]
        cost = [record["cost0"] for record in shown if record["layers"] == layers]
        assert len(own) > 2
        assert cost == [front.values[own[0], 0], front.values[own[-1], 0]]
    assert any("are not" in line for line in exact_rows(front, "", limit=2, named=[]).notes)


def test_the_listener_hears_how_far_it_is() -> None:
    problem = family_problem()
    heard: list[int] = []
    enumerate_front(problem, question(problem), chunk=20, listener=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == problem.space.size


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"objectives": ["latncy"]}, "objectives", "did you mean 'latency'?"),
        ({"objectives": ["accuracy"]}, "objectives", "trained designs only"),
        ({"objectives": ["area", "area"]}, "objectives", "twice"),
        ({"where": "aera < 3"}, "where", "did you mean 'area'?"),
        ({"where": "accuracy > 0.5"}, "where", "'accuracy' is known of trained designs only"),
        ({"per": "layer"}, "per", "did you mean 'layers'?"),
        ({"per": "accuracy"}, "per", "is not known without training"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(asked: Mapping[str, Any], field: str, words: str) -> None:
    with pytest.raises(InputError) as raised:
        question(family_problem(), **asked)
    assert raised.value.field == field
    assert words in str(raised.value)


def test_a_search_whose_objectives_are_all_trained_for_is_refused() -> None:
    with pytest.raises(InputError, match="is trained for, none follows from a design alone"):
        question(family_problem(cheap=set()))


def cheap_problem(space: Space, function: Any) -> Problem:
    return Problem.from_functions(space, {"cost": function}, directions={"cost": "minimize"}, cheap={"cost"})


def test_a_space_that_is_too_large_says_how_to_shrink_it() -> None:
    problem = cheap_problem(
        Space({"bits": BinaryVector(64), "layers": Integer(1, 3)}), lambda designs: designs["layers"] + 0.0
    )
    with pytest.raises(InputError, match=r"--set variables.bits=\[all,none\]"):
        question(problem)


def test_a_front_for_each_of_very_many_values_is_refused() -> None:
    space = Space({"layers": Integer(1, GROUPS + 1), "bits": BinaryVector(11)})
    problem = cheap_problem(space, lambda designs: designs["layers"] + 0.0)
    with pytest.raises(InputError, match="too many for a front each; name another variable"):
        question(problem, per="layers")
    with pytest.raises(InputError, match="a field of whole numbers"):
        question(problem, per="bits")
    with pytest.raises(InputError, match="takes more than 1,000 values"):
        enumerate_front(problem, question(problem, per="cost"), chunk=2**12)
    halves = cheap_problem(space, lambda designs: designs["layers"] / 2)
    with pytest.raises(InputError, match=r"'cost' is 0.5 in one design"):
        enumerate_front(halves, question(halves, per="cost"), chunk=2**12)
