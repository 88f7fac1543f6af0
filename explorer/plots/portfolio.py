"""Who found what, and how the shares of a portfolio moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.contributions import Shares
from explorer.outline import Outline
from explorer.plots.style import COLOURS, DASHES, cost_title, styled
from explorer.traces import Trace

__all__ = ["found_figure", "shares_figure"]


def found_figure(trace: Trace, outline: Outline) -> go.Figure:
    """The hypervolume that each strategy of a study added, over what was paid."""
    figure = go.Figure()
    gains = np.diff(trace.hypervolume, prepend=0.0)
    for number, name in enumerate(dict.fromkeys(trace.strategies)):
        own = np.where([strategy == name for strategy in trace.strategies], gains, 0.0)
        figure.add_scatter(
            x=trace.cost, y=np.cumsum(own), mode="lines", name=name,
            line={"color": COLOURS[number % len(COLOURS)], "shape": "hv", "dash": DASHES[number % len(DASHES)]},
        )  # fmt: skip
    figure.update_xaxes(title_text=cost_title(outline))
    figure.update_yaxes(title_text="hypervolume added [share of the box] ↑", rangemode="tozero")
    return styled(figure, 360, showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0})


def shares_figure(history: Sequence[Shares], outline: Outline) -> go.Figure:
    """How the shares of a portfolio's members moved with what was paid."""
    figure = go.Figure()
    for number, name in enumerate(history[-1].of):
        figure.add_scatter(
            x=[shares.cost for shares in history], y=[shares.of[name] for shares in history], mode="lines", name=name,
            line={"color": COLOURS[number % len(COLOURS)], "shape": "hv", "dash": DASHES[number % len(DASHES)]},
        )  # fmt: skip
    figure.update_xaxes(title_text=cost_title(outline))
    figure.update_yaxes(title_text="share of the cost that is spent next", range=[0, 1], tickformat=".0%")
    return styled(figure, 320, showlegend=True, legend={"orientation": "h", "y": 1.15, "x": 0})
