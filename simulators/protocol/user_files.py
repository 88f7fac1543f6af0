"""A user's Python files, named as ``FILE.py:NAME`` in search files and on the command line.

Their text travels to the workers, which may run where the file is not, and is run there.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
import types
from pathlib import Path

from simulators.protocol.errors import InputError

__all__ = ["executed", "file_and_name", "is_in_file", "read_user_file"]


def is_in_file(name: str) -> bool:
    """Whether a name is one of a user's file, complete or not."""
    return name.endswith(".py") or name.rpartition(":")[0].endswith(".py")


def file_and_name(name: str, what: str) -> tuple[str, str]:
    """The file, and what of it.

    Args:
        name: ``FILE.py:NAME``.
        what: it is, for messages ('objective').

    Raises:
        InputError: only the file is named.
    """
    if name.endswith(".py"):
        raise InputError(f"{what} '{name}': which of its functions? Write {name}:FUNCTION")
    file, _, name = name.rpartition(":")
    return file, name


def read_user_file(name: str, folder: Path, what: str) -> str:
    """The text of the file.

    Args:
        name: ``FILE.py:NAME``.
        folder: relative files are looked for here.
        what: it is, for messages.

    Raises:
        InputError: there is no such file, or it is no text.
    """
    file, _ = file_and_name(name, what)
    path = folder / file
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{what} '{name}': cannot read {path} ({error.strerror}); write FILE.py:FUNCTION") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{what} '{name}': {path} is no UTF-8 text ({error.reason})") from None


def executed(source: str, file: str, what: str) -> types.ModuleType:
    """The module that a file's text makes; tracebacks show its lines.

    Args:
        source: the text.
        file: as the user named it.
        what: it holds, for messages.

    Raises:
        InputError: it fails to load.
    """
    # The text's digest in the name keeps two files of the same name, or two versions of one, apart.
    label = f"<{file} {hashlib.sha256(source.encode()).hexdigest()[:8]}>"
    module = types.ModuleType(label)
    module.__file__ = label
    sys.modules[label] = module  # dataclasses and type hints in the file look their module up
    linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    try:
        exec(compile(source, label, "exec"), module.__dict__)  # noqa: S102  # the user's own file, named in the search
    except (Exception, SystemExit) as error:
        raise InputError(f"{what} file '{file}' fails to load: {type(error).__name__}: {error}") from error
    return module
