"""A small search file, and ways to run the command line on it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SEARCH = """\
name: small
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {width: 0.0625, train_images: 300}

simulators: [deeptrain, training]
variables:
  bn: search
  reram_layers: {low: 1, high: 3}
  gpu_layers: {low: 1, high: 7}
  crossbar_size: [64, 128]
fidelity: {epochs: 1}

objectives: [accuracy, latency, area]
constraints:
  - reram_layers <= 3
  - area < 400 mm2

strategy: random
initial: [{bn: all}, {bn: none}]
budget: {evaluations: 5}
workers: 1
seed: 0
"""
"""Really trains, on 300 images at 1/16 of the width: about a second an evaluation."""

REX = Path(sys.executable).with_name("rex")

HUNG_S = 300
"""After so long something counts as hung: a busy machine takes minutes for what others do in seconds."""


def write_search(folder: Path, *changes: tuple[str, str], name: str = "search.yaml") -> Path:
    """The search in a file, with texts in it replaced."""
    text = SEARCH
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text)
    return path


def line_of(path: Path, text: str) -> int:
    """The line of a file that holds a text."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def environment(**more: str) -> dict[str, str]:
    """Of a process of its own; it uses this one's Ray, if there is one: starting another takes seconds."""
    ray = sys.modules.get("ray")
    address = {"RAY_ADDRESS": ray.get_runtime_context().gcs_address} if ray and ray.is_initialized() else {}
    return {**os.environ, "OMP_NUM_THREADS": "1", **address, **more}


def rex(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [str(REX), *map(str, arguments)], cwd=cwd, env=environment(**more), capture_output=True, text=True,
        errors="replace", timeout=HUNG_S,
    )  # fmt: skip
