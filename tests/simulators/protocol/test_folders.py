from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec  # type: ignore[import-untyped]  # it has no annotations
import pytest
from fsspec.implementations.ftp import FTPFileSystem  # type: ignore[import-untyped]  # it has no annotations
from pyftpdlib.handlers import FTPHandler  # type: ignore[import-untyped]  # it has no annotations

from simulators.protocol import Folder, InputError, remote_folders
from tests.ftp import READING, Ftp


@pytest.fixture(params=["local", "ftp"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    """A folder that is not there yet, of either kind; what it holds can be seen in ``tmp_path``."""
    if request.param == "local":
        yield Folder(tmp_path / "new" / "folder")
    else:
        with Ftp(tmp_path) as ftp:
            yield Folder(ftp.url("/new/folder"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_read_as_it_was_last_written_and_nothing_lies_beside_it(folder: Folder, tmp_path: Path) -> None:
    assert folder.read("a.pt") is None
    big = os.urandom(300_000)  # more than fsspec sends at once
    for content in (b"first", big, b""):
        folder.write("a.pt", content)
        assert pickle.loads(pickle.dumps(folder)).read("a.pt") == content  # noqa: S301  # our own bytes
        assert (tmp_path / "new" / "folder" / "a.pt").read_bytes() == content
    assert folder.read("b.pt") is None
    assert names(tmp_path) == ["a.pt"]


def test_a_folder_that_can_be_used_is_checked_without_a_trace_in_it(folder: Folder, tmp_path: Path) -> None:
    folder.check()
    folder.write("a.pt", b"content")
    folder.check()
    assert names(tmp_path) == ["a.pt"]


def test_a_path_is_a_path_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    there = Folder(tmp_path / "x")
    assert there.place == tmp_path / "x"
    for same in ("x", "~/x", f"file://{tmp_path}/x", f"local://{tmp_path}/x"):
        assert Folder(same) == there
    assert Folder("x", tmp_path / "searches") == Folder(tmp_path / "searches" / "x")
    assert str(Folder("s3://bucket/x", tmp_path)) == "s3://bucket/x"


def test_a_file_in_a_shared_folder_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        Folder(tmp_path).write("a.pt", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "a.pt").stat().st_mode & 0o777 == 0o644


def test_a_local_folder_does_not_import_fsspec(tmp_path: Path) -> None:
    program = (
        "import sys; from simulators.protocol import Folder; "
        f"folder = Folder({str(tmp_path)!r}); folder.check(); folder.write('a', b''); folder.read('a'); "
        "sys.exit('fsspec' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_local_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="cannot be written") as caught:
            Folder(place).check()
        assert caught.value.field == "checkpoints"


class Picky(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no annotations
    """Renames to free names only, and cannot append."""

    def ftp_REST(self, line: str) -> object:  # noqa: N802  # a command of FTP
        return super().ftp_REST(line) if line == "0" else self.respond("501 No.")

    def ftp_RNTO(self, path: str) -> object:  # noqa: N802  # a command of FTP
        if os.path.exists(path):
            return self.respond("553 There is such a file.")
        return super().ftp_RNTO(path)


class Stubborn(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no annotations
    """Says that it renames, but never replaces."""

    def ftp_RNTO(self, path: str) -> object:  # noqa: N802
        if os.path.exists(path):
            return self.respond("250 Done.")
        return super().ftp_RNTO(path)


class Busy(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no annotations
    """Has no time at first."""

    left: int

    def ftp_RETR(self, file: str) -> object:  # noqa: N802
        type(self).left -= 1
        return self.respond("450 Busy.") if self.left >= 0 else super().ftp_RETR(file)


class Cutting(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no annotations
    """Hangs up in the middle of uploads at first."""

    left: int

    def ftp_STOR(self, file: str, mode: str = "w") -> object:  # noqa: N802
        opened = super().ftp_STOR(file, mode)
        type(self).left -= 1
        if self.left >= 0:
            self.close()
        return opened


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries that a test can wait for."""
    monkeypatch.setattr(remote_folders, "PAUSES_S", (0.01, 0.01))


def test_files_are_replaced_on_servers_that_rename_to_free_names_only_and_cannot_append(tmp_path: Path) -> None:
    with Ftp(tmp_path, handler=Picky) as ftp:
        folder = Folder(ftp.url())
        folder.check()
        for content in (b"first", os.urandom(300_000)):  # more than fsspec sends at once
            folder.write("a.pt", content)
            assert folder.read("a.pt") == content
    assert names(tmp_path) == ["a.pt"]


@pytest.mark.usefixtures("quick")
def test_a_place_that_fails_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"content")
    with Ftp(tmp_path, handler=type("TwiceBusy", (Busy,), {"left": 2})) as ftp:
        assert Folder(ftp.url()).read("a.pt") == b"content"
    with Ftp(tmp_path, handler=type("TwiceCutting", (Cutting,), {"left": 2})) as ftp:
        Folder(ftp.url()).write("a.pt", b"new")
    assert (tmp_path / "a.pt").read_bytes() == b"new"


@pytest.mark.usefixtures("quick")
def test_a_place_that_keeps_failing_is_an_error_and_the_file_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"content")
    busy, cutting = (type("Always", (kind,), {"left": 100}) for kind in (Busy, Cutting))
    with Ftp(tmp_path, handler=busy) as ftp, pytest.raises(OSError, match=r"ftp://127.0.0.1:\d+: 450 Busy"):
        Folder(ftp.url()).read("a.pt")
    with Ftp(tmp_path, handler=cutting) as ftp, pytest.raises(OSError, match="ftp://127"):
        Folder(ftp.url()).write("a.pt", b"new")
    assert (tmp_path / "a.pt").read_bytes() == b"content"
    with pytest.raises(OSError, match="refused"):
        Folder(ftp.url()).read("a.pt")
    with pytest.raises(OSError, match="refused"):
        Folder(ftp.url()).write("a.pt", b"new")


@pytest.mark.usefixtures("quick")
def test_a_connection_that_a_driver_keeps_is_not_used_again_once_it_is_cut(tmp_path: Path) -> None:
    class Keeping(FTPFileSystem):  # type: ignore[misc]  # fsspec has no annotations
        """Keeps its connections, as the drivers of sftp and smb do."""

        cachable = True
        protocol = "keeping"

    fsspec.register_implementation("keeping", Keeping, clobber=True)
    with Ftp(tmp_path) as ftp:
        folder = Folder(f"keeping://127.0.0.1:{ftp.port}/x")
        folder.write("a.pt", b"first")
        ftp.stop()
        ftp.start()
        folder.write("a.pt", b"second")
        ftp.stop()
        ftp.start()
        assert folder.read("a.pt") == b"second"


@pytest.mark.usefixtures("quick")
def test_what_a_server_took_of_a_file_that_it_then_refused_is_removed(tmp_path: Path) -> None:
    class Refusing(FTPHandler):  # type: ignore[misc]  # pyftpdlib has no annotations
        def ftp_RNTO(self, path: str) -> object:  # noqa: N802  # a command of FTP
            return self.respond("553 No.")

    with Ftp(tmp_path, handler=Refusing) as ftp, pytest.raises(OSError, match="ftp://127"):
        Folder(ftp.url()).write("a.pt", b"content")
    assert names(tmp_path) == []


def test_places_that_fsspec_cannot_reach_are_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for absent in ("s3fs", "paramiko"):
        monkeypatch.setitem(sys.modules, absent, None)
    for place, words in (
        ("s4://bucket/x", "fsspec knows no protocol 's4'; the nearest:.* s3,"),
        ("s3://bucket/x", r"pip install s3fs$"),
        ("sftp://host/x", 'requires "paramiko" to be installed$'),
        ("simplecache::ftp://user:secret@host/x", "neither a path nor a URL"),
        ("ftp://user:secret@[host/x", "no URL"),
        ("file://x", "neither a path nor a URL"),
        ("github://owner:name@/x", "password"),
    ):
        with pytest.raises(InputError, match=words) as caught:
            Folder(place).check()
        assert caught.value.field == "checkpoints"
        assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_refuses_or_never_replaces_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp:
        gone = Folder(ftp.url())
    with Ftp(tmp_path, READING) as ftp, pytest.raises(InputError, match=r"Not enough privileges.*choose another place"):
        Folder(ftp.url()).check()
    with Ftp(tmp_path, anonymous=False) as ftp, pytest.raises(InputError, match=r"530.*FSSPEC_FTP_\.\.\."):
        Folder(ftp.url()).check()
    with pytest.raises(InputError, match=r"Connection refused.*see that it is there"):
        gone.check()
    assert names(tmp_path) == []
    with Ftp(tmp_path, handler=Stubborn) as ftp, pytest.raises(InputError, match="does not keep what replaces a file"):
        Folder(ftp.url()).check()


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(InputError, match=r"write ftp://host:21/x and .* FSSPEC_FTP_PASSWORD") as caught:
        Folder("ftp://user:secret@host:21/x")
    assert caught.value.field == "checkpoints"
    assert "secret" not in str(caught.value)
    assert Folder("ftp://user@host/x").place == "ftp://user@host/x"


@pytest.mark.parametrize("source", ["environment", "file"])
def test_credentials_come_from_fsspecs_own_configuration(tmp_path: Path, source: str) -> None:
    (tmp_path / "served").mkdir()
    given = {"FSSPEC_FTP_USERNAME": "user", "FSSPEC_FTP_PASSWORD": "secret"}
    if source == "file":
        given = {"HOME": str(tmp_path)}
        (tmp_path / ".config" / "fsspec").mkdir(parents=True)
        (tmp_path / ".config" / "fsspec" / "conf.ini").write_text("[ftp]\nusername = user\npassword = secret\n")
    with Ftp(tmp_path / "served", anonymous=False) as ftp:
        program = (
            f"from simulators.protocol import Folder; folder = Folder({ftp.url('/x')!r}); folder.check(); "
            "folder.write('a.pt', b'content'); assert folder.read('a.pt') == b'content'"
        )
        subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, **given})
    assert names(tmp_path / "served") == ["a.pt"]
