"""Fronts and comparisons as tables: the same rows for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from explorer.comparison import Comparison
from explorer.contributions import Contribution
from explorer.explanation import Explanation
from explorer.fronts import Front
from explorer.outline import ObjectiveInfo, Outline
from explorer.points import Point
from explorer.ranking import Ranking
from explorer.space import written
from explorer.units import common_scale, counted, format_number, format_uncertain

__all__ = [
    "Column",
    "Rows",
    "comparison_rows",
    "contribution_rows",
    "difference",
    "effect_column",
    "effect_rows",
    "front_rows",
    "value_text",
]

TRUSTED = 0.5  # share of the variance below which a note warns
EXACT = "computed exactly"
ARROWS = {"maximize": "↑", "minimize": "↓"}


@dataclass(frozen=True)
class Rows:
    """A table of text.

    Args:
        title: above it.
        columns: headers.
        rows: cells.
        notes: below it.
        warnings: what must be read first, above it.
        emphasised: indices of rows that stand out.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    emphasised: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()

    def is_numeric(self, column: int) -> bool:
        """Whether a column holds numbers, or nothing in some rows: it is aligned to the right."""
        cells = [row[column] for row in self.rows]
        return all(cell[:1].isdigit() or cell[:1] in "-+" for cell in cells) and any(
            cell[:1].isdigit() or cell[1:2].isdigit() for cell in cells
        )


@dataclass(frozen=True)
class Column:
    """A quantity of several designs, all shown in the same unit.

    Args:
        title: its name with the unit in brackets.
        factor: the unit in SI.
    """

    title: str
    factor: float

    @classmethod
    def of(cls, name: str, unit: str, values: Sequence[float]) -> Column:
        """A column for values in SI."""
        factor, symbol = common_scale(values, unit)
        return cls(f"{name} [{symbol}]" if symbol else name, factor)

    @classmethod
    def of_objective(cls, objective: ObjectiveInfo, points: Sequence[Point]) -> Column:
        """A column for an objective of designs."""
        name = objective.name.removesuffix(f"_{objective.unit}").removesuffix(f"_{objective.unit.lower()}")
        return cls.of(name.replace("_", " "), objective.unit, [point.values[objective.name] for point in points])


def value_text(point: Point, objective: ObjectiveInfo) -> str:
    """An objective's value with its unit, and with its standard error where that is known."""
    return format_uncertain(point.values[objective.name], point.error.get(objective.name, 0.0), objective.unit)


class _Columns:
    """The columns of objectives, and of variables and fields such as ``test_accuracy``, that tables of designs share.

    Args:
        outline: of the study.
        points: the designs.
        held_out: also show the fields that no search may see.
        named: variables and fields that are shown too.
    """

    def __init__(self, outline: Outline, points: Sequence[Point], *, held_out: bool, named: Sequence[str] = ()) -> None:
        self._objectives = [(o, Column.of_objective(o, points)) for o in outline.objectives]
        names = dict.fromkeys(name for point in points for name in point.held_out) if held_out else {}
        names.update(dict.fromkeys(named))
        for objective in outline.objectives:
            names.pop(objective.name, None)
        self._variables = [outline.space.variables[name] for name in names if name in outline.space.variables]
        fields = [name for name in names if name not in outline.space.variables]
        self._fields = [(name, self._field(outline, name, points)) for name in fields]

    @staticmethod
    def _field(outline: Outline, name: str, points: Sequence[Point]) -> Column:
        values = [point.names[name] for point in points if name in point.names]
        unit = outline.units.get(name, "")
        return Column.of(name.removesuffix(f"_{unit.lower()}").replace("_", " "), unit, values)

    @property
    def titles(self) -> list[str]:
        """Headers, with an arrow to the better side of objectives."""
        objectives = [f"{column.title} {ARROWS[objective.direction]}" for objective, column in self._objectives]
        variables = [variable.name.replace("_", " ") for variable in self._variables]
        return [*objectives, *variables, *(column.title for _, column in self._fields)]

    def cells(self, point: Point, reference: Point | None = None) -> list[str]:
        """A design's values, with differences against another design."""
        cells = []
        for objective, column in self._objectives:
            name = objective.name
            text = format_number(point.values[name], column.factor, point.error.get(name, 0.0))
            if reference is not None and point is not reference:
                text += f" ({difference(point, reference, objective)})"
            cells.append(text)
        cells += [written(variable, point.design[variable.name]) for variable in self._variables]
        names = point.names
        return cells + [
            format_number(names[name], column.factor) if name in names else "-" for name, column in self._fields
        ]


def front_rows(
    front: Front, title: str, *, limit: int | None = None, held_out: bool = False, named: Sequence[str] = ()
) -> Rows:
    """A front as a table.

    Args:
        front: its points, in the order in which they are shown.
        title: of the table.
        limit: at most so many rows; a note says how many there are more.
        held_out: also show fields such as ``test_accuracy``.
        named: variables and report fields that are shown too.
    """
    shown, exact = front.first(len(front) if limit is None else limit), front.outline.exact
    columns = _Columns(front.outline, shown, held_out=held_out, named=named)
    numbered = not exact and any(point.evaluation for point in shown)
    scores = (
        [[format_number(score, 1.0)] for score in front.scores] if isinstance(front, Ranking) else [[]] * len(front)
    )
    rows = [
        (point.label, *score, *columns.cells(point), *([EXACT] if exact else _origin(point)),
         *([str(point.evaluation or "-")] if numbered else []))
        for point, score in zip(shown, scores, strict=False)
    ]  # fmt: skip
    notes = [front.outline.workload] if front.outline.workload else []
    if limit is not None and len(front) > limit:
        notes.append(f"on the front besides: {counted(len(front) - limit, 'designs')}")
    if exact:
        notes.append(f"{EXACT}: there is nothing to train, all that is asked of a design follows from its variables")
    elif any(point.derived_from for point in shown):
        notes.append("derived: never proposed, but exactly known, since another design with the same training was run")
    if len({point.replicates for point in shown}) > 1:
        notes.append("seeds: how many trainings a value is the mean of; what has one seed may be luck")
    notes += _about_errors(shown, front.outline)
    notes += front.notes
    if numbered and front.outline.workload:
        notes.append("evaluation: number of the one that was run; rex model gives its network, rex rerun repeats it")
    seeds, numbers = () if exact else ("seeds",), ("evaluation",) if numbered else ()
    score = (front.title,) if isinstance(front, Ranking) else ()
    titles = ("design", *score, *columns.titles, *seeds, "found by", *numbers)
    return Rows(title, titles, tuple(rows), tuple(notes))


def _about_errors(points: Sequence[Point], outline: Outline) -> list[str]:
    """What ``±`` means, if it is there."""
    if not any(point.error for point in points):
        return []
    known = {name for point in points for name in point.quantities}
    chips = any(objective.random_error in known for objective in outline.objectives)
    seeds = any(point.spread for point in points)
    sources = [
        *(["of seeds"] if seeds else []), "of so many images", *(["of chips that were drawn"] if chips else []),
    ]  # fmt: skip
    lacking = "" if seeds else ", not of seeds, since nothing was trained twice"
    return [
        f"±: one standard error: {', '.join(sources)}{lacking}; of a difference between designs some of it cancels, "
        "since all are judged on the same images"
    ]


def _origin(point: Point) -> list[str]:
    """By how many trainings it is known, and who found it."""
    return [str(point.replicates), f"{point.strategy}, derived" if point.derived_from else point.strategy]


def comparison_rows(comparisons: Sequence[Comparison], outline: Outline) -> Rows:
    """Designs of the front beside the initial designs, all else equal; differences are against the first baseline."""
    rows: list[tuple[str, ...]] = []
    emphasised: list[int] = []
    columns = _Columns(outline, [point for c in comparisons for point in (*c.chosen, *c.others)], held_out=True)
    for comparison in comparisons:
        reference = comparison.others[0] if comparison.others else None
        emphasised += range(len(rows), len(rows) + len(comparison.chosen))
        rows += [
            (point.label, *columns.cells(point, reference), str(point.replicates))
            for point in (*comparison.chosen, *comparison.others)
        ]
    notes = [outline.workload] if outline.workload else []
    notes.append("all else equal: in what training does not read; in brackets: against the first initial design")
    notes += _about_errors([point for c in comparisons for point in (*c.chosen, *c.others)], outline)
    return Rows("The front beside the initial designs, all else equal", ("design", *columns.titles, "seeds"),
                tuple(rows), tuple(notes), frozenset(emphasised))  # fmt: skip


def contribution_rows(found: Sequence[Contribution], outline: Outline) -> Rows:
    """Who found what: a row for each strategy."""
    rows = tuple(
        (
            one.strategy, str(one.evaluations), counted(one.cost, outline.fidelity_name), str(one.found),
            f"{100 * one.lost:.2f} %",
        )
        for one in found
    )  # fmt: skip
    return Rows(
        "Who found what",
        ("strategy", "evaluations", "cost", "designs on the front", "covered by nobody else"),
        rows,
        (
            "designs on the front: with the members of families that it had trained; covered by nobody else: the "
            "hypervolume that the front would lose without them",
        ),
    )


def difference(point: Point, reference: Point, objective: ObjectiveInfo) -> str:
    """How far a value is from the reference's: points for fractions, else per cent."""
    value, base = point.values[objective.name], reference.values[objective.name]
    if objective.unit == "fraction":
        return f"{100 * (value - base):+.1f} points"
    return f"{100 * (value - base) / abs(base):+.0f} %" if base else "-"


def effect_rows(explanation: Explanation, title: str, limit: int | None = None) -> Rows:
    """Effects and interactions as a table, the largest first.

    Args:
        explanation: of an objective.
        title: of the table.
        limit: at most so many rows; a note says how many there are more.
    """
    ranked = explanation.ranked()
    shown = ranked[:limit]
    column = effect_column(explanation)
    rows = [
        (effect.label, *(_signed(value / column.factor) for value in (effect.mean, effect.low, effect.high)),
         "yes" if explanation.certain(effect) else "-")
        for effect in shown
    ]  # fmt: skip
    percent = f"{100 * explanation.mass:g} %"
    notes = [explanation.workload] if explanation.workload else []
    notes += [
        _basis(explanation, percent),
        "effect: what switching a choice on changes, all others at random; A × B: how much more A changes with B on",
    ]
    if explanation.untold:
        why = (
            "hardly any two feasible designs differ in these alone"
            if explanation.exact
            else "nothing is known of these, which all evaluations have or none"
        )
        notes.append(f"{why}: {', '.join(explanation.untold)}")
    if len(shown) < len(ranked):
        notes.append(f"smaller ones that are not shown: {len(ranked) - len(shown)}")
    columns = ("choice", column.title, f"{percent} interval: low", "high", "certain")
    return Rows(title, columns, tuple(rows), tuple(notes), warnings=tuple(_doubts(explanation, percent)))


def _basis(explanation: Explanation, percent: str) -> str:
    """What effects come from, and how well the model of single choices and pairs does."""
    share = f"{100 * explanation.explained:.0f} % of the variance"
    if explanation.exact:
        return (
            f"exact: from {explanation.evaluations} simulated designs, with one and two choices switched in each; a "
            f"second-order model of single choices and pairs explains {share} of others"
        )
    return (
        f"from {counted(explanation.evaluations, 'evaluations')}; of designs that it has not seen (cross-validated) "
        f"the model predicts {share}, and its {percent} intervals hold {100 * (explanation.covered or 0):.0f} % of them"
    )


def _doubts(explanation: Explanation, percent: str) -> Iterator[str]:
    """Why effects are not to be relied on."""
    if not explanation.predicts:
        yield "The model predicts nothing of designs that it has not seen: do not rely on these effects."
    elif explanation.explained < TRUSTED and not explanation.exact:
        yield "The model predicts little of designs that it has not seen: more evaluations may tell another story."
    if explanation.narrow:
        yield f"The {percent} intervals are too narrow (they hold fewer values than that): none is called certain."


def effect_column(explanation: Explanation) -> Column:
    """The unit of an objective's effects: points for fractions."""
    objective = explanation.objective
    if objective.unit == "fraction":
        return Column("effect [points]", 0.01)
    largest = max(abs(effect.mean) for effect in explanation.ranked())  # most effects are nothing: no measure of a unit
    return Column.of("effect", objective.unit, [largest])


def _signed(value: float) -> str:
    return f"{value:+.3g}"
