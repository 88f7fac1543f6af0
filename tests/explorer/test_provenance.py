from __future__ import annotations

import hashlib
from pathlib import Path

from explorer.provenance import changes, digests


def test_files_are_told_by_their_checksums_once_each(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("text")
    found = digests(["mine.py:one", "mine.py:two"], tmp_path)
    assert found == {"mine.py": hashlib.sha256(b"text").hexdigest()}


def test_what_is_different_is_told_and_checksums_by_their_beginning() -> None:
    one, two = (hashlib.sha256(text).hexdigest() for text in (b"1", b"2"))
    told = changes({"torch": "2.1", "file": one, "same": "x", "gone": "y"}, {"torch": "2.2", "file": two, "same": "x"})
    assert told == [
        "torch was 2.1, is 2.2", f"file was {one[:12]}..., is {two[:12]}...", "gone was y, is None",
    ]  # fmt: skip
    assert changes({}, {"new": "z"}) == []
