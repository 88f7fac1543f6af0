"""Small studies that were evaluated in this process, without Ray."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from explorer import Study
from explorer.evaluation import Evaluation, Proposal
from explorer.launch import prepare
from explorer.store import Store
from tests.explorer.searches import write_search

__all__ = ["REPLAYED", "TRAINED", "evaluated", "rewritten"]

REPLAYED = (
    ("simulators: [deeptrain, training]", "simulators: [deeptrain, tabulated]"),
    ("proxy: {width: 0.0625, train_images: 300}\n", ""),
    ("fidelity: {epochs: 1}", "fidelity: {epochs: {low: 1, high: 12}}"),
    ("crossbar_size: [64, 128]", "crossbar_size: [64, 128]\n  cell_bits: [1, 2]"),
    ("  - area < 400 mm2\n", "  - area < 250 mm2\n  - accuracy >= 60 %\n  - peak_temperature <= 100 C\n"),
)
"""Changes to the small search: trainings replayed from a table, under constraints on a variable, on what is computed
and on what is trained."""

TRAINED = (
    {"bn": "all", "reram_layers": 1},
    {"bn": "none", "reram_layers": 2},
    {"bn": "C1,C8", "crossbar_size": 64, "reram_layers": 1},
    {"bn": "C1,C8", "crossbar_size": 64, "reram_layers": 1, "replicate": 1},
    {"bn": "C2", "gpu_layers": 2, "reram_layers": 1},
    {"bn": "C5,C6,C7"},
)
"""Designs of it, one of them with two seeds."""


def evaluated(folder: Path, *designs: dict[str, object], changes: tuple[tuple[str, str], ...] = ()) -> Study:
    """A study of the small search in a folder, with changes to it, that has evaluated some designs.

    ``replicate`` among a design's values is that of its evaluation.
    """
    prepared = prepare(write_search(folder, *changes), store=str(folder / "x.db"))
    study, problem = prepared.study, prepared.problem
    study.store.create(study.record)
    for values in designs:
        how = {"replicate": values.get("replicate", 0)}
        design = problem.space.design({name: value for name, value in values.items() if name != "replicate"})
        proposal = Proposal(design, problem.full_fidelity, how["replicate"], "test")  # type: ignore[arg-type]  # a number
        study.store.append(study.name, [problem.evaluate(proposal)])
    return study.refresh()


def rewritten(study: Study, folder: Path, rows: Sequence[Evaluation] | None = None, **record: object) -> Study:
    """A study as another would have been written: with other evaluations, or another record."""
    store = Store(f"sqlite:///{folder / 'other.db'}", create=True)
    written = replace(study.record, **record)  # type: ignore[arg-type]  # of its fields
    store.create(written)
    store.append(written.name, study.rows if rows is None else rows)
    return Study(store, store.find())
