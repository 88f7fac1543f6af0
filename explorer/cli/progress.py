"""How a running search looks: a live panel on a terminal, a line per evaluation elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from explorer.cli.output import console
from explorer.outline import Outline
from explorer.search import Progress
from explorer.units import format_quantity

__all__ = ["ProgressDisplay"]

LINES = 8  # latest evaluations shown


class ProgressDisplay:
    """A context manager whose :meth:`update` is a search's listener.

    Args:
        outline: names and units of the objectives.
    """

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._console = console()
        self._live = Live(console=self._console, auto_refresh=False) if sys.stdout.isatty() else None
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
        if evaluation.failed:
            return f"{label}: failed, {evaluation.failure}"
        values = ", ".join(
            f"{o.name} {format_quantity(evaluation.values[o.name], o.unit)}" for o in self._outline.objectives
        )
        return f"{label}: {values}"

    def _panel(self, progress: Progress) -> Group:
        done = progress.finished if progress.wanted is None else min(progress.finished, progress.wanted)
        bar = ProgressBar(total=progress.wanted, completed=done, width=40, pulse=progress.wanted is None)
        grid = Table.grid(padding=(0, 3))
        grid.add_row(
            f"[bold]{progress.phase}[/]", f"{_counts(progress)} done", f"{progress.running} running",
            f"{progress.failed} failed", f"cost {progress.cost:g}",
        )  # fmt: skip
        grid.add_row("front", f"{progress.front_size} designs", f"hypervolume {progress.hypervolume:.4f}",
                     f"{_clock(progress.elapsed_s)} elapsed", f"{_clock(progress.remaining_s)} left")  # fmt: skip
        line = Table.grid()
        line.add_row(bar)  # a bar by itself ends without a new line
        return Group(grid, line, *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._latest))


def _counts(progress: Progress) -> str:
    return f"{progress.finished}/{progress.wanted}" if progress.wanted else f"{progress.finished}"


def _standing(progress: Progress) -> str:
    return (
        f"[{progress.phase}; front {progress.front_size}, hypervolume {progress.hypervolume:.4f}, {progress.running} "
        f"running, {progress.failed} failed, {_clock(progress.remaining_s)} left]"
    )


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
