"""Clusters as administrators start them: by ``ray start``, with a token or without, and with Pythons of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.explorer.searches import HUNG_S, environment


@dataclass(frozen=True)
class Head:
    """The head of a cluster that runs.

    Args:
        address: of the cluster, for drivers on this machine.
        client: ``ray://`` address, for drivers anywhere.
    """

    address: str
    client: str


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@contextmanager
def head(python: Path | str = sys.executable, **more: str) -> Iterator[Head]:
    """A head node with room for two workers, and no dashboard.

    Args:
        python: the interpreter that starts it, and runs its workers.
        more: of its environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="rex-head"))  # sockets in it: their paths have to be short
    port, client = free_port(), free_port()
    command = [
        str(python), "-m", "ray.scripts.scripts", "start", "--head", "--block", "--node-ip-address=127.0.0.1",
        f"--port={port}", f"--ray-client-server-port={client}", "--include-dashboard=false", "--num-cpus=2",
        f"--temp-dir={folder / 'ray'}",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(RAY_ADDRESS="", PYTHONPATH="", **more),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        until = time.monotonic() + HUNG_S
        while "Ray runtime started" not in log.read_text() or not _listens(client):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no Ray started: {log.read_text()}")
            time.sleep(0.1)
        yield Head(f"127.0.0.1:{port}", f"ray://127.0.0.1:{client}")
    finally:
        process.send_signal(signal.SIGTERM)  # it ends what it started
        process.wait(HUNG_S)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) == 0


def without_the_product(folder: Path) -> Path:
    """A Python of its own that has all that this one has, but for this product."""
    venv.create(folder, with_pip=False, symlinks=True)
    paths = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    site = Path(paths["purelib"])
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if "reram_explorer" not in entry.name and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    python = folder / "bin" / "python"
    told = subprocess.run([python, "-c", "import ray, explorer"], cwd=folder, env={**os.environ, "PYTHONPATH": ""},
                          capture_output=True, text=True)  # fmt: skip
    assert "No module named 'explorer'" in told.stderr, told.stderr
    return python
