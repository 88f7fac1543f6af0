"""What becomes of evaluations on a cluster of several nodes: run as a program, for tests that read what it prints.

A process of its own, as one process can be connected to one Ray only. The nodes are real ones of Ray, all on this
machine; they are started once for all scenarios, as that takes seconds.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import ray
from ray.cluster_utils import Cluster

import explorer
from explorer import Design, InputError, Integer, Problem, Proposal, Space, Workers, run
from explorer.evaluation import Evaluation
from explorer.workers.pool import RayPool
from tests.explorer.searches import rex

QUIET = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": False}
WAIT_S = 120.0


class Nodes:
    """A cluster on this machine: a head that does no work, and nodes that have room for one worker each."""

    def __init__(self, count: int) -> None:
        quickly = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_timeout_ms": 1000}
        quickly["metrics_report_interval_ms"] = 500
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": quickly}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.added: dict[str, Any] = {}
        for _ in range(count):
            self.add()
        ray.init(address=self.cluster.address, **QUIET)  # type: ignore[arg-type]  # of several types

    def add(self, **more: Any) -> str:
        node = self.cluster.add_node(num_cpus=1, **more)
        self.added[node.node_id] = node
        return str(node.node_id)

    def kill(self, node_id: str) -> None:
        self.cluster.remove_node(self.added.pop(node_id), allow_graceful=False)


def problem_of(function: Callable[[Design], Any], most: int = 99) -> Problem:
    return Problem.from_functions(Space({"x": Integer(0, most)}), {"f": function}, directions={"f": "minimize"})


def told(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "x": evaluation.design["x"],
        "kind": evaluation.kind,
        "failure": evaluation.failure,
        "node": evaluation.node,
        "traceback": len(evaluation.traceback),
        "seed": evaluation.seed,
        "earlier": [{"kind": a.kind, "node": a.node, "failure": a.failure} for a in evaluation.earlier],
    }


def until(pool: RayPool, reached: Callable[[], bool]) -> list[Evaluation]:
    """Let a pool work until something is so."""
    found: list[Evaluation] = []
    end = time.monotonic() + WAIT_S
    while not reached():
        if time.monotonic() > end:
            raise TimeoutError("it never came to be")
        found += pool.wait(0.2)
    return found


def poison(design: Design) -> Any:
    kind = int(design["x"])
    if kind == 1:
        raise RuntimeError("boom")
    if kind == 5:
        return ["no", "number"]
    if kind == 6:
        time.sleep(3600)
    if kind == 7:
        os._exit(3)
    if kind == 8:
        np.ones(2**30)  # 8 GiB
    if kind == 9:
        raise ValueError("x" * 10_000_000)
    if kind == 10:
        os.kill(os.getpid(), signal.SIGSEGV)
    if kind == 11:
        raise ConnectionError("the file server does not answer")
    return {2: float("nan"), 3: float("inf"), 4: float("-inf")}.get(kind, float(kind))


def poisoned(nodes: Nodes, folder: Path) -> Any:
    """Everything that can go wrong with a function, in one search."""
    workers = Workers(3, attempts=2, deadline_s=4.0, memory_bytes=2**30)
    study = run(problem_of(poison, 13), budget=14, workers=workers, store=str(folder / "poison.db"))
    standing = study.standing
    return {
        "evaluations": [told(evaluation) for evaluation in study.evaluations],
        "phase": standing and standing.phase,
        "failures": dict(standing.failures) if standing else {},
        "status": rex("status", study.reference, cwd=folder).stdout,
    }


def metrics(nodes: Nodes, folder: Path) -> Any:
    """What Prometheus would be told, after the poisoned search."""
    end, found = time.monotonic() + WAIT_S, ""
    while not re.search(r"(?m)^ray_rex_evaluations.* 14\.0$", found) and time.monotonic() < end:  # Ray takes its time
        time.sleep(0.5)
        found = ""
        for node in ray.nodes():
            if node["Alive"]:
                url = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
                with suppress(OSError), urlopen(url, timeout=10) as answer:  # of a node of this cluster
                    found += answer.read().decode()
    return sorted({line for line in found.splitlines() if line.startswith("ray_rex_")})


def slow(design: Design) -> float:
    time.sleep(3.0)
    return float(design["x"])


def lost_node(nodes: Nodes, folder: Path) -> Any:
    """A node is killed while it evaluates; another one joins."""
    pool = RayPool(problem_of(slow), Workers(3))
    try:
        until(pool, lambda: pool.idle == 3)
        before = pool.crew()
        for x in range(3):
            pool.submit(Proposal(Design({"x": x})))
        time.sleep(0.5)
        nodes.kill(before.nodes[0].node)
        found = until(pool, lambda: not pool.running)
        after = pool.crew()
        joined = nodes.add()
        until(pool, lambda: pool.idle == 3)
        return {
            "evaluations": [told(evaluation) for evaluation in found],
            "killed": before.nodes[0].node,
            "before": [node.node for node in before.nodes],
            "after": [after.ready, after.starting, after.wanted],
            "joined": joined in [node.node for node in pool.crew().nodes],
        }
    finally:
        pool.close()


def idle_death(nodes: Nodes, folder: Path) -> Any:
    """A worker is killed while it has nothing to do: the next evaluation does not suffer."""
    pool = RayPool(problem_of(lambda design: float(design["x"])), Workers(1))
    try:
        until(pool, lambda: pool.idle == 1)
        pool.submit(Proposal(Design({"x": 1})))
        (first,) = until(pool, lambda: not pool.running)
        os.kill(int(first.worker.rpartition(":")[2]), signal.SIGKILL)
        pool.submit(Proposal(Design({"x": 2})))
        (second,) = until(pool, lambda: not pool.running)
        return told(second)
    finally:
        pool.close()


def elastic(nodes: Nodes, folder: Path) -> Any:
    """As many workers as there is room for, whenever that changes."""
    pool = RayPool(problem_of(slow), Workers(None))
    try:
        until(pool, lambda: pool.idle == 3)
        more = nodes.add()
        until(pool, lambda: pool.idle == 4)
        nodes.kill(more)
        until(pool, lambda: pool.idle == 3 and pool.workers == 3)
        return {"workers": pool.workers, "idle": pool.idle}
    finally:
        pool.close()


OTHER = """
import sys
from importlib.machinery import PathFinder

class Finder:
    def find_spec(self, name, path=None, target=None):
        return PathFinder.find_spec(name, ["{path}"]) if name == "explorer" else None

sys.meta_path.insert(0, Finder())
"""

NONE = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "explorer":
            raise ModuleNotFoundError("No module named 'explorer'", name="explorer")

sys.meta_path.insert(0, Finder())
"""


def other_code(nodes: Nodes, folder: Path) -> Any:
    """A node with another version of the code, and one without it."""
    source = Path(explorer.__file__).parent
    shutil.copytree(source, folder / "other" / "explorer")
    with (folder / "other" / "explorer" / "budget.py").open("a") as file:
        file.write("# changed\n")
    messages = {}
    for name, finder in (("other", OTHER), ("none", NONE)):
        site = folder / f"site_{name}"  # what a node's Python runs first; all nodes here have one file system
        site.mkdir()
        (site / "sitecustomize.py").write_text(finder.format(path=str(folder / "other")))
        node = nodes.add(resources={name: 1}, env_vars={"PYTHONPATH": str(site)})
        try:
            pool = RayPool(problem_of(slow), Workers(1, resources={name: 1}))
            try:
                until(pool, lambda pool=pool: pool.idle == 1)  # type: ignore[misc]  # a default, not an argument
                messages[name] = "it works"
            finally:
                pool.close()
        except InputError as error:
            messages[name] = str(error)
        nodes.kill(node)
    return messages


SCENARIOS = [poisoned, metrics, lost_node, idle_death, elastic, other_code]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        nodes = Nodes(3)
        wanted = sys.argv[1:] or [scenario.__name__ for scenario in SCENARIOS]
        for scenario in SCENARIOS:
            if scenario.__name__ in wanted:
                began = time.monotonic()
                found = scenario(nodes, Path(folder))
                print(json.dumps({"name": scenario.__name__, "found": found}), flush=True)  # noqa: T201
                print(f"{scenario.__name__}: {time.monotonic() - began:.1f} s", file=sys.stderr)  # noqa: T201
        ray.shutdown()
        nodes.cluster.shutdown()


if __name__ == "__main__":
    main()
