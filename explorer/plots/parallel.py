"""Designs as lines over parallel axes, one for each objective and variable."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.fronts import Front
from explorer.plots.style import axis_title, styled
from explorer.space import written
from explorer.tables import Column
from simulators.protocol import BinaryVector, Categorical

__all__ = ["parallel_figure"]

SCALE = [[0, "#8DB9DA"], [1, "#08306B"]]  # darker is better in the first objective, also in grey print


def parallel_figure(front: Front) -> go.Figure:
    """The designs of a front; drag along an axis to pick some. Placements are shown by how many layers keep theirs.

    Better is up on every axis: those of objectives that are to be small are turned.
    """
    outline = front.outline
    axes: list[dict[str, Any]] = []
    for index, objective in enumerate(outline.objectives):
        values = front.matrix[:, index] / Column.of_objective(objective, front.points).factor
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        ends = [low, high] if objective.sign > 0 else [high, low]
        axes.append({"label": axis_title(objective, front.points), "values": values, "range": ends})
    for name, variable in outline.space.variables.items():
        found = [point.design[name] for point in front]
        if isinstance(variable.domain, BinaryVector):
            axes.append({"label": f"{name}: how many", "values": [sum(bits) for bits in found]})  # type: ignore[arg-type]  # bits
            continue
        choices = list(dict.fromkeys(found))
        if isinstance(variable.domain, Categorical):
            choices = [choice for choice in variable.domain.choices if choice in choices]
        else:
            choices.sort()
        texts = [written(variable, choice) for choice in choices]
        places = [choices.index(value) for value in found]
        axes.append({"label": name.replace("_", " "), "values": places, "tickvals": list(range(len(choices))),
                     "ticktext": texts, "range": [-0.1, max(1, len(choices)) - 0.9]})  # fmt: skip
    colour = outline.objectives[0].sign * np.asarray(axes[0]["values"], dtype=np.float64)
    figure = go.Figure(
        go.Parcoords(
            dimensions=axes, labelfont={"size": 13}, tickfont={"size": 12},
            line={"color": colour, "colorscale": SCALE, "showscale": False},
        )
    )  # fmt: skip
    return styled(figure, 440, margin={"l": 90, "r": 60, "t": 90, "b": 40})
