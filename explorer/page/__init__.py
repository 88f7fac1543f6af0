"""The page of a study: one file that works offline, or that a server keeps up to date; see ``page.js``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

import yaml

from explorer.page.contents import Contents, contents
from explorer.study import Study

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["live_page", "rendered", "report_page"]

HERE = files("explorer.page")


def report_page(study: Study) -> str:
    """The page of a study as HTML: everything is in it.

    Args:
        study: finished or not; no Python file that it names is run.
    """
    return rendered(contents(study), "".join(_sections(study)))


def live_page(study: Study, found: Contents) -> str:
    """The page of a study whose server keeps it up to date.

    Args:
        study: as it stands.
        found: what the page holds.
    """
    return rendered(found, "".join(_sections(study)))


def rendered(found: Contents, sections: str = "") -> str:
    """The page with what it holds, and with what stands below it."""
    data = json.dumps(found.to_json(), allow_nan=False, separators=(",", ":"))
    return Template((HERE / "page.html").read_text("utf-8")).substitute(
        title=escape(found.title),
        css=(HERE / "page.css").read_text("utf-8"),
        js=(HERE / "page.js").read_text("utf-8"),
        data=data.replace("<", "\\u003c"),  # nothing in it ends the element that holds it
        sections=sections,
    )


def _sections(study: Study) -> Iterator[str]:
    """How the study got there, and what its results depend on."""
    from explorer.report import figure_html, provenance_html

    yield "<h2>How it got there</h2>"
    for number, (words, figure) in enumerate(_figures(study)):
        yield f'<p class="quiet">{escape(words)}</p>{figure_html(figure, with_library=number == 0)}'
    yield f"<h2>Where it comes from</h2>{provenance_html(study)}"
    if study.record.search:
        text = yaml.safe_dump(dict(study.record.search), sort_keys=False, allow_unicode=True)
        title = "The search file, with all that was overridden"
        yield f"<details><summary>{title}</summary><pre>{escape(text)}</pre></details>"


def _figures(study: Study) -> Iterator[tuple[str, go.Figure]]:
    from explorer.plots.convergence import convergence_figure
    from explorer.plots.fidelity import fidelity_figure
    from explorer.plots.placements import placements, placements_figure
    from explorer.plots.portfolio import found_figure
    from explorer.traces import box, trace
    from simulators.protocol import BinaryVector

    outline, front = study.outline, study.front()
    found = trace(study, box([study]))
    yield (
        "The front and the best of each objective, over what was paid.",
        convergence_figure(outline, {study.name: [found]}),
    )
    if front and any(isinstance(variable.domain, BinaryVector) for variable in outline.space.variables.values()):
        yield "Which layers keep their normalisation on the front.", placements_figure(placements(front))
    if len({evaluation.fidelity for evaluation in study.evaluations}) > 1:
        yield "How long trainings were.", fidelity_figure(outline, study.evaluations)
    if len(set(found.strategies) - {"initial"}) > 1:
        yield "What each strategy added to the front.", found_figure(found, outline)
