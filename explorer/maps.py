"""A simulator's picture of a plane (:class:`simulators.protocol.Maps`) as a figure, a page, and JSON."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.report import CONTROLS, FRAME
from explorer.units import common_scale
from simulators.protocol import Maps

__all__ = ["maps_figure", "maps_json", "maps_page"]

SIDE = 250  # pixels of a map
COLOURS = "Blues"  # one hue from light to dark: in grey print, and for colour-blind readers, too


def maps_figure(maps: Maps) -> go.Figure:
    """All maps side by side on one colour scale, the origin at the lower left."""
    names = list(maps.panels)
    figure = make_subplots(cols=max(len(names), 1), shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=names)
    largest = max((float(np.nanmax(panel)) for panel in maps.panels.values()), default=1.0)
    factor, unit = common_scale([largest], maps.unit)
    rows, columns = maps.axes
    title = maps.quantity + (f" [{unit}]" if unit else "")
    for column, panel in enumerate(maps.panels.values(), 1):
        figure.add_heatmap(
            z=panel / factor, coloraxis="coloraxis", xgap=1, ygap=1, row=1, col=column, hoverongaps=False,
            hovertemplate=f"{columns} %{{x}}, {rows} %{{y}}: %{{z:.4g}} {unit}<extra></extra>",
        )  # fmt: skip
        height, width = panel.shape
        figure.update_xaxes(
            title_text=columns, dtick=1, constrain="domain", range=[-0.5, width - 0.5], row=1, col=column
        )
        figure.update_yaxes(
            scaleanchor=f"x{column if column > 1 else ''}", dtick=1, range=[-0.5, height - 0.5], constrain="domain",
            row=1, col=column,
        )  # fmt: skip
    figure.update_yaxes(title_text=rows, row=1, col=1)
    return figure.update_layout(
        template="plotly_white", height=SIDE + 150, width=SIDE * max(len(names), 1) + 180,
        font={"family": "system-ui, sans-serif", "size": 13}, margin={"l": 60, "r": 40, "t": 50, "b": 60},
        coloraxis={"colorscale": COLOURS, "cmin": 0, "cmax": largest / factor, "colorbar": {"title": title}},
    )  # fmt: skip


def maps_page(maps: Maps) -> str:
    """A page of its own that works offline."""
    notes = "".join(f"<p>{escape(note)}</p>" for note in maps.notes)
    figure = maps_figure(maps).to_html(full_html=False, include_plotlyjs=True, config=CONTROLS) if maps.panels else ""
    return FRAME.substitute(title=escape(maps.title), body=f'{notes}<div class="scroll">{figure}</div>')


def maps_json(maps: Maps) -> dict[str, Any]:
    """Plain JSON values: per map its rows; null where there is nothing."""

    def plain(panel: NDArray[np.float64]) -> list[list[float | None]]:
        return [[float(value) if np.isfinite(value) else None for value in row] for row in panel]

    panels = {name: plain(panel) for name, panel in maps.panels.items()}
    return {"title": maps.title, "quantity": maps.quantity, "unit": maps.unit, "rows_are": maps.axes[0],
            "columns_are": maps.axes[1], "panels": panels, "notes": list(maps.notes)}  # fmt: skip
