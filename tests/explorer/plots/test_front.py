from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from explorer.fronts import Front, Point
from explorer.outline import ObjectiveInfo, Outline
from explorer.plots.front import front_figure
from explorer.space import Space
from simulators.protocol import Design, Integer

OBJECTIVES = (
    ObjectiveInfo("accuracy", "maximize", "fraction"),
    ObjectiveInfo("latency", "minimize", "s"),
    ObjectiveInfo("area", "minimize", "mm2"),
)


def points(outline: Outline, rows: Sequence[tuple[float, ...]]) -> list[Point]:
    return [
        Point(
            Design({"x": i}), f"x{i} {row}", str(i), {o.name: v for o, v in zip(outline.objectives, row, strict=True)}
        )
        for i, row in enumerate(rows)
    ]


def outline(count: int) -> Outline:
    return Outline(Space({"x": Integer(0, 9)}), OBJECTIVES[:count])


def traces(figure: Any, name: str) -> list[tuple[list[float], list[float]]]:
    return [(list(trace.x), list(trace.y)) for trace in figure.data if trace.name == name]


ROWS = [(0.9, 2e-6, 300.0), (0.8, 1e-6, 200.0), (0.7, 0.5e-6, 100.0)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_first_objective_is_drawn_against_each_other_in_readable_units(count: int) -> None:
    shown = outline(count)
    front = Front(shown, points(shown, [row[:count] for row in ROWS[:2]]))
    figure = front_figure(front, points(shown, [ROWS[2][:count]]), {})
    drawn = traces(figure, "Pareto front")
    assert len(drawn) == max(1, count - 1)
    assert drawn[0][1] == pytest.approx([90, 80])
    assert drawn[0][0] == pytest.approx({1: [90, 80], 2: [2, 1], 3: [2, 1]}[count])
    assert traces(figure, "dominated")[0][1] == pytest.approx([70])
    assert figure.layout.yaxis.title.text == "accuracy [%], higher is better"
    if count == 3:
        assert drawn[1][0] == pytest.approx([300, 200])
        assert figure.layout.xaxis.title.text == "latency [µs]<br>lower is better"
        assert figure.layout.xaxis2.title.text == "area [mm²]<br>lower is better"


def test_baselines_have_marks_of_their_own_and_one_far_outside_is_written_instead() -> None:
    shown = outline(2)
    front = Front(shown, points(shown, [(0.9, 2e-6), (0.8, 1e-6)]))
    baselines = {"All-BN": points(shown, [(0.85, 3e-6)]), "no BN": points(shown, [(0.1, 0.5e-6)])}
    figure = front_figure(front, [], baselines)
    symbols = {trace.name: trace.marker.symbol for trace in figure.data}
    assert len({symbols[name] for name in ("Pareto front", "All-BN", "no BN")}) == 3
    low, high = figure.layout.yaxis.range
    assert low < 80 < 90 < high
    assert low > 10
    notes = [note.text for note in figure.layout.annotations]
    assert notes == ["▼ no BN: 10 %"]
    assert [trace.name for trace in figure.data if trace.showlegend] == ["Pareto front", "All-BN"], "what is drawn"


def test_every_point_tells_its_design_and_values() -> None:
    shown = outline(3)
    figure = front_figure(Front(shown, points(shown, ROWS)), [], {})
    texts = next(trace.text for trace in figure.data if trace.name == "Pareto front")
    assert "<b>x0" in texts[0]
    assert "accuracy ↑ 90 %" in texts[0]
    assert "latency ↓ 2 µs" in texts[0]


@pytest.mark.parametrize("rows", [[], [(0.5, 0.0, 0.0)], [(0.0, 1e-6, 5.0), (0.0, 1e-6, 5.0)]])
def test_an_empty_front_and_equal_or_zero_values_can_be_drawn(rows: list[tuple[float, ...]]) -> None:
    shown = outline(3)
    figure = front_figure(Front(shown, points(shown, rows)), [], {"none": []})
    assert len(traces(figure, "Pareto front")[0][0]) == len(rows)
    assert figure.to_html(full_html=False, include_plotlyjs=False)


def test_errors_are_drawn_as_bars_but_not_of_dominated_designs() -> None:
    shown = outline(2)
    sure, unsure = points(shown, [row[:2] for row in ROWS[:2]])
    unsure = replace(unsure, error={"accuracy": 0.02})
    figure = front_figure(Front(shown, [sure, unsure]), [unsure], {"All-BN": [sure]})
    bars = {trace.name: trace for trace in figure.data}
    assert list(bars["Pareto front"].error_y.array) == pytest.approx([0, 2])
    assert bars["Pareto front"].error_y.visible
    assert not bars["Pareto front"].error_x.visible, "latency is exact"
    assert not bars["dominated"].error_y.visible
    assert not bars["All-BN"].error_y.visible
