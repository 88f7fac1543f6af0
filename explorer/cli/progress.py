"""How a running search looks: a live panel on a terminal, a line per evaluation elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from explorer.cli.output import clock, console
from explorer.outline import Outline
from explorer.search import Progress
from explorer.units import counted, format_quantity

__all__ = ["ProgressDisplay"]

LINES = 8  # latest evaluations shown
BAR = 24  # columns: with its numbers a bar fits a terminal of 60


class ProgressDisplay:
    """A context manager whose :meth:`update` is a search's listener.

    Args:
        outline: names and units of the objectives.
        out: where to show it; standard output by default.
    """

    def __init__(self, outline: Outline, out: Console | None = None) -> None:
        self._outline = outline
        self._console = out or console()
        self._live = Live(console=self._console, auto_refresh=False) if self._console.is_interactive else None
        self._latest: list[str] = []

    def __enter__(self) -> ProgressDisplay:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, progress: Progress) -> None:
        """Show how the search stands."""
        line = self._line(progress)
        if line:
            self._latest = [*self._latest[1 - LINES :], line]
        if self._live:
            self._live.update(self._panel(progress), refresh=True)
        elif line:
            self._console.print(f"{_counts(progress)}  {line}  {_standing(progress)}", markup=False, soft_wrap=True)

    def _line(self, progress: Progress) -> str:
        evaluation = progress.latest
        if evaluation is None:
            return ""
        label = self._outline.space.describe(evaluation.design)
        if evaluation.replicate:  # the same design was there before: what is new is the seed
            label += f", seed {evaluation.seed}"
        if evaluation.failed:
            return f"{label}: failed, {evaluation.failure}"
        values = ", ".join(
            f"{o.name} {format_quantity(evaluation.values[o.name], o.unit)}" for o in self._outline.objectives
        )
        return f"{label}: {values}"

    def _panel(self, progress: Progress) -> Group:
        unit = self._outline.fidelity_name
        paid = f"{counted(progress.cost, unit)} paid" if unit else f"cost {progress.cost:g}"
        return Group(
            _bars(progress),
            *([f"then {then}"] if (then := _then(progress)) else []),
            f"{progress.running} running   {progress.failed} failed   {paid}   {clock(progress.elapsed_s)} elapsed",
            f"front {counted(progress.front_size, 'designs')}   hypervolume {progress.hypervolume:.4f}",
            *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._latest),
        )


def _bars(progress: Progress) -> Table:
    """A bar for each phase that has begun; the one that goes on tells its time."""
    bars = Table.grid(padding=(0, 2))
    for phase, finished, wanted in _phases(progress):
        now = phase == progress.phase
        bar = ProgressBar(wanted, min(finished, wanted or finished), BAR, pulse=wanted is None and now)
        cells: list[RenderableType] = [
            f"[bold]{phase}[/]" if now else phase,
            bar,
            f"{finished}" if wanted is None else f"{finished}/{wanted}",
            f"{clock(progress.remaining_s)} left" if now else "",
        ]
        bars.add_row(*cells)
    return bars


def _phases(progress: Progress) -> Iterator[tuple[str, int, int | None]]:
    """Name, finished and wanted evaluations of each phase that has begun."""
    yield "searching", progress.finished, progress.wanted
    if progress.phase == "confirming":
        yield "confirming", progress.confirmed, progress.to_confirm


def _counts(progress: Progress) -> str:
    """Where the present phase stands, such as ``3/20``."""
    *_, (phase, finished, wanted) = _phases(progress)
    counts = f"{finished}" if wanted is None else f"{finished}/{wanted}"
    return counts if phase == "searching" else f"{phase} {counts}"


def _standing(progress: Progress) -> str:
    return (
        f"[{progress.phase}; front {progress.front_size}, hypervolume {progress.hypervolume:.4f}, {progress.running} "
        f"running, {progress.failed} failed, {clock(progress.remaining_s)} left"
        + (f", then {then}]" if (then := _then(progress)) else "]")
    )


def _then(progress: Progress) -> str:
    """What comes after the search, which the time that is left does not contain."""
    comes = progress.phase == "searching" and progress.to_confirm
    return f"up to {counted(progress.to_confirm, 'repeats')} to confirm" if comes else ""
