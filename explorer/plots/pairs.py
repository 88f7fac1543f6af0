"""Every objective against every other one: the front among the designs that it dominates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from explorer.fronts import Front
from explorer.plots.front import hover
from explorer.plots.style import BASELINES, DOMINATED, FRONT, SHAPES, axis_title, styled
from explorer.points import Point, matrix
from explorer.results import Results
from explorer.tables import Column

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cloud", "Pairs", "pairs", "pairs_figure", "pairs_paper"]

Array = NDArray[np.float64]

CELL = 210  # pixels
MANY = 2000  # designs from which on WebGL draws them


@dataclass(frozen=True, eq=False)
class Cloud:
    """Designs that are drawn alike.

    Args:
        name: of them.
        values: in the units of the axes, designs x objectives.
        texts: what is told of each; none where that would be too many.
    """

    name: str
    values: Array
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Pairs:
    """What is drawn.

    Args:
        titles: of the objectives' axes.
        dominated, front: designs.
        marked: designs that deserve a mark of their own.
    """

    titles: tuple[str, ...]
    dominated: Cloud
    front: Cloud
    marked: tuple[Cloud, ...] = ()

    @property
    def panels(self) -> list[tuple[int, int]]:
        """Objectives down and across, below the diagonal: of one objective alone, against itself."""
        count = len(self.titles)
        return [(down, across) for down in range(1, count) for across in range(down)] or [(0, 0)]

    def place(self, down: int, across: int) -> tuple[int, int]:
        """Row and column of a panel, from 0."""
        return (down - 1 if len(self.titles) > 1 else 0), across

    @property
    def side(self) -> int:
        """Panels in a row."""
        return max(1, len(self.titles) - 1)


def pairs(front: Front, results: Results, marked: Mapping[str, Sequence[Point]] | None = None) -> Pairs:
    """A front among all feasible designs.

    Args:
        front: of some of the results' objectives.
        results: of the study.
        marked: designs by what is said of them.
    """
    objectives, known = front.outline.objectives, results.outline.objectives
    marked = marked or {}
    columns = [known.index(objective) for objective in objectives]
    values = results.values[results.feasible()][:, columns]
    points = [*front.points, *(point for some in marked.values() for point in some)]
    scales = [Column.of_objective(objective, points) for objective in objectives]
    factors = np.array([column.factor for column in scales])
    return Pairs(
        tuple(axis_title(objective, points) for objective in objectives),
        Cloud("dominated", values / factors),
        Cloud("Pareto front", front.matrix / factors, tuple(hover(front.outline, point) for point in front)),
        tuple(
            Cloud(name, matrix(some, objectives) / factors, tuple(hover(front.outline, point) for point in some))
            for name, some in marked.items()
        ),
    )


def pairs_figure(found: Pairs) -> go.Figure:
    """Panels below the diagonal."""
    figure = make_subplots(rows=found.side, cols=found.side, shared_xaxes=True, shared_yaxes=True,
                           horizontal_spacing=0.03, vertical_spacing=0.03)  # fmt: skip
    scatter = go.Scattergl if len(found.dominated.values) > MANY else go.Scatter
    looks = [
        (found.dominated, DOMINATED, "circle-open", 5),
        (found.front, FRONT, "circle", 7),
        *((cloud, BASELINES[n % 4], SHAPES[n % 4], 10) for n, cloud in enumerate(found.marked)),
    ]
    for first, (down, across) in enumerate(found.panels):
        row, column = (place + 1 for place in found.place(down, across))
        for cloud, colour, shape, size in looks:
            figure.add_trace(
                scatter(
                    x=cloud.values[:, across], y=cloud.values[:, down], mode="markers", name=cloud.name,
                    legendgroup=cloud.name, showlegend=first == 0 and len(cloud.values) > 0,
                    marker={"color": colour, "symbol": shape, "size": size, "line": {"width": 1, "color": colour}},
                    text=cloud.texts or None, hoverinfo="text" if cloud.texts else "skip",
                ),
                row=row, col=column,
            )  # fmt: skip
        if row == found.side:
            figure.update_xaxes(title_text=found.titles[across], row=row, col=column)
        if column == 1:
            figure.update_yaxes(title_text=found.titles[down], row=row, col=column)
    height = 110 + CELL * found.side
    return styled(figure, height, legend={"orientation": "h", "y": 1 + 20 / height, "x": 0, "yanchor": "bottom"})


def pairs_paper(found: Pairs) -> Figure:
    """The same for a paper."""
    from explorer.plots.papers import COLUMN, MARKERS, panels, paper_style

    with paper_style():
        width = COLUMN if found.side < 3 else 2 * COLUMN
        figure, axes = panels(found.side, found.side, width, width * 0.9 if found.side > 1 else width * 0.7,
                              sharex="col", sharey="row")  # fmt: skip
        drawn = set()
        for down, across in found.panels:
            row, column = found.place(down, across)
            drawn.add((row, column))
            place = axes[row][column]
            crowd = found.dominated.values
            place.plot(crowd[:, across], crowd[:, down], "o", ms=1.8, mfc="none", mec=DOMINATED, mew=0.4,
                       rasterized=len(crowd) > MANY, label=found.dominated.name)  # fmt: skip
            place.plot(found.front.values[:, across], found.front.values[:, down], "o", ms=2.6, color=FRONT,
                       label=found.front.name)  # fmt: skip
            for number, cloud in enumerate(found.marked):
                place.plot(cloud.values[:, across], cloud.values[:, down], MARKERS[number % len(MARKERS)], ms=4,
                           color=BASELINES[number % 4], label=cloud.name)  # fmt: skip
            if row == found.side - 1:
                place.set_xlabel(found.titles[across])
            if column == 0:
                place.set_ylabel(found.titles[down])
        for row in range(found.side):
            for column in range(found.side):
                if (row, column) not in drawn:
                    axes[row][column].set_visible(False)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="upper right" if found.side > 1 else "outside upper center")
    return figure
