"""A bar on standard error for what is counted while it runs; nothing where nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explorer.cli.output import console

__all__ = ["counting"]


@contextmanager
def counting(total: int, what: str) -> Iterator[Callable[[int], None]]:
    """Within it a bar is shown; call what it yields with how many are done.

    Args:
        total: when it is full.
        what: is done, before the bar.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    out = console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=out, transient=True, disable=not out.is_interactive) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)
