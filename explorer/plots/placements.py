"""Where the designs of a front keep their normalisations: a heat map, a row a placement, a column a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.fronts import Front
from explorer.plots.style import FRONT, axis_title, styled
from explorer.tables import Column
from simulators.protocol import BinaryVector, InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Placements", "placements", "placements_figure", "placements_paper"]

ROW = 18  # pixels
EMPTY = "#EFEFEF"


@dataclass(frozen=True, eq=False)
class Placements:
    """What is drawn; equal placements are one row.

    Args:
        layers: names of the items of the vector.
        kept: which of them are on, placements x layers; the best in the first objective first.
        value: the best value of the first objective that a design with this placement has on the front.
        title: of this objective.
        designs: how many designs of the front have the placement.
    """

    layers: tuple[str, ...]
    kept: NDArray[np.bool_]
    value: NDArray[np.float64]
    title: str
    designs: NDArray[np.int64]

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the front's designs that keep each layer's."""
        weights = self.designs / max(1, self.designs.sum())
        found: NDArray[np.float64] = weights @ self.kept
        return found


def placements(front: Front, variable: str = "") -> Placements:
    """The placements of a front.

    Args:
        front: of a study.
        variable: a vector of bits; by default the only one.

    Raises:
        InputError: there is no such variable.
    """
    vectors = {n: v.domain for n, v in front.outline.space.variables.items() if isinstance(v.domain, BinaryVector)}
    if not vectors:
        raise InputError("this study has no vector of bits, such as placements of normalisations, to show", "kind")
    if variable and variable not in vectors:
        raise InputError(f"'{variable}' is none of the vectors of bits: {', '.join(vectors)}", "variable")
    name = variable or next(iter(vectors))
    objective = front.outline.objectives[0]
    column = Column.of_objective(objective, front.points)
    groups: dict[object, list[float]] = {}
    for point in front.sorted_by(objective.name):
        groups.setdefault(point.design[name], []).append(point.values[objective.name] / column.factor)
    domain = vectors[name]
    layers = tuple(f"{domain.item}{number}" for number in range(1, domain.length + 1))
    rows: list[Any] = list(groups)
    kept = np.array(rows, dtype=np.bool_).reshape(len(rows), domain.length)
    values = np.array([some[0] for some in groups.values()], dtype=np.float64)
    counts = np.array([len(some) for some in groups.values()], dtype=np.int64)
    return Placements(layers, kept, values, axis_title(objective, front.points), counts)


def placements_figure(found: Placements) -> go.Figure:
    """Above, how often each layer keeps its own; below, the placements, the best in the first objective on top."""
    figure = make_subplots(rows=2, cols=2, row_heights=[0.25, 0.75], column_widths=[0.8, 0.2], shared_xaxes=True,
                           shared_yaxes=True, horizontal_spacing=0.02, vertical_spacing=0.03)  # fmt: skip
    rows = list(range(len(found.kept)))
    figure.add_bar(x=found.layers, y=found.share, marker_color=FRONT, row=1, col=1, showlegend=False,
                   hovertemplate="%{x}: %{y:.0%} of the front<extra></extra>")  # fmt: skip
    figure.add_heatmap(
        x=found.layers, y=rows, z=found.kept.astype(int), zmin=0, zmax=1, xgap=1, ygap=1, showscale=False,
        colorscale=[[0, EMPTY], [1, FRONT]], row=2, col=1, customdata=np.where(found.kept, "kept", "none"),
        hovertemplate="%{x}: %{customdata}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=found.value, y=rows, mode="markers", marker={"color": FRONT, "size": 7}, row=2, col=2, showlegend=False,
        text=[f"{value:.4g}, {count} on the front" for value, count in zip(found.value, found.designs, strict=True)],
        hoverinfo="text",
    )  # fmt: skip
    figure.update_yaxes(title_text="share<br>of the front", range=[0, 1], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(showticklabels=False, autorange="reversed", row=2)
    figure.update_yaxes(title_text="placement", row=2, col=1)
    figure.update_xaxes(title_text="layer", showticklabels=True, row=2, col=1)
    figure.update_xaxes(title_text=found.title, row=2, col=2)
    return styled(figure, 220 + max(120, ROW * len(rows)))


def placements_paper(found: Placements) -> Figure:
    """The same for a paper."""
    from explorer.plots.papers import COLUMN, panels, paper_style

    with paper_style():
        from matplotlib.colors import ListedColormap

        colours = ListedColormap([EMPTY, FRONT])
        height = 1.4 + max(0.8, 0.11 * len(found.kept))
        figure, axes = panels(2, 2, COLUMN, height, sharex="col", width_ratios=[3, 1], height_ratios=[1, height - 1])
        (share, corner), (cells, values) = axes
        corner.set_visible(False)
        places = np.arange(len(found.layers))
        share.bar(places, found.share, color=FRONT, width=0.8)
        share.set_ylim(0, 1)
        share.set_ylabel("share")
        cells.pcolormesh(np.append(places, len(places)) - 0.5, np.arange(len(found.kept) + 1) - 0.5,
                         found.kept.astype(float), cmap=colours, vmin=0, vmax=1, edgecolors="white",
                         linewidth=0.4)  # fmt: skip
        cells.set_xticks(places, found.layers, rotation=90 if len(places) > 10 else 0)
        cells.set_yticks([])
        cells.set_ylabel("placement")
        cells.set_xlabel("layer")
        values.plot(found.value, np.arange(len(found.kept)), "o", ms=2.5, color=FRONT)
        values.set_yticks([])
        values.set_xlabel(found.title.replace(" [", "\n["))
        for place in (cells, values):
            place.set_ylim(len(found.kept) - 0.5, -0.5)
    return figure
