"""``rex optuna`` and ``rex dashboard``: a study as an Optuna study."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli.options import StudyArgument
from simulators.protocol.errors import InputError

__all__ = ["dashboard", "optuna"]

WATCH_S = 5.0


def optuna(
    study: StudyArgument,
    storage: Annotated[
        str,
        typer.Argument(metavar="STORAGE", help="A file (FILE.journal: a journal, else SQLite) or a database URL."),
    ],
    name: Annotated[str, typer.Option("--name", help="Of the Optuna study (default: the study's own).")] = "",
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep it up to date until the search ends, or Ctrl-C.")
    ] = False,
) -> None:
    """Write a study into an Optuna storage, or bring it up to date there: for Optuna's dashboard and plots."""
    import time

    from explorer.cli.output import note
    from explorer.integrations.optuna_view import to_optuna
    from explorer.standing import SILENT_S
    from explorer.study import load_study
    from explorer.units import counted

    loaded = load_study(study)
    try:
        while True:
            standing = loaded.standing
            view = to_optuna(loaded, storage, name)  # after the look at how it stands: the last ones too
            trials = counted(len(view.get_trials(deepcopy=False)), "trials")
            note(f"study '{view.study_name}' of Optuna is up to date: {trials}")
            if not watch or standing is None or standing.ended or standing.age_s >= SILENT_S:
                return
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def dashboard(
    study: StudyArgument,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8421,
) -> None:
    """Optuna's dashboard on a study, on this machine alone and only to look at; Ctrl-C ends it.

    It shows a view in memory, which follows a search that runs. rex serve shows the study itself.
    """
    import threading
    from contextlib import suppress

    from explorer.cli.output import note
    from explorer.integrations.dashboard import Dashboard
    from explorer.study import load_study

    server = Dashboard(load_study(study), port)
    ended = threading.Event()

    def follow() -> None:
        try:
            while server.update() and not ended.wait(WATCH_S):
                pass
        except InputError as error:
            note(f"the view follows no more: {error.message}")

    threads = [threading.Thread(target=act) for act in (follow, server.serve)]
    for thread in threads:
        thread.start()
    with suppress(KeyboardInterrupt):  # that is how it ends
        note(f"the dashboard is at {server.address} - Ctrl-C ends it")
        threading.Event().wait()
    ended.set()
    server.close()
    for thread in threads:  # what holds a lock of a library when the process ends may keep it from ending
        thread.join()
