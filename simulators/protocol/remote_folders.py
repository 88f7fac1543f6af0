"""Files in remote folders, through fsspec: whole or not at all, and with patience.

Every driver of fsspec's raises errors of its own: hence ``except Exception``, always to try something else or to tell
it as what the caller expects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from ftplib import error_temp
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from fsspec.core import url_to_fs  # type: ignore[import-untyped]  # fsspec has no annotations
from fsspec.registry import (  # type: ignore[import-untyped]  # fsspec has no annotations
    available_protocols,
    get_filesystem_class,
    known_implementations,
)

from simulators.protocol.discovery import suggestion
from simulators.protocol.errors import InputError

__all__ = ["check", "files", "read", "remove", "write"]

PAUSES_S = (0.5, 2.0, 8.0)
"""Before a place that failed is asked again."""

PATIENCE_S = 20.0
"""A place that has failed for so long is not asked again: drivers wait for silent ones themselves."""

LOST = (ConnectionError, EOFError, TimeoutError)
"""Errors after which nothing more can be done over the same connection."""

Found = TypeVar("Found")


def read(url: str, name: str) -> bytes | None:
    """What the file ``name`` in the folder ``url`` holds; None where there is none.

    Raises:
        OSError: it cannot be read, even after some tries.
        InputError: see :func:`check`.
    """
    return _patiently(url, lambda files, folder: _get(files, f"{folder}/{name}"))


def write(url: str, name: str, content: bytes) -> None:
    """Let the file ``name`` in the folder ``url`` hold ``content``.

    Raises:
        OSError: it cannot be written, even after some tries.
        InputError: see :func:`check`.
    """
    _patiently(url, lambda files, folder: _put(files, folder, name, content, _is_bucket(url, folder)))


def files(url: str) -> list[tuple[str, int, float]]:
    """Name, size in bytes and time of writing (0 where a driver does not tell) of all files in a folder.

    Raises:
        OSError: it cannot be read, even after some tries.
        InputError: see :func:`check`.
    """
    return _patiently(url, _list)


def remove(url: str, name: str) -> None:
    """Remove a file, if it is there.

    Raises:
        OSError: it cannot be removed, even after some tries.
        InputError: see :func:`check`.
    """

    def without(files: Any, folder: str) -> None:
        with suppress(FileNotFoundError):
            files.rm_file(f"{folder}/{name}")

    _patiently(url, without)


def check(url: str) -> None:
    """Write a small file, replace, read and delete it; there is one try only.

    Raises:
        InputError: fsspec lacks the protocol or a package for it, or the place does not answer or refuses.
    """
    name, texts = f"{uuid4().hex}.try", (b"first", b"second")
    try:
        files, folder = _connect(url)
        for text in texts:
            _put(files, folder, name, text, _is_bucket(url, folder))
        found = files.cat_file(f"{folder}/{name}")
        files.rm_file(f"{folder}/{name}")
    except InputError:
        raise
    except Exception as error:
        variables = f"FSSPEC_{_protocol(url).upper()}_..."
        raise InputError(
            f"{url} cannot be used ({_reason(error)}); see that it is there and may be written, or choose another "
            f"place. fsspec takes credentials from the environment ({variables}) and from files in ~/.config/fsspec"
        ) from error
    if found != texts[-1]:
        raise InputError(f"{url} does not keep what replaces a file; choose another place")


def _patiently(url: str, operation: Callable[[Any, str], Found]) -> Found:
    """What ``operation`` gives, of fsspec's file system and the folder's path in it."""
    began, pauses_s = time.monotonic(), list(PAUSES_S)
    while True:
        try:
            return operation(*_connect(url))
        except InputError:
            raise
        except Exception as error:
            if not pauses_s or time.monotonic() - began > PATIENCE_S:
                raise OSError(f"{url}: {_reason(error)}") from error
        _driver(url).clear_instance_cache()  # it would hand out the same broken connection again
        time.sleep(pauses_s.pop(0))


def _connect(url: str) -> tuple[Any, str]:
    _driver(url)
    files, folder = url_to_fs(url)
    return files, folder.rstrip("/")


def _is_bucket(url: str, folder: str) -> bool:
    """Whether a folder's path begins with a bucket: object stores show whole objects only and know no folders."""
    return folder.partition("/")[0] == urlsplit(url).netloc


def _list(files: Any, folder: str) -> list[tuple[str, int, float]]:
    files.invalidate_cache(folder)
    try:
        found = files.ls(folder, detail=True)
    except FileNotFoundError:
        return []
    return [
        (entry["name"].rpartition("/")[2], int(entry.get("size") or 0), _time_of(entry))
        for entry in found
        if entry["type"] == "file"
    ]


def _time_of(entry: Mapping[str, Any]) -> float:
    """When a file was written: each driver has its own word for it."""
    for word in ("mtime", "LastModified", "last_modified", "updated", "modified", "modify"):
        value = entry.get(word)
        if isinstance(value, datetime):
            return value.timestamp()
        if isinstance(value, str) and value:
            digits = "".join(filter(str.isdigit, value))[:14]  # 20261123101500, however it is written
            return float(digits or 0)
        if value:
            return float(value)
    return 0.0


def _get(files: Any, path: str) -> bytes | None:
    try:
        content: bytes = files.cat_file(path)
    except FileNotFoundError as error:
        if isinstance(error.__cause__, error_temp):  # fsspec takes an FTP server's 'not now' for 'not there'
            raise error.__cause__ from None
        return None
    return content


def _put(files: Any, folder: str, name: str, content: bytes, bucket: bool) -> None:
    if bucket:
        files.pipe_file(f"{folder}/{name}", content)
        return
    path, beside = f"{folder}/{name}", f"{folder}/{name}.{uuid4().hex}.part"
    try:
        _upload(files, folder, beside, content)
        _rename(files, beside, path)
    except LOST:
        raise
    except Exception:
        with suppress(Exception):  # the error that counts is the one above; there may be no file
            files.rm_file(beside)
        raise


def _upload(files: Any, folder: str, path: str, content: bytes) -> None:
    def upload() -> None:
        with files.open(path, "wb", block_size=len(content) + 1) as file:  # one block: FTP servers need not append
            file.write(content)

    try:
        upload()
    except LOST:
        raise
    except Exception:  # most likely there is no folder yet
        files.makedirs(folder, exist_ok=True)
        upload()


def _rename(files: Any, beside: str, path: str) -> None:
    try:
        files.mv(beside, path)
    except LOST:
        raise
    except Exception:  # some servers rename to free names only
        files.rm_file(path)
        files.mv(beside, path)


def _driver(url: str) -> Any:
    """fsspec's class for a URL.

    Raises:
        InputError: there is none, or a package is missing.
    """
    protocol = _protocol(url)
    try:
        return get_filesystem_class(protocol)
    except ImportError as error:
        package = known_implementations[protocol]["class"].partition(".")[0]
        command = "" if package == "fsspec" else f": pip install {package}"
        raise InputError(f"{protocol}:// needs a package that is not installed. {error}{command}") from None
    except ValueError:
        raise InputError(
            f"fsspec knows no protocol '{protocol}'{suggestion(protocol, available_protocols())}; write a path, or for "
            "example s3://bucket/folder"
        ) from None


def _protocol(url: str) -> str:
    return url.partition("://")[0]


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
