"""A real FTP server on this machine, in a thread."""

from __future__ import annotations

import logging
import threading
import warnings
from pathlib import Path
from types import TracebackType

from pyftpdlib.authorizers import DummyAuthorizer  # type: ignore[import-untyped]  # it has no annotations
from pyftpdlib.handlers import FTPHandler  # type: ignore[import-untyped]  # it has no annotations
from pyftpdlib.ioloop import IOLoop  # type: ignore[import-untyped]  # it has no annotations
from pyftpdlib.servers import FTPServer  # type: ignore[import-untyped]  # it has no annotations

logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it logs every command to stderr

EVERYTHING, READING = "elradfmwMT", "elr"


class Ftp:
    """Serves a folder while the context lasts; ``stop`` and ``start`` in between, always on the same port.

    Args:
        folder: what is served.
        rights: of everybody, and of ``user`` with the password ``secret``.
        anonymous: whether one may come in without a password.
        handler: how it behaves.
    """

    def __init__(
        self, folder: Path, rights: str = EVERYTHING, *, anonymous: bool = True, handler: type[FTPHandler] = FTPHandler
    ) -> None:
        authorizer = DummyAuthorizer()
        authorizer.add_user("user", "secret", str(folder), perm=rights)
        if anonymous:
            with warnings.catch_warnings(action="ignore"):  # that anybody may write here
                authorizer.add_anonymous(str(folder), perm=rights)
        # a class of its own for every server: pyftpdlib keeps a server's settings in the class
        self._handler = type("Handler", (handler,), {"authorizer": authorizer, "auth_failed_timeout": 0})
        self.port = 0

    def url(self, path: str = "") -> str:
        return f"ftp://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        server = FTPServer(("127.0.0.1", self.port), self._handler, ioloop=IOLoop())
        self.port, self._ending = server.address[1], threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(server, self._ending), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """The connections of the moment are cut."""
        self._ending.set()
        self._thread.join()

    @staticmethod
    def _serve(server: FTPServer, ending: threading.Event) -> None:
        while not ending.is_set():
            server.ioloop.loop(timeout=0.02, blocking=False)
        server.close_all()

    def __enter__(self) -> Ftp:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
