"""How many designs a second a hardware simulator evaluates: ``python -m tests.benchmarks.designs_per_second``."""

from __future__ import annotations

import argparse
import time

import numpy as np

from simulators.protocol import Designs, HardwareSimulator, Workload, load_simulator


def main() -> None:
    parser = argparse.ArgumentParser(description="How many designs a second a hardware simulator evaluates.")
    parser.add_argument("--simulator", default="deeptrain")
    parser.add_argument("--network", default="vgg16")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    simulator, workload = load_simulator(arguments.simulator)(), Workload(arguments.network)
    if not isinstance(simulator, HardwareSimulator):
        parser.error(f"{arguments.simulator} is not a hardware simulator")
    rng = np.random.default_rng(0)
    columns = {v.name: v.domain.sample(rng, arguments.count) for v in simulator.variables(workload) if v.searched}
    for batch in (Designs(columns, arguments.count), Designs(columns, arguments.count).take(np.array([0]))):
        seconds = []
        for _ in range(arguments.repeats):
            start = time.perf_counter()
            report = simulator.simulate(batch, workload)
            seconds.append(time.perf_counter() - start)
        best = min(seconds)
        print(
            f"{len(batch)} designs of {workload}: first {seconds[0]:.4f} s, best {best:.4f} s "
            f"({len(batch) / best:.3g} designs/s, {report.feasible.mean():.0%} feasible)"
        )


if __name__ == "__main__":
    main()
