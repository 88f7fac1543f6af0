"""Orders of a front, against what they are defined as."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from explorer import InputError
from explorer.fronts import Front, front_of
from explorer.outline import ObjectiveInfo, Outline
from explorer.parquet import UNIT
from explorer.points import Point
from explorer.ranking import goodness
from explorer.space import Space
from simulators.protocol import Design, Integer

OBJECTIVES = (
    ObjectiveInfo("accuracy", "maximize", "fraction"),
    ObjectiveInfo("latency_s", "minimize", "s", cheap=True),
)
OUTLINE = Outline(
    Space({"x": Integer(0, 99)}), OBJECTIVES, units={"accuracy": "fraction", "latency_s": "s", "power_w": "W", "x": ""}
)


def front(*rows: tuple[float, float]) -> Front:
    points = [
        Point(Design({"x": index}), f"x={index}", "", {"accuracy": accuracy, "latency_s": latency}, {"power_w": index})
        for index, (accuracy, latency) in enumerate(rows)
    ]
    return Front(OUTLINE, points, ["as it was"])


def order(ranked: Front) -> list[object]:
    return [point.design["x"] for point in ranked]


BENT = front((0.5, 1e-6), (0.88, 2e-6), (0.9, 9e-6))
fronts = st.lists(st.tuples(st.floats(0, 1), st.floats(1e-7, 1e-5)), max_size=12).map(
    lambda rows: front_of(OUTLINE, front(*rows).points)
)


def test_weights_order_a_front_by_the_mean_of_its_goods() -> None:
    assert np.allclose(goodness(BENT), [[0, 1], [0.95, 0.875], [1, 0]])
    ranked = BENT.rank(weights={"accuracy": 2, "latency_s": 2})
    assert order(ranked) == [1, 0, 2]
    assert ranked.scores == pytest.approx([0.9125, 0.5, 0.5])
    assert order(BENT.rank(weights={"accuracy": 1})) == [2, 1, 0]
    assert order(BENT.rank(weights={"latency": 1, "accuracy": 0})) == [0, 1, 2], "the unit may be left out"
    assert ranked.notes[0] == "as it was"
    assert "accuracy 0.5, latency_s 0.5" in ranked.notes[1]


def test_an_ideal_orders_a_front_by_what_is_missing() -> None:
    assert order(BENT.rank(ideal={"accuracy": 0.5}))[0] == 0, "no better than ideal is needed"
    assert order(BENT.rank(ideal={"accuracy": 0.9, "latency_s": 9e-6}))[0] == 2
    best = BENT.rank(ideal={})
    assert order(best)[0] == 1
    assert best.scores[0] == pytest.approx(math.sqrt((0.05**2 + 0.125**2) / 2))
    assert order(BENT.rank(ideal={}, weights={"accuracy": 1}))[0] == 2
    assert BENT.rank(ideal={"accuracy": 0.7, "latency_s": 5e-6}).scores[0] == 0.0


def test_the_knee_is_the_design_that_one_would_miss() -> None:
    assert BENT.knee().design["x"] == 1
    ranked = BENT.rank()
    assert order(ranked)[0] == 1
    # without it one has, of weights w and 1 - w alike, the better of w and 1 - w: in closed form
    weight = (np.arange(100_000) + 0.5) / 100_000
    own = weight * 0.95 + (1 - weight) * 0.875
    missed = np.maximum(0, own - np.maximum(weight, 1 - weight)).mean()
    assert ranked.scores[0] == pytest.approx(100 * missed, rel=1e-3)


@given(fronts)
def test_any_front_can_be_ordered_in_every_way(found: Front) -> None:
    for ranked in (found.rank(), found.rank(weights={"accuracy": 1}), found.rank(ideal={"latency_s": 1e-6})):
        assert sorted(order(ranked), key=str) == sorted(order(found), key=str)
        assert len(ranked.scores) == len(found)
        assert all(math.isfinite(score) for score in ranked.scores)
        assert list(ranked.scores) == sorted(ranked.scores, reverse=ranked.title != "distance")
        assert [row["score"] for row in ranked.records()] == list(ranked.scores)


@given(fronts, st.floats(0.01, 100), st.floats(0.01, 100))
def test_the_best_by_weights_is_the_best_weighted_mean_whatever_the_units(found: Front, one: float, two: float) -> None:
    ranked = found.rank(weights={"accuracy": one, "latency_s": two})
    good = goodness(found)
    if len(found):
        assert ranked.scores[0] == pytest.approx((good @ np.array([one, two]) / (one + two)).max())


def test_the_same_front_is_ordered_the_same_every_time() -> None:
    rows = np.random.default_rng(0).random((30, 2))
    found = front(*map(tuple, rows.tolist()))
    assert found.rank().records() == found.rank().records()


def test_a_front_of_one_design_has_a_knee_and_one_of_none_has_none() -> None:
    assert front((0.5, 1e-6)).knee().design["x"] == 0
    with pytest.raises(IndexError):
        front().knee()


def test_the_first_of_a_ranking_keep_their_scores() -> None:
    ranked = BENT.rank(weights={"accuracy": 1})
    first = ranked.first(2)
    assert order(first) == [2, 1]
    assert first.scores == ranked.scores[:2]
    assert (first.notes, first.title) == (ranked.notes, ranked.title)
    assert order(BENT.first(2)) == [0, 1]


@pytest.mark.parametrize(
    ("how", "field", "words"),
    [
        ({"weights": {"acuracy": 1}}, "weights", "did you mean 'accuracy'"),
        ({"weights": {"accuracy": -1}}, "weights", "the weight of accuracy is -1; give 0 or more"),
        ({"weights": {"accuracy": math.nan}}, "weights", "the weight of accuracy is nan"),
        ({"weights": {"accuracy": 0}}, "weights", "all weights are zero"),
        ({"ideal": {"power_w": 3}}, "ideal", "'power_w' is no objective"),
    ],
)
def test_orders_that_make_no_sense_name_their_field(how: dict[str, dict[str, float]], field: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        BENT.rank(weights=how.get("weights"), ideal=how.get("ideal"))
    assert words in str(caught.value)
    assert caught.value.field == field


def test_those_of_a_front_that_satisfy_a_condition() -> None:
    assert order(BENT.where("accuracy > 60 % and latency < 5 us")) == [1]
    assert order(BENT.where("x in [0, 2]")) == [0, 2]
    assert BENT.where("power > 0.5 W").notes == BENT.notes
    with pytest.raises(InputError, match="unknown name 'aera'"):
        BENT.where("aera < 3")


def test_a_front_as_parquet_knows_its_units(tmp_path: Path) -> None:
    path = tmp_path / "front.parquet"
    BENT.rank(weights={"accuracy": 1}).to_parquet(path)
    table = parquet.read_table(path)
    units = {field.name: (field.metadata or {}).get(UNIT, b"").decode() for field in table.schema}
    assert (units["latency_s"], units["accuracy"], units["power_w"], units["x"]) == ("s", "fraction", "W", "")
    assert table.column("latency_s").to_pylist() == [9e-6, 2e-6, 1e-6]
    assert table.column("score").to_pylist() == pytest.approx([1, 0.95, 0])
    with pytest.raises(InputError, match="is there already"):
        BENT.to_parquet(path)
