from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from explorer import Design, Fidelity, InputError, Integer, Problem, Proposal, Space, run
from explorer.workers.pool import RayPool
from explorer.workers.wanted import Workers
from tests.explorer.searches import HUNG_S

pytestmark = pytest.mark.usefixtures("ray_cluster")


def well_or_not(design: Design) -> Any:
    """One number in eight ends well."""
    kind = int(design["x"]) % 8
    if kind == 1:
        os._exit(1)
    if kind == 2:
        raise RuntimeError("boom\nsecond line")
    if kind == 5:
        return "text"
    if kind == 6:
        sys.exit(3)
    if kind == 7:
        raise KeyboardInterrupt
    return {3: float("nan"), 4: float("inf")}.get(kind, float(design["x"]))


REASONS = {
    0: "", 1: "worker died", 2: "RuntimeError: boom", 3: "not finite: f is nan", 4: "not finite: f is inf",
    5: "ValueError", 6: "SystemExit: 3", 7: "KeyboardInterrupt: ",
}  # fmt: skip


def test_every_kind_of_failure_is_kept_with_its_reason_and_the_search_goes_on(tmp_path: Path) -> None:
    problem = Problem.from_functions(
        Space({"x": Integer(0, 8)}),
        {"f": well_or_not, "g": lambda design: -design["x"]},
        directions={"f": "maximize", "g": "maximize"},
        cheap={"g"},
    )
    study = run(problem, budget=9, workers=2, store=str(tmp_path / "x.db"))
    assert sorted(e.design["x"] for e in study.evaluations) == list(range(9))
    for evaluation in study.evaluations:
        reason = REASONS[int(evaluation.design["x"]) % 8]
        assert evaluation.failure.startswith(reason)
        assert evaluation.failed == bool(reason)
        assert "\n" not in evaluation.failure
        assert evaluation.duration_s >= 0
        if reason.startswith("RuntimeError"):
            assert "well_or_not" in evaluation.traceback
    assert {point.design["x"] for point in study.front()} == {0, 8}


def test_functions_run_on_as_many_workers_as_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "seen"
    folder.mkdir()

    def together(design: Design) -> float:
        """Waits for the other worker, however long it takes to start."""
        (folder / str(os.getpid())).touch()
        end = time.monotonic() + HUNG_S
        while len(list(folder.iterdir())) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        return float(design["x"])

    problem = Problem.from_functions(Space({"x": Integer(0, 99)}), {"f": together}, directions={"f": "minimize"})
    heard = []
    study = run(problem, budget=12, workers=2, store=str(tmp_path / "x.db"), listener=heard.append)
    assert len(study.evaluations) == 12
    assert len({e.worker for e in study.evaluations}) == 2
    assert str(os.getpid()) not in {e.worker.rpartition(":")[2] for e in study.evaluations}
    assert max(progress.running for progress in heard) == 2
    assert heard[-1].finished == 12
    frame = study.front().to_pandas()
    assert list(frame["f"]) == [min(e.values["f"] for e in study.evaluations)]


def test_workers_use_one_thread_each() -> None:
    def threads(_: Design) -> float:
        return float(max([int(os.environ["OMP_NUM_THREADS"]), *(pool["num_threads"] for pool in threadpool_info())]))

    problem = Problem.from_functions(Space({"x": Integer(0, 1)}), {"f": threads}, directions={"f": "minimize"})
    pool = RayPool(problem)
    try:
        pool.submit(Proposal(Design({"x": 0})))
        assert pool.running == [Proposal(Design({"x": 0}))]
        assert pool.idle == 0
        (evaluation,) = _all(pool)
    finally:
        pool.close()
    assert evaluation.values == {"f": 1.0}
    assert pool.running == []


def _all(pool: RayPool) -> list[Any]:
    found: list[Any] = []
    while pool.running:
        found += pool.wait(5.0)
    return found


def test_a_dead_worker_is_replaced() -> None:
    problem = Problem.from_functions(Space({"x": Integer(0, 23)}), {"f": well_or_not}, directions={"f": "minimize"})
    pool = RayPool(problem)
    try:
        for x, failed in ((1, True), (8, False), (6, True), (16, False)):
            pool.submit(Proposal(Design({"x": x}), strategy="me"))
            (evaluation,) = _all(pool)
            assert evaluation.failed == failed
            assert (evaluation.design["x"], evaluation.strategy) == (x, "me")
            assert len(evaluation.earlier) == (2 if x == 1 else 0), "three attempts, where the worker died of it"
    finally:
        pool.close()


def test_waiting_ends_when_the_time_is_over() -> None:
    def slow(_: Design) -> float:
        time.sleep(60)
        return 0.0

    problem = Problem.from_functions(Space({"x": Integer(0, 1)}), {"f": slow}, directions={"f": "minimize"})
    pool = RayPool(problem)
    try:
        pool.submit(Proposal(Design({"x": 0})))
        started = time.monotonic()
        assert pool.wait(0.2) == []
        assert time.monotonic() - started < 5
    finally:
        pool.close()  # ends the sleeper too
    assert pool.wait(0.1) == []


def test_a_worker_that_no_machine_has_room_for_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    problem = Problem.from_functions(Space({"x": Integer(0, 1)}), {"f": well_or_not}, directions={"f": "minimize"})
    with pytest.raises(InputError, match=r"a worker asks for 1 GPU \(the largest node has 0 GPU\)"):
        RayPool(problem, Workers(1, gpus=1))
    with pytest.raises(InputError, match=r"a worker asks for 1e\+06 CPU"):
        RayPool(problem, Workers(1, cpus=1e6))


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"budget": None}, "budget"), ({"budget": 0}, "budget"), ({"budget": True}, "budget"),
        ({"budget": 3, "workers": 0}, "workers"), ({"budget": 3, "workers": -1}, "workers"),
        ({"budget": 3, "strategy": "randon"}, ""), ({"budget": 3, "study": "a/b"}, "study"),
    ],
)  # fmt: skip
def test_running_functions_with_bad_input_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], field: str
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = Problem.from_functions(Space({"x": Integer(0, 1)}), {"f": well_or_not}, directions={"f": "minimize"})
    with pytest.raises(InputError) as error:
        run(problem, **more)
    assert error.value.field == field
    assert list(tmp_path.iterdir()) == []


def test_a_study_of_functions_of_the_same_name_is_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = Problem.from_functions(
        Space({"x": Integer(0, 9)}), {"f": lambda design, epochs: design["x"] * epochs}, directions={"f": "minimize"},
        fidelity=Fidelity("epochs", 1, 3),
    )  # fmt: skip
    assert [run(problem, budget=1).reference for _ in range(2)] == ["results/search.db", "results/search-2.db"]
    first = run(problem, budget=2, study="mine")
    with pytest.raises(InputError, match="already holds a study 'mine'"):
        run(problem, budget=5, study="mine")
    assert len(first.refresh().evaluations) == 2
