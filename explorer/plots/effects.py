"""What moves an objective, as a heat map."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.explanation import Explanation
from explorer.plots.style import BASELINES, FRONT, styled
from explorer.tables import effect_column

__all__ = ["effects_figure"]


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
    return styled(
        figure, side, width=side + 120, yaxis={"autorange": "reversed", "scaleanchor": "x"},
        xaxis={"side": "top", "constrain": "domain"}, margin={"t": 70, "b": 30},
    )  # fmt: skip
