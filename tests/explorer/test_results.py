from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import usual_variance
from explorer.evaluation import Evaluation
from explorer.expressions import parse
from explorer.fronts import front_among, front_of
from explorer.outline import Outline
from explorer.points import Point, point_of
from explorer.results import Results
from tests.explorer.problems import all_designs, evaluate, family_problem

PROBLEM = family_problem(constraints=["accuracy >= 0.45"])
DESIGNS = all_designs(PROBLEM)[::5]
LUCK = st.sampled_from([0.0, 0.01, -0.02, 0.04])


def one_by_one(outline: Outline, rows: Sequence[Evaluation]) -> list[Point]:
    """The same, row after row."""
    rows = [row for row in rows if row.fidelity == outline.full_fidelity and not row.failed]
    of_family: dict[str, dict[int, Evaluation]] = {}
    for row in sorted(rows, key=lambda row: row.replicate):
        if not row.derived_from:
            of_family.setdefault(row.family, {}).setdefault(row.replicate, row)
    points = []
    for design in dict.fromkeys(row.design for row in sorted(rows, key=lambda row: bool(row.derived_from))):
        of_design = [row for row in rows if row.design == design]
        runs = [row for row in of_design if not row.derived_from] or of_design
        own: dict[int, Evaluation] = {}
        for row in sorted(runs, key=lambda row: row.replicate):
            own.setdefault(row.replicate, row)
        first = next(iter(own.values()))
        usual = {
            "accuracy": usual_variance([r.values["accuracy"] for r in some.values()] for some in of_family.values())
        }
        points.append(point_of(outline, first, own, of_family.get(first.family, own), usual))
    return points


@st.composite
def studies(draw: st.DrawFn) -> list[Evaluation]:
    rows = []
    for design in draw(st.lists(st.sampled_from(DESIGNS), max_size=12)):
        row = evaluate(PROBLEM, design, replicate=draw(st.integers(0, 2)), fidelity=draw(st.sampled_from([20, 20, 3])))
        row = replace(row, values={**row.values, "accuracy": row.values["accuracy"] + draw(LUCK)}, number=len(rows))
        what = draw(st.sampled_from(["run", "run", "derived", "failed"]))
        if what == "derived":
            row = replace(row, derived_from="of another", replicate=0)
        rows.append(replace(row, failure="no luck", values={}) if what == "failed" else row)
    return rows


@given(studies())
def test_columns_say_what_row_after_row_says(rows: list[Evaluation]) -> None:
    results, points = Results(PROBLEM.outline, rows), one_by_one(PROBLEM.outline, rows)
    assert list(results) == points
    assert len(results) == len(points)
    assert results[1:] == points[1:]
    assert results.derived.tolist() == [bool(point.derived_from) for point in points]
    names = [objective.name for objective in PROBLEM.outline.objectives]
    assert results.values.tolist() == [[pytest.approx(point.values[name]) for name in names] for point in points]
    assert results.feasible().tolist() == [point.feasible for point in points]
    assert front_among(results).points == front_of(PROBLEM.outline, points).points
    for text in ("layers >= 2", "accuracy >= 0.6 and area < 250", "sum(bn) == 1", "bn[2] == 1"):
        expected = [bool(np.all(parse(text).evaluate(point.names))) for point in points]
        assert results.holding(parse(text)).tolist() == expected


def test_what_is_not_known_of_a_design_holds_for_none() -> None:
    known = replace(evaluate(PROBLEM, DESIGNS[0]), quantities={"power_w": 3.0})
    results = Results(PROBLEM.outline, [known, evaluate(PROBLEM, DESIGNS[1])])
    assert results.holding(parse("power_w < 4")).tolist() == [True, False]
    assert results.holding(parse("power_w != 3")).tolist() == [False, False]
    assert results.holding(parse("weight_g < 4")).tolist() == [False, False]
    assert results.feasible([]).tolist() == [True, True]


def test_nothing_has_no_front() -> None:
    results = Results(PROBLEM.outline, [])
    assert (len(results), list(results), results.values.shape) == (0, [], (0, 3))
    assert len(front_among(results)) == 0


@given(studies(), st.integers(0, 12), st.integers(0, 12))
def test_results_that_go_on_from_others_are_those_of_all_rows(rows: list[Evaluation], one: int, two: int) -> None:
    whole = list(Results(PROBLEM.outline, rows))
    first = Results(PROBLEM.outline, rows[:one])
    second = Results(PROBLEM.outline, rows[one : one + two], first)
    assert list(Results(PROBLEM.outline, rows[one + two :], second)) == whole
    assert list(Results(PROBLEM.outline, rows[one:], first)) == whole, "whoever else went on from there"
    assert list(first) == list(Results(PROBLEM.outline, rows[:one]))


def test_a_front_makes_no_points_until_they_are_looked_at() -> None:
    rows = [evaluate(PROBLEM, design) for design in DESIGNS]
    front = front_among(Results(PROBLEM.outline, rows))
    assert 0 < len(front) < len(rows)
    assert front.matrix.tolist() == [
        [point.values[name] for name in ("accuracy", "latency", "area")] for point in front
    ]
    assert front[0] is front[0]
    assert list(front[:2]) == list(front)[:2] == list(front.first(2))
    assert front[-1] == front.points[-1]
