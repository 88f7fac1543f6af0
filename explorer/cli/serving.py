"""``rex serve``: the page of a study in a browser, up to date while a search runs."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Annotated

import typer

from explorer.cli.options import StudyArgument
from simulators.protocol.errors import InputError

__all__ = ["serve"]

TOKEN = "REX_SERVE_TOKEN"  # noqa: S105  # its name


def serve(
    study: StudyArgument,
    host: Annotated[str, typer.Option("--host", help="Address to listen at; others than loopback need a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8420,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="Also answer to this name, as behind a tunnel; again for more."),
    ] = None,
) -> None:
    """The page of rex report, live: it shows new evaluations within seconds.

    Read-only. By default it listens on this machine alone. At any other address it asks for a token, which is in the
    address that is printed; REX_SERVE_TOKEN gives one of your own. Use a tunnel (ssh -L 8420:localhost:8420) or a proxy
    with TLS beyond a network that you trust: here nothing is encrypted.
    """
    import secrets
    import socket

    import uvicorn

    from explorer.cli.output import note
    from explorer.serving import LOOPBACK, application, is_loopback
    from explorer.study import load_study

    loaded = load_study(study)
    token = "" if is_loopback(host) else os.environ.get(TOKEN) or secrets.token_urlsafe(24)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        door = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"cannot listen at {host}:{port} ({error.strerror or error}); choose another --port or --host", "--port"
        ) from None
    place = door.getsockname()
    shown = f"[{place[0]}]" if ":" in place[0] else place[0]
    own = [] if is_loopback(host) else [socket.gethostname(), place[0], *_addresses(place[0])]
    application_ = application(loaded, hosts=[*LOOPBACK, host, *own, *(name or [])], token=token)
    if place[0] in ("0.0.0.0", "::"):  # noqa: S104  # asked for, with a token
        shown = socket.gethostname()
    address = f"http://{shown}:{place[1]}/" + (f"?token={token}" if token else "")
    config = uvicorn.Config(application_, log_level="warning", access_log=False, server_header=False)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            note(f"{loaded.name} is at {address} - Ctrl-C ends it")  # now it does

    with suppress(KeyboardInterrupt):  # that is how it ends
        Server(config).run(sockets=[door])


def _addresses(listening: str) -> list[str]:
    """Addresses of this machine, where it listens at all of them."""
    import socket

    if listening not in ("0.0.0.0", "::"):  # noqa: S104  # only looked at
        return []
    try:
        return sorted({str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None)})
    except OSError:
        return []
