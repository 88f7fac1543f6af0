"""Which trade-offs of two objectives searches attain: all of them, half of them, at least one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from explorer.fronts import Front
from explorer.outline import ObjectiveInfo
from explorer.plots.style import COLOURS, DASHES, HEIGHT, axis_title, pale, styled
from explorer.tables import Column
from simulators.protocol import InputError

__all__ = ["Surface", "attainment_figure", "attainment_surfaces"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Surface:
    """What a share of some searches attained (Fonseca and Fleming, PPSN 1996): corners of a staircase.

    Args:
        share: of the searches, in percent.
        corners: values of both objectives, corners x 2, from one end to the other; none if so many attained nothing.
    """

    share: float
    corners: Array


def attainment_surfaces(
    fronts: Sequence[Array], objectives: Sequence[ObjectiveInfo], percentiles: Sequence[float] = (0, 50, 100)
) -> list[Surface]:
    """Empirical attainment surfaces of searches that differ in luck only.

    Args:
        fronts: values of two objectives, one array of designs x 2 for each search.
        objectives: these two.
        percentiles: shares of searches; 0: at least one.
    """
    signs = -np.array([objective.sign for objective in objectives], dtype=np.float64)  # moocore makes small
    points = np.concatenate([front * signs for front in fronts])
    sets = np.concatenate([np.full(len(front), number) for number, front in enumerate(fronts)])
    if len(points) == 0:
        return [Surface(share, np.empty((0, 2))) for share in percentiles]
    far = points.max(axis=0) + 0.03 * np.ptp(points, axis=0)  # the staircase goes on to there
    least = 100.0 / len(fronts)
    found = moocore.eaf(points, sets, percentiles=[max(least, share) for share in dict.fromkeys(percentiles)])
    surfaces = []
    for share in percentiles:
        own = found[np.isclose(found[:, 2], max(least, share)), :2]
        own = own[np.argsort(own[:, 0], kind="stable")]
        corners = [np.array([own[0, 0], far[1]])] if len(own) else []
        for place, corner in enumerate(own):
            corners.append(corner)
            corners.append(np.array([own[place + 1, 0] if place + 1 < len(own) else far[0], corner[1]]))
        surfaces.append(Surface(share, np.array(corners).reshape(-1, 2) * signs))
    return surfaces


def attainment_figure(groups: Mapping[str, Sequence[Front]]) -> go.Figure:
    """Of each group the median, and the area between what one and what all of its searches attain.

    Args:
        groups: fronts of two objectives, of searches that differ in luck only, by what they have in common.

    Raises:
        InputError: not two objectives.
    """
    objectives = next(iter(groups.values()))[0].outline.objectives
    if len(objectives) != 2:
        raise InputError("attainment is of two objectives: name them, as in accuracy,latency", "objectives")
    points = [point for fronts in groups.values() for front in fronts for point in front]
    factors = np.array([Column.of_objective(objective, points).factor for objective in objectives])
    figure = go.Figure()
    for number, (name, fronts) in enumerate(groups.items()):
        colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
        best, median, worst = attainment_surfaces([front.matrix / factors for front in fronts], objectives)
        if len(fronts) > 1 and len(worst.corners):
            area = np.concatenate([best.corners, worst.corners[::-1]])
            figure.add_scatter(
                x=area[:, 1], y=area[:, 0], mode="lines", fill="toself", fillcolor=pale(colour), line={"width": 0},
                hoverinfo="skip", showlegend=False, legendgroup=name,
            )  # fmt: skip
        label = name + (f" (median of {len(fronts)})" if len(fronts) > 1 else "")
        figure.add_scatter(
            x=median.corners[:, 1], y=median.corners[:, 0], mode="lines", line={"color": colour, "dash": dash},
            name=label, legendgroup=name,
        )  # fmt: skip
    first, second = (axis_title(objective, points) for objective in objectives)
    figure.update_xaxes(title_text=second)
    figure.update_yaxes(title_text=first)
    return styled(figure, HEIGHT, showlegend=True, legend={"orientation": "h", "y": 1.1, "x": 0})
