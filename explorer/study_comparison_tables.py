"""Compared studies as tables."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from explorer.study_comparison import FEWEST, StudyComparison
from explorer.tables import Rows
from explorer.units import format_number

__all__ = ["comparison_tables"]

SURE = 0.05


def comparison_tables(found: StudyComparison) -> list[Rows]:
    """What the studies came to, who covers whom, and which differences may be luck."""
    tables = [_figures(found)]
    if len(found.studies) > 1:
        tables += [_coverage(found), _differences(found)]
    return tables


def _spread(values: Sequence[float], factor: float = 1.0) -> str:
    """A median, with the least and the largest of several."""
    finite = [value for value in values if value != float("inf")]
    middle = median(values)
    told = "never" if middle == float("inf") else format_number(middle, factor)
    if len(values) == 1:
        return told
    low = format_number(min(values), factor) if finite else "never"
    high = format_number(max(values), factor) if len(finite) == len(values) else "never"
    return f"{told} ({low} to {high})"


def _figures(found: StudyComparison) -> Rows:
    rows = []
    for group in found.studies:
        own = found.of(group)
        rows.append((
            group, str(len(own)), _spread([one.evaluations for one in own]), _spread([one.cost for one in own]),
            _spread([one.front for one in own]), _spread([one.hypervolume for one in own], 0.01),
            _spread([one.at_equal_cost for one in own], 0.01),
            *(_spread([one.cost_to[place] for one in own]) for place in range(len(found.targets))),
        ))  # fmt: skip
    columns = (
        "search", "studies", "evaluations", "cost", "designs on the front", "hypervolume [%]", "at equal cost [%]",
        *(f"cost to {100 * target:g} %" for target in found.targets),
    )  # fmt: skip
    names = ", ".join(objective.name for objective in found.objectives)
    notes = [
        f"hypervolume of {names}: 100 % is that of all fronts together",
        f"at equal cost: when as much was paid as the cheapest study did in the end, {found.equal_cost:g}",
    ]
    if any(len(some) > 1 for some in found.studies.values()):
        notes.append("median, with the least and the largest of its studies, which differ in their seed only")
    return Rows("Studies", columns, tuple(rows), tuple(notes))


def _coverage(found: StudyComparison) -> Rows:
    groups = list(found.studies)
    rows = tuple((by, *("-" if by == of else f"{100 * found.covered[by, of]:.0f}" for of in groups)) for by in groups)
    note = "row covers so much of the column's front: some design of its own is as good or better in every objective"
    return Rows("Coverage [%]", ("", *groups), rows, (note,))


def _differences(found: StudyComparison) -> Rows:
    rows = []
    for one in found.differences:
        first, second = len(found.of(one.first)), len(found.of(one.second))
        if one.p_value is None:
            told = f"too few to tell: {min(first, second)}, {FEWEST} would do"
        else:
            told = "more than luck" if one.p_value < SURE else "may be luck"
        p_value = "-" if one.p_value is None else f"{one.p_value:.3g}"
        rows.append((f"{one.first} against {one.second}", f"{100 * one.superiority:.0f}", p_value, told))
    notes = (
        "of hypervolumes at equal cost; better in: pairs of studies of which the former is better, draws by halves",
        f"p: two-sided test of Mann and Whitney, by Holm's method for all pairs; more than luck: below {SURE:g}",
    )
    return Rows("Differences", ("", "better in [%]", "p", ""), tuple(rows), notes)
