"""Folders for checkpoints: on this machine, on a shared disk, or anywhere else that fsspec reaches."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import InitVar, dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from simulators.protocol.errors import InputError

__all__ = ["Folder", "Kept", "check_writable"]

FIELD = "checkpoints"
EXAMPLES = "write for example results/checkpoints, file:///shared/checkpoints or s3://bucket/checkpoints"
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Kept:
    """A file in a folder.

    Args:
        name: of the file.
        size_bytes: what it takes.
        written: when it was last written: larger is later; 0 where a remote place does not tell.
    """

    name: str
    size_bytes: int
    written: float


@dataclass(frozen=True)
class Folder:
    """A folder of files that any number of processes on any number of machines may share; it is made when needed.

    Args:
        place: a path, ``file:///...``, or a URL of fsspec's: ``s3://bucket/x``, ``ftp://host/x``. Credentials of remote
            places come from fsspec's own configuration (``FSSPEC_<PROTOCOL>_...`` or ``~/.config/fsspec``).
        start: where a relative path starts; the working folder unless given.

    Raises:
        InputError: a URL that cannot be read, or one with a password.
    """

    place: str | Path
    start: InitVar[str | Path] = ""

    def __post_init__(self, start: str | Path) -> None:
        text = re.sub("^(file|local)://(?=/)", "", os.fspath(self.place))
        if "://" in text:
            _check_url(text)
            object.__setattr__(self, "place", text)
        else:  # absolute: workers have working folders of their own
            object.__setattr__(self, "place", Path(start, os.path.expanduser(text)).absolute())

    def __str__(self) -> str:
        return str(self.place)

    def read(self, name: str) -> bytes | None:
        """What a file holds; None where there is no such file.

        Raises:
            OSError: it cannot be read; a remote place was asked several times.
            InputError: fsspec cannot go there: see :meth:`check`.
        """
        if isinstance(self.place, str):
            from simulators.protocol import remote_folders  # fsspec takes a tenth of a second

            return remote_folders.read(self.place, name)
        try:
            return (self.place / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Let a file hold ``content``, whatever it held before.

        Readers meet the old file or the new one, never half of it: on disks and most servers it is written beside and
        renamed, and an object store shows whole objects only. On servers that rename only to free names there is no
        file for a moment.

        Raises:
            OSError: it cannot be written; a remote place was asked several times.
            InputError: fsspec cannot go there: see :meth:`check`.
        """
        if isinstance(self.place, str):
            from simulators.protocol import remote_folders

            remote_folders.write(self.place, name, content)
            return
        self.place.mkdir(parents=True, exist_ok=True)
        beside = self.place / f"{name}.{uuid4().hex}.part"
        try:
            with open(beside, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.place / name)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise

    def files(self) -> list[Kept]:
        """All files in it, in no order; none where there is no folder yet.

        Raises:
            OSError: it cannot be read.
            InputError: fsspec cannot go there: see :meth:`check`.
        """
        if isinstance(self.place, str):
            from simulators.protocol import remote_folders

            return [Kept(*of_one) for of_one in remote_folders.files(self.place)]
        found = []
        with suppress(FileNotFoundError), os.scandir(self.place) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # replaced, or removed, in this moment
                    if entry.is_file():
                        status = entry.stat()
                        found.append(Kept(entry.name, status.st_size, status.st_mtime))
        return found

    def remove(self, name: str) -> None:
        """Remove a file, if it is there.

        Raises:
            OSError: it cannot be removed.
            InputError: fsspec cannot go there: see :meth:`check`.
        """
        if isinstance(self.place, str):
            from simulators.protocol import remote_folders

            remote_folders.remove(self.place, name)
        else:
            (self.place / name).unlink(missing_ok=True)

    def check(self) -> None:
        """Make sure that files can be kept here, before anything dear is done.

        A local folder is only looked at. In a remote one a small file is written, replaced, read and deleted; the
        folder itself stays.

        Raises:
            InputError: fsspec lacks the protocol or a package for it, or the place does not answer or refuses.
        """
        if isinstance(self.place, str):
            from simulators.protocol import remote_folders

            try:
                remote_folders.check(self.place)
            except InputError as error:
                raise error.under(FIELD) from error.__cause__
        else:
            check_writable(self.place / "file", FIELD)


def check_writable(path: Path, field: str) -> None:
    """Make sure that a local path can be written, or made if it is not there; nothing is written.

    Raises:
        InputError: it cannot, as far as one can tell before trying.
    """
    # os.path, not pathlib, which raises for a path below a folder that may not be entered
    there = next(place for place in (path.absolute(), *path.absolute().parents) if os.path.exists(place))
    if not os.access(there, os.W_OK) or (there != path.absolute() and not os.path.isdir(there)):
        raise InputError(f"{path} cannot be written; choose another place", field)


def _check_url(url: str) -> None:
    """Raises InputError, without repeating what may be a password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise InputError(f"this is no URL ({error}); {EXAMPLES}", FIELD) from None
    if parts.password is not None:
        protocol = parts.scheme.upper()
        raise InputError(
            f"a password in a URL would be kept with the study: write {parts.scheme}://{parts.netloc.rpartition('@')[2]}"
            f"{parts.path} and give fsspec the credentials in the environment (such as FSSPEC_{protocol}_USERNAME and "
            f"FSSPEC_{protocol}_PASSWORD; their names are the driver's) or in a file in ~/.config/fsspec",
            FIELD,
        )
    if not URL.match(url) or parts.scheme in ("file", "local"):
        raise InputError(f"this is neither a path nor a URL; {EXAMPLES}", FIELD)
