"""Everything that a study evaluated as one table: for pandas, and as CSV, JSON or Parquet for other tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from explorer.evaluation import Evaluation
from explorer.naming import SHORT
from explorer.outline import Outline

if TYPE_CHECKING:
    import pandas

    from explorer.study import Study

__all__ = ["CURVE", "evaluations_frame"]

CURVE = "_curve"
"""What the name of a column with a curve ends with."""

ABOUT = (
    "fidelity", "replicate", "cost", "seed", "strategy", "feasible", "on_front", "failure", "kind", "started_at",
    "duration_s", "worker", "node",
)  # fmt: skip


def evaluations_frame(study: Study, *, derived: bool = False, curves: bool = False) -> pandas.DataFrame:
    """All evaluations, one row each, with the number and the key that they are named by.

    Variables, objectives and report fields have a column each; so has whether the design is feasible, and whether it is
    on the front.

    Args:
        study: whose evaluations.
        derived: also the members of families that were stored with what was run; they name its number and key.
        curves: also what was measured after each epoch, a list in a cell.
    """
    import pandas

    outline = study.outline
    best = {point.design for point in study.front()}
    rows = study.rows if derived else study.evaluations
    records = [_record(outline, row, row.design in best, curves) for row in rows]
    if derived:
        for record, row in zip(records, rows, strict=True):
            record["derived"] = bool(row.derived_from)
    always = ["evaluation", "key", "design", *outline.space.variables, *(o.name for o in outline.objectives)]
    return pandas.DataFrame(records, columns=_columns([always, *records, ABOUT]))


def _columns(names: Iterable[Iterable[str]]) -> list[str]:
    """Every name once, what is known of an evaluation itself behind what was measured."""
    found = dict.fromkeys(name for some in names for name in some)
    return [*(name for name in found if name not in ABOUT), *ABOUT]


def _record(outline: Outline, row: Evaluation, on_front: bool, curves: bool) -> dict[str, Any]:
    about = {
        "fidelity": row.fidelity, "replicate": row.replicate, "cost": row.cost, "seed": row.seed,
        "strategy": row.strategy, "feasible": row.feasible,
        "on_front": on_front and not row.failed and row.fidelity == outline.full_fidelity,
        "failure": row.failure, "kind": str(row.kind or ""), "started_at": row.started_at,
        "duration_s": row.duration_s, "worker": row.worker, "node": row.node,
    }  # fmt: skip
    return {
        "evaluation": row.number, "key": row.digest[:SHORT], "design": outline.space.describe(row.design),
        **row.quantities, **row.design.to_json(), **row.values,
        **({name + CURVE: list(curve) for name, curve in row.series.items()} if curves else {}), **about,
    }  # fmt: skip
