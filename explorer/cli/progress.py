"""How a running search looks: a live panel on a terminal, a line per evaluation elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
            self._console.print(
                f"{self._counts(progress)}  {line}  {_standing(progress)}", markup=False, soft_wrap=True
            )

    def _line(self, progress: Progress) -> str:
        evaluation = progress.latest
        if evaluation is None:
            return ""
        label = self._outline.space.describe(evaluation.design)
        if short := self._outline.short(evaluation.fidelity):
            label += f", {short}"
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
            self._bars(progress),
            *([f"{counted(progress.finished, 'evaluations')}, {whole}"] if (whole := self._whole(progress)) else []),
            *([f"then {then}"] if (then := _then(progress)) else []),
            f"{progress.running} running   {progress.failed} failed   {paid}   {clock(progress.elapsed_s)} elapsed",
            f"front {counted(progress.front_size, 'designs')}   hypervolume {progress.hypervolume:.4f}",
            *(Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self._latest),
        )

    def _whole(self, progress: Progress) -> str:
        return self._outline.whole(progress.whole) if progress.whole < progress.finished else ""

    def _bars(self, progress: Progress) -> Table:
        """A bar for each phase that has begun; the one that goes on tells its time."""
        bars = Table.grid(padding=(0, 2))
        for phase in self._phases(progress):
            now = phase.name == progress.phase
            bar = ProgressBar(1.0, min(phase.share or 0.0, 1.0), BAR, pulse=phase.share is None and now)
            cells: list[RenderableType] = [
                f"[bold]{phase.name}[/]" if now else phase.name,
                bar,
                phase.counts,
                f"{clock(progress.remaining_s)} left" if now else "",
            ]
            bars.add_row(*cells)
        return bars

    def _phases(self, progress: Progress) -> Iterator[_Phase]:
        """Those that have begun."""
        of_number = progress.finished / progress.wanted if progress.wanted else None
        of_cost = progress.spent / progress.wanted_cost if progress.wanted_cost else None
        if of_cost is not None and (of_number is None or of_cost > of_number):
            counts = f"{progress.spent:g}/{counted(progress.wanted_cost or 0.0, self._outline.fidelity_name)}"
            yield _Phase("searching", of_cost, counts, of_cost=True)
        else:
            counts = f"{progress.finished}" + (f"/{progress.wanted}" if progress.wanted else "")
            yield _Phase("searching", of_number, counts)
        if progress.phase == "confirming":
            share = progress.confirmed / progress.to_confirm if progress.to_confirm else 1.0
            yield _Phase("confirming", share, f"{progress.confirmed}/{progress.to_confirm}")

    def _counts(self, progress: Progress) -> str:
        """Where the present phase stands, such as ``3/20``, and ``7, 60/180 epochs``."""
        *_, phase = self._phases(progress)
        if phase.name != "searching":
            return f"{phase.name} {phase.counts}"
        return f"{progress.finished}, {phase.counts}" if phase.of_cost else phase.counts


@dataclass(frozen=True)
class _Phase:
    """How far a phase has come.

    Args:
        name: of the phase.
        share: of it that is done; None if nothing limits it.
        counts: the same in numbers.
        of_cost: whether they are of what is paid, and not of evaluations.
    """

    name: str
    share: float | None
    counts: str
    of_cost: bool = False


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
