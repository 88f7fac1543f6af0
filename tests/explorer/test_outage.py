"""Searches whose store goes away, or is full."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import pytest

from explorer import Design, Integer, Problem, Space, load_study, run, store
from explorer.search import Progress
from explorer.store import StoreError
from tests.explorer.postgresql import Server, why_none

pytestmark = pytest.mark.usefixtures("ray_cluster")


def problem(seconds: float) -> Problem:
    def slow(design: Design) -> float:
        time.sleep(seconds)
        return float(design["x"])

    return Problem.from_functions(Space({"x": Integer(0, 999)}), {"f": slow}, directions={"f": "minimize"})


@pytest.mark.skipif(bool(why_none()), reason=why_none())
def test_a_database_that_is_away_for_a_while_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with Server() as server:
        away = threading.Event()

        def hear(progress: Progress) -> None:
            if progress.finished == 5 and not away.is_set():
                away.set()
                server.stop()
                threading.Timer(4.0, server.start).start()

        run(problem(0.2), budget=40, store=server.url, listener=hear)
        study = load_study(server.url)
        assert away.is_set()
        assert len(study.evaluations) == len({e.key for e in study.evaluations}) == 40
        assert study.standing
        assert (study.standing.phase, study.standing.unsaved) == ("finished", 0)
    assert "the search goes on, and results wait to be written" in caplog.text
    assert "the store answers again" in caplog.text


def test_a_full_disk_ends_the_search_and_keeps_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        prepare_sqlite(connection, record)
        connection.execute("PRAGMA max_page_count = 20")  # SQLite itself then says what it says of a full disk

    prepare_sqlite = store._prepare_sqlite
    monkeypatch.setattr(store, "_prepare_sqlite", prepare)
    with pytest.raises(StoreError, match=r"disk is full; \d+ finished evaluations could not be written") as error:
        run(problem(0.0), budget=400, store=str(tmp_path / "x.db"))
    assert not error.value.passing
    monkeypatch.undo()
    study = load_study(tmp_path / "x.db")
    assert 0 < len(study.evaluations) < 400
    assert not any(evaluation.failed for evaluation in study.evaluations)
