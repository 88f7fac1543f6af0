"""New files: never over something that is there, and never half written."""

from __future__ import annotations

import os
from pathlib import Path

from simulators.protocol import InputError, check_writable

__all__ = ["check_new", "write_new"]


def check_new(path: Path, field: str) -> None:
    """Make sure, as far as one can tell before, that a file can be made; nothing is written.

    Raises:
        InputError: something of that name is there, or its folder is not, or cannot be written.
    """
    if os.path.lexists(path):
        raise _there(path, field)
    if not path.absolute().parent.is_dir():
        raise InputError(f"cannot write {path} (there is no folder {path.parent})", field)
    check_writable(path.absolute().parent, field)


def write_new(path: Path, content: bytes, field: str) -> None:
    """Make a file.

    Raises:
        InputError: something of that name is there, or it cannot be written; then nothing is left of it.
    """
    try:
        file = path.open("xb")
    except FileExistsError:
        raise _there(path, field) from None
    except OSError as error:
        raise InputError(f"cannot write {path} ({error.strerror})", field) from None
    try:
        with file:
            file.write(content)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(f"cannot write {path} ({error.strerror})", field) from None
        raise


def _there(path: Path, field: str) -> InputError:
    return InputError(f"{path} is there already; remove it or choose another name", field)
