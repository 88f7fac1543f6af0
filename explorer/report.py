"""Static HTML pages, of a finished search and of an explained objective; they work offline."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template

import plotly.graph_objects as go

from explorer.archive import Archive
from explorer.comparison import Comparison
from explorer.contributions import WhoFound
from explorer.explanation import Explanation
from explorer.plots.effects import effects_figure
from explorer.plots.front import front_figure
from explorer.plots.portfolio import shares_figure
from explorer.points import Point
from explorer.results import Results
from explorer.study import Study
from explorer.tables import Rows, comparison_rows, contribution_rows, effect_rows, front_rows
from explorer.units import counted
from simulators.protocol import InputError

__all__ = ["explanation_page", "figure_html", "figure_page", "provenance_html", "write_page"]

ROWS = 200  # of the front's table; the rest is in `rex pareto`

SHARES = (
    "who adds more hypervolume for its cost is given more; who knows too little to choose yet is given the least, "
    "while another one evaluates random designs for all"
)

# No button that sends the figure to a server: designs are often confidential.
CONTROLS = {"displaylogo": False, "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d"]}

FRAME = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
 body { font-family: system-ui, sans-serif; color: #1a1a1a; max-width: 1240px; margin: 0 auto; padding: 1.5rem; }
 h1 { font-size: 1.5rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .4rem; }
 p { margin: .2rem 0; line-height: 1.45; overflow-wrap: anywhere; } .quiet { color: #555; }
 .scroll { overflow-x: auto; } .figure { min-width: 44rem; } table { border-collapse: collapse; font-size: .85rem; }
 th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid #ddd; vertical-align: top; }
 th:first-child, td:first-child, .words { text-align: left; }
 td:first-child { min-width: 11rem; } td span { white-space: nowrap; }
 dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; font-size: .85rem; margin: .4rem 0; }
 dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
 tr.chosen td { font-weight: 600; } tr:not(.chosen) + tr.chosen td { border-top: 2px solid #888; }
 thead th { position: sticky; top: 0; background: #fff; border-bottom: 2px solid #333; }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")

FRONT = Template("""$summary
<h2>The front</h2>
<div class="scroll"><div class="figure">$figure</div></div>
$front
$comparison
$contributions
<h2>Where it comes from</h2>
$provenance
""")


def write_page(
    study: Study, archive: Archive, comparisons: Sequence[Comparison], path: Path, description: str,
    who: WhoFound | None = None,
) -> Path:  # fmt: skip
    """Write the page of a study.

    Args:
        study: its evaluations.
        archive: its front.
        comparisons: the front beside the initial designs.
        path: of the page; replaced if an earlier run of the same study wrote it.
        description: what was searched, a few lines.
        who: found what, of a portfolio's search.

    Returns:
        The path.

    Raises:
        InputError: the page cannot be written.
    """
    outline, title = study.outline, f"Pareto front of {study.name}"
    front = archive.front.sorted_by(outline.objectives[0].name)
    on_front = {point.design for point in front}
    dominated = [point for point in Results(outline, archive.evaluations) if point.design not in on_front]
    figure = front_figure(front, dominated, _baselines(comparisons))
    finished = [evaluation for evaluation in study.evaluations if not evaluation.failed]
    short = [evaluation for evaluation in finished if outline.short(evaluation.fidelity)]
    whole = f" ({outline.whole(len(finished) - len(short))})" if short else ""
    cost = sum(evaluation.cost for evaluation in study.evaluations)
    summary = [
        *description.splitlines(),
        f"{counted(len(finished), 'evaluations')} finished{whole}, {len(study.evaluations) - len(finished)} failed, "
        f"{counted(cost, outline.fidelity_name)} paid; {counted(len(front), 'designs')} on the front, hypervolume "
        f"{archive.hypervolume:.4f} of the box between the worst and the best value of each objective.",
    ]
    body = FRONT.substitute(
        summary="".join(f"<p>{escape(line)}</p>" for line in summary),
        figure=figure.to_html(full_html=False, include_plotlyjs=True, config=CONTROLS),
        front=table_html(front_rows(front, "", limit=ROWS, held_out=True)),
        comparison=_comparison(comparisons, study),
        contributions=_contributions(who, study) if who else "",
        provenance=provenance_html(study),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(FRAME.substitute(title=escape(title), body=body), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write the page {path} ({error.strerror})", "store") from None
    return path


def explanation_page(explanation: Explanation, title: str) -> str:
    """The page of an explained objective: a heat map and the table."""
    figure = effects_figure(explanation).to_html(full_html=False, include_plotlyjs=True, config=CONTROLS)
    rows = effect_rows(explanation, "")
    warnings = "".join(f"<p><strong>{escape(warning)}</strong></p>" for warning in rows.warnings)
    body = f'<h2>Effects and interactions</h2>{warnings}<div class="scroll">{figure}</div>{table_html(rows)}'
    return FRAME.substitute(title=escape(title), body=body)


def provenance_html(study: Study) -> str:
    """What the results depend on, as a list of terms."""
    terms = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in _provenance(study))
    return f"<dl>{terms}</dl>"


def figure_html(figure: go.Figure, *, with_library: bool) -> str:
    """A figure as a part of a page; one of a page's figures brings the library that draws all of them."""
    drawn = figure.to_html(full_html=False, include_plotlyjs=with_library, config=CONTROLS)
    return f'<div class="scroll"><div class="figure">{drawn}</div></div>'


def _provenance(study: Study) -> Iterator[tuple[str, str]]:
    """What the results depend on, as terms and words."""
    yield "study", study.reference
    yield "begun", time.strftime("%Y-%m-%d %H:%M", time.localtime(study.record.created_at))
    yield "reram-explorer", study.record.code_version
    if spec := study.spec:
        yield "strategy", spec.strategy.name
        yield "seed", str(spec.seed)
        yield "budget", ", ".join(f"{name} {value:g}" for name, value in spec.budget if value is not None)
    for name, value in study.record.provenance.items():
        yield name.replace(".", ": ", 1).replace("_", " ") if "/" not in name else name, _words(value)


def figure_page(title: str, parts: Iterable[str | Rows | go.Figure]) -> str:
    """A page of paragraphs, tables and figures, one below the other; it works offline.

    Args:
        title: of the page.
        parts: what is on it; a table's title becomes a heading.
    """
    body, with_library = [], True
    for part in parts:
        if isinstance(part, Rows):
            body.append(f"<h2>{escape(part.title)}</h2>{table_html(part)}")
        elif isinstance(part, str):
            body.append(f"<p>{escape(part)}</p>")
        else:
            body.append(figure_html(part, with_library=with_library))
            with_library = False  # once is enough
    return FRAME.substitute(title=escape(title), body="".join(body))


def _words(value: str) -> str:
    """A JSON object of settings as words; any other text as it is."""
    if not value.startswith("{"):
        return value
    settings = ((name.replace("_", " "), setting) for name, setting in json.loads(value).items())
    return ", ".join(f"{name} {'-' if setting is None else setting}" for name, setting in settings) or "defaults"


def _baselines(comparisons: Sequence[Comparison]) -> dict[str, list[Point]]:
    """The initial designs by what makes them one: the words that their chips do not share."""
    groups: dict[str, list[Point]] = {}
    for comparison in comparisons:
        for point in comparison.others:
            name = point.label.removeprefix(comparison.chip).lstrip(", ") or point.label
            groups.setdefault(name, []).append(point)
    return groups


def _comparison(comparisons: Sequence[Comparison], study: Study) -> str:
    if not any(comparison.others for comparison in comparisons):
        return ""
    rows = comparison_rows(comparisons, study.outline)
    return f"<h2>{escape(rows.title)}</h2>{table_html(rows)}"


def _contributions(who: WhoFound, study: Study) -> str:
    rows = contribution_rows(who.contributions, study.outline)
    figure = shares_figure(who.history, study.outline).to_html(full_html=False, include_plotlyjs=False, config=CONTROLS)
    table = f"<h2>{escape(rows.title)}</h2>{table_html(rows)}"
    return f'{table}<div class="scroll">{figure}</div><p class="quiet">{SHARES}</p>'


def table_html(rows: Rows) -> str:
    """A table with its notes, without its title."""
    chosen, words = ' class="chosen"', ' class="words"'
    numeric = [rows.is_numeric(column) for column in range(len(rows.columns))]
    head = "".join(
        f"<th{'' if is_number else words}>{escape(column).replace('] ', ']&nbsp;')}</th>"
        for column, is_number in zip(rows.columns, numeric, strict=True)
    )
    body = "".join(
        f"<tr{chosen if index in rows.emphasised else ''}>"
        + f"<td>{escape(row[0])}</td>"
        + "".join(
            f"<td>{_pieces(cell)}</td>" if is_number else f"<td{words}>{escape(cell)}</td>"
            for cell, is_number in zip(row[1:], numeric[1:], strict=True)
        )
        + "</tr>"
        for index, row in enumerate(rows.rows)
    )
    notes = "".join(f'<p class="quiet">{escape(note)}</p>' for note in rows.notes)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}'


def _pieces(cell: str) -> str:
    """A value and its difference in brackets, each in one piece: a line breaks between them only. Words may break."""
    if not any(map(str.isdigit, cell)):
        return escape(cell)
    value, bracket, difference = cell.partition(" (")
    pieces = [value, bracket.strip() + difference] if bracket else [value]
    return " ".join(f"<span>{escape(piece)}</span>" for piece in pieces)
