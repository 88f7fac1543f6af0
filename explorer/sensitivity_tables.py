"""What depends on assumptions, as tables and as a tornado plot."""

from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.plots.style import BASELINES, FRONT
from explorer.sensitivity import Effect, Sensitivity, turns
from explorer.space import Space
from explorer.tables import ARROWS, Column, Rows
from explorer.units import counted, format_number
from explorer.worlds import Shift

__all__ = ["effect_rows", "flip_rows", "regrouping_rows", "summary", "survivor_rows", "tornado_figure"]

LOST = 4  # worlds that are named of those in which a design leaves the front
BAR = 26  # height of a bar
GAP = 70  # pixels between panels, for the title of an axis
MARGINS = 140  # pixels above and below all panels
GONE = "no value"
SMALLER, LARGER, OTHER = "smaller value", "larger value", "other setting"
NONE = object()  # no end of this kind


def summary(found: Sensitivity) -> list[str]:
    """The answer in a few lines."""
    stay = sum(one.kept == found.worlds for one in found.survivors)
    front = counted(len(found.survivors), "designs")
    shifts = [*(one.shift for one in found.effects), *found.idle]
    settings = ", each setting to its alternatives" if any(shift.assumption is None for shift in shifts) else ""
    lines = [
        f"{stay} of {front} on the front stay there in all {counted(found.worlds, 'worlds')} (each assumption moved to "
        f"both ends of its likely range{settings}, one at a time)",
        f"{len({one.was for one in found.flips})} of {counted(found.conclusions, 'conclusions')} depend on "
        + ("an assumption or a setting" if settings else "an assumption"),
    ]
    if found.groups:
        lines.append(f"{found.steady} of {counted(found.groups, 'groups')} keep their best designs in all worlds")
    if found.idle:
        lines.append(f"change nothing here: {', '.join(map(_when, found.idle))}")
    return [*lines, *found.notes]


def _when(shift: Shift) -> str:
    """The name of what changes nothing, and when it would."""
    if shift.assumption is None:
        return f"{shift.name} = {shift.text(shift.ends[0])}"
    when = shift.assumption.counts_if
    return f"{shift.name} (counts {'with ' if ':' in when else ''}{when})" if when else shift.name


def survivor_rows(found: Sensitivity, space: Space, limit: int | None = None) -> Rows:
    """The front as it stands, with the worlds in which each design leaves it; those that stay least come first."""
    ranked = sorted(found.survivors, key=lambda one: one.kept)
    shown = ranked[:limit]
    columns = [
        Column.of(objective.name, objective.unit, [one.values[at] for one in shown])
        for at, objective in enumerate(found.of_front)
    ]
    rows = [
        (
            space.describe(one.design),
            *(format_number(value, column.factor) for value, column in zip(one.values, columns, strict=True)),
            f"{one.kept} of {found.worlds}",
            "; ".join(one.lost[:LOST]) + (f"; {len(one.lost) - LOST} more" if len(one.lost) > LOST else "") or "-",
        )
        for one in shown
    ]
    titles = [f"{column.title} {ARROWS[o.direction]}" for column, o in zip(columns, found.of_front, strict=True)]
    notes = (
        [f"not shown: {len(ranked) - len(shown)}, which stay as often or more often"]
        if len(shown) < len(ranked)
        else []
    )
    return Rows(
        "Does the front survive?", ("design", *titles, "on the front in", "not with"), tuple(rows), tuple(notes)
    )


def flip_rows(found: Sensitivity) -> Rows:
    """Every conclusion that turns round, and at which value: those together that become the same there."""
    rows = []
    for flips in (flips for turn in turns(found.flips) for flips in turn.flips.values()):
        first, shift = flips[0], flips[0].shift
        values = (shift.text(value) for value in (shift.standing, first.at, first.end))
        rows.append(("; ".join(flip.was for flip in flips), first.becomes, shift.label, *values))
    columns = ("as it stands", "but", "depends on", "which stands at", "flips at", "may be")
    return Rows("What turns round", columns, tuple(rows))


def regrouping_rows(found: Sensitivity) -> Rows:
    """In how many groups the best designs are others, for each world in which there is one."""
    rows = [(one.world, *(str(count or "-") for count in one.counts)) for one in found.regroupings]
    title = f"In how many of {counted(found.groups, 'groups')} another design is the best"
    return Rows(title, ("with", *(objective.name for objective in found.of_front)), tuple(rows))


def effect_rows(found: Sensitivity, space: Space) -> Rows:
    """What each assumption and setting changes of the objectives of one design, the largest change first."""
    number = range(len(found.objectives))
    ranked = sorted((one for one in found.effects if any(map(one.largest, number))),
                    key=lambda one: -max(map(one.largest, number)))  # fmt: skip
    others = ", ".join(one.shift.label for one in found.effects if not any(map(one.largest, number)))
    rows = [
        (
            one.shift.label, one.shift.text(one.shift.standing), one.shift.text(end),
            *("-" if change == 0 else _percent(change) for change in changes),
        )
        for one in ranked
        for end, changes in zip(one.shift.ends, one.changes, strict=True)
    ]  # fmt: skip
    titles = (objective.name for objective in found.objectives)
    notes = [f"move none of these, but other designs, or which can be evaluated: {others}"] if others else []
    title = f"What moves {space.describe(found.design)}"
    return Rows(title, ("assumption", "from", "to", *titles), tuple(rows), tuple(notes))


def tornado_figure(found: Sensitivity) -> go.Figure:
    """A panel for each objective: bars of its relative change at both ends of each assumption and with each other
    setting, the longest on top."""
    panels = [
        sorted((one for one in found.effects if one.largest(at) > 0), key=lambda one: one.largest(at))
        for at in range(len(found.objectives))
    ]
    kinds = [(SMALLER, FRONT, ""), (LARGER, BASELINES[0], "/")]
    if any(one.shift.assumption is None for one in found.effects):
        kinds.append((OTHER, BASELINES[1], "."))
    heights = [max(len(bars), 1) for bars in panels]
    height = GAP * len(panels) + BAR * sum(heights)
    figure = make_subplots(rows=len(panels), row_heights=heights, vertical_spacing=GAP / height)
    for at, bars in enumerate(panels):
        for name, colour, shape in kinds:
            ends = [next((end for end in one.shift.ends if _kind(one.shift, end) == name), NONE) for one in bars]
            changes = [_change(one, end, at) for one, end in zip(bars, ends, strict=True)]
            figure.add_bar(
                y=[_bar(one.shift) for one in bars], x=[100 * change for change in changes], orientation="h", name=name,
                legendgroup=name, showlegend=at == 0,
                marker={"color": colour, "pattern": {"shape": shape}},
                text=["" if end is NONE else one.shift.text(end) for one, end in zip(bars, ends, strict=True)],
                hovertemplate="%{y} = %{text}: %{x:+.3g} %<extra></extra>", textposition="none", row=at + 1, col=1,
            )  # fmt: skip
        name = found.objectives[at].name
        figure.update_xaxes(title_text=f"change of {name} [%]" if bars else f"nothing moves {name}", row=at + 1, col=1)
    return figure.update_layout(
        template="plotly_white", barmode="overlay", height=MARGINS + height,
        font={"family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.0, "yref": "container", "yanchor": "top", "x": 0},
        margin={"l": 260, "r": 40, "t": MARGINS / 2, "b": MARGINS / 2},
    )  # fmt: skip


def _kind(shift: Shift, end: Any) -> str:
    """What a value is beside the one that stands."""
    if shift.assumption is None:
        return OTHER
    return SMALLER if end < shift.standing else LARGER


def _bar(shift: Shift) -> str:
    """The name of a bar: every value of a setting has its own."""
    return shift.name if shift.assumption else f"{shift.name} = {shift.text(shift.ends[0])}"


def _change(effect: Effect, end: Any, objective: int) -> float:
    """The change at an end; nothing is drawn where there is none."""
    if end is NONE:
        return math.nan
    return effect.changes[effect.shift.ends.index(end)][objective]


def _percent(change: float) -> str:
    return f"{100 * change:+.3g} %" if math.isfinite(change) else GONE
