"""How the front and the best of each objective got better with what was paid, or with time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.outline import Outline
from explorer.plots.style import COLOURS, DASHES, cost_title, pale, styled
from explorer.tables import ARROWS, Column
from explorer.traces import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Band", "Over", "Panel", "convergence_figure", "convergence_panels", "convergence_paper"]

Array = NDArray[np.float64]
Over = Literal["cost", "time"]
PANEL = 220  # height of a panel
VOLUME = "hypervolume [share of the box] ↑"


@dataclass(frozen=True, eq=False)
class Band:
    """A quantity of several studies that differ in luck only, over what was paid.

    Args:
        name: of the studies together.
        x: where one of them changes.
        middle: the median.
        low, high: quartiles; with fewer than four studies the least and the largest.
        count: of studies.
    """

    name: str
    x: Array
    middle: Array
    low: Array
    high: Array
    count: int


@dataclass(frozen=True, eq=False)
class Panel:
    """A quantity.

    Args:
        title: with unit and an arrow to the better side.
        bands: of the studies.
    """

    title: str
    bands: tuple[Band, ...]


def convergence_panels(outline: Outline, groups: Mapping[str, Sequence[Trace]], over: Over) -> list[Panel]:
    """The front's hypervolume and the best of each objective.

    Args:
        outline: of all of the studies.
        groups: studies that differ in luck only, by the name of what they have in common.
        over: what was paid, or hours since the beginning.
    """
    panels = [
        Panel(VOLUME, tuple(_band(name, some, over, [t.hypervolume for t in some]) for name, some in groups.items()))
    ]
    for index, objective in enumerate(outline.objectives):
        everything = np.concatenate([trace.best[:, index] for some in groups.values() for trace in some])
        column = Column.of(
            objective.name.replace("_", " "), objective.unit, everything[np.isfinite(everything)].tolist()
        )
        bands = (
            _band(name, some, over, [trace.best[:, index] / column.factor for trace in some])
            for name, some in groups.items()
        )
        panels.append(Panel(f"best {column.title} {ARROWS[objective.direction]}", tuple(bands)))
    return panels


def _band(name: str, traces: Sequence[Trace], over: Over, values: Sequence[Array]) -> Band:
    """What some studies have in common at every place where one of them changes, up to the end of the first to end."""
    curves = [
        (trace.cost if over == "cost" else trace.time_s / 3600, own)
        for trace, own in zip(traces, values, strict=True)
        if len(own)
    ]
    if not curves:
        nothing = np.zeros(0)
        return Band(name, nothing, nothing, nothing, nothing, 0)
    end = min(places[-1] for places, _ in curves)
    x = np.unique(np.concatenate([places[places <= end] for places, _ in curves]))
    table = np.array([np.append(np.nan, own)[np.searchsorted(places, x, side="right")] for places, own in curves])
    known = ~np.isnan(table).any(axis=0)
    quartiles = (25, 50, 75) if len(curves) > 3 else (0, 50, 100)
    low, middle, high = np.percentile(table[:, known], quartiles, axis=0)
    return Band(name, x[known], middle, low, high, len(curves))


def _x_title(outline: Outline, over: Over) -> str:
    return cost_title(outline) if over == "cost" else "time since the beginning [h]"


def _label(band: Band) -> str:
    return band.name + (f" ({band.count} studies)" if band.count > 1 else "")


def convergence_figure(outline: Outline, groups: Mapping[str, Sequence[Trace]], over: Over = "cost") -> go.Figure:
    """Panels below each other; lines are medians, areas the quartiles of studies, or all of fewer than four."""
    found = convergence_panels(outline, groups, over)
    figure = make_subplots(rows=len(found), shared_xaxes=True, vertical_spacing=0.12 / len(found))
    for row, panel in enumerate(found, 1):
        for number, band in enumerate(panel.bands):
            colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
            if band.count > 1:
                figure.add_scatter(
                    x=[*band.x, *band.x[::-1]], y=[*band.high, *band.low[::-1]], mode="lines", fill="toself",
                    fillcolor=pale(colour), line={"width": 0, "shape": "hv"}, hoverinfo="skip", showlegend=False,
                    legendgroup=band.name, row=row, col=1,
                )  # fmt: skip
            figure.add_scatter(
                x=band.x, y=band.middle, mode="lines", line={"color": colour, "dash": dash, "shape": "hv"},
                name=_label(band), legendgroup=band.name, showlegend=row == 1, row=row, col=1,
            )  # fmt: skip
        figure.update_yaxes(title_text=panel.title.replace(" [", "<br>["), row=row, col=1)
    figure.update_xaxes(title_text=_x_title(outline, over), row=len(found), col=1)
    height = 90 + PANEL * len(found)
    return styled(figure, height, legend={"orientation": "h", "y": 1 + 30 / height, "x": 0, "yanchor": "bottom"})


def convergence_paper(outline: Outline, groups: Mapping[str, Sequence[Trace]], over: Over = "cost") -> Figure:
    """The same for a paper."""
    from explorer.plots.papers import COLUMN, STYLES, panels, paper_style

    found = convergence_panels(outline, groups, over)
    with paper_style():
        figure, axes = panels(len(found), 1, COLUMN, 0.5 + 1.3 * len(found), sharex=True)
        for panel, (place,) in zip(found, axes, strict=True):
            for number, band in enumerate(panel.bands):
                colour = COLOURS[number % len(COLOURS)]
                if band.count > 1:
                    place.fill_between(band.x, band.low, band.high, step="post", color=colour, alpha=0.2, linewidth=0)
                style = STYLES[number % len(STYLES)]
                place.step(band.x, band.middle, style, where="post", color=colour, label=_label(band))
            place.set_ylabel(panel.title.replace(" [", "\n["))
        axes[0][0].legend(loc="best")
        axes[-1][0].set_xlabel(_x_title(outline, over))
    return figure
