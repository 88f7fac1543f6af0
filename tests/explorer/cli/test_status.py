"""``rex status`` of a search that runs, ended or fell silent, as its driver told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer import Study
from explorer.cli import status
from explorer.clock import Crew, NodeCrew
from explorer.standing import Standing
from explorer.store import Store, StudyRecord
from tests.explorer.problems import all_designs, evaluate, family_problem

PROBLEM = family_problem()

NODES = (NodeCrew("a1b2c3d4e5", "10.0.0.1", 4, 3), NodeCrew("f6f7f8f9f0", "10.0.0.2", 1, 1))
STANDING = Standing(
    at=0.0, driver="process 7 on head", phase="searching", finished=12, failed=3, running=4, wanted=100, spent=240.0,
    wanted_cost=2000.0, elapsed_s=600.0, remaining_s=3661.0, per_minute=1.25, crew=Crew(6, NODES, 1, 1000.0, 950.0),
    failures={"deadline": 2, "exception": 1}, again={"worker died": 5}, unsaved=2,
)  # fmt: skip


@pytest.fixture
def tell(tmp_path: Path) -> Callable[[Standing], None]:
    """Writes how the search of ``x.db`` stands."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    store.create(StudyRecord("mine", {}, "", PROBLEM.outline.to_json(), "0"))
    store.append("mine", [evaluate(PROBLEM, all_designs(PROBLEM)[0])])
    return lambda standing: store.tell_standing("mine", standing.to_json())


def test_a_running_search_tells_of_its_workers_failures_and_time_left(
    cli: Callable[..., Any], tell: Callable[[Standing], None]
) -> None:
    tell(replace(STANDING, at=time.time() - 3.0))
    ended = cli("status", "x.db")
    assert ended.code == 0
    *_, driver, done, workers, first, second, failed, again, unsaved = ended.out.splitlines()
    assert driver.startswith("searching: process 7 on head, ")
    assert done == "evaluations: 12 of 100, 240 of 2000 epochs, 4 running, 3 failed, 1.25 a minute, 1:01:01 left"
    assert workers == "workers: 5 of 6, 1 starting, idle 5.0 % of their time"
    assert first == "  node a1b2c3d4 (10.0.0.1): 4 workers, 3 busy"
    assert second == "  node f6f7f8f9 (10.0.0.2): 1 worker, 1 busy"
    assert failed == "failed in this run: 2 x deadline, 1 x exception"
    assert again == "attempts made once more in this run: 5 x worker died"
    assert unsaved == "waiting for the store: 2 evaluations"


def test_a_driver_that_fell_silent_is_told_as_such(cli: Callable[..., Any], tell: Callable[[Standing], None]) -> None:
    tell(replace(STANDING, at=time.time() - 3600.0))
    last = cli("status", "x.db").out.splitlines()[-1]
    assert last.startswith("last run: process 7 on head has told nothing for 1:00:0")
    assert last.endswith("; it was ended, or hangs")


@pytest.mark.parametrize(
    ("phase", "reason", "told"),
    [
        ("finished", "", "last run: finished after 10:00"),
        ("failed", "workers: no worker starts", "last run: failed after 10:00: workers: no worker starts"),
    ],
)
def test_a_search_that_ended_says_how(
    cli: Callable[..., Any], tell: Callable[[Standing], None], phase: str, reason: str, told: str
) -> None:
    tell(replace(STANDING, at=time.time() - 3600.0, phase=phase, reason=reason))
    assert cli("status", "x.db").out.splitlines()[-1] == told


def test_watching_goes_on_until_the_search_ends(
    cli: Callable[..., Any], tell: Callable[[Standing], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "WATCH_S", 0.05)
    tell(replace(STANDING, at=time.time()))

    def ending() -> None:
        time.sleep(0.5)
        tell(replace(STANDING, at=time.time(), phase="finished"))

    thread = threading.Thread(target=ending)
    thread.start()
    ended = cli("status", "x.db", "--watch")
    thread.join()
    assert ended.code == 0
    assert ended.out.count("12 of 100, 240 of 2000 epochs") > 1
    assert ended.out.splitlines()[-1] == "last run: finished after 10:00"


def test_watching_what_nobody_runs_says_so(cli: Callable[..., Any], tell: Callable[[Standing], None]) -> None:
    ended = cli("status", "x.db", "--watch")
    assert (ended.code, ended.err) == (0, "no search of this study has told how it stands\n")
    assert "study mine" in ended.out


def test_a_standing_is_read_back_as_it_was_told(tell: Callable[[Standing], None], tmp_path: Path) -> None:
    tell(STANDING)
    store = Store(f"sqlite:///{tmp_path / 'x.db'}")
    assert Study(store, store.find("mine")).standing == STANDING
