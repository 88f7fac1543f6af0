"""Plots of a study, made with plotly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.archive import Front, Point
from explorer.outline import ObjectiveInfo, Outline
from explorer.tables import header, value_text
from explorer.units import display_scale

__all__ = ["front_figure"]

# Okabe and Ito's colours: told apart by colour-blind readers; the shapes tell them apart in grey print too.
FRONT, DOMINATED, BASELINES = "#0072B2", "#9A9A9A", ("#D55E00", "#009E73", "#CC79A7", "#E69F00")
SHAPES = ("diamond", "square", "triangle-up", "cross")
WIDTH, HEIGHT = 1180, 460


@dataclass(frozen=True)
class Axis:
    """How an objective is shown: in ``factor`` times its SI unit."""

    title: str
    factor: float

    @classmethod
    def of(cls, objective: ObjectiveInfo, points: Sequence[Point]) -> Axis:
        values = [abs(point.values[objective.name]) for point in points]
        factor, unit = display_scale(float(np.median(values)) if values else 1.0, objective.unit)
        better = "higher" if objective.direction == "maximize" else "lower"
        return cls(f"{objective.name}{f' [{unit}]' if unit else ''}, {better} is better", factor)


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
    vertical = Axis.of(main, everything)
    for column, other in enumerate(others, 1):
        horizontal = Axis.of(other, everything)
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
                showlegend=column == 1 and len(points) > 0,
                text=[_hover(outline, point) for point in points],
                hoverinfo="text",
                row=1,
                col=column,
            )
        figure.update_xaxes(title_text=horizontal.title, row=1, col=column)
    figure.update_yaxes(title_text=vertical.title, row=1, col=1)
    _focus(figure, main, vertical, front, baselines)
    figure.update_layout(
        template="plotly_white", height=HEIGHT, font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.12, "x": 0}, margin={"l": 70, "r": 20, "t": 50, "b": 60},
    )  # fmt: skip
    return figure


def _focus(
    figure: go.Figure, main: ObjectiveInfo, axis: Axis, front: Front, baselines: Mapping[str, Sequence[Point]]
) -> None:
    """Show the front large; a baseline far outside (no BN, at chance) is written at the edge instead of drawn.

    A double click shows everything.
    """
    values = [main.sign * point.values[main.name] / axis.factor for point in front]
    if not values:
        return
    low, high = min(values), max(values)
    margin = 0.6 * (high - low) or 0.1 * abs(high) or 1.0
    edges = [main.sign * (low - margin), main.sign * (high + 0.25 * margin)]
    outside = [
        f"{name}: {value_text(points[0], main)}"
        for name, points in baselines.items()
        if points and main.sign * points[0].values[main.name] / axis.factor < low - margin
    ]
    figure.update_yaxes(range=sorted(edges))
    if outside:
        figure.add_annotation(
            text=("▼ " if main.sign > 0 else "▲ ") + "; ".join(outside), xref="x domain", yref="y domain", x=0.02,
            y=0.02 if main.sign > 0 else 0.98, showarrow=False, font={"size": 12, "color": "#444"},
        )  # fmt: skip


def _hover(outline: Outline, point: Point) -> str:
    lines = [f"<b>{point.label}</b>"]
    lines += [f"{header(objective)} {value_text(point, objective)}" for objective in outline.objectives]
    return "<br>".join(lines)
