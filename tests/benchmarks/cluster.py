"""What the cluster side costs: ``python -m tests.benchmarks.cluster``, with peers in the same run.

Evaluations that sleep, each worker a process of its own on this machine. Each writes down when it began and ended, in
the same way for this product and its peers: the idle share is of the workers' time from when all of them have begun
until the last evaluation begins. CPU time is that of the driver, between the same two moments; this product's contains
the commit that an evaluation is acknowledged with, which survives ``kill -9`` of the driver (not a power cut).

Parts: ``driver`` (this product and its peers), ``recovery`` (after the loss of a node), ``memory`` (1e5 evaluations, on
a simulated clock and a real store) and ``resume`` (of 1e4 evaluations).
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

PARTS = ("driver", "recovery", "memory", "resume")
PEERS = ("rex", "tune", "optuna")
FIGURES = ("driver", "node lost", "resume")
"""What lines with figures begin with: Ray prints others."""

MOST_OF_PEERS = 16  # workers: Ray Tune takes seconds for each trial, and Optuna's processes wait for one another
TUNE = ("--rounds", "8")


def sleep(seconds: float, folder: str) -> None:
    """Sleep, and write down who did and when."""
    began = time.time()
    time.sleep(seconds)
    with open(f"{folder}/{os.getpid()}", "a") as file:
        file.write(f"{began} {time.time()}\n")


def value_of(x: int) -> float:
    """Something to minimise."""
    return float((x - 500) ** 2)


def idle_share(folder: Path, workers: int) -> tuple[float, float, float]:
    """The idle share of sleeping workers, and the two moments between which it is."""
    spans = {
        file.name: [tuple(map(float, line.split())) for line in file.read_text().splitlines()]
        for file in folder.iterdir()
    }
    # Ray Tune gives every trial a process of its own, as many at a time as there are workers
    first = sorted(min(of_one)[0] for of_one in spans.values())[workers - 1]
    last = max(span[0] for of_one in spans.values() for span in of_one)
    busy = sum(max(0.0, min(end, last) - max(start, first)) for of_one in spans.values() for start, end in of_one)
    return 1.0 - busy / (workers * (last - first)), first, last


def cpu_between(marks: list[tuple[float, float, int]], first: float, last: float) -> float:
    """CPU seconds an evaluation, of marks of time, CPU time and number of evaluations."""
    inside = [mark for mark in marks if first <= mark[0] <= last]
    return (inside[-1][1] - inside[0][1]) / (inside[-1][2] - inside[0][2])


def rex(workers: int, count: int, seconds: float, folder: str, place: Path) -> list[tuple[float, float, int]]:
    """This product: random search, SQLite store."""
    from explorer import Integer, Problem, Space, run

    def slow(design: Mapping[str, int]) -> float:
        sleep(seconds, folder)
        return value_of(design["x"])

    problem = Problem.from_functions(Space({"x": Integer(0, 10**6)}), {"f": slow}, directions={"f": "minimize"})
    marks: list[tuple[float, float, int]] = []
    run(problem, budget=count, workers=workers, store=str(place / "rex.db"),
        listener=lambda progress: marks.append((time.time(), time.process_time(), progress.finished)))  # fmt: skip
    return marks


def tune(workers: int, count: int, seconds: float, folder: str, place: Path) -> list[tuple[float, float, int]]:
    """Ray Tune with Optuna's random sampler: its own way to keep results."""
    import optuna
    import ray
    from ray import tune as ray_tune
    from ray.tune.search.optuna import OptunaSearch

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    marks: list[tuple[float, float, int]] = []

    def trainable(config: dict[str, int]) -> None:
        sleep(seconds, folder)
        ray_tune.report({"f": value_of(config["x"])})

    class Marks(ray_tune.Callback):
        def on_trial_complete(self, *_: object, **__: object) -> None:
            marks.append((time.time(), time.process_time(), len(marks) + 1))

    search = OptunaSearch(sampler=optuna.samplers.RandomSampler(0), metric="f", mode="min")
    ray_tune.Tuner(
        trainable,
        param_space={"x": ray_tune.randint(0, 10**6)},
        tune_config=ray_tune.TuneConfig(search_alg=search, num_samples=count, max_concurrent_trials=workers),
        run_config=ray_tune.RunConfig(storage_path=str(place / "tune"), callbacks=[Marks()], verbose=0),
    ).fit()
    ray.shutdown()
    return marks


def _optuna_process(url: str, count: int, seconds: float, folder: str, pipe: object) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.load_study(study_name="x", storage=url, sampler=optuna.samplers.RandomSampler())

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_int("x", 0, 10**6)
        sleep(seconds, folder)
        return value_of(x)

    began = time.process_time()
    study.optimize(objective, n_trials=count)
    pipe.send(time.process_time() - began)  # type: ignore[attr-defined]  # a connection


def optuna_processes(workers: int, count: int, seconds: float, folder: str, place: Path) -> float:
    """Optuna processes on one SQLite storage; CPU seconds an evaluation of all processes together, imports left out."""
    import optuna

    url = f"sqlite:///{place / 'optuna.db'}"
    optuna.create_study(
        study_name="x", storage=optuna.storages.RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 600}})
    )
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for _ in range(workers):
        mine, theirs = context.Pipe()
        process = context.Process(target=_optuna_process, args=(url, count // workers, seconds, folder, theirs))
        process.start()
        pipes.append(mine)
        processes.append(process)
    spent = sum(pipe.recv() for pipe in pipes)
    for process in processes:
        process.join()
    return spent / count


def driver(name: str, workers: int, rounds: int, seconds: float) -> None:
    """Print what one of them costs."""
    # here it takes a second to start one of ours, while the others evaluate
    count = workers * (rounds + (workers if name == "rex" else 0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "spans"
        folder.mkdir()
        if name == "optuna":
            cpu = optuna_processes(workers, count, seconds, str(folder), Path(place))
            idle, first, last = idle_share(folder, workers)
        else:
            marks = {"rex": rex, "tune": tune}[name](workers, count, seconds, str(folder), Path(place))
            idle, first, last = idle_share(folder, workers)
            cpu = cpu_between(marks, first, last)
    print(
        f"driver: {name:>6}, {workers:4d} workers, {count} evaluations of {seconds:g} s: {1e3 * cpu:.2f} ms CPU each, "
        f"idle {100 * idle:5.1f} % of {last - first:.1f} s"
    )


def recovery() -> None:
    """Print how long it takes until what a lost node did is done elsewhere."""
    import ray

    from explorer import Design, Proposal
    from explorer.workers.pool import RayPool
    from explorer.workers.wanted import Workers
    from tests.explorer.workers.scenarios import Nodes, problem_of, until

    nodes = Nodes(3)

    def slow(design: Design) -> float:
        time.sleep(20.0 if design["x"] < 10 else 0.0)
        return float(design["x"])

    pool = RayPool(problem_of(slow), Workers(3))
    until(pool, lambda: pool.idle == 3)
    pool.submit(Proposal(Design({"x": 0})))
    pool.wait(0.5)
    victim = next(node.node for node in pool.crew().nodes if node.busy)
    began = time.monotonic()
    nodes.kill(victim)
    until(pool, lambda: any(node.busy and node.node != victim for node in pool.crew().nodes))
    again = time.monotonic() - began
    nodes.add()
    until(pool, lambda: pool.crew().ready == 3)
    print(
        f"node lost: its evaluation runs elsewhere after {again:.1f} s; a new node has a worker "
        f"{time.monotonic() - began:.1f} s after the loss"
    )
    pool.close()
    ray.shutdown()
    nodes.cluster.shutdown()


def _big(count: int, place: Path) -> tuple[object, Callable[[], object]]:
    from explorer import Integer, Problem, Space, make_strategy
    from explorer.budget import Budget
    from explorer.clock import SimulatedPool
    from explorer.search import Search
    from explorer.store import Store, StudyRecord

    problem = Problem.from_functions(
        Space({"x": Integer(0, 10**9), "y": Integer(0, 10**9)}),
        {"f": lambda design: float(design["x"]), "g": lambda design: float(design["y"])},
        directions={"f": "minimize", "g": "minimize"},
    )
    store = Store(f"sqlite:///{place / 'big.db'}", create=True)
    if not store.names():
        store.create(StudyRecord("big", {}, "", problem.outline.to_json(), "0"))

    def search() -> Search:
        return Search(
            problem, make_strategy("random", problem, 0), SimulatedPool(problem, 200), Budget(evaluations=count),
            save=lambda batch: store.append("big", batch), earlier=store.evaluations("big"),
        )  # fmt: skip

    return problem, search


def memory(count: int) -> None:
    """Print what a driver holds after many evaluations."""
    with tempfile.TemporaryDirectory() as place:
        _, search = _big(count, Path(place))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        search().run()  # type: ignore[attr-defined]  # a search
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"driver after {count} evaluations: {after / 1024:.0f} MiB at most, "
            f"{(after - before) / count * 1024:.0f} bytes an evaluation; "
            f"{1e3 * (time.process_time() - began) / count:.2f} ms CPU each, with the store"
        )


def resume(count: int) -> None:
    """Print how long it takes until a study goes on."""
    with tempfile.TemporaryDirectory() as place:
        _, search = _big(count, Path(place))
        search().run()  # type: ignore[attr-defined]  # a search
        _, search = _big(count + 1, Path(place))
        began = time.monotonic()
        search().run()  # type: ignore[attr-defined]  # a search
        print(f"resume of {count} evaluations, until the next one is done: {time.monotonic() - began:.2f} s")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="What searches on many workers cost, with peers in the same run.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=PEERS)
    parser.add_argument("--workers", nargs="+", type=int, default=[16, 64, 200])
    parser.add_argument("--rounds", type=int, default=60, help="evaluations of each worker once all have started")
    parser.add_argument("--seconds", type=float, default=1.0, help="that an evaluation sleeps")
    parser.add_argument(
        "--count", type=int, default=100_000, help="evaluations of the part 'memory'; a tenth of 'resume'"
    )
    parser.add_argument("--alone", action="store_true", help="in this process: parts of a run start others like that")
    options = parser.parse_args()
    if not options.alone:  # each figure from a process of its own: one Ray, and a memory, at a time
        for arguments in _parts(options):
            command = [sys.executable, "-m", "tests.benchmarks.cluster", "--alone", *arguments]
            ended = subprocess.run(command, capture_output=True, text=True)  # what Ray says stays out of the figures
            print(*[line for line in ended.stdout.splitlines() if line.startswith(FIGURES)], sep="\n", flush=True)
            if ended.returncode:
                print(f"failed: {ended.stderr[-2000:]}", file=sys.stderr)
        return
    (part,) = options.parts
    if part == "driver":
        driver(options.peers[0], options.workers[0], options.rounds, options.seconds)
    elif part == "recovery":
        recovery()
    elif part == "memory":
        memory(options.count)
    else:
        resume(options.count // 10)


def _parts(options: argparse.Namespace) -> list[list[str]]:
    same = ["--rounds", str(options.rounds), "--seconds", str(options.seconds), "--count", str(options.count)]
    drivers = [
        ["--parts", "driver", "--workers", str(workers), "--peers", name, *same, *(TUNE if name == "tune" else ())]
        for workers in options.workers
        for name in options.peers
        if "driver" in options.parts and (name == "rex" or workers <= MOST_OF_PEERS)
    ]
    return drivers + [["--parts", part, *same] for part in options.parts if part != "driver"]


if __name__ == "__main__":
    main()
