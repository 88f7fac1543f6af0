"""``rex run`` and ``rex resume``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.options import Cluster, DataDir, Settings, StoreOption, StudyArgument, Workers

if TYPE_CHECKING:
    from explorer.archive import Archive
    from explorer.contributions import WhoFound
    from explorer.evaluation import Evaluation
    from explorer.launch import Prepared

__all__ = ["resume", "run"]

ROWS = 15  # designs that fit a screen


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search file (rex schema says what it may hold).")],
    study: Annotated[str | None, typer.Option("--study", help="Name of the study (default: the file's).")] = None,
    store: StoreOption = None,
    workers: Workers = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Everything random follows from it.")] = None,
    settings: Settings = None,
    data_dir: DataDir = None,
    cluster: Cluster = None,
    go_on: Annotated[
        bool, typer.Option("--resume", help="Go on if the study has been begun: for jobs that may be started again.")
    ] = False,
) -> None:
    """Search: evaluate designs on Ray workers and print the Pareto front."""
    from explorer.launch import prepare, take_up

    prepared = (take_up if go_on else prepare)(
        file, settings=settings or [], study=study, store=store, workers=workers, seed=seed, data_dir=data_dir,
        cluster=cluster,
    )  # fmt: skip
    _run(prepared)


def resume(study: StudyArgument, workers: Workers = None, settings: Settings = None, cluster: Cluster = None) -> None:
    """Go on with a study that was interrupted, with nothing lost and nothing done twice."""
    from explorer.launch import resume as prepare_resume

    _run(prepare_resume(study, workers=workers, settings=settings or [], cluster=cluster))


def _run(prepared: Prepared) -> None:
    from explorer.archive import Archive
    from explorer.cli.output import console, note, print_rows
    from explorer.cli.progress import ProgressDisplay
    from explorer.comparison import compare
    from explorer.report import write_page
    from explorer.tables import comparison_rows, contribution_rows, front_rows
    from explorer.termination import Terminated
    from explorer.units import counted

    reference = prepared.study.reference
    if prepared.complete:
        limits = [name for name, limit in prepared.spec.budget if limit is not None and name != "wall_time_s"]
        more = "" if prepared.problem.outline.known_at_once else (
            f"; a larger budget goes on: rex resume {reference} --set budget.{limits[0]}=N"
        )  # fmt: skip
        note(f"already complete, nothing is left to run{more}")
    display = ProgressDisplay(prepared.problem.outline)
    try:
        with ExitStack() as stack:

            def begin() -> None:
                console().print(f"{prepared.description}\nstudy {reference}", markup=False)
                stack.enter_context(display)

            study = prepared.run(display.update, begin)
    except Terminated:
        note(f"ended by SIGTERM; nothing that was finished is lost: rex resume {reference}")
        raise
    except KeyboardInterrupt:
        begun = prepared.study.name in prepared.study.store.names()
        note(f"interrupted; nothing that was finished is lost: rex resume {reference}" if begun else
             "interrupted before the search began; nothing was written")  # fmt: skip
        raise typer.Exit(130) from None
    archive = Archive(prepared.problem, study.rows)
    comparisons = compare(prepared.problem, archive, prepared.assembly.initial)
    best = prepared.problem.objectives[0].name
    shown = archive.front.representatives(ROWS, archive.scale).sorted_by(best)
    title = f"Pareto front of {study.name}: {counted(len(archive.front), 'designs')}"
    if len(shown) < len(archive.front):
        title += f", here the {len(shown)} that together cover most of it"
    if archive.front:
        print_rows(front_rows(shown, title, held_out=True))
    else:
        note(f"the front is empty: {study.why_empty()}")
    if any(comparison.others for comparison in comparisons):
        print_rows(comparison_rows(comparisons, study.outline))
    who = _who_found(prepared, archive, study.evaluations)
    if who:
        print_rows(contribution_rows(who.contributions, study.outline))
    page = write_page(study, archive, comparisons, prepared.page, prepared.description, who)
    failed = sum(evaluation.failed for evaluation in study.evaluations)
    if failed:
        note(f"{counted(failed, 'evaluations')} failed: rex status {reference} says why")
    console().print(f"the whole front: rex pareto {reference}\npage: {page}", markup=False, soft_wrap=True)
    if not any(not evaluation.failed for evaluation in study.evaluations):
        raise typer.Exit(1)


def _who_found(prepared: Prepared, archive: Archive, evaluations: Sequence[Evaluation]) -> WhoFound | None:
    """Who found what, for a portfolio's search."""
    from explorer.contributions import WhoFound, contributions, shares_history
    from explorer.strategies.portfolio import Portfolio

    if prepared.spec.strategy.name != Portfolio.name:  # before others are made: BoTorch takes seconds to import
        return None
    strategy = prepared.assembly.strategy()
    if not isinstance(strategy, Portfolio):
        return None
    return WhoFound(contributions(archive), shares_history(strategy, evaluations))
