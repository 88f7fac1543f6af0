"""How fast fronts of large studies are, beside peers: ``python -m tests.benchmarks.fronts``.

Evaluations with four objectives, near the surface of a ball, so that thousands are on the front, each of a design of
its own. A study of them is opened, asked for its front, then goes on and is asked again. Peers get ten
thousand, since most of them compare all with all: Optuna's ``study.best_trials``, BoTorch, and pymoo where it is there
(``pip install 'reram-explorer[benchmarks]'``). Then hypervolumes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.domination import Scale
from explorer.evaluation import Evaluation
from explorer.fronts import front_among
from explorer.outline import ObjectiveInfo, Outline
from explorer.results import Results
from explorer.space import Space
from simulators.protocol import BinaryVector, Integer

Array = NDArray[np.float64]

SIGNS = (1, -1, -1, -1)
OBJECTIVES = (
    ObjectiveInfo("accuracy", "maximize", "fraction", shared=True),
    *(ObjectiveInfo(name, "minimize", cheap=True) for name in ("latency", "energy", "area")),
)
OUTLINE = Outline(Space({"bn": BinaryVector(16), "layers": Integer(1, 16)}), OBJECTIVES, "epochs", 12)
NEW = 100  # evaluations that arrive while a study is open
PEERS = 10_000  # evaluations that peers get
POINTS = (100, 1000)  # of a hypervolume: BoTorch takes minutes for the latter, and is spared it


def values_of(count: int, seed: int = 0) -> Array:
    """Values to be made large, count x objectives."""
    rng = np.random.default_rng(seed)
    direction = np.abs(rng.normal(size=(count, len(SIGNS))))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    return np.asarray(direction * rng.random((count, 1)) ** 0.3)


def evaluations(values: Array, first: int = 0) -> Iterator[Evaluation]:
    """Evaluations with these values, each of a design of its own."""
    space = OUTLINE.space
    names = [objective.name for objective in OBJECTIVES]
    for number, (design, row) in enumerate(
        zip(space.unpack(space.at(range(first, first + len(values)))), (values * SIGNS).tolist(), strict=True), 1
    ):
        found = dict(zip(names, row, strict=True))
        yield Evaluation(design, str(number), 12, number=first + number, values=found, quantities={"power_w": 1.0})


def timed(what: str, run: Callable[[], int], repeats: int = 3) -> int:
    """Print the best of some runs and how many it found."""
    seconds, found = [], 0
    for _ in range(repeats):
        began = time.perf_counter()
        found = run()
        seconds.append(time.perf_counter() - began)
    print(f"  {what:<64}{min(seconds):>10.4f} s {found:>8,} on the front")
    return found


def study(count: int) -> None:
    """A study that is opened, asked, goes on, and is asked again."""
    values = values_of(count + NEW)
    rows = list(evaluations(values[:count]))
    new = list(evaluations(values[count:], count))
    print(f"{count:,} evaluations, four objectives")
    opened: list[Results] = []

    def opening() -> int:
        opened[:] = [Results(OUTLINE, rows)]
        return len(front_among(opened[0]))

    def going_on() -> int:
        return len(front_among(Results(OUTLINE, new, opened[0])))

    timed("rex: rows gathered as columns, and the front", opening)
    timed("rex: front of the open study", lambda: len(front_among(opened[0])))
    timed(f"rex: {NEW} evaluations more, and the front", going_on)
    timed("rex: of three of the objectives", lambda: len(front_among(opened[0], objectives=OBJECTIVES[:3])))
    timed("rex: with a table of all of its designs", lambda: len(front_among(opened[0]).records()), repeats=1)


def peers(values: Array) -> None:
    """The same front by others.

    Raises:
        SystemExit: they do not agree.
    """
    import torch
    from botorch.utils.multi_objective.pareto import is_non_dominated

    rows, trials, tensor = list(evaluations(values)), optuna_study(values), torch.from_numpy(values)
    runs: dict[str, Callable[[], int]] = {
        "rex: rows gathered as columns, and the front": lambda: len(front_among(Results(OUTLINE, rows))),
        "BoTorch: is_non_dominated": lambda: int(is_non_dominated(tensor).sum()),
        "Optuna: study.best_trials": lambda: len(trials.best_trials),
    }
    try:
        from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting
    except ImportError:
        print("  pymoo is not installed: pip install 'reram-explorer[benchmarks]'")
    else:
        sorting = NonDominatedSorting()
        runs["pymoo: NonDominatedSorting"] = lambda: len(sorting.do(-values, only_non_dominated_front=True))
    print(f"{len(values):,} evaluations, four objectives")
    if len({timed(name, run, repeats=1) for name, run in runs.items()}) > 1:
        raise SystemExit("they do not agree")


def optuna_study(values: Array) -> Any:
    """An Optuna study in memory with these values."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions = [objective.direction for objective in OBJECTIVES]
    created = optuna.create_study(directions=directions)
    created.add_trials([optuna.create_trial(values=row) for row in (values * SIGNS).tolist()])
    return created


def hypervolume(points: int, with_botorch: bool) -> None:
    """The hypervolume of points of which none dominates another."""
    import torch
    from botorch.utils.multi_objective.hypervolume import Hypervolume

    direction = np.abs(np.random.default_rng(0).normal(size=(points, len(SIGNS))))
    values = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    scale = Scale(OBJECTIVES, (0.0, -1.0, -1.0, -1.0), (1.0, 0.0, 0.0, 0.0))
    reference = torch.zeros(len(SIGNS), dtype=torch.float64)
    runs: dict[str, Callable[[], float]] = {"rex (moocore)": lambda: scale.hypervolume(values * SIGNS)}
    if with_botorch:
        runs["BoTorch"] = lambda: Hypervolume(reference).compute(torch.from_numpy(values))
    print(f"hypervolume of {points} points, four objectives")
    for name, run in runs.items():
        began = time.perf_counter()
        found = run()
        print(f"  {name:<64}{time.perf_counter() - began:>10.4f} s {found:>10.6f}")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser("fronts", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("--counts", type=int, nargs="+", default=[100_000, 1_000_000], help="evaluations of a study")
    for count in parser.parse_args().counts:
        study(count)
    peers(values_of(PEERS))
    for points in POINTS:
        hypervolume(points, with_botorch=points == POINTS[0])


if __name__ == "__main__":
    main()
