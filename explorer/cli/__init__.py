"""The command line, ``rex``.

Exit codes: 0 done; 1 the command ran, but what it was asked for did not come about (a search without a single finished
evaluation, a validation case that does not hold); 2 bad input, nothing was changed; 130 interrupted, ``rex resume``
goes on; 141 whoever read the output closed it (128 + SIGPIPE, as other commands of a pipe).
"""

from __future__ import annotations

import io
import logging
import os
import sys

__all__ = ["Once", "main"]

READER_GONE = 141


class Once(logging.Filter):
    """Lets each message through once: strategies and simulators are made several times before a search begins."""

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        new = record.getMessage() not in self._told
        self._told.add(record.getMessage())
        return new


def main() -> None:
    """Run ``rex``; bad input ends in one message and exit code 2, never in a traceback."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy is imported: more threads than one only get in each other's way
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without arrows and µ gets question marks
    from explorer.cli.app import app
    from simulators.protocol.errors import InputError

    # the handler that prints warnings where nobody set up logging; it writes to whatever standard error is then
    printer, once = logging.lastResort or logging.StreamHandler(), Once()
    printer.addFilter(once)
    try:
        app()
    except InputError as error:
        print(f"rex: {error}", file=sys.stderr)  # noqa: T201  # the command line's own message
        sys.exit(2)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer and rich make an exit code of their own of it
            sys.exit(READER_GONE)
        raise
    finally:
        printer.removeFilter(once)
