"""Where time, energy and area of some designs go, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.breakdown import Breakdown
from explorer.plots.style import COLOURS, styled
from explorer.tables import Column

__all__ = ["breakdown_figure"]

Array = NDArray[np.float64]

PANEL = 170  # pixels of a panel without what stands around it
GAP = 95  # pixels between panels
LONG = 25  # letters of a design's words that fit beside a panel
BAR = 42  # pixels of a design's
LARGEST = 7  # components that are shown on their own
PATTERNS = ("", "/", "\\", "x", "-", "|", "+", ".")


def breakdown_figure(found: Sequence[Breakdown], labels: Sequence[str]) -> go.Figure:
    """A panel for each quantity: by component a bar for each design, by layer a group of bars for each layer.

    Args:
        found: of the same designs.
        labels: of the designs.
    """
    heights = [PANEL if one.by == "layer" else max(PANEL, BAR * len(labels)) for one in found]
    height = sum(heights) + GAP * len(found)
    figure = make_subplots(rows=len(found), subplot_titles=[_title(one) for one in found], row_heights=heights,
                           vertical_spacing=min(0.1, GAP / height))  # fmt: skip
    told: set[str] = set()
    for row, one in enumerate(found, 1):
        some = one.values[np.isfinite(one.values) & (one.values > 0)]
        column = Column.of(one.quantity, one.unit, some.tolist())
        legend = f"legend{row}" if row > 1 else "legend"
        top = figure.layout["yaxis" if row == 1 else f"yaxis{row}"].domain[1]
        figure.update_layout({legend: {"y": top, "yanchor": "top", "x": 1.01, "font": {"size": 11}}})
        values = one.values / column.factor
        if one.by == "component":
            parts, values = _largest(one.parts, values)
            for number, part in enumerate(parts):
                figure.add_bar(
                    y=[_wrapped(label) for label in labels], x=values[:, number], orientation="h", row=row, col=1,
                    name=part, legend=legend,
                    marker={"color": COLOURS[number % len(COLOURS)], "pattern_shape": PATTERNS[number % len(PATTERNS)]},
                    hovertemplate=f"{part}: %{{x:.4g}}<extra>%{{y}}</extra>", offsetgroup=f"{row}",
                )  # fmt: skip
            figure.update_xaxes(title_text=column.title, row=row, col=1)
            figure.update_yaxes(autorange="reversed", row=row, col=1)
            continue
        for number, label in enumerate(labels):
            figure.add_bar(
                x=list(one.parts), y=values[number], name=_wrapped(label), row=row, col=1, legendgroup="designs",
                showlegend=label not in told, legend=legend,
                marker={"color": COLOURS[number % len(COLOURS)], "pattern_shape": PATTERNS[number % len(PATTERNS)]},
                offsetgroup=label, hovertemplate=f"%{{x}}: %{{y:.4g}}<extra>{label}</extra>",
            )  # fmt: skip
            told.add(label)
        figure.update_yaxes(title_text=column.title, row=row, col=1)
    figure.update_layout(barmode="relative")
    return styled(figure, height, margin={"t": 50})


def _wrapped(label: str) -> str:
    """A long one on two lines."""
    return ",<br>".join(label.rsplit(", ", 1)) if len(label) > LONG else label


def _title(one: Breakdown) -> str:
    return f"{one.quantity} by {one.by} ({one.simulator})"


def _largest(parts: Sequence[str], values: Array) -> tuple[list[str], Array]:
    """The components that matter most, and the sum of all others."""
    order = np.argsort(-np.nansum(values, axis=0), kind="stable")
    if len(order) <= LARGEST + 1:
        return [parts[index] for index in order], values[:, order]
    first, rest = order[:LARGEST], order[LARGEST:]
    names = [*(parts[index] for index in first), f"{len(rest)} others"]
    return names, np.column_stack([values[:, first], values[:, rest].sum(axis=1)])
