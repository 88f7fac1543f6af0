"""``rex launch``: a search on a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["launch"]


def launch(
    profile: Annotated[
        str | None, typer.Argument(metavar="[PROFILE]", help="Where to; without it: what there is.")
    ] = None,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A search file; without it: the guide.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the profile, such as nodes=4.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this file, which must not be there.")] = None,
    submit: Annotated[bool, typer.Option("--submit", help="Submit it, instead of printing it.")] = False,
) -> None:
    """What starts a search on a cluster: a job script, a list of objects, or a command; printed or submitted."""
    import shlex
    import shutil
    import subprocess

    from explorer.cli.output import console, note, write
    from explorer.profiles import PROFILES, filled, left_behind, profile_named, settings_of
    from explorer.spec import parse_spec, read_search, read_settings
    from simulators.protocol.errors import InputError

    if profile is None:
        width = max(map(len, PROFILES))
        console().print("\n".join(f"{p.name:{width}}  {p.summary}" for p in PROFILES.values()), markup=False)
        note("rex launch PROFILE prints the guide of one, with its settings")
        return
    chosen = profile_named(profile)
    if file is None:
        listed = "\n".join(
            f"- `{name}`" + ("" if field.is_required() or field.default == "" else f" ({field.default})")
            + f": {field.description}"
            for name, field in chosen.settings.model_fields.items()
        )  # fmt: skip
        console().print(f"{chosen.guide}\n## Settings of {chosen.name}\n\n{listed}", markup=False, soft_wrap=True)
        return
    given, spec = read_settings(settings or []), parse_spec(read_search(file, []))
    ready = settings_of(chosen, spec, str(file), given)
    text = filled(chosen, ready)
    place = out or Path(f"{ready.study}.{chosen.name}{Path(chosen.template).suffix}")
    commands = chosen.commands(ready, str(place))
    if missing := left_behind(chosen, spec):
        note(f"{', '.join(missing)}: named by the search, but not taken along; see to it that the nodes have it")
    if not submit and out is None:
        if text:
            write(text, None)
            note(f"with this in {place}:")
        (note if text else console().print)("\n".join(map(shlex.join, commands)))
        return
    if out is not None and not text:
        raise InputError(f"{chosen.name} is a command, there is nothing to write", "--out")
    if text and not (out is None and place.is_file() and place.read_text(encoding="utf-8") == text):
        write(text, place)  # what an earlier try to submit it wrote stays
    if not submit:
        note("\n".join(map(shlex.join, commands)))
        return
    for command in commands:
        if shutil.which(command[0]) is None:
            raise InputError(
                f"{command[0]} is not installed here, which is to run `{shlex.join(command)}`"
                + (f"; {place} is written: take it to where it is" if text else ""),
                "--submit",
            )
        ended = subprocess.run(command, check=False)  # noqa: S603  # the profile's own
        if ended.returncode:
            raise typer.Exit(ended.returncode)
