"""A pool of workers on a real Ray of several nodes: what :mod:`tests.explorer.workers.scenarios` did there."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from tests.explorer.searches import HUNG_S, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> Mapping[str, Any]:
    """What each scenario found."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.explorer.workers.scenarios"], env=environment(RAY_ADDRESS=""),
        capture_output=True, text=True, timeout=2 * HUNG_S,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-4000:]
    told = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"name"')]
    return {scenario["name"]: scenario["found"] for scenario in told}


EXPECTED = {
    0: (None, ""), 12: (None, ""), 13: (None, ""),
    1: ("exception", "RuntimeError: boom"), 5: ("exception", "TypeError: float()"), 9: ("exception", "ValueError: xxx"),
    2: ("not finite", "not finite: f is nan"), 3: ("not finite", "not finite: f is inf"),
    4: ("not finite", "not finite: f is -inf"),
    6: ("deadline", "deadline: took longer than 4 s (attempt 2)"),
    7: ("worker died", "worker died: its process"), 10: ("worker died", "worker died: its process"),
    8: ("out of memory", "more than the 1 GiB of workers.memory: MemoryError: Unable to allocate 8.00 GiB"),
    11: ("system error", "ConnectionError: the file server does not answer (attempt 2)"),
}  # fmt: skip
OF_PLACE = {6, 7, 10, 11}


def test_whatever_a_function_does_the_search_goes_on_and_says_what_it_was(found: Mapping[str, Any]) -> None:
    poisoned = found["poisoned"]
    evaluations = {evaluation["x"]: evaluation for evaluation in poisoned["evaluations"]}
    assert len(poisoned["evaluations"]) == len(evaluations) == 14
    for x, (kind, failure) in EXPECTED.items():
        assert evaluations[x]["kind"] == kind
        assert evaluations[x]["failure"].startswith(failure)
        assert len(evaluations[x]["failure"]) <= 500
        assert evaluations[x]["traceback"] <= 4000
        assert evaluations[x]["node"]
    assert poisoned["phase"] == "finished"
    assert poisoned["failures"] == {
        "exception": 3, "not finite": 3, "worker died": 2, "deadline": 1, "out of memory": 1, "system error": 1,
    }  # fmt: skip


def test_status_shows_every_reason(found: Mapping[str, Any]) -> None:
    lines = found["poisoned"]["status"].splitlines()
    for _, failure in EXPECTED.values():
        assert not failure or any(re.match(rf"failed \d x: {re.escape(failure)}", line) for line in lines), failure
    assert max(map(len, lines)) < 600, "not ten megabytes"
    again = "attempts that failed and were made once more: 2 x worker died, 1 x deadline, 1 x system error"
    assert again in lines
    assert "last run: finished after" in lines[-1]


def test_what_its_place_may_have_done_is_tried_again_on_another_node(found: Mapping[str, Any]) -> None:
    for evaluation in found["poisoned"]["evaluations"]:
        earlier = evaluation["earlier"]
        assert len(earlier) == (evaluation["x"] in OF_PLACE)
        for attempt in earlier:
            assert attempt["kind"] == evaluation["kind"]
            assert attempt["node"] != evaluation["node"]


def test_what_a_lost_node_did_is_done_by_another(found: Mapping[str, Any]) -> None:
    lost = found["lost_node"]
    assert {evaluation["x"] for evaluation in lost["evaluations"]} == {0, 1, 2}
    assert not any(evaluation["kind"] for evaluation in lost["evaluations"])
    (again,) = [evaluation for evaluation in lost["evaluations"] if evaluation["earlier"]]
    (attempt,) = again["earlier"]
    assert (attempt["kind"], attempt["node"]) == ("node lost", lost["killed"])
    assert again["node"] in lost["before"]
    assert again["node"] != lost["killed"]
    assert lost["after"] == [2, 1, 3]  # ready, starting, wanted
    assert lost["joined"]


def test_a_worker_that_dies_while_it_has_nothing_to_do_costs_an_attempt_only(found: Mapping[str, Any]) -> None:
    assert found["idle_death"]["kind"] is None
    assert [attempt["kind"] for attempt in found["idle_death"]["earlier"]] == ["worker died"]


def test_workers_come_and_go_with_the_nodes(found: Mapping[str, Any]) -> None:
    assert found["elastic"] == {"workers": 3, "idle": 3}


def test_nodes_with_other_code_or_none_are_named(found: Mapping[str, Any]) -> None:
    assert "has another version of reram-explorer than this process" in found["other_code"]["other"]
    assert "a node lacks the Python package explorer; install" in found["other_code"]["none"]


def test_prometheus_hears_of_a_search_through_ray(found: Mapping[str, Any]) -> None:
    if importlib.util.find_spec("opentelemetry") is None:
        pytest.skip("Ray's agent of metrics is not installed (the extra 'cluster')")
    told = {}
    for line in found["metrics"]:
        name, _, rest = line.removeprefix("ray_").partition("{")
        kind = re.search(r'kind="([^"]+)"', rest)
        told[name, kind[1] if kind else ""] = float(rest.rpartition("} ")[2])
    assert told["rex_evaluations", ""] == 14
    assert told["rex_workers_wanted", ""] == 3
    failures = {kind: number for (name, kind), number in told.items() if name == "rex_failures"}
    assert failures == found["poisoned"]["failures"]
    assert told["rex_attempts_again", "worker died"] == 2
    assert 0 <= told["rex_idle_share", ""] <= 1
