"""The front of a finished search: its first objective against each of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.fronts import Front
from explorer.outline import ObjectiveInfo, Outline
from explorer.plots.style import BASELINES, BETTER, DOMINATED, FRONT, HEIGHT, SHAPES, pale, styled
from explorer.points import Point
from explorer.tables import ARROWS, Column, value_text

__all__ = ["front_figure", "hover"]


def front_figure(front: Front, dominated: Sequence[Point], baselines: Mapping[str, Sequence[Point]]) -> go.Figure:
    """The first objective against each of the others: front, dominated designs, and named baselines.

    Args:
        front: the non-dominated designs.
        dominated: other designs at full fidelity.
        baselines: per name designs that deserve a mark of their own.
    """
    outline = front.outline
    main, *others = outline.objectives if len(outline.objectives) > 1 else (*outline.objectives, *outline.objectives)
    everything = [*front.points, *dominated, *(point for points in baselines.values() for point in points)]
    figure = make_subplots(cols=len(others), shared_yaxes=True, horizontal_spacing=0.03)
    vertical = Column.of_objective(main, everything)
    shown = [
        (point.values[main.name] + sign * point.error.get(main.name, 0.0)) / vertical.factor
        for point in front
        for sign in (-1, 1)
    ]
    edges = _edges(shown, main)
    outside = [name for name, points in baselines.items() if edges and not _any_inside(points, main, vertical, edges)]
    for column, other in enumerate(others, 1):
        horizontal = Column.of_objective(other, everything)
        groups: list[tuple[str, Sequence[Point], str, str, int]] = [
            ("dominated", dominated, DOMINATED, "circle-open", 7),
            ("Pareto front", front.points, FRONT, "circle", 9),
            *(
                (name, points, BASELINES[i % 4], SHAPES[i % 4], 11)
                for i, (name, points) in enumerate(baselines.items())
            ),
        ]
        for name, points, colour, shape, size in groups:
            figure.add_scatter(
                x=[point.values[other.name] / horizontal.factor for point in points],
                y=[point.values[main.name] / vertical.factor for point in points],
                mode="markers",
                marker={"color": colour, "symbol": shape, "size": size, "line": {"width": 1, "color": colour}},
                name=name,
                legendgroup=name,
                showlegend=column == 1 and len(points) > 0 and name not in outside,
                text=[hover(outline, point) for point in points],
                hoverinfo="text",
                error_x=_error_bars(points, other, horizontal, colour),
                error_y=_error_bars(points, main, vertical, colour),
                row=1,
                col=column,
            )
        # in two lines, so that titles of neighbours do not meet on a narrow page
        figure.update_xaxes(title_text=f"{horizontal.title}<br>{BETTER[other.direction]}", row=1, col=column)
    figure.update_yaxes(title_text=f"{vertical.title}, {BETTER[main.direction]}", row=1, col=1)
    if edges:
        figure.update_yaxes(range=edges)
    _tell_outside(figure, main, {name: baselines[name] for name in outside if baselines[name]})
    return styled(figure, HEIGHT, legend={"orientation": "h", "y": 1.12, "x": 0}, margin={"t": 50, "b": 70})


def _edges(values: Sequence[float], objective: ObjectiveInfo) -> list[float]:
    """The ends of the vertical axis that show a front large; none for an empty one. A double click shows everything."""
    if not values:
        return []
    margin = 0.6 * (max(values) - min(values)) or 0.1 * max(map(abs, values)) or 1.0
    worse, better = margin, 0.25 * margin
    below, above = (worse, better) if objective.sign > 0 else (better, worse)
    return [min(values) - below, max(values) + above]


def _any_inside(points: Sequence[Point], objective: ObjectiveInfo, column: Column, edges: Sequence[float]) -> bool:
    low, high = edges
    return any(low <= point.values[objective.name] / column.factor <= high for point in points)


def _tell_outside(figure: go.Figure, main: ObjectiveInfo, outside: Mapping[str, Sequence[Point]]) -> None:
    """Write baselines at the edge that are far outside (no BN, at chance): nothing of them is drawn."""
    if outside:
        told = "; ".join(f"{name}: {value_text(points[0], main)}" for name, points in outside.items())
        figure.add_annotation(
            text=("▼ " if main.sign > 0 else "▲ ") + told, xref="x domain", yref="y domain", x=0.02,
            y=0.02 if main.sign > 0 else 0.98, showarrow=False, font={"size": 12, "color": "#444"},
        )  # fmt: skip


def _error_bars(points: Sequence[Point], objective: ObjectiveInfo, column: Column, colour: str) -> dict[str, Any]:
    """One standard error each way; nothing for dominated designs, whose bars would hide the front."""
    errors = [point.error.get(objective.name, 0.0) / column.factor for point in points]
    shown = colour != DOMINATED and any(errors)
    return {
        "type": "data", "array": errors if shown else [], "visible": shown, "thickness": 1.5, "width": 0,
        "color": pale(colour, 0.35),  # points come first
    }  # fmt: skip


def hover(outline: Outline, point: Point) -> str:
    """What is told of a design under the mouse."""
    lines = [f"<b>{point.label}</b>"]
    lines += [f"{o.name} {ARROWS[o.direction]} {value_text(point, o)}" for o in outline.objectives]
    return "<br>".join(lines)
