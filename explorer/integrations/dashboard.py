"""Optuna's dashboard on the view of a study: on this machine alone, and only to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from optuna.storages import BaseStorage, InMemoryStorage

from explorer.integrations.optuna_view import to_optuna
from explorer.study import Study
from simulators.protocol import InputError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["Dashboard"]

NAMES = {"localhost", "127.0.0.1"}


class Dashboard:
    """A server of Optuna's dashboard.

    Args:
        study: whose view it shows.
        port: at which it listens; 0: any that is free.

    Raises:
        InputError: the dashboard is not installed, or the port is taken.
    """

    def __init__(self, study: Study, port: int) -> None:
        try:
            from optuna_dashboard import wsgi
        except ImportError:
            raise InputError("Optuna's dashboard is not installed: pip install 'reram-explorer[dashboard]'") from None
        self._study = study
        self._storage: BaseStorage = InMemoryStorage()
        self.update()
        try:
            self._server = make_server("127.0.0.1", port, _guarded(wsgi(self._storage)), _Server, _Quiet)
        except OSError as error:
            raise InputError(f"cannot listen at port {port} ({error.strerror}); choose another", "--port") from None

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}/dashboard/"

    def update(self) -> bool:
        """Bring the view up to date; false once the search has ended."""
        standing = self._study.standing
        to_optuna(self._study, self._storage)
        return standing is not None and not standing.ended

    def serve(self) -> None:
        """Answer until :meth:`close`, which another thread calls."""
        self._server.serve_forever()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # so it is called there
        """No line for each of the page's questions."""


def _guarded(app: WSGIApplication) -> WSGIApplication:
    """Answers to this machine's names alone, so that no other site that a browser has open can ask it, and to questions
    alone: the dashboard's buttons that change something do nothing."""

    def guard(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
        if host not in NAMES:
            return _refused(start_response, "421 Misdirected Request", "not by this name\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refused(start_response, "405 Method Not Allowed", "this is a view of a study, only to look at\n")
        return app(environ, start_response)

    return guard


def _refused(start_response: Callable[..., Any], status: str, text: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]
