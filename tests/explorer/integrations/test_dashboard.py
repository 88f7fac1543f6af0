"""Optuna's dashboard on a study, asked over HTTP."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from explorer import Study
from explorer.integrations.dashboard import Dashboard
from tests.explorer.searches import HUNG_S, REX, environment
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten
from tests.explorer.test_serving import ask


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return evaluated(tmp_path_factory.mktemp("source"), *TRAINED, changes=REPLAYED)


@contextmanager
def running(study: Study) -> Iterator[Dashboard]:
    dashboard = Dashboard(study, 0)
    threading.Thread(target=dashboard.serve, daemon=True).start()
    try:
        yield dashboard
    finally:
        dashboard.close()


def trials(dashboard: Dashboard) -> list[dict[str, Any]]:
    root = dashboard.address.removesuffix("dashboard/")
    (study,) = json.loads(ask(f"{root}api/studies")[2])["study_summaries"]
    found: list[dict[str, Any]] = json.loads(ask(f"{root}api/studies/{study['study_id']}?after=0")[2])["trials"]
    return found


def test_the_dashboard_shows_the_study_and_follows_it(source: Study, tmp_path: Path) -> None:
    study = rewritten(source, tmp_path, source.rows[:2])
    with running(study) as dashboard:
        assert ask(dashboard.address)[0] == 200
        first = trials(dashboard)
        assert len(first) == 2
        assert first[0]["values"] == list(source.evaluations[0].values.values())
        study.store.append(study.name, source.rows[2:4])
        assert dashboard.update() is False, "no search runs"
        until = time.monotonic() + HUNG_S
        while len(trials(dashboard)) < 4:  # it remembers its answers for some seconds
            assert time.monotonic() < until
            time.sleep(0.5)


def test_it_is_only_to_be_looked_at_and_answers_to_its_own_name(source: Study) -> None:
    with running(source) as dashboard:
        root = dashboard.address.removesuffix("dashboard/")
        for method in ("POST", "PUT", "DELETE"):
            assert ask(f"{root}api/studies/0", method)[0] == 405
        assert len(trials(dashboard)) == len(source.rows)
        for host in ("evil.example", "127.0.0.1.evil.example", ""):
            assert ask(dashboard.address, Host=host)[0] == 421


def test_the_command_says_where_it_is_and_ends_by_ctrl_c(source: Study) -> None:
    process = subprocess.Popen(
        [str(REX), "dashboard", source.reference, "--port", "0"], env=environment(), text=True, stderr=subprocess.PIPE
    )
    assert process.stderr
    line = process.stderr.readline()
    found = re.search(r"the dashboard is at (http://127.0.0.1:\d+/dashboard/) ", line)
    assert found, line
    assert ask(found[1])[0] == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=HUNG_S)
    assert process.returncode == 0


def test_a_port_that_is_taken_is_one_message(cli: Callable[..., Any], source: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = cli("dashboard", source.reference, "--port", str(port))
    assert ended.code == 2
    assert f"rex: --port: cannot listen at port {port}" in ended.err
