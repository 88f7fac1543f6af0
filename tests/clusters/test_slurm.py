"""The Slurm profiles, run by a Slurm that is started for it; needs root, and Debian's slurm-wlm and munge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer import Study, load_study
from explorer.answers import without_answered
from explorer.profiles import filled, profile_named, settings_of
from explorer.spec import parse_spec, read_search
from tests.clusters.slurm import Slurm, why_none
from tests.explorer.searches import HUNG_S
from tests.soak import SEARCH, SLOW

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_none()), reason=why_none()),
    pytest.mark.skipif("REX_TEST_SLURM" not in os.environ, reason="takes minutes: make slurm, or set REX_TEST_SLURM"),
]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    with Slurm() as running:
        yield running


@pytest.fixture(autouse=True)
def _alone() -> None:
    from ray._private.services import find_gcs_addresses  # as symmetric-run looks for it

    if find_gcs_addresses():
        pytest.skip("another Ray runs on this machine, beside which symmetric-run starts none")


def script(profile: str, folder: Path, budget: int, seconds: float, nodes: int) -> Path:
    """A filled template beside its search."""
    (folder / "search.yaml").write_text((SEARCH % budget).replace("count: 3", f"count: {nodes}"))
    (folder / "slow.py").write_text(SLOW.replace("0.5", str(seconds)))
    chosen = profile_named(profile)
    spec = parse_spec(read_search(folder / "search.yaml", []))
    settings = settings_of(chosen, spec, "search.yaml", {"cpus_per_node": 1, "store": "x.db", "time_limit": "0:30:00"})
    assert settings.nodes == nodes
    path = folder / "job.sh"
    path.write_text(filled(chosen, settings))
    return path


def until(reached: Callable[[], object], log: Path) -> None:
    end = time.monotonic() + HUNG_S
    while not reached():
        assert time.monotonic() < end, log.read_text() if log.exists() else "no log"
        time.sleep(0.5)


def run_count(store: Path) -> int:
    """Evaluations in a store that were run."""
    try:
        study = load_study(store)
    except ValueError:  # none yet
        return 0
    return len(list(without_answered(study.outline, study.evaluations)))


def finished(store: Path, budget: int) -> Study:
    study = load_study(store)
    assert run_count(store) == budget
    assert len({evaluation.key for evaluation in study.evaluations}) == len(study.evaluations)
    assert not any(evaluation.failed for evaluation in study.evaluations)
    return study


@pytest.mark.parametrize(("profile", "nodes"), [("slurm", 2), ("slurm-symmetric", 1)])
def test_a_search_runs_as_a_job(slurm: Slurm, tmp_path: Path, profile: str, nodes: int) -> None:
    """symmetric-run takes all nodes whose address is the head's for the head: here it has one."""
    budget = 12 * nodes
    # long enough that a second node comes while there still is work
    path, log = script(profile, tmp_path, budget, 2.0, nodes), tmp_path / "soak.slurm.log"
    job = slurm.submit(path)
    until(lambda: slurm.state(job) not in ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING"), log)
    assert slurm.state(job) == "COMPLETED", log.read_text()
    study = finished(tmp_path / "x.db", budget)
    assert len({evaluation.node for evaluation in study.evaluations if evaluation.node}) == nodes
    assert not list(tmp_path.glob(".*")), "no token is left"


@pytest.mark.parametrize(("profile", "nodes"), [("slurm", 2), ("slurm-symmetric", 1)])
def test_a_job_that_is_told_to_end_drains_and_goes_on_later(
    slurm: Slurm, tmp_path: Path, profile: str, nodes: int
) -> None:
    budget = 30
    path, log, store = script(profile, tmp_path, budget, 1.0, nodes), tmp_path / "soak.slurm.log", tmp_path / "x.db"
    job = slurm.submit(path)
    until(lambda: run_count(store) >= 3, log)
    slurm.call("scancel", "--signal=TERM", "--batch", job)
    until(lambda: "ended by SIGTERM" in log.read_text(), log)
    until(lambda: slurm.state(job) == "PENDING", log)
    drained = run_count(store)
    assert 3 <= drained < budget
    standing = load_study(store).standing
    assert standing
    assert standing.phase == "terminated"
    until(lambda: slurm.state(job) not in ("PENDING", "RUNNING", "CONFIGURING", "COMPLETING"), log)
    assert slurm.state(job) == "COMPLETED", log.read_text()
    finished(store, budget)
