"""``rex status``: how a study stands, and with ``--watch`` how its search goes on."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.options import StudyArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from explorer.outline import Outline
    from explorer.standing import Standing
    from explorer.study import Study

__all__ = ["standing_lines", "status"]

LISTED = 5  # numbers of evaluations that failed for the same reason
WATCH_S = 2.0


def status(
    study: StudyArgument,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show how its search goes on until that ends, or Ctrl-C.")
    ] = False,
) -> None:
    """How a study stands: workload, evaluations, cost, time, front, failures by reason; workers while it runs."""
    from explorer.cli.output import console
    from explorer.study import load_study

    loaded = load_study(study)
    if watch:
        _watch(loaded)
    standing = loaded.standing
    lines = [*_study_lines(loaded), *(standing_lines(standing, loaded.outline) if standing else [])]
    console().print("\n".join(lines), markup=False, soft_wrap=True)


def _study_lines(loaded: Study) -> list[str]:
    from explorer.answers import without_answered
    from explorer.budget import Budget
    from explorer.cli.output import clock
    from explorer.launch import budget_of
    from explorer.standing import SILENT_S
    from explorer.units import counted

    evaluations = loaded.evaluations
    searched = [evaluation for evaluation in evaluations if evaluation.replicate == 0]
    run = list(without_answered(loaded.outline, searched))
    whole = sum(evaluation.fidelity == loaded.outline.full_fidelity for evaluation in run)
    failures: dict[str, list[int]] = {}
    for evaluation in evaluations:
        if evaluation.failed:
            failures.setdefault(evaluation.failure, []).append(evaluation.number)
    again = Counter(attempt.kind.value for evaluation in evaluations for attempt in evaluation.earlier)
    spec, outline = loaded.spec, loaded.outline
    budget = budget_of(spec.budget, outline) if spec else Budget()
    wanted = budget.evaluations
    first_s = min((evaluation.started_at for evaluation in evaluations), default=0.0)
    last_s = max((evaluation.started_at + evaluation.duration_s for evaluation in evaluations), default=0.0)
    evaluating_s = sum(evaluation.duration_s for evaluation in evaluations)
    lines = [
        f"study {loaded.name}, begun {time.strftime('%Y-%m-%d %H:%M', time.localtime(loaded.record.created_at))}, "
        f"reram-explorer {loaded.record.code_version}",
        *([f"workload: {outline.workload}"] if outline.workload else []),
        *([f"strategy {spec.strategy.name}, seed {spec.seed}"] if spec else []),
        f"evaluations: {len(run)}" + (f" of {wanted}" if wanted else "")
        + (f", {outline.whole(whole)}" if whole < len(run) else "")
        + (f", {known} more needed no training" if (known := len(searched) - len(run)) else "")
        + f", {counted(len(evaluations) - len(searched), 'repeats')}, {sum(map(len, failures.values()))} failed",
        f"cost: {counted(sum(evaluation.cost for evaluation in evaluations), outline.fidelity_name)}",
        f"time: {clock(last_s - first_s)} from the first evaluation to the last, {clock(evaluating_s)} evaluating",
        f"front: {counted(len(loaded.front()), 'designs')}",
        *([f"attempts that failed and were made once more: {_counts(again)}"] if again else []),
        *(f"failed {len(numbers)} x: {reason} (evaluation{'s' * (len(numbers) > 1)} {_listed(numbers)})"
          for reason, numbers in sorted(failures.items(), key=lambda pair: -len(pair[1]))),
    ]  # fmt: skip
    standing = loaded.standing
    runs = standing is not None and not standing.ended and standing.age_s < SILENT_S
    if (wanted or budget.cost) and not budget.used_up(run) and not runs:
        lines.append(f"not finished: rex resume {loaded.reference}")
    return lines


def _watch(loaded: Study) -> None:
    """Show how a search stands until it ends."""
    from rich.console import Group
    from rich.live import Live

    from explorer.cli.output import console, note
    from explorer.standing import SILENT_S

    out = console()
    standing = loaded.standing
    if standing is None:
        note("no search of this study has told how it stands")
        return
    try:
        with Live(console=out, auto_refresh=False) as live:
            while standing is not None and not standing.ended:
                gone = standing.age_s >= SILENT_S
                lines = standing_lines(standing, loaded.outline)
                if out.is_interactive:
                    live.update(Group(*lines), refresh=True)
                else:
                    out.print("  ".join(lines), markup=False, soft_wrap=True)
                if gone:
                    return
                time.sleep(WATCH_S)
                standing = loaded.standing
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def standing_lines(standing: Standing, outline: Outline) -> list[str]:
    """How a search stands or stood, in a few lines."""
    from explorer.cli.output import clock
    from explorer.standing import SILENT_S
    from explorer.units import counted

    if standing.ended:
        return [
            f"last run: {standing.phase} after {clock(standing.elapsed_s)}"
            + (f": {standing.reason}" if standing.reason else "")
        ]
    crew = standing.crew
    if standing.age_s >= SILENT_S:
        return [f"last run: {standing.driver} has told nothing for {clock(standing.age_s)}; it was ended, or hangs"]
    done = f"{standing.finished}" + (f" of {standing.wanted}" if standing.wanted else "")
    if standing.wanted_cost:
        done += f", {standing.spent:g} of {counted(standing.wanted_cost, outline.fidelity_name)}"
    idle = "" if crew.idle_share is None else f", idle {100 * crew.idle_share:.1f} % of their time"
    return [
        f"{standing.phase}: {standing.driver}, {standing.age_s:.0f} s ago",
        f"evaluations: {done}, {standing.running} running, {standing.failed} failed, "
        f"{standing.per_minute:.3g} a minute, {clock(standing.remaining_s)} left",
        f"workers: {crew.ready} of {crew.wanted}" + (f", {crew.starting} starting" if crew.starting else "") + idle,
        *(f"  node {node.node[:8]} ({node.address}): {counted(node.ready, 'workers')}, {node.busy} busy"
          for node in crew.nodes),
        *([f"failed in this run: {_counts(standing.failures)}"] if standing.failures else []),
        *([f"attempts made once more in this run: {_counts(standing.again)}"] if standing.again else []),
        *([f"waiting for the store: {counted(standing.unsaved, 'evaluations')}"] if standing.unsaved else []),
    ]  # fmt: skip


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number} x {kind}" for kind, number in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )


def _listed(numbers: list[int]) -> str:
    """Numbers, the first of many."""
    return ", ".join(map(str, numbers[:LISTED])) + (" ..." if len(numbers) > LISTED else "")
