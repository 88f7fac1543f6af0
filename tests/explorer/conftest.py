from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from explorer import Study, load_study
from tests.explorer.searches import SEARCH, write_search

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """One Ray on this machine for all tests that need it: starting it takes seconds."""
    import ray

    from explorer.workers.connection import connect
    from explorer.workers.wanted import Workers

    connect(Workers(2))
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def finished(ray_cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A finished study of the small search; only to be read."""
    from explorer import run

    folder = tmp_path_factory.mktemp("finished")
    return run(write_search(folder), store=str(folder / "small.db"), workers=2)


@pytest.fixture
def finished_copy(finished: Study, tmp_path: Path) -> Study:
    """A copy of the finished study, to do with as one likes."""
    # whole, also while another test still has the file open and part of it lies in the write-ahead log
    with closing(sqlite3.connect(finished.reference)) as source, closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        source.backup(copy)
    return load_study(tmp_path / "copy.db")


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluations are repeated in this process: Ray takes seconds to hire a worker."""
    from explorer.clock import SimulatedPool

    monkeypatch.setattr("explorer.rerun._hired", lambda problem, _: SimulatedPool(problem, 1))


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Outcome]:
    """The command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        from explorer.cli import main

        monkeypatch.setattr(sys, "argv", ["rex", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else int(code is not None), captured.out, captured.err)

    return call


__all__ = ["SEARCH"]
