"""Running and resuming searches: a study in a store, workers on Ray, and the loop between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from explorer.assembly import Assembly, assemble
from explorer.clock import Pool
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.search import Budget, Progress, Search
from explorer.simulator_problem import SimulatorProblem
from explorer.spec import BudgetSpec, ConfirmSpec, SearchSpec, override, parse_spec, read_spec
from explorer.store import Store, StudyRecord, free_name, parse_reference
from explorer.strategies import Strategy, make_strategy
from explorer.study import Study, load_study
from simulators.protocol import InputError

__all__ = ["Prepared", "describe", "prepare", "resume", "run"]

Listener = Callable[[Progress], None]


@dataclass(frozen=True)
class Prepared:
    """A study that is ready to run, or to go on.

    Args:
        study: in its store.
        assembly: the search, put together.
    """

    study: Study
    assembly: Assembly

    @property
    def problem(self) -> Problem:
        """What is searched."""
        return self.assembly.problem

    @property
    def spec(self) -> SearchSpec:
        """The search file."""
        return self.assembly.spec

    @property
    def description(self) -> str:
        """What is searched, in a few lines."""
        return describe(self.assembly)

    @property
    def page(self) -> Path:
        """Where the study's page is written: beside its checkpoints."""
        return Path(str(self.spec.checkpoints)).with_suffix(".html")

    def run(self, listener: Listener = lambda _: None, workers: int | None = None) -> Study:
        """Run the search on Ray until its budget is used up; what an earlier run finished is not done again."""
        from explorer.evaluator import RayPool, Resources

        count = workers or self.spec.workers.count
        pool = RayPool(self.problem, count, Resources(self.spec.workers.cpus, self.spec.workers.gpus))
        try:
            strategy = make_strategy(self.spec.strategy.name, self.problem, self.spec.seed, self.spec.strategy.options)
            _search(self.study, self.problem, strategy, pool, _budget(self.spec.budget), self.assembly.initial,
                    self.spec.confirm, listener)  # fmt: skip
        finally:
            pool.close()
        return self.study.refresh()


def _budget(spec: BudgetSpec) -> Budget:
    return Budget(spec.evaluations, spec.epochs if spec.epochs is not None else spec.cost, spec.wall_time_s)


def _search(
    study: Study, problem: Problem, strategy: Strategy, pool: Pool, budget: Budget, initial: Sequence[Proposal],
    confirm: ConfirmSpec | None, listener: Listener,
) -> None:  # fmt: skip
    search = Search(
        problem,
        strategy,
        pool,
        budget,
        initial=initial,
        save=lambda batch: study.store.append(study.name, batch),
        listener=listener,
        earlier=study.store.evaluations(study.name),
    )
    search.run()
    if confirm:
        search.repeat(_to_confirm(problem, search, initial, confirm))


def _to_confirm(problem: Problem, search: Search, initial: Sequence[Proposal], confirm: ConfirmSpec) -> list[Proposal]:
    """Replicates of the initial designs and of the families that the front would miss most."""
    initial_families = {problem.family(proposal.design) for proposal in initial}
    evaluated: dict[str, Evaluation] = {}
    for evaluation in search.finished:
        if not evaluation.failed and evaluation.fidelity == problem.full_fidelity:
            evaluated.setdefault(evaluation.family, evaluation)
    losses = _hypervolume_losses(search)
    ranked = sorted(set(losses) - initial_families, key=lambda family: (-losses[family], family))
    chosen = [family for family in evaluated if family in initial_families] + ranked[: confirm.families]
    return [
        Proposal(evaluated[family].design, problem.full_fidelity, replicate, "confirm")
        for replicate in range(1, confirm.replicates)
        for family in chosen
        if family in evaluated
    ]


def _hypervolume_losses(search: Search) -> dict[str, float]:
    """Per family on the front, the hypervolume that would be lost without its points."""
    front, scale = search.archive.front, search.archive.scale
    whole, matrix = scale.hypervolume(front.matrix), front.matrix
    families = [point.family for point in front]
    return {
        family: whole - scale.hypervolume(matrix[[other != family for other in families]])
        for family in dict.fromkeys(families)
    }


def prepare(
    file: str | Path,
    *,
    settings: Sequence[str] = (),
    study: str | None = None,
    store: str | None = None,
    workers: int | None = None,
    seed: int | None = None,
    data_dir: str | Path | None = None,
) -> Prepared:
    """Check a search file and begin a study for it; nothing runs yet.

    Args:
        file: the search file.
        settings: ``key=value`` overrides, as ``--set``.
        study, store, workers, seed, data_dir: override the file's.

    Raises:
        InputError: everything that is wrong with the file, or a store that cannot be used.
    """
    path = Path(file)
    _, source, data = read_spec(path, settings)
    given = {
        "seed": seed,
        "data_dir": str(Path(data_dir).absolute()) if data_dir else None,
        "name": study,
        "store": store,
    }
    data = {**data, **{name: value for name, value in given.items() if value is not None}}
    if workers is not None:
        data["workers"] = {**_section(data.get("workers")), "count": workers}
    spec = parse_spec(data, source, str(path))
    folder = path.absolute().parent
    assemble(spec, folder, source=source, name=str(path))  # everything that is wrong, before anything is written
    url, name, place = _place(spec, study, store)
    opened = Store(url, create=True)
    if not study:
        name = free_name(name, opened.names())
    data = {**data, "name": name, "checkpoints": spec.checkpoints or str(place)}
    spec = parse_spec(data)
    assembly = assemble(spec, folder, check_run=False, checkpoints=Path(data["checkpoints"]), name=str(path))
    record = StudyRecord(
        name, data, str(folder), assembly.problem.outline.to_json(), version("reram-explorer"),
        assembly.problem.provenance(),
    )  # fmt: skip
    opened.create(record)
    return Prepared(Study(opened, record), assembly)


def _section(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _place(spec: SearchSpec, study: str | None, store: str | None) -> tuple[str, str, Path]:
    """Database URL, name of the study, and folder of checkpoints.

    Without a store of its own every study gets a new file, ``results/NAME.db``, ``results/NAME-2.db`` ...: nothing is
    ever overwritten.
    """
    name = study or spec.name
    if store or spec.store:
        url, in_reference = parse_reference(str(store or spec.store))
        name = study or in_reference or name
        local = url.startswith("sqlite:///")
        folder = Path(url.removeprefix("sqlite:///")).parent if local else Path("results")
        return url, name, (folder / f"{name}.checkpoints").absolute()
    results = Path("results")
    if study and (results / f"{name}.db").exists():
        raise InputError(
            f"{results / name}.db already holds a study: go on with `rex resume {results / name}.db`, or choose another "
            "name with --study",
            "study",
        )
    taken = [path.stem for path in results.glob("*.db")]
    name = free_name(name, taken)
    return f"sqlite:///{results / name}.db", name, (results / f"{name}.checkpoints").absolute()


def resume(reference: str | Path, *, workers: int | None = None, settings: Sequence[str] = ()) -> Prepared:
    """A study that goes on where it stopped.

    Args:
        reference: the study.
        workers: another number of workers than the file's.
        settings: overrides that do not change the problem: ``budget.*``, ``confirm.*``, ``workers.*``.

    Raises:
        InputError: there is no such study, it cannot be resumed, its data has changed, or a setting would change the
            problem.
    """
    study = load_study(reference)
    for setting in settings:
        if setting.partition(".")[0].partition("=")[0] not in ("budget", "confirm", "workers"):
            raise InputError(
                f"'{setting}' would change what is searched; only budget, confirm and workers can be changed on resume",
                "--set",
            )
    if not study.record.search:
        study.assemble()  # raises: there is no search file to put together
    spec = parse_spec(override(dict(study.record.search), settings), name=study.name)
    if workers is not None:
        spec = spec.model_copy(update={"workers": spec.workers.model_copy(update={"count": workers})})
    assembly = assemble(spec, Path(study.record.folder), checkpoints=Path(str(spec.checkpoints)), name=study.name)
    _check_same(study, assembly.problem)
    return Prepared(study, assembly)


def describe(assembly: Assembly) -> str:
    """What a search looks at, in a few lines: workload and proxy, space, objectives, constraints, strategy, budget."""
    spec, problem = assembly.spec, assembly.problem
    training = [s for s in problem.simulators.values() if s.kind == "training"]
    lines = [f"workload: {problem.bench.workload} (the full network, for the hardware)"]
    if training:
        proxy = (
            "the workload itself"
            if spec.proxy == "none"
            else ", ".join(f"{name} {value}" for name, value in (spec.proxy or {}).items())
            or "the simulator's default proxy"
        )
        lines.append(f"trained: {proxy}, {problem.full_fidelity} {problem.outline.fidelity_name}")
    lines.append(f"space: {problem.space.size:,} designs of {problem.space}")
    lines.append("objectives: " + ", ".join(f"{o.direction} {o.name}" for o in problem.objectives))
    if spec.constraints:
        lines.append("constraints: " + "; ".join(spec.constraints))
    lines.append(
        f"strategy {spec.strategy.name}, budget "
        + ", ".join(f"{name} {value:g}" for name, value in spec.budget if value is not None)
        + f", {spec.workers.count} workers, seed {spec.seed}"
    )
    return "\n".join(lines)


def _check_same(study: Study, problem: SimulatorProblem) -> None:
    """Raises InputError if what results depend on has changed since the study began."""
    now, then = problem.provenance(), study.record.provenance
    changed = [f"{name} was {then[name]}, is {now.get(name)}" for name in then if then[name] != now.get(name)]
    if changed:
        raise InputError(
            f"study '{study.name}' cannot go on: {'; '.join(changed)}. Its results would not be comparable; put back "
            "what it was, or start a new study",
            "study",
        )


def run(
    search: str | Path | Problem,
    *,
    strategy: str = "random",
    budget: int | Budget | None = None,
    workers: int | None = None,
    seed: int | None = None,
    study: str | None = None,
    store: str | None = None,
    settings: Sequence[str] = (),
    data_dir: str | Path | None = None,
    listener: Listener = lambda _: None,
) -> Study:
    """Run a search on Ray and return its study.

    Args:
        search: a search file, or a problem made with :meth:`Problem.from_functions`.
        strategy, budget: of a problem made from functions (a file names its own); a number is evaluations.
        workers, seed, study, store, settings, data_dir: override the file's.
        listener: called with the progress.

    Raises:
        InputError: bad input; nothing that was finished is lost.
    """
    if not isinstance(search, Problem):
        prepared = prepare(
            search, settings=settings, study=study, store=store, workers=workers, seed=seed, data_dir=data_dir
        )
        return prepared.run(listener)
    from explorer.evaluator import RayPool

    if budget is None:
        raise InputError("say how many evaluations to spend", "budget")
    name = study or "search"
    results = Path("results")
    url = (
        parse_reference(store)[0]
        if store
        else f"sqlite:///{results / free_name(name, (p.stem for p in results.glob('*.db')))}.db"
    )
    opened = Store(url, create=True)
    name = name if study else free_name(name, opened.names())
    record = StudyRecord(name, {}, os.getcwd(), search.outline.to_json(), version("reram-explorer"))
    opened.create(record)
    begun = Study(opened, record)
    pool = RayPool(search, workers or 1)
    try:
        limits = Budget(evaluations=budget) if isinstance(budget, int) else budget
        made = make_strategy(strategy, search, seed or 0)
        _search(begun, search, made, pool, limits, (), None, listener)
    finally:
        pool.close()
    return begun.refresh()
