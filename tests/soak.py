"""Searches under fire: ``python -m tests.soak`` (``make soak``).

A Ray of three nodes runs searches of a search file, as processes of ``rex run``. At random moments a worker, a node or
the driver is killed with signal 9; nodes are replaced, and a killed driver's study is resumed. At the end of a search

- every evaluation that the store had acknowledged before a fault is in it still, unchanged,
- none is there twice,
- and their number is the one that was asked for.

``--faults`` and ``--seed`` choose how many and which; exits with 1 if anything of that is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ray.cluster_utils import Cluster

from explorer import load_study
from explorer.answers import without_answered
from tests.explorer.searches import REX, environment

BUDGET = 40
NODES = 3
LONGEST_S = 300.0  # that a search may take, faults included
KINDS = ("worker", "node", "driver")

SEARCH = """\
name: soak
workload: {network: vgg11, dataset: fashion-mnist}
simulators: [deeptrain, tabulated]
variables: {bn: search, reram_layers: {low: 1, high: 3}, gpu_layers: {low: 1, high: 7}}
objectives: [slow.py:slow_accuracy, latency]
strategy: random
budget: {evaluations: %d}
workers: {count: 3, attempts: 20, patience_s: 120}
"""

SLOW = """\
import time
from objectives import objective

@objective(direction="maximize")
def slow_accuracy(training):
    time.sleep(0.5)
    return training.accuracy
"""


class BrokenError(Exception):
    """What must never be so, was so."""


@dataclass
class Soak:
    """A cluster, and what is done to it.

    Args:
        folder: for searches and their stores.
        chance: says what happens, and when.
        faults: of each kind so far.
    """

    folder: Path
    chance: random.Random
    faults: Counter[str] = field(default_factory=Counter)
    nodes: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        quickly = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 500, "health_check_timeout_ms": 1000}
        self.cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": quickly}
        )
        for _ in range(NODES):
            self.nodes.append(self.cluster.add_node(num_cpus=1))
        (self.folder / "search.yaml").write_text(SEARCH % BUDGET)
        (self.folder / "slow.py").write_text(SLOW)

    def search(self, number: int, faults: int) -> None:
        """One search, with so many faults on its way.

        Raises:
            BrokenError: it did not end as it has to.
        """
        store, log = self.folder / f"{number}.db", (self.folder / f"{number}.log").open("w")
        began = time.monotonic()
        driver = self._start(["run", "search.yaml", "--store", store.name], log)
        acknowledged: dict[str, str] = {}
        while driver.poll() is None or self._left(store) > 0:
            if time.monotonic() > began + LONGEST_S:
                driver.kill()
                raise BrokenError(f"search {number} did not end in {LONGEST_S:g} s: see {log.name}")
            if driver.poll() is not None:
                if driver.returncode != -signal.SIGKILL:
                    raise BrokenError(f"search {number} ended with {driver.returncode}: see {log.name}")
                begun = bool(_rows(store, "SELECT name FROM rex_studies"))
                driver = self._start(
                    ["resume", store.name] if begun else ["run", "search.yaml", "--store", store.name], log
                )
            time.sleep(self.chance.uniform(0.2, 2.0))
            acknowledged.update(self._check_kept(store, acknowledged))
            if faults > 0 and acknowledged:
                faults -= self._fault(driver)
        rows = self._check_kept(store, acknowledged)
        if left := self._left(store):
            raise BrokenError(f"search {number} has {BUDGET - left} evaluations, not {BUDGET}")
        again = sum(len(json.loads(row)["earlier"]) for row in rows.values())
        failed = sum(bool(json.loads(row)["failure"]) for row in rows.values())
        print(f"search {number}: {BUDGET} evaluations, {failed} failed, {again} attempts made again, "
              f"{time.monotonic() - began:.0f} s; faults so far {dict(self.faults)}", flush=True)  # fmt: skip

    def _start(self, arguments: list[str], log: object) -> subprocess.Popen[bytes]:
        environ = environment(RAY_ADDRESS=self.cluster.address)
        return subprocess.Popen([str(REX), *arguments], cwd=self.folder, env=environ, stdout=log, stderr=log)  # type: ignore[call-overload]  # a file

    def _left(self, store: Path) -> int:
        """Evaluations that are missing; those that needed no training do not count."""
        if not _rows(store, "SELECT name FROM rex_studies"):
            return BUDGET
        study = load_study(store)
        return BUDGET - len(list(without_answered(study.outline, study.evaluations)))

    def _run_rows(self, store: Path) -> dict[str, str]:
        """What is stored of evaluations that were run, by key."""
        found = _rows(store, "SELECT key, row FROM rex_evaluations WHERE NOT derived ORDER BY id")
        if len({key for key, _ in found}) < len(found):
            raise BrokenError(f"{store.name} has an evaluation twice")
        return dict(found)

    def _check_kept(self, store: Path, acknowledged: dict[str, str]) -> dict[str, str]:
        rows = self._run_rows(store)
        for key, row in acknowledged.items():
            if rows.get(key) != row:
                raise BrokenError(f"{store.name} has lost or changed evaluation {key}, which it had acknowledged")
        return rows

    def _fault(self, driver: subprocess.Popen[bytes]) -> bool:
        """Kill something; false if it was not there."""
        kind = self.chance.choice(KINDS)
        if kind == "driver":
            if driver.poll() is not None:
                return False
            driver.kill()
            driver.wait()
        elif kind == "worker":
            workers = _workers()
            if not workers:
                return False
            try:
                os.kill(self.chance.choice(workers), signal.SIGKILL)
            except ProcessLookupError:
                return False
        else:
            victim = self.chance.choice(self.nodes)
            self.nodes.remove(victim)
            self.cluster.remove_node(victim, allow_graceful=False)
            self.nodes.append(self.cluster.add_node(num_cpus=1))
        self.faults[kind] += 1
        return True


def _workers() -> list[int]:
    """Processes that are workers; Ray names them after what they do."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cmdline").read_bytes().startswith(b"ray::Evaluator"):
                found.append(int(process.name))
    return sorted(found)


def _rows(store: Path, query: str) -> list[tuple[str, str]]:
    """What a store answers, read past the product; nothing where there is no store yet."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(store, timeout=30)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise


def main() -> None:
    """Search under fire; exit code 1 if anything is lost."""
    parser = argparse.ArgumentParser(
        description="Searches on three nodes, while workers, nodes and drivers are killed."
    )
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--each", type=int, default=5, help="faults in one search")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(Path(folder), random.Random(options.seed))
        number = 0
        try:
            while (left := options.faults - sum(soak.faults.values())) > 0:
                number += 1
                soak.search(number, min(left, options.each))
        except BrokenError as error:
            print(f"broken: {error}\n{(Path(folder) / f'{number}.log').read_text()[-3000:]}")
            sys.exit(1)
        finally:
            soak.cluster.shutdown()
        print(f"{sum(soak.faults.values())} faults in {number} searches ({dict(soak.faults)}): nothing lost or twice")


if __name__ == "__main__":
    main()
