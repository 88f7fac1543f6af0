"""A PostgreSQL server for tests, which may be stopped and started again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from types import TracebackType
from typing import Any

__all__ = ["Server", "why_none"]

NOBODY = 65534  # PostgreSQL refuses to run as root


def why_none() -> str:
    """Why there is no server; empty if there is."""
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed (the extra 'postgresql')"
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        return "no PostgreSQL server: initdb and pg_ctl are not on the PATH"
    return ""


class Server:
    """A context manager: a server on the loopback, with a folder of its own."""

    def __enter__(self) -> Server:
        self._stack = ExitStack()
        self._folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="pg"))
        self._user: dict[str, Any] = {}
        if os.getuid() == 0:
            self._user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(self._folder, NOBODY, NOBODY)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._call("initdb", "-D", self._data, "-U", "rex", "--auth=trust", "--no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            self.stop()

    @property
    def url(self) -> str:
        """Of its database."""
        return f"postgresql://rex@127.0.0.1:{self._port}/postgres"

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self._folder, "fsync": "off"}
        options = f"-p {self._port} " + " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._call("pg_ctl", "-D", self._data, "-w", "-o", options, "-l", f"{self._folder}/log", "start")

    def stop(self) -> None:
        """Stop it as a crash would."""
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def _call(self, *arguments: str) -> None:
        ended = subprocess.run(
            arguments, cwd=self._folder, env={**os.environ, "HOME": self._folder}, capture_output=True, text=True,
            **self._user,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
