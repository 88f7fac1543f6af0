"""How soon the page of a study follows a slider, in a real browser: ``python -m tests.benchmarks.page``.

Designs with four objectives, once thousands of them on the front, once none dominated, which is the worst there is. A
slider is moved in steps; what is printed is the time from the beginning of an update to its end: limits, front, plots,
table. Needs Chromium.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.explorer.page.browsers import browser, why_none
from tests.explorer.page.synthetic import slide, synthetic


def measure(what: str, values: NDArray[np.float64], steps: int) -> None:
    """Print how long updates take."""
    with tempfile.TemporaryDirectory() as folder, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(synthetic(Path(folder), values))
        page.wait_for_function("document.body.dataset.updateMs !== undefined")
        front = page.evaluate("front.length")
        took = []
        for step in range(steps):
            slide(page, "o1 ↑, from", 20 * step)
            took.append(float(page.evaluate("document.body.dataset.updateMs")))
    median, most = np.median(took), max(took)
    print(f"{what}: {len(values):,} designs, {front:,} on the front: {median:.0f} ms, at most {most:.0f} ms")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser("page", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--designs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=20, help="of the slider")
    asked = parser.parse_args()
    if why_none():
        raise SystemExit(why_none())
    rng = np.random.default_rng(0)
    direction = np.abs(rng.normal(size=(asked.designs, 4)))
    sphere = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    measure("usual", sphere * rng.random((asked.designs, 1)), asked.steps)
    measure("none dominated", sphere, asked.steps)


if __name__ == "__main__":
    main()
