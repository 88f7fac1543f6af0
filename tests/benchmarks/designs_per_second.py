"""How many designs a second a hardware simulator evaluates: ``python -m tests.benchmarks.designs_per_second``.

All placements of normalisations on all stacks (1 to 3 ReRAM layers, 1 or 2 GPU layers), crossbars and cells: 7.9
million designs of VGG-19, in the batches in which ``rex enumerate`` walks a space; then the same with the busiest link
of the network on chip, one batch of random designs, and one design alone. ``OMP_NUM_THREADS=1`` is fastest.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explorer.space import Space
from explorer.walk import Walk
from simulators.protocol import Designs, HardwareSimulator, Integer, Variable, Workload, load_simulator

SEARCHED = {"reram_layers": Integer(1, 3), "gpu_layers": Integer(1, 2)}
READ = ("latency_s", "energy_j", "area_mm2", "peak_temperature_k")
LINK = "link_stage_time_s"
RANDOM = 1_000_000


def space_of(variables: tuple[Variable, ...]) -> Space:
    """What is searched by default, with fewer layers; everything else fixed at its default."""
    return Space([replace(v, domain=SEARCHED.get(v.name, v.domain)) for v in variables if v.searched])


def walked(simulator: HardwareSimulator, workload: Workload, read: tuple[str, ...]) -> tuple[int, int]:
    """Simulate a whole space: how many designs, and how many of them can be built."""
    count = feasible = 0
    for chunk in Walk(space_of(simulator.variables(workload))).chunks():
        report = simulator.simulate(chunk.designs, workload)
        for name in read:
            np.asarray(report.totals[name])
        count, feasible = count + report.count, feasible + int(report.feasible.sum())
    return count, feasible


def timed(what: str, run: Callable[[], int], repeats: int) -> None:
    """Print the best of some runs."""
    seconds, count = [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        count = run()
        seconds.append(time.perf_counter() - began)
    best, memory = min(seconds), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what:<46}{count:>10,} designs {best:>9.4f} s {count / best:>12,.0f} a second; at most {memory:.2f} GiB")


def alone(simulator: HardwareSimulator, workload: Workload) -> None:
    """Print what one design takes, all four figures read: of hardware that was not asked about before, and again."""
    rng, space = np.random.default_rng(1), space_of(simulator.variables(workload))
    columns = {name: variable.domain.sample(rng, RANDOM) for name, variable in space.variables.items()}
    drawn, hardware = Designs(columns), np.column_stack([column for column in columns.values() if column.ndim == 1])
    _, first = np.unique(hardware, axis=0, return_index=True)
    can_be_built = first[simulator.simulate(drawn.take(first), workload).feasible]
    designs = [drawn.take(np.array([at])) for at in rng.permutation(can_be_built)]
    for what in ("one alone, new hardware", "one alone, again"):
        seconds = []
        for design in designs:
            began = time.perf_counter()
            report = simulator.simulate(design, workload)
            for name in READ:
                np.asarray(report.totals[name])
            seconds.append(time.perf_counter() - began)
        median, least = np.median(seconds), min(seconds)
        print(f"{what:<46}{len(designs):>10,} times   {median:>9.4f} s (median), at least {least:.4f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description="How many designs a second the hardware model evaluates.")
    parser.add_argument("--simulator", default="deeptrain")
    parser.add_argument("--network", default="vgg19")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()

    simulator, workload = load_simulator(arguments.simulator)(), Workload(arguments.network)
    if not isinstance(simulator, HardwareSimulator):
        parser.error(f"{arguments.simulator} is not a hardware simulator")
    alone(simulator, workload)
    timed("all: times, energy, area, temperature", lambda: walked(simulator, workload, READ)[0], arguments.repeats)
    if LINK in simulator.fields:
        timed("all, with the busiest link", lambda: walked(simulator, workload, (*READ, LINK))[0], arguments.repeats)
    rng = np.random.default_rng(0)
    space = space_of(simulator.variables(workload))
    columns = {name: variable.domain.sample(rng, RANDOM) for name, variable in space.variables.items()}
    random = Designs(columns, RANDOM)
    timed("one batch of random ones", lambda: simulator.simulate(random, workload).count, arguments.repeats)


if __name__ == "__main__":
    main()
