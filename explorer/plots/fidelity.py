"""What a search spent on each evaluation: short trainings to look around, long ones to be sure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.evaluation import Evaluation
from explorer.outline import Outline
from explorer.plots.style import COLOURS, SHAPES, cost_title, styled
from simulators.protocol import InputError

__all__ = ["fidelity_figure"]


def fidelity_figure(outline: Outline, evaluations: Sequence[Evaluation]) -> go.Figure:
    """The fidelity of each evaluation over what was paid, by who proposed it.

    Args:
        outline: of the study.
        evaluations: those that were run, in order of arrival.

    Raises:
        InputError: the study has no fidelity.
    """
    if outline.full_fidelity is None:
        raise InputError("this study has no fidelity: every evaluation is a whole one", "kind")
    paid, groups = 0.0, dict[str, list[tuple[float, int, str]]]()
    for evaluation in evaluations:
        paid += evaluation.cost
        label = outline.space.describe(evaluation.design) + (" (failed)" if evaluation.failed else "")
        groups.setdefault(evaluation.strategy, []).append((paid, evaluation.fidelity or 0, label))
    figure = go.Figure()
    for number, (name, rows) in enumerate(groups.items()):
        colour, shape = COLOURS[number % len(COLOURS)], ("circle", *SHAPES)[number % (len(SHAPES) + 1)]
        figure.add_scatter(
            x=[x for x, _, _ in rows], y=[y for _, y, _ in rows], text=[text for _, _, text in rows], mode="markers",
            name=name, hovertemplate="%{text}<br>%{y} " + outline.fidelity_name + "<extra></extra>",
            marker={"color": colour, "symbol": shape, "size": 7, "opacity": 0.8},
        )  # fmt: skip
    figure.update_xaxes(title_text=cost_title(outline))
    figure.update_yaxes(title_text=f"{outline.fidelity_name} of an evaluation", rangemode="tozero")
    return styled(figure, 360, showlegend=True, legend={"orientation": "h", "y": 1.12, "x": 0})
