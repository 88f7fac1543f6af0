"""Five faults of :mod:`tests.soak`; ``make soak`` makes fifty."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.explorer.searches import HUNG_S, environment


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_while_workers_nodes_and_drivers_are_killed() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--faults", "5", "--seed", "4"], env=environment(RAY_ADDRESS=""),
        capture_output=True, text=True, timeout=3 * HUNG_S,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert "5 faults in 1 searches" in ended.stdout
