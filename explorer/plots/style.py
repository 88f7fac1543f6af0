"""What all pictures share: colours that colour-blind readers tell apart, shapes that grey print tells apart, titles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point
from explorer.tables import ARROWS, Column

__all__ = [
    "BASELINES", "BETTER", "COLOURS", "DASHES", "DOMINATED", "FRONT", "HEIGHT", "SHAPES", "axis_title", "cost_title",
    "pale", "styled",
]  # fmt: skip

# Okabe and Ito's colours: told apart by colour-blind readers; the shapes tell them apart in grey print too.
FRONT, DOMINATED, BASELINES = "#0072B2", "#9A9A9A", ("#D55E00", "#009E73", "#CC79A7", "#E69F00")
COLOURS = (FRONT, *BASELINES, "#56B4E9", "#000000")
DASHES = ("solid", "dash", "dot", "dashdot")
SHAPES = ("diamond", "square", "triangle-up", "cross")
HEIGHT = 460
BETTER = {"maximize": "higher is better", "minimize": "lower is better"}


def styled(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """A figure in the common style; ``layout`` adds to it, its margins side by side with the common ones."""
    margin = {"l": 70, "r": 40, "t": 40, "b": 60, **layout.pop("margin", {})}
    return figure.update_layout(
        template="plotly_white", height=height, font={"family": "system-ui, sans-serif", "size": 13}, margin=margin,
        **layout,
    )  # fmt: skip


def axis_title(objective: ObjectiveInfo, points: Sequence[Point]) -> str:
    """Name, unit and an arrow to the better side: ``latency [µs] ↓``."""
    return f"{Column.of_objective(objective, points).title} {ARROWS[objective.direction]}"


def cost_title(outline: Outline) -> str:
    """Of an axis that shows what was paid."""
    return f"cost [{outline.fidelity_name}]" if outline.fidelity_name else "cost [evaluations]"


def pale(colour: str, opacity: float = 0.2) -> str:
    """A colour that lets others shine through."""
    return f"rgba({', '.join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))}, {opacity:g})"
