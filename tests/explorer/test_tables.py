from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.comparison import Comparison
from explorer.fronts import Front
from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point
from explorer.space import Space
from explorer.tables import comparison_rows, difference, front_rows
from simulators.protocol import Design, Integer

OUTLINE = Outline(
    Space({"x": Integer(0, 9)}),
    (
        ObjectiveInfo("accuracy", "maximize", "fraction"), ObjectiveInfo("latency", "minimize", "s"),
        ObjectiveInfo("score", "minimize"),
    ),
    units={"test_accuracy": "fraction"},
)  # fmt: skip


def point(x: int, accuracy: float, latency: float, score: float = 1.0, **more: object) -> Point:
    values = {"accuracy": accuracy, "latency": latency, "score": score}
    return replace(Point(Design({"x": x}), f"x{x}", str(x), values, strategy="tpe"), **more)  # type: ignore[arg-type]


POINTS = [
    point(
        0,
        0.9,
        2e-6,
        error={"accuracy": 0.0123},
        spread={"accuracy": 0.02},
        replicates=3,
        held_out={"test_accuracy": 0.875},
    ),
    point(1, 0.8, 1e-6, derived_from="key"),
    point(2, 0.7, 0.5e-6),
]


def test_a_front_is_shown_in_one_readable_unit_a_column_with_arrows_to_the_better_side() -> None:
    rows = front_rows(Front(OUTLINE, POINTS), "Front")
    assert rows.title == "Front"
    assert rows.columns == ("design", "accuracy [%] ↑", "latency [µs] ↓", "score ↓", "seeds", "found by")
    assert rows.rows[0] == ("x0", "90.0 ± 1.2", "2", "1", "3", "tpe")
    assert rows.rows[1][-1] == "tpe, derived"
    assert rows.rows[2] == ("x2", "70", "0.5", "1", "1", "tpe")
    assert [note.partition(":")[0] for note in rows.notes] == ["derived", "seeds", "±"]


def test_what_errors_do_not_hold_is_told() -> None:
    twice, once = point(0, 0.9, 1.0, error={"accuracy": 0.01}, spread={"accuracy": 0.0}), point(1, 0.9, 1.0)
    (note,) = front_rows(Front(OUTLINE, [twice, once]), "").notes
    assert "nothing was trained twice" not in note
    (note,) = front_rows(Front(OUTLINE, [replace(twice, spread={})]), "").notes
    assert "nothing was trained twice" in note
    assert not front_rows(Front(OUTLINE, [once]), "").notes


def test_the_evaluation_behind_a_design_is_shown_by_its_number_where_it_has_one() -> None:
    numbered = [replace(POINTS[0], evaluation=12), POINTS[1]]
    rows = front_rows(Front(replace(OUTLINE, workload="vgg11 on x"), numbered), "")
    assert rows.columns[-1] == "evaluation"
    assert [row[-1] for row in rows.rows] == ["12", "-"]
    assert rows.notes[-1].startswith("evaluation: number of the one that was run")
    assert "evaluation" not in front_rows(Front(OUTLINE, POINTS), "").columns


def test_rows_that_are_cut_off_are_counted() -> None:
    rows = front_rows(Front(OUTLINE, POINTS), "", limit=1)
    assert len(rows.rows) == 1
    assert rows.notes[0] == "on the front besides: 2 designs"
    assert front_rows(Front(OUTLINE, POINTS), "", limit=3).rows == front_rows(Front(OUTLINE, POINTS), "").rows
    assert front_rows(Front(OUTLINE, []), "").rows == ()


def test_what_no_search_may_see_is_shown_only_when_asked_for() -> None:
    assert "test accuracy [%]" not in front_rows(Front(OUTLINE, POINTS), "").columns
    rows = front_rows(Front(OUTLINE, POINTS), "", held_out=True)
    at = rows.columns.index("test accuracy [%]")
    assert [row[at] for row in rows.rows] == ["87.5", "-", "-"]
    assert all(len(row) == len(rows.columns) for row in rows.rows)


@pytest.mark.parametrize(
    ("name", "value", "base", "text"),
    [
        ("accuracy", 0.853, 0.841, "+1.2 points"),
        ("latency", 1e-6, 2e-6, "-50 %"),
        ("latency", 3e-6, 2e-6, "+50 %"),
        ("score", -1.0, -2.0, "+50 %"),  # it rose, whatever the sign
        ("score", -3.0, -2.0, "-50 %"),
        ("score", 2.0, 0.0, "-"),
    ],
)
def test_differences_are_points_for_fractions_and_per_cent_otherwise(
    name: str, value: float, base: float, text: str
) -> None:
    info = next(o for o in OUTLINE.objectives if o.name == name)
    one, other = point(0, 0.5, 1e-6), point(1, 0.5, 1e-6)
    one, other = replace(one, values={**one.values, name: value}), replace(other, values={**other.values, name: base})
    assert difference(one, other, info) == text


def test_a_comparison_shows_the_chosen_design_first_and_differences_against_the_first_initial_one() -> None:
    comparisons = [Comparison("64x64", (POINTS[0],), (POINTS[1], POINTS[2])), Comparison("128x128", (POINTS[1],), ())]
    rows = comparison_rows(comparisons, OUTLINE)
    assert [row[0] for row in rows.rows] == ["x0", "x1", "x2", "x1"]
    assert rows.emphasised == {0, 3}
    assert rows.rows[0][1] == "90.0 ± 1.2 (+10.0 points)"
    assert rows.rows[0][2] == "2 (+100 %)"
    assert rows.rows[1][1] == "80"
    assert rows.rows[2][1] == "70 (-10.0 points)"
    assert rows.rows[3][1] == "80"
    assert all(len(row) == len(rows.columns) for row in rows.rows)
    assert comparison_rows([], OUTLINE).rows == ()


def test_a_table_names_the_workload_and_what_was_trained() -> None:
    front = Front(replace(OUTLINE, workload="vgg11 on x; trained: 0.125 of the width"), POINTS)
    assert front_rows(front, "").notes[0] == front.outline.workload
    assert comparison_rows([], front.outline).notes[0] == front.outline.workload


def test_named_variables_and_fields_have_a_column_each_and_objectives_only_their_own() -> None:
    outline = replace(OUTLINE, units={**OUTLINE.units, "peak_temperature_k": "K"})
    points = [point(3, 0.9, 1e-6, quantities={"peak_temperature_k": 350.0}), point(4, 0.8, 1e-6)]
    rows = front_rows(Front(outline, points), "", named=["latency", "peak_temperature_k", "x", "x"])
    assert rows.columns == (
        "design", "accuracy [%] ↑", "latency [µs] ↓", "score ↓", "x", "peak temperature [K]", "seeds", "found by",
    )  # fmt: skip
    assert [row[4:6] for row in rows.rows] == [("3", "350"), ("4", "-")]


def test_a_warning_stands_below_means_of_several_seeds_beside_values_of_one() -> None:
    assert any("one seed may be luck" in note for note in front_rows(Front(OUTLINE, POINTS), "").notes)
    assert not any("luck" in note for note in front_rows(Front(OUTLINE, POINTS[:1]), "").notes)
    assert not any("luck" in note for note in front_rows(Front(OUTLINE, POINTS[1:]), "").notes)


def test_where_nothing_is_trained_designs_are_computed_and_nobody_found_or_derived_them() -> None:
    outline = replace(OUTLINE, objectives=tuple(replace(o, cheap=True) for o in OUTLINE.objectives))
    rows = front_rows(Front(outline, POINTS[1:]), "")
    assert "seeds" not in rows.columns
    assert {row[-1] for row in rows.rows} == {"computed exactly"}
    assert all(len(row) == len(rows.columns) for row in rows.rows)
    (note,) = rows.notes
    assert note.startswith("computed exactly: there is nothing to train")
