"""Plots of a study, made with plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.contributions import Shares
from explorer.explanation import Explanation
from explorer.fronts import Front
from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point
from explorer.tables import ARROWS, Column, effect_column, value_text

__all__ = ["effects_figure", "front_figure", "shares_figure"]

# Okabe and Ito's colours: told apart by colour-blind readers; the shapes tell them apart in grey print too.
FRONT, DOMINATED, BASELINES = "#0072B2", "#9A9A9A", ("#D55E00", "#009E73", "#CC79A7", "#E69F00")
DASHES = ("solid", "dash", "dot", "dashdot")
SHAPES = ("diamond", "square", "triangle-up", "cross")
HEIGHT = 460
BETTER = {"maximize": "higher is better", "minimize": "lower is better"}


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
                text=[_hover(outline, point) for point in points],
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
    figure.update_layout(
        template="plotly_white", height=HEIGHT, font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.12, "x": 0}, margin={"l": 70, "r": 40, "t": 50, "b": 70},
    )  # fmt: skip
    return figure


def shares_figure(history: Sequence[Shares], outline: Outline) -> go.Figure:
    """How the shares of a portfolio's members moved with what was paid."""
    figure = go.Figure()
    for number, name in enumerate(history[-1].of):
        figure.add_scatter(
            x=[shares.cost for shares in history], y=[shares.of[name] for shares in history], mode="lines", name=name,
            line={"color": (FRONT, *BASELINES)[number % 5], "shape": "hv", "dash": DASHES[number % len(DASHES)]},
        )  # fmt: skip
    figure.update_xaxes(title_text=f"cost{f' [{outline.fidelity_name}]' if outline.fidelity_name else ''}")
    figure.update_yaxes(title_text="share of the cost that is spent next", range=[0, 1], tickformat=".0%")
    return figure.update_layout(
        template="plotly_white", height=320, font={"family": "system-ui, sans-serif", "size": 13}, showlegend=True,
        legend={"orientation": "h", "y": 1.15, "x": 0}, margin={"l": 70, "r": 40, "t": 40, "b": 60},
    )  # fmt: skip


def effects_figure(explanation: Explanation) -> go.Figure:
    """A heat map: effects on the diagonal, interactions beside it; blue is better, orange is worse."""
    column = effect_column(explanation)
    values = explanation.matrix() / column.factor
    labels = [effect.label for effect in explanation.effects]
    largest = max(abs(effect.mean) for effect in explanation.ranked()) / column.factor or 1.0
    worse, better = BASELINES[0], FRONT
    low, high = (worse, better) if explanation.objective.sign > 0 else (better, worse)
    colours = [[0, low], [0.5, "#FFFFFF"], [1, high]]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=labels, y=labels, zmin=-largest, zmax=largest, colorscale=colours,
            texttemplate="%{z:+.2g}" if len(labels) <= 12 else None, hoverongaps=False, xgap=1, ygap=1,
            hovertemplate="%{y} × %{x}: %{z:+.3g}<extra></extra>", colorbar={"title": column.title},
        )
    )  # fmt: skip
    side = min(1100, 260 + 34 * len(labels))
    return figure.update_layout(
        template="plotly_white", width=side + 120, height=side, font={"family": "system-ui, sans-serif", "size": 13},
        yaxis={"autorange": "reversed", "scaleanchor": "x"}, xaxis={"side": "top", "constrain": "domain"},
        margin={"l": 70, "r": 40, "t": 70, "b": 30},
    )  # fmt: skip


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
    pale = f"rgba({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))}, 0.35)"  # points come first
    return {
        "type": "data", "array": errors if shown else [], "visible": shown, "thickness": 1.5, "width": 0, "color": pale,
    }  # fmt: skip


def _hover(outline: Outline, point: Point) -> str:
    lines = [f"<b>{point.label}</b>"]
    lines += [f"{o.name} {ARROWS[o.direction]} {value_text(point, o)}" for o in outline.objectives]
    return "<br>".join(lines)
