"""``rex optuna``: a study as an Optuna study."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli.options import StudyArgument

__all__ = ["optuna"]

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
    from explorer.study import load_study
    from explorer.units import counted

    loaded = load_study(study)
    try:
        while True:
            standing = loaded.standing
            view = to_optuna(loaded, storage, name)  # after the look at how it stands: the last ones too
            trials = counted(len(view.get_trials(deepcopy=False)), "trials")
            note(f"study '{view.study_name}' of Optuna is up to date: {trials}")
            if not watch or standing is None or standing.ended:
                return
            time.sleep(WATCH_S)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
