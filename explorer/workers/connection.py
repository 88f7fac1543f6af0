"""The connection to Ray: on this machine, or to a cluster."""

from __future__ import annotations

import logging
import math
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayError

from explorer.workers.wanted import Workers
from simulators.protocol import InputError

__all__ = ["LOCAL", "connect"]

TRIES, PAUSE_S = 3, 2.0
KNOCK_S = 5.0  # how long a cluster may take to accept a connection
LOCAL = "local"
FOR_NOBODY = {"task_events_report_interval_ms": 0}
"""Workers would tell Ray's dashboard of every task, each second: a third of what one costs Ray, and nobody reads it."""
TO_GET_IN = (
    "set RAY_AUTH_MODE=token, and put the token that its nodes were started with into ~/.ray/auth_token, or into a "
    "file that RAY_AUTH_TOKEN_PATH names"
)


def connect(wanted: Workers, address: str | None = None) -> None:
    """Connect to a cluster, else start Ray on this machine; once per process.

    Args:
        wanted: the workers; a local Ray is told that it has room for them, so that more workers than cores take turns
            instead of waiting for ever.
        address: ``HOST:PORT`` or ``ray://HOST:PORT`` of a cluster, ``auto`` for the one that runs on this machine,
            ``local`` for a new one; by default what ``RAY_ADDRESS`` says, else ``local``.

    Raises:
        InputError: there is no such folder of code; no cluster answers there; or there is no token to ask it with.
    """
    if wanted.working_dir is not None and "://" not in wanted.working_dir and not Path(wanted.working_dir).is_dir():
        raise InputError(f"there is no folder {wanted.working_dir}", "workers.working_dir")
    if ray.is_initialized():
        if wanted.working_dir is not None and not ray.get_runtime_context().runtime_env.working_dir_uri():
            raise InputError(
                "this process is connected to Ray already, without it; give it to ray.init, or call ray.shutdown first",
                "workers.working_dir",
            )
        return
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)  # not a line about its tokens above every search
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    if wanted.working_dir is not None:
        options["runtime_env"] = {"working_dir": wanted.working_dir}
    place, given = ("--cluster", address) if address else ("RAY_ADDRESS", os.environ.get("RAY_ADDRESS", ""))
    if given in ("", LOCAL):
        cores = max(os.cpu_count() or 1, math.ceil((wanted.count or 1) * wanted.cpus))
        with _token_told():
            ray.init(address=LOCAL, num_cpus=cores, include_dashboard=False, _system_config=FOR_NOBODY, **options)
        return
    try:
        _knock(given)
        with _token_told():
            _join(given, options)
    except InputError:
        raise
    except (OSError, RuntimeError, ValueError, ImportError, RayError) as error:
        reason = _reason(error)
        if given.startswith("ray://") and isinstance(error, ImportError):
            reason += "; pip install 'reram-explorer[cluster]'"
        elif re.search("failed to connect|connection timeout", reason, re.I):
            reason += f": something listens there, but it is no Ray, or lets in nobody without its token; {TO_GET_IN}"
        raise InputError(
            f"{place} is {given}, but no Ray cluster can be reached there ({reason}); "
            + ("start one with `ray start --head`, or " if given == "auto" else "")
            + ("unset it" if place == "RAY_ADDRESS" else "leave it out")
            + " to use this machine"
        ) from error


def _join(address: str, options: Mapping[str, Any]) -> None:
    """Connect to a cluster that is there; a busy head may need another try to start what serves a ``ray://`` driver."""
    for tries_left in reversed(range(TRIES)):
        try:
            ray.init(address=address, **options)
            return
        except ConnectionAbortedError:
            if not tries_left:
                raise
            time.sleep(PAUSE_S)


def _reason(error: Exception) -> str:
    """What Ray says went wrong, on one line; of what its server sends, which is a traceback, the last line."""
    first, *rest = (line.strip() for line in str(error).splitlines() if line.strip()) if str(error) else [""]
    return (f"{first} {rest[-1]}" if first.endswith(":") and rest else first).removesuffix(".")


@contextmanager
def _token_told() -> Iterator[None]:
    """Raises InputError for a token that is missing or cannot be read."""
    try:
        yield
    except AuthenticationError as error:
        raise InputError(f"Ray has no token to show: {error.message.removesuffix('.')}; {TO_GET_IN}") from error


def _knock(address: str) -> None:
    """Raises OSError if nothing listens at ``host:port``: Ray itself would try for minutes."""
    if named := re.fullmatch(r"(?:ray://)?\[?([^/]+?)\]?:(\d+)", address):
        socket.create_connection((named[1], int(named[2])), timeout=KNOCK_S).close()
