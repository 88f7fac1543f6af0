"""Locks that end with the process that holds them, whatever ends it: one driver a study.

A store in a file is locked by a file beside it (the system lets go of it), one on a server by an advisory lock
of a connection (PostgreSQL lets go of it when the connection ends).
"""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sql
from filelock import FileLock, Timeout

__all__ = ["HeldError", "file_lock", "server_lock"]


class HeldError(Exception):
    """Somebody else holds the lock; the text says who."""


def _me() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"[:63]  # as much as PostgreSQL keeps of a name


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock that a file stands for; the file, and folders made for it, are gone afterwards.

    A file that a killed process left behind is in nobody's way.

    Args:
        path: of the file.

    Raises:
        HeldError: another process, or another part of this one, holds it.
        OSError: the file cannot be written.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=0)
    try:
        try:
            lock.acquire()
        except Timeout:
            raise HeldError(path.read_text(errors="replace") if path.exists() else "another process") from None
        try:
            path.write_text(_me())  # in the same file: the lock stays
            yield
        finally:
            path.unlink(missing_ok=True)  # while it is locked: whoever waits for this one sees that it is gone
            lock.release()
    finally:
        with suppress(OSError):  # a folder that is not empty stays
            for folder in missing:
                folder.rmdir()


@contextmanager
def server_lock(engine: sql.Engine, name: str) -> Iterator[Callable[[], None]]:
    """Hold a lock on a PostgreSQL server, over a connection of its own.

    Args:
        engine: of the database.
        name: of the lock, within the database.

    Yields:
        What makes sure that the lock is still held, and takes it again if its connection is gone; raises as this does.

    Raises:
        HeldError: another connection holds it.
        SQLAlchemyError: the server does not answer.
    """
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
    connection = _locking_connection(engine, key)

    def renew() -> None:
        nonlocal connection
        try:
            connection.execute(sql.text("SELECT 1"))
        except sql.exc.SQLAlchemyError:
            with suppress(sql.exc.SQLAlchemyError):
                connection.close()
            connection = _locking_connection(engine, key)

    try:
        yield renew
    finally:
        with suppress(sql.exc.SQLAlchemyError):  # then the connection is gone, and the lock with it
            connection.execute(sql.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        with suppress(sql.exc.SQLAlchemyError):
            connection.close()


def _locking_connection(engine: sql.Engine, key: int) -> sql.Connection:
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        connection.detach()  # closing it then ends it, and the lock with it
        connection.execute(sql.text("SELECT set_config('application_name', :me, false)"), {"me": _me()})
        if not connection.execute(sql.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
            holder = connection.execute(_HOLDER, {"high": (key >> 32) & 0xFFFFFFFF, "low": key & 0xFFFFFFFF}).scalar()
            raise HeldError(holder or "another connection")
    except BaseException:
        connection.close()
        raise
    return connection


_HOLDER = sql.text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted "
    "AND classid::bigint = :high AND objid::bigint = :low AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
