"""A sweep as a figure: a panel for each field, lines over the first variable, heat maps where lines were too many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.plots.style import BASELINES, DASHES, DOMINATED, FRONT
from explorer.sweep import Axis, Sweep
from explorer.sweep_tables import sweep_columns
from explorer.tables import Column
from explorer.units import format_number

__all__ = ["sweep_figure"]

LINES = 5  # colours that are told apart
PANEL = 300  # height of a panel
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")
HEAT = "Cividis"  # reads the same to colour-blind eyes
EVEN = 1e-9
WIDE = 30.0  # ratio of the largest to the smallest value from which on a straight axis would hide the small ones


def sweep_figure(found: Sweep) -> go.Figure:
    """Panels below each other, one for each field; what cannot be built is marked by a grey cross."""
    columns = sweep_columns(found)
    figure = make_subplots(rows=len(columns), shared_xaxes=True, vertical_spacing=0.25 / max(3, len(columns)))
    lines = len(found.axes) == 1 or len(found.axes[1].values) <= LINES
    for panel, (name, column) in enumerate(columns.items(), 1):
        values = found.values[name] / column.factor
        if lines:
            _add_lines(figure, found, np.where(found.feasible, values, np.nan), values, column, panel)
        else:
            _add_heat_map(figure, found, values, column, panel, len(columns))
    first = found.axes[0]
    unit = first.variable.unit if all(text.isdigit() for text in first.texts) else ""  # others carry their own
    title = first.title + (f" [{unit}]" if unit else "")
    figure.update_xaxes(**_ticks(first), showticklabels=True)
    figure.update_xaxes(title_text=title, row=len(columns), col=1)
    return figure.update_layout(
        template="plotly_white", height=100 + PANEL * len(columns),
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.0 + 40 / (PANEL * len(columns)), "x": 0, "yanchor": "bottom"},
        margin={"l": 80, "r": 40, "t": 80, "b": 60},
    )  # fmt: skip


def _add_lines(
    figure: go.Figure, found: Sweep, built: NDArray[np.float64], values: NDArray[np.float64], column: Column, panel: int
) -> None:
    """A line for each value of the second variable, and a cross for each design that cannot be built."""
    horizontal = _positions(found.axes[0])
    names = found.axes[1].texts if len(found.axes) > 1 else [""]
    of = f"{found.axes[1].title} = " if len(found.axes) > 1 else ""
    low = float(np.nanmin(built, initial=np.inf))
    bottom = low if np.isfinite(low) else 0.0
    if _wide(built):
        figure.update_yaxes(type="log", dtick="D2", row=panel, col=1)  # ticks at 1, 2, 5, 10
    shape = (len(horizontal), -1)
    for number, (name, line, all_values, feasible, reasons) in enumerate(zip(
        names, built.reshape(shape).T, values.reshape(shape).T, found.feasible.reshape(shape).T,
        found.reasons.reshape(shape).T, strict=True,
    )):  # fmt: skip
        colour, look = (FRONT, *BASELINES)[number % LINES], number % len(DASHES)
        figure.add_scatter(
            x=horizontal, y=line, mode="lines+markers", name=of + name, legendgroup=name,
            showlegend=panel == 1 and bool(name), line={"color": colour, "dash": DASHES[look]},
            marker={"color": colour, "symbol": SYMBOLS[number % LINES], "size": 8}, row=panel, col=1,
        )  # fmt: skip
        missing = np.flatnonzero(~feasible).tolist()
        if missing:
            figure.add_scatter(
                x=[horizontal[at] for at in missing],
                y=[all_values[at] if np.isfinite(all_values[at]) else bottom for at in missing],
                mode="markers", name="cannot be built", legendgroup="cannot be built",
                showlegend=panel == 1 and not _has(figure, "cannot be built"),
                marker={"color": DOMINATED, "symbol": "x", "size": 10},
                text=[f"{of}{name} cannot be built: {reasons[at]}".strip() for at in missing], hoverinfo="text",
                row=panel, col=1,
            )  # fmt: skip
    figure.update_yaxes(title_text=column.title, row=panel, col=1)


def _wide(values: NDArray[np.float64]) -> bool:
    """Whether a straight scale would hide the small values."""
    low = float(np.nanmin(values, initial=np.inf))
    return 0 < low < np.inf and float(np.nanmax(values)) > WIDE * low


def _has(figure: go.Figure, name: str) -> bool:
    return any(trace.name == name for trace in figure.data)


def _add_heat_map(
    figure: go.Figure, found: Sweep, values: NDArray[np.float64], column: Column, panel: int, panels: int
) -> None:
    """A cell for each design; those that cannot be built are grey crosses."""
    first, second = found.axes
    horizontal, vertical = _positions(first), second.texts
    built = np.where(found.feasible, values, np.nan).T
    bar = {"title": column.title, "len": 0.9 / panels, "y": 1 - (panel - 0.5) / panels}
    shown = built
    if _wide(built):  # colours by the logarithm, or all but the largest would look alike
        shown, bar = np.log10(built), {**bar, "tickprefix": "10^"}
    figure.add_heatmap(
        x=horizontal, y=vertical, z=shown, text=[[format_number(value, 1.0) for value in row] for row in built],
        colorscale=HEAT, hoverongaps=False, colorbar=bar, row=panel, col=1,
        hovertemplate=f"{first.title} %{{x}}, {second.title} %{{y}}: %{{text}}<extra></extra>",
    )  # fmt: skip
    missing = np.argwhere(~found.feasible)
    if len(missing):
        figure.add_scatter(
            x=[horizontal[at] for at, _ in missing], y=[vertical[to] for _, to in missing], mode="markers",
            marker={"color": DOMINATED, "symbol": "x", "size": 8}, name="cannot be built", showlegend=panel == 1,
            text=[f"cannot be built: {found.reasons[at, to]}" for at, to in missing], hoverinfo="text",
            row=panel, col=1,
        )  # fmt: skip
    figure.update_yaxes(title_text=second.title, type="category", row=panel, col=1)


def _positions(axis: Axis) -> Sequence[float | str]:
    return axis.numbers or axis.texts


def _ticks(axis: Axis) -> dict[str, object]:
    """Where numbers are evenly spaced a straight axis, else a logarithmic one; words stand side by side."""
    numbers = axis.numbers
    if numbers is None:
        return {"type": "category"}
    even = len(numbers) < 3 or np.ptp(np.diff(sorted(numbers))) <= EVEN * max(map(abs, numbers))
    straight = even or min(numbers) <= 0
    return {"type": "linear" if straight else "log", "tickvals": numbers, "ticktext": axis.texts}
