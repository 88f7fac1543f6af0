from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from explorer.retention import keep_below, kept_below
from simulators.protocol import Folder
from tests.explorer.searches import HUNG_S
from tests.ftp import Ftp


def written(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        path = folder / f"{number}.pt"
        path.write_bytes(b"x" * 100)
        os.utime(path, (1e9 + 100 * number, 1e9 + 100 * number))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(("most", "left"), [(1000, 10), (999, 8), (500, 4), (50, 0)])
def test_what_was_written_longest_ago_goes_first(tmp_path: Path, most: int, left: int) -> None:
    written(tmp_path / "kept", 10)
    assert keep_below(Folder(tmp_path / "kept"), most) == 10 - left
    assert names(tmp_path / "kept") == [f"{number}.pt" for number in range(10 - left, 10)]


def test_a_folder_that_is_not_there_yet_holds_nothing(tmp_path: Path) -> None:
    assert keep_below(Folder(tmp_path / "none"), 1) == 0


def test_a_remote_folder_is_kept_small_too(tmp_path: Path) -> None:
    with Ftp(tmp_path) as ftp:
        written(tmp_path / "kept", 10)
        folder = Folder(ftp.url("/kept"))
        assert sorted(file.name for file in folder.files()) == names(tmp_path / "kept")
        assert {file.size_bytes for file in folder.files()} == {100}
        assert keep_below(folder, 500) == 6
        assert names(tmp_path / "kept") == ["6.pt", "7.pt", "8.pt", "9.pt"]
        assert keep_below(Folder(ftp.url("/none")), 500) == 0


def test_within_a_search_it_is_looked_at_again_and_again(tmp_path: Path) -> None:
    with kept_below(Folder(tmp_path / "kept"), 500, every_s=0.02):
        for _ in range(2):
            written(tmp_path / "kept", 10)
            until = time.monotonic() + HUNG_S
            while len(names(tmp_path / "kept")) > 4:
                assert time.monotonic() < until
                time.sleep(0.01)
    written(tmp_path / "kept", 10)
    time.sleep(0.1)
    assert len(names(tmp_path / "kept")) == 10
    with kept_below(None, 5), kept_below(Folder(tmp_path), None):
        pass
