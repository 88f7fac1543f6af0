from __future__ import annotations

import os
from pathlib import Path

import pytest

from explorer.files import check_new, write_new
from simulators.protocol import InputError


def test_a_new_file_holds_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new.pt"
    check_new(path, "--out")
    write_new(path, b"content", "--out")
    assert path.read_bytes() == b"content"


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    path, link = tmp_path / "old.pt", tmp_path / "link.pt"
    path.write_bytes(b"old")
    link.symlink_to(tmp_path / "nothing")
    for there in (path, link, tmp_path):
        for refuse in (lambda there: check_new(there, "--out"), lambda there: write_new(there, b"new", "--out")):
            with pytest.raises(InputError, match=r"--out: .* is there already; remove it or choose another name"):
                refuse(there)
    assert path.read_bytes() == b"old"


def test_where_nothing_can_be_written_it_is_said_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "no" / "where.pt", tmp_path / "file" / "x.pt"):
        with pytest.raises(InputError, match=r"--out: cannot write .*no folder"):
            check_new(place, "--out")
        with pytest.raises(InputError, match="--out: cannot write"):
            write_new(place, b"new", "--out")


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_open = Path.open

    class Full:
        def __init__(self, file: object) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()  # type: ignore[attr-defined]  # it is a file

        def write(self, _: bytes) -> None:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "open", lambda path, mode: Full(real_open(path, mode)))
    with pytest.raises(InputError, match="No space left on device"):
        write_new(tmp_path / "new.pt", b"content", "--out")
    assert list(tmp_path.iterdir()) == []
