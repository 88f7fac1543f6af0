"""Data sets from their publishers, from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from simulators.protocol import InputError
from simulators.training.fetch import ARCHIVES, Archive, fetch


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which its files are served."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def packed(name: str, content: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as files:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        files.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_archives_are_unpacked_and_single_files_put_where_they_are_looked_for(
    served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    archive, single = packed("cifar-10-batches-bin/test_batch.bin", b"images"), gzip.compress(b"labels")
    (folder / "all.tar.gz").write_bytes(archive)
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(single)
    fetch([Archive(f"{address}all.tar.gz", md5(archive))], tmp_path / "data")
    fetch([Archive(f"{address}t10k-labels-idx1-ubyte.gz", md5(single), "fashion-mnist")], tmp_path / "data")
    assert (tmp_path / "data" / "cifar-10-batches-bin" / "test_batch.bin").read_bytes() == b"images"
    assert gzip.decompress((tmp_path / "data/fashion-mnist/t10k-labels-idx1-ubyte.gz").read_bytes()) == b"labels"


def test_what_is_not_the_publishers_file_is_not_unpacked(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    (folder / "all.tar.gz").write_bytes(packed("x", b"other"))
    with pytest.raises(InputError, match=r"is not the publisher's file: its MD5 is .*put all.tar.gz into .* by hand"):
        fetch([Archive(f"{address}all.tar.gz", "0" * 32)], tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_an_archive_cannot_write_outside_its_folder(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    archive = packed("../outside", b"x")
    (folder / "all.tar.gz").write_bytes(archive)
    with pytest.raises(tarfile.OutsideDestinationError):
        fetch([Archive(f"{address}all.tar.gz", md5(archive))], tmp_path / "data")
    assert not (tmp_path / "outside").exists()


def test_what_cannot_be_reached_is_told_with_the_way_to_do_it_by_hand(tmp_path: Path) -> None:
    archive = Archive("http://127.0.0.1:9/cifar-10-binary.tar.gz", "0" * 32)
    with pytest.raises(InputError, match=r"cannot be read .*put cifar-10-binary.tar.gz into .* by hand, unpacked"):
        fetch([archive], tmp_path)


def test_the_command_names_what_there_is() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "simulators.training.fetch", "imagenet", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert all(name in ended.stderr for name in ARCHIVES)
