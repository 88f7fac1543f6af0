"""The page of a study from a server, which keeps it up to date while a search runs.

Read-only: it answers GET alone, and runs no Python file that the study names. It answers to the names that it was given
alone, so that no other site that a browser has open can ask it (DNS rebinding), and beyond this machine only to who has
the token.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from explorer.page import live_page
from explorer.page.contents import Contents, contents
from explorer.study import Study

__all__ = ["LOOPBACK", "application", "is_loopback"]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
POLL_MS = 1000

HEADERS = {
    "Cache-Control": "no-store",
    # all that a page needs is in it; it asks nobody but its own server
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",  # the address may hold the token
    "X-Content-Type-Options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Live:
    """A study that is read again when somebody asks, by one at a time."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._contents: Contents | None = None
        self._lock = threading.Lock()

    def now(self) -> tuple[Study, Contents]:
        """The study as it stands, and what its page holds."""
        with self._lock:
            self._study = self._study.refresh()
            if self._contents is None or self._contents.version != str(len(self._study.rows)):
                self._contents = contents(self._study, poll_ms=POLL_MS)
            return self._study, self._contents


class _Guard(BaseHTTPMiddleware):
    """Lets in who asks by a known name and has the token, if there is one; puts the common headers on every answer."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], token: str) -> None:
        super().__init__(app)
        self._hosts = {host.lower() for host in hosts}
        self._token = token

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Answer, or not."""
        if (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") not in self._hosts:
            answer: Response = PlainTextResponse("not by this name; rex serve --name adds one\n", 421)
        elif self._token and not hmac.compare_digest(_shown(request).encode(), self._token.encode()):
            answer = PlainTextResponse("open the address with the token that rex serve printed\n", 401)
        else:
            answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer


def _shown(request: Request) -> str:
    """The token that somebody shows, in a header or the address."""
    return request.headers.get("authorization", "").removeprefix("Bearer ") or request.query_params.get("token", "")


def application(study: Study, *, hosts: Sequence[str] = LOOPBACK, token: str = "") -> Starlette:
    """The server.

    Args:
        study: whose page it is.
        hosts: names that it answers to.
        token: that has to be shown, in the address or a header; empty: none.
    """
    live = _Live(study)

    async def page(_: Request) -> Response:
        now, found = await run_in_threadpool(live.now)
        return HTMLResponse(await run_in_threadpool(live_page, now, replace(found, token=token)))

    async def data(request: Request) -> Response:
        _, found = await run_in_threadpool(live.now)
        if request.query_params.get("known") == found.version:
            return Response(status_code=204)
        return JSONResponse(replace(found, token=token).to_json())

    return Starlette(
        routes=[Route("/", page, methods=["GET"]), Route("/data.json", data, methods=["GET"])],
        middleware=[Middleware(_Guard, hosts=hosts, token=token)],
    )
