"""SIGTERM, as schedulers and clouds send it, and what those see who watch."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from explorer import load_study
from explorer.answers import without_answered
from explorer.termination import on_sigterm
from tests.explorer.searches import HUNG_S, REX, environment, rex
from tests.soak import SEARCH, SLOW


def test_the_first_sigterm_is_heard_and_the_second_does_what_it_would_have_done() -> None:
    heard: list[str] = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("before"))
    try:
        with on_sigterm(lambda: heard.append("drain")):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        with on_sigterm(lambda: heard.append("never")):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == ["drain", "before", "before"]


def test_a_search_in_another_thread_leaves_signals_alone() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    seen: list[object] = []

    def search() -> None:
        with on_sigterm(lambda: None):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join()
    assert seen == [handler]


@pytest.mark.slow
def test_sigterm_lets_what_runs_end_and_the_search_goes_on_later(tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text((SEARCH % 90).replace("count: 3", "count: 2"))
    (tmp_path / "slow.py").write_text(SLOW.replace("0.5", "1.0"))
    arguments = {
        "cwd": tmp_path,
        "env": environment(),
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }
    running = subprocess.Popen([str(REX), "run", "search.yaml", "--store", "x.db"], **arguments)  # type: ignore[call-overload]  # of several types
    store, until = tmp_path / "x.db", time.monotonic() + HUNG_S
    while not (store.exists() and (standing := _standing(store)) and standing.finished >= 3):
        assert time.monotonic() < until
        assert running.poll() is None, running.communicate()
        time.sleep(0.2)
    watching = subprocess.Popen([str(REX), "status", "x.db", "--watch"], **arguments)  # type: ignore[call-overload]  # of several types
    told = rex("status", "x.db", cwd=tmp_path).stdout
    assert "searching: process" in told
    assert re.search(
        r"workers: 2 of 2, idle [\d.]+ % of their time\n  node [0-9a-f]{8} \([\d.]+\): 2 workers, [12] busy", told
    )
    assert re.search(r"evaluations: \d+ of 90, [12] running, 0 failed, [\d.]+ a minute, \d+:\d\d left", told)
    assert "rex resume" not in told
    before = {evaluation.key for evaluation in load_study(store).evaluations}
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=HUNG_S)
    assert running.returncode == 128 + signal.SIGTERM, out + err
    assert err.endswith("ended by SIGTERM; nothing that was finished is lost: rex resume x.db\n")
    watched, _ = watching.communicate(timeout=HUNG_S)
    assert watching.returncode == 0
    assert "searching: process" in watched
    assert "last run: terminated after 0:" in watched
    study = load_study(store)
    evaluations = study.evaluations
    assert {evaluation.key for evaluation in evaluations} >= before
    assert len(evaluations) >= len(before) + 2, "what ran ended"
    assert not any(evaluation.failed for evaluation in evaluations)
    assert "not finished: rex resume x.db" in rex("status", "x.db", cwd=tmp_path).stdout
    run = len(list(without_answered(study.outline, evaluations)))
    resumed = rex("resume", "x.db", "--set", f"budget.evaluations={run + 2}", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    log = (tmp_path / "x.soak.log").read_text()
    assert len(re.findall(r"^\S+Z INFO explorer.workers.pool: worker \S+ on node \w+ is ready$", log, re.M)) == 4
    after = load_study(store)
    assert after.evaluations[: len(evaluations)] == evaluations
    assert len(list(without_answered(after.outline, after.evaluations))) == run + 2


def _standing(store: Path):  # type: ignore[no-untyped-def]  # None, too
    try:
        return load_study(store).standing
    except ValueError:  # not yet begun
        return None
