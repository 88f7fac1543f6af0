"""Studies over time, against the front made anew after each evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import InputError, Study
from explorer.archive import Archive
from explorer.domination import Scale
from explorer.evaluation import Evaluation
from explorer.fronts import front_among
from explorer.outline import Outline
from explorer.results import Results
from explorer.study_groups import grouped
from explorer.traces import box, check_alike, trace
from tests.explorer.problems import all_designs, evaluate, family_problem
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten

PROBLEM = family_problem(constraints=["accuracy >= 0.45"])
DESIGNS = all_designs(PROBLEM)[::5]
SCALE = Scale(PROBLEM.objectives, (0.0, 0.0, 0.0), (1.0, 6.0, 400.0))


@dataclass
class Stored:
    """A study whose evaluations are at hand."""

    rows: Sequence[Evaluation]
    outline: Outline = PROBLEM.outline
    name: str = "at hand"


@st.composite
def runs(draw: st.DrawFn) -> list[Evaluation]:
    archive, rows = Archive(PROBLEM), list[Evaluation]()
    for number, design in enumerate(draw(st.lists(st.sampled_from(DESIGNS), max_size=8, unique=True))):
        row = evaluate(PROBLEM, design, fidelity=draw(st.sampled_from([20, 20, 3])))
        row = replace(row, started_at=100.0 + 10 * number, duration_s=draw(st.floats(1, 30)), strategy=f"s{number % 2}")
        if draw(st.integers(0, 4)) == 0:
            row = replace(row, failure="no luck", values={})
        rows += [row, *archive.add(row)]
    return rows


@given(runs())
def test_what_was_paid_and_found_after_each_evaluation(rows: list[Evaluation]) -> None:
    found = trace(Stored(rows), SCALE)  # type: ignore[arg-type]  # all that is asked of a study
    ends = [place for place in range(len(rows)) if place + 1 == len(rows) or not rows[place + 1].derived_from]
    own = [row for row in rows if not row.derived_from]
    assert len(found.cost) == len(own) == len(ends)
    assert found.strategies == tuple(row.strategy for row in own)
    assert np.allclose(found.cost, np.cumsum([row.cost for row in own]))
    lasted = [row.started_at + row.duration_s - 100.0 for row in own]
    assert np.allclose(found.time_s, np.maximum.accumulate(lasted) if own else [])
    for place, end in enumerate(ends):
        front = front_among(Results(PROBLEM.outline, rows[: end + 1]))
        assert found.hypervolume[place] == pytest.approx(SCALE.hypervolume(front.matrix))
        if len(front):
            signs = [objective.sign for objective in PROBLEM.objectives]
            assert np.allclose(found.best[place], (front.matrix * signs).max(axis=0) * signs)
        else:
            assert np.isnan(found.best[place]).all()


def test_repeats_move_what_was_found(tmp_path: Path) -> None:
    study = evaluated(tmp_path, *TRAINED, changes=REPLAYED)
    scale = box([study])
    found = trace(study, scale)
    assert len(found.cost) == len(TRAINED)
    (repeat,) = [place for place, row in enumerate(study.evaluations) if row.replicate]
    front = front_among(Results(study.outline, study.evaluations[: repeat + 1]))
    assert found.hypervolume[repeat] == pytest.approx(scale.hypervolume(front.matrix))


def test_the_cost_to_a_hypervolume_is_that_of_the_first_evaluation_that_reached_it(tmp_path: Path) -> None:
    study = evaluated(tmp_path, *TRAINED, changes=REPLAYED)
    found = trace(study, box([study]))
    last = float(found.hypervolume.max())
    assert found.cost_to(0.0) == found.cost[0]
    assert found.cost_to(last) == found.cost[int(np.argmax(found.hypervolume))]
    assert found.cost_to(last + 0.01) == float("inf")


def test_the_box_holds_all_that_is_feasible_in_any_of_the_studies(tmp_path: Path) -> None:
    whole = evaluated(tmp_path, *TRAINED, changes=REPLAYED)
    part = rewritten(whole, tmp_path, whole.rows[:2])
    scale = box([part, whole])
    values = whole.results.values[whole.results.feasible()]
    assert (scale.low, scale.high) == (tuple(values.min(axis=0)), tuple(values.max(axis=0)))
    assert box([whole, part]) == scale


def test_an_empty_study_has_an_empty_trace() -> None:
    found = trace(Stored([]), SCALE)  # type: ignore[arg-type]  # all that is asked of a study
    assert len(found.cost) == len(found.hypervolume) == 0
    assert found.best.shape == (0, 3)
    assert found.cost_to(0.5) == float("inf")


def test_studies_of_different_objectives_are_not_compared(tmp_path: Path) -> None:
    study = evaluated(tmp_path, changes=REPLAYED)
    outline = study.outline
    other = rewritten(study, tmp_path, [], outline=replace(outline, objectives=outline.objectives[:2]).to_json())
    with pytest.raises(InputError, match=r"is after accuracy, latency, area, .* after accuracy, latency: compare"):
        check_alike([study, other])
    check_alike([study, study])


def test_studies_that_differ_in_luck_only_are_together(tmp_path: Path) -> None:
    study = evaluated(tmp_path, changes=REPLAYED)
    search = study.record.search

    def like(name: str, **changes: object) -> Study:
        folder = tmp_path / name
        folder.mkdir()
        return rewritten(study, folder, [], name=name, search={**search, "name": name, **changes})

    seeds = [like("a", seed=1), like("b", seed=2, workers=3), like("c", seed=3, store="x.db")]
    other = like("d", strategy={"name": "nsga2"})
    assert grouped([*seeds, other]) == {"random": seeds, "nsga2": [other]}
    shorter = like("e", budget={"evaluations": 3})
    assert grouped([*seeds, shorter]) == {"a": seeds, "e": [shorter]}
    same = [like("f", budget={"evaluations": 4}), like("g", budget={"evaluations": 6})]
    assert list(grouped(same)) == ["f", "g"]
