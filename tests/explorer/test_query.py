"""Questions to a study, against looking at every design of every trained family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import InputError, Study
from explorer.archive import Archive
from explorer.query import Query
from tests.explorer.studies import REPLAYED, TRAINED, evaluated

OBJECTIVES = {"accuracy": 1, "latency": -1, "area": -1}
"""With the sign of the better side."""

Row = dict[str, Any]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Trainings replayed from a table, under constraints on a variable, on what is computed and on what is trained."""
    study = evaluated(tmp_path_factory.mktemp("query"), *TRAINED, changes=REPLAYED)
    archive = Archive(study.assemble(check_run=False).problem)
    for evaluation in study.evaluations:
        assert not evaluation.failed
        study.store.append(study.name, archive.add(evaluation))
    return study.refresh()


@pytest.fixture(scope="module")
def members(study: Study) -> Callable[[int], list[Row]]:
    """Every design of the trained families by name of variable, field and objective, after so many epochs."""
    spec = study.spec
    assert spec is not None
    free = study.assemble(spec.model_copy(update={"constraints": [], "initial": []}), check_run=False).problem
    designs = free.space.at(range(free.space.size))
    known = free.known(designs)
    columns = known.names(designs)
    names = ["reram_layers", "gpu_layers", "crossbar_size", "cell_bits", "latency", "area", "peak_temperature_k"]
    fields: Mapping[str, Any] = {name: columns[name] for name in [*names, "power_w"]}
    placements = [str(design["bn"]) for design in free.space.unpack(designs)]

    def after(epochs: int) -> list[Row]:
        curves: dict[str, dict[int, float]] = {}
        for evaluation in study.evaluations:
            curve = evaluation.series["accuracy"]
            curves.setdefault(str(evaluation.design["bn"]), {})[evaluation.replicate] = curve[epochs - 1]
        return [
            {"bn": bn, "accuracy": float(np.mean(list(curves[bn].values())))}
            | {name: float(values[index]) for name, values in fields.items()}
            for index, bn in enumerate(placements)
            if bn in curves and known.feasible[index]
        ]

    return after


def usual(row: Row) -> bool:
    return bool(row["area"] < 250 and row["reram_layers"] <= 3 and row["peak_temperature_k"] <= 373.15)


def front(rows: list[Row], signs: Mapping[str, int] = OBJECTIVES) -> set[tuple[float, ...]]:
    """The values of the rows that no other one dominates."""
    values = {tuple(sign * row[name] for name, sign in signs.items()) for row in rows}
    best = {
        one for one in values if not any(other != one and all(a >= b for a, b in zip(other, one, strict=True))
                                         for other in values)
    }  # fmt: skip
    return {tuple(round(sign * value, 9) for sign, value in zip(signs.values(), one, strict=True)) for one in best}


def shown(found: Any, names: Mapping[str, int] = OBJECTIVES) -> set[tuple[float, ...]]:
    return {tuple(round(point.names[name], 9) for name in names) for point in found}


def test_without_a_question_the_answer_is_the_front_of_the_search(study: Study, members: Any) -> None:
    found = study.front()
    assert shown(found) == front([row for row in members(12) if usual(row) and row["accuracy"] >= 0.6])
    assert found.notes == ()
    assert Query().answer(study).points == found.points


def test_of_designs_that_satisfy_a_condition_the_best_are_found_among_all_that_follow(
    study: Study, members: Any
) -> None:
    wanted = [row for row in members(12) if usual(row) and row["accuracy"] >= 0.6]
    found = study.front("crossbar_size == 64 and power < 100 W")
    assert shown(found) == front([row for row in wanted if row["crossbar_size"] == 64 and row["power_w"] < 100])
    assert shown(found) - shown(study.front()), "designs that others dominated"


@pytest.mark.parametrize(
    ("objectives", "signs"),
    [
        (["accuracy", "latency"], {"accuracy": 1, "latency": -1}),
        (["area"], {"area": -1}),
        (["latency:min", "power:min"], {"latency": -1, "power_w": -1}),
        (["accuracy:max", "peak_temperature_k:min", "area"], {"accuracy": 1, "peak_temperature_k": -1, "area": -1}),
        (["crossbar_size:max", "latency"], {"crossbar_size": 1, "latency": -1}),
    ],
)
def test_fronts_of_other_objectives_are_computed_anew(
    study: Study, members: Any, objectives: list[str], signs: dict[str, int]
) -> None:
    found = study.front(objectives=objectives)
    assert shown(found, signs) == front([r for r in members(12) if usual(r) and r["accuracy"] >= 0.6], signs)
    assert [objective.name for objective in found.outline.objectives] == list(signs)
    assert len(found) == len(shown(found, signs)), "of equal ones one"


@pytest.mark.parametrize("epochs", [1, 3, 11])
def test_a_front_after_fewer_epochs_is_that_of_what_was_known_then(study: Study, members: Any, epochs: int) -> None:
    found = study.front(at_fidelity=epochs)
    assert shown(found) == front([row for row in members(epochs) if usual(row) and row["accuracy"] >= 0.6])
    (note,) = found.notes
    assert note == (
        f"after {epochs} of 12 epochs; of 6 of 6 trainings, which went on, other fields are those of their end"
    )
    assert study.front(at_fidelity=12).points == study.front().points


def test_constraints_that_are_supposed_replace_those_of_the_same_quantities(study: Study, members: Any) -> None:
    wider = [row for row in members(12) if row["reram_layers"] <= 3 and row["peak_temperature_k"] <= 373.15]
    found = study.front(what_if=["area < 110 mm2"])
    assert found
    assert shown(found) == front([row for row in wider if row["area"] < 110 and row["accuracy"] >= 0.6])
    assert found.notes == ("instead of: area < 250 mm2",)
    found = study.front(what_if=["area < 1000 mm2", "accuracy >= 30 %"])
    assert shown(found) == front([row for row in wider if row["area"] < 1000 and row["accuracy"] >= 0.3])
    assert found.notes == ("instead of: area < 250 mm2, accuracy >= 60 %",)
    assert any(row["area"] >= 250 for row in found.records()), "what the search left out is there"
    cool = study.front(what_if=["peak_temperature <= 330 K"])
    kept = [row for row in members(12) if usual(row) and row["accuracy"] >= 0.6 and row["peak_temperature_k"] <= 330]
    assert shown(cool) == front(kept)
    assert study.front(what_if=["cell_bits == 1"]).notes == ()


def test_all_at_once(study: Study, members: Any) -> None:
    signs = {"accuracy": 1, "power_w": -1}
    found = study.front(
        "cell_bits == 2", objectives=["accuracy", "power:min"], at_fidelity=4, what_if=["area < 180 mm2"]
    )
    rows = [row for row in members(4) if row["peak_temperature_k"] <= 373.15 and row["reram_layers"] <= 3]
    rows = [row for row in rows if row["cell_bits"] == 2 and row["area"] < 180 and row["accuracy"] >= 0.6]
    assert shown(found, signs) == front(rows, signs)
    assert len(found.notes) == 2


def test_who_asks_in_vain_is_told_why_and_what_comes_nearest(study: Study) -> None:
    query = Query("accuracy >= 99 % and area < 250 mm2")
    assert len(query.answer(study)) == 0
    empty = query.empty(study)
    assert empty.why.startswith(f"of {len(study.results)} designs {len(study.results)} break accuracy >= 99 %")
    best = max(point.values["accuracy"] for point in study.results)
    assert empty.nearest[0].values["accuracy"] == best
    assert len(empty.nearest) == 3
    query = Query(what_if=["accuracy >= 99.9 %", "area < 1 mm2"])
    assert len(query.answer(study)) == 0
    assert "break accuracy >= 99.9 %" in query.empty(study).why


def test_of_a_study_that_has_only_begun_nothing_is_shown(tmp_path: Path) -> None:
    begun = evaluated(tmp_path, changes=REPLAYED)
    for query in (Query(), Query("area < 60"), Query(at_fidelity=3), Query(objectives=["area"])):
        assert len(query.answer(begun)) == 0
        empty = query.empty(begun)
        assert empty.why == "nothing finished yet"
        assert len(empty.nearest) == 0


@pytest.mark.parametrize(
    ("question", "field", "words"),
    [
        ({"where": "aera < 3"}, "where", "did you mean 'area'"),
        ({"where": "area"}, "where", "is a number, not a condition"),
        ({"what_if": ["area < 3 K"]}, "what_if", "temperature"),
        ({"what_if": ["area <"]}, "what_if", "^"),
        ({"objectives": ["accuracy", "latancy"]}, "objectives", "did you mean 'latency'"),
        ({"objectives": ["power_w"]}, "objectives", "write power_w:min or power_w:max"),
        ({"objectives": ["power:least"]}, "objectives", "ends with neither :min nor :max"),
        ({"objectives": ["accuracy:min"]}, "objectives", "accuracy is an objective of this study, to maximize"),
        ({"objectives": ["bn:min"]}, "objectives", "bn is no number"),
        ({"objectives": ["area", "area:min"]}, "objectives", "area is there twice"),
        ({"at_fidelity": 0}, "at_fidelity", "0 is not between 1 and 12 epochs"),
        ({"at_fidelity": 13}, "at_fidelity", "13 is not between 1 and 12 epochs"),
    ],
)
def test_questions_that_make_no_sense_name_their_field(study: Study, question: Any, field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        study.front(**question)
    assert words in str(caught.value)
    assert caught.value.field == field
