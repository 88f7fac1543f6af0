"""Running and resuming searches: a study in a store, workers on Ray, and the loop between them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from explorer.answers import without_answered
from explorer.assembly import Assembly, assemble, assemble_source
from explorer.budget import Budget
from explorer.clock import Pool
from explorer.domination import Scale
from explorer.evaluation import Evaluation, Proposal
from explorer.fronts import front
from explorer.logs import logged_to
from explorer.outline import Outline
from explorer.problem import Problem
from explorer.provenance import changes, provenance_of
from explorer.retention import kept_below
from explorer.search import Progress, Search
from explorer.spec import (
    NAME,
    BudgetSpec,
    ConfirmSpec,
    SearchSpec,
    StrategySpec,
    override,
    parse_spec,
    read_search,
    read_settings,
)  # fmt: skip
from explorer.standing import Standing, Watcher
from explorer.store import (
    FILE,
    RESULTS,
    Store,
    StoreError,
    StudyRecord,
    free_name,
    parse_reference,
    shown,
    store_file,
    taken,
)
from explorer.strategies import Strategy, make_strategy
from explorer.study import Study, load_study
from explorer.termination import Terminated, on_sigterm
from explorer.thinking import Aside
from explorer.units import counted
from explorer.unsaved import OUTAGE_S, Unsaved
from explorer.workers.wanted import Workers
from explorer.yaml_source import Source
from simulators.protocol import Folder, InputError, field_path, plain_words

__all__ = ["Prepared", "budget_of", "describe", "prepare", "resume", "run", "take_up"]

CHANGEABLE = ("budget", "confirm", "workers", "checkpoints_limit")
"""What of a search file may be another when its study goes on."""

GRACE_S = 30.0  # that running evaluations have after SIGTERM, where no search file says it

Listener = Callable[[Progress], None]

OPTIONS = {
    "name": "--study", "store": "--store", "workers.count": "--workers", "seed": "--seed", "data_dir": "--data-dir",
}  # fmt: skip
"""The option of ``rex run`` that gives a field of the search file."""


@dataclass(frozen=True)
class Prepared:
    """A study that is ready to run, or to go on.

    Args:
        study: in its store.
        assembly: the search, put together.
        new: the study is not in the store yet; it comes there when it begins to run.
        cluster: address of the Ray cluster; None: what ``RAY_ADDRESS`` says, else this machine.
    """

    study: Study
    assembly: Assembly
    new: bool = False
    cluster: str | None = None

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
    def complete(self) -> bool:
        """Whether an earlier run used up the budget and confirmed all there is to confirm: nothing is left to run."""
        rows = [] if self.new else self.study.evaluations
        finished, spec = [evaluation for evaluation in rows if evaluation.replicate == 0], self.spec
        outline = self.problem.outline
        if not budget_of(spec.budget, outline).used_up(list(without_answered(outline, finished))):
            return False
        if spec.confirm is None or outline.exact:
            return True
        wanted = _to_confirm(self.problem, finished, self.assembly.initial, spec.confirm)
        return {proposal.key for proposal in wanted} <= {evaluation.key for evaluation in rows}

    @property
    def page(self) -> Path:
        """Where the study's page is written: beside its store."""
        return _beside(self.study.store.url, self.study.name, ".html")

    @property
    def log(self) -> Path:
        """Where it is written what happens to workers and attempts: beside its store."""
        return _beside(self.study.store.url, self.study.name, ".log")

    def run(self, listener: Listener = lambda _: None, begun: Callable[[], None] = lambda: None) -> Study:
        """Run the search on Ray until its budget is used up; what an earlier run finished is not done again.

        Args:
            listener: called with the progress.
            begun: called once it is sure that this process alone runs the study and can write it; not at all if the
                study is complete.

        Raises:
            InputError: the machines cannot do it, the store cannot be written, or another process runs the study.
            Terminated: SIGTERM ended it.
        """
        if self.complete:
            return self.study.refresh()
        from explorer.workers.pool import RayPool

        def hire() -> Pool:
            return RayPool(problem, spec.workers.wanted(Path(self.study.record.folder)), self.cluster)

        spec, problem = self.spec, self.problem
        strategy = self.assembly.strategy()

        def search(pool: Pool) -> None:
            budget, grace_s = budget_of(spec.budget, problem.outline), spec.workers.grace_s
            with logged_to(self.log):
                _search(self.study, problem, strategy, pool, budget, self.assembly.initial, spec.confirm, listener,
                        spec.reproducible, grace_s)  # fmt: skip

        checkpoints = None if spec.checkpoints is None else Folder(spec.checkpoints)
        with kept_below(checkpoints, spec.checkpoints_limit):
            return _drive(self.study, hire, search, self.new, begun)


def _drive(
    study: Study, hire: Callable[[], Pool], search: Callable[[Pool], None], new: bool,
    begun: Callable[[], None] = lambda: None,
) -> Study:  # fmt: skip
    """Search as the only driver of a study, with workers of its own."""
    with study.store.driven(study.name):
        if new and study.name in study.store.names():
            raise taken(study.store.url, study.name)
        begun()
        pool = hire()
        try:
            if new:
                study.store.create(study.record)
            search(pool)
        finally:
            pool.close()
    return study.refresh()


def budget_of(spec: BudgetSpec, outline: Outline) -> Budget:
    """The budget of a search file; one evaluation where that tells everything."""
    evaluations = 1 if outline.known_at_once else spec.evaluations
    return Budget(evaluations, spec.epochs if spec.epochs is not None else spec.cost, spec.wall_time_s)


def _search(
    study: Study, problem: Problem, strategy: Strategy, pool: Pool, budget: Budget, initial: Sequence[Proposal],
    confirm: ConfirmSpec | None, listener: Listener, in_order: bool = False, grace_s: float = GRACE_S,
) -> None:  # fmt: skip
    thinker, unsaved = Aside(strategy, pool.wake), Unsaved(lambda batch: study.store.append(study.name, batch))
    watcher = Watcher(pool.crew, lambda: len(unsaved), _tellers(study))

    def hear(progress: Progress) -> None:
        unsaved.save(())  # what waited for the store
        watcher.update(progress)
        listener(progress)

    search = Search(
        problem,
        strategy,
        pool,
        budget,
        initial=initial,
        save=unsaved.save,
        listener=hear,
        earlier=study.store.evaluations(study.name),
        in_order=in_order,
        to_confirm=_at_most(problem, initial, confirm) if confirm and not problem.outline.exact else 0,
        thinker=thinker,
    )
    try:
        with on_sigterm(lambda: search.drain(grace_s)):
            search.run()
            if confirm and not problem.outline.exact and not search.draining:
                search.repeat(_to_confirm(problem, search.finished, initial, confirm))
        unsaved.flush(grace_s if search.draining else OUTAGE_S)
        thinker.close(grace_s)
        watcher.end("terminated" if search.draining else "finished")
    except KeyboardInterrupt:
        watcher.end("interrupted")
        raise
    except Exception as error:
        watcher.end("failed", str(error))
        raise
    finally:
        thinker.close()
    if search.draining:
        raise Terminated


def _tellers(study: Study) -> Callable[[Standing], None]:
    """Who is told how a search stands: its store, where others read it, and Ray's metrics."""
    from explorer.workers.metrics import Metrics

    metrics = Metrics(study.name)

    def tell(standing: Standing) -> None:
        metrics.tell(standing)
        if standing.unsaved:  # the store is away, and each question would wait until that is sure
            return
        with suppress(StoreError):  # told by the next evaluation that cannot be written
            study.store.tell_standing(study.name, standing.to_json())

    return tell


def _at_most(problem: Problem, initial: Sequence[Proposal], confirm: ConfirmSpec) -> int:
    """How many replicates there may be, before it is known which families they are of."""
    families = {problem.family(proposal.design) for proposal in initial}
    return (confirm.replicates - 1) * (len(families) + confirm.families)


def _to_confirm(
    problem: Problem, finished: Sequence[Evaluation], initial: Sequence[Proposal], confirm: ConfirmSpec
) -> list[Proposal]:
    """Replicates of the initial designs and of the families that the front would miss most.

    Args:
        problem: what is searched.
        finished: evaluations that count towards the budget: a search that is resumed while it confirms, or afterwards,
            then chooses the same families.
        initial, confirm: of the search file.
    """
    initial_families = {problem.family(proposal.design) for proposal in initial}
    evaluated: dict[str, Evaluation] = {}
    for evaluation in finished:
        if not evaluation.failed and evaluation.fidelity == problem.full_fidelity:
            evaluated.setdefault(evaluation.family, evaluation)
    losses = _hypervolume_losses(problem, finished)
    ranked = sorted(set(losses) - initial_families, key=lambda family: (-losses[family], family))
    chosen = [family for family in evaluated if family in initial_families] + ranked[: confirm.families]
    return [
        Proposal(evaluated[family].design, problem.full_fidelity, replicate, "confirm")
        for replicate in range(1, confirm.replicates)
        for family in chosen
        if family in evaluated
    ]


def _hypervolume_losses(problem: Problem, finished: Sequence[Evaluation]) -> dict[str, float]:
    """Per family on the front, the hypervolume that would be lost without its points."""
    found, scale = front(problem, finished), Scale.of(problem, finished)
    whole, matrix = scale.hypervolume(found.matrix), found.matrix
    families = [point.family for point in found]
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
    workers: int | Literal["all"] | None = None,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    cluster: str | None = None,
) -> Prepared:
    """Check a search file and begin a study for it; nothing runs yet.

    Args:
        file: the search file.
        settings: ``key=value`` overrides, as ``--set``.
        study, store, workers, seed, data_dir: override the file's.
        cluster: address of a Ray cluster, see :func:`explorer.workers.connection.connect`.

    Raises:
        InputError: everything that is wrong with the file, or a store that cannot be used.
    """
    path = Path(file)
    source = _read(path, settings, study, store, workers, seed, data_dir)
    folder = path.absolute().parent
    assembly = assemble_source(source, folder, str(path))  # everything that is wrong, before anything is written
    opened, name = _place(assembly.spec.name, assembly.spec.store, chosen=study is not None)
    if assembly.spec.checkpoints is None:
        checkpoints = Folder(_beside(opened.url, name, ".checkpoints"))
        checkpoints.check()
    else:  # checked with the file
        checkpoints = Folder(assembly.spec.checkpoints, folder)
    source = override(source, {"name": name, "checkpoints": str(checkpoints)})
    spec = parse_spec(source)
    assembly = assemble(spec, folder, check_run=False, checkpoints=checkpoints, name=str(path))
    record = StudyRecord(
        name, source.data, str(folder), assembly.problem.outline.to_json(), version("reram-explorer"),
        provenance_of(assembly.problem, spec, folder),
    )  # fmt: skip
    return Prepared(Study(opened, record), assembly, new=True, cluster=cluster)


def _read(
    path: Path, settings: Sequence[str], study: str | None, store: str | None, workers: object, seed: int | None,
    data_dir: str | Path | None,
) -> Source:  # fmt: skip
    """A search file with what was given in place of some of its fields."""
    given = {
        "name": study,
        "store": store,
        "workers.count": workers,
        "seed": seed,
        "data_dir": str(Path(data_dir).absolute()) if data_dir else None,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return override(read_search(path, settings), given, OPTIONS)


def take_up(
    file: str | Path,
    *,
    settings: Sequence[str] = (),
    study: str | None = None,
    store: str | None = None,
    workers: int | Literal["all"] | None = None,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    cluster: str | None = None,
) -> Prepared:
    """Go on with the study that a search file began, or begin it: what a job runs that may be started again.

    Budget, workers and what else may change (``CHANGEABLE``) are the file's.

    Args:
        file, settings, study, store, workers, seed, data_dir, cluster: see :func:`prepare`.

    Raises:
        InputError: see :func:`prepare` and :func:`resume`; the study there is of another search.
    """
    path = Path(file)
    source = _read(path, settings, study, store, workers, seed, data_dir)
    spec = parse_spec(source)
    url, name = parse_reference(spec.store) if spec.store else (f"{FILE}{RESULTS / spec.name}.db", spec.name)
    name, file_of_store = name or spec.name, store_file(url)
    there = file_of_store is None or file_of_store.exists()
    opened = Store(url, create=True) if there else None
    if opened is None or name not in opened.names():
        return prepare(
            file, settings=settings, study=name, store=spec.store, workers=workers, seed=seed, data_dir=data_dir,
            cluster=cluster,
        )  # fmt: skip
    begun = Study(opened, opened.find(name))
    stored = begun.spec
    own = {*CHANGEABLE, "name", "store", "checkpoints"}
    if stored is None or stored.model_dump(exclude=own) != spec.model_dump(exclude=own):
        raise InputError(
            f"{shown(url)} holds a study '{name}' of another search than {file}: choose another name or store",
            "study",
        )
    values = {section: source.data[section] for section in CHANGEABLE if section in source.data}
    return _go_on(begun, values, cluster)


def _place(name: str, store: str | None, *, chosen: bool) -> tuple[Store, str]:
    """The store of a new study, and the study's name there; nothing is written yet.

    Without a store of its own every study gets a new file, ``results/NAME.db``, ``results/NAME-2.db`` ...: nothing is
    ever overwritten.

    Args:
        name: of the study.
        store: file or database URL, with ``#NAME`` if that is to be the study's name.
        chosen: the name was asked for: it is an error if it is taken.

    Raises:
        InputError: the store cannot be used, or holds a study of the chosen name.
    """
    if store:
        url, in_reference = parse_reference(store)
        name, chosen = in_reference or name, chosen or bool(in_reference)
        opened = Store(url, create=True)
        if not chosen:
            name = free_name(name, opened.names())
    else:
        if not chosen:
            name = free_name(name, (path.stem for path in RESULTS.glob("*.db")))
        opened = Store(f"{FILE}{RESULTS / name}.db", create=True)
    if not re.fullmatch(NAME, name):
        raise InputError(f"write letters, digits and . _ - only, not '{name}'", "study")
    if name in opened.names():
        raise taken(opened.url, name)
    opened.check_writable()
    return opened, name


def _beside(url: str, name: str, ending: str) -> Path:
    """The path of what belongs to a study and is no part of its store."""
    file = store_file(url)
    if file is None:
        return (RESULTS / f"{name}{ending}").absolute()
    return (file.parent / f"{name if file.stem == name else f'{file.stem}.{name}'}{ending}").absolute()


def resume(
    reference: str | Path, *, workers: int | Literal["all"] | None = None, settings: Sequence[str] = (),
    cluster: str | None = None,
) -> Prepared:  # fmt: skip
    """A study that goes on where it stopped.

    Args:
        reference: the study.
        workers: another number of workers than the file's.
        settings: overrides that do not change the problem: those of ``CHANGEABLE``.
        cluster: address of a Ray cluster, which need not be the one where it ran before.

    Raises:
        InputError: there is no such study, it cannot be resumed, its data has changed, or a setting would change the
            problem.
    """
    study = load_study(reference)
    values = read_settings(settings)
    for path in values:
        if path.partition(".")[0] not in CHANGEABLE:
            raise InputError(
                f"{path} would change what is searched; only {', '.join(CHANGEABLE[:-1])} and {CHANGEABLE[-1]} can be "
                "changed on resume",
                "--set",
            )
    return _go_on(study, values, cluster, {} if workers is None else {"workers.count": workers})


def _go_on(
    study: Study, values: Mapping[str, object], cluster: str | None, given: Mapping[str, object] | None = None
) -> Prepared:
    """A study that goes on, with other values for some of its fields, and others that options gave."""
    if not study.record.search:
        study.assemble()  # raises: there is no search file to put together
    folder = Path(study.record.folder)
    spec = parse_spec(override(override(Source(study.record.search, study.name), values), given or {}, OPTIONS))
    assembly = assemble(spec, folder, checkpoints=Folder(str(spec.checkpoints)), name=study.name)
    _check_same(study, provenance_of(assembly.problem, spec, folder))
    study.store.check_writable()
    return Prepared(study, assembly, cluster=cluster)


def describe(assembly: Assembly) -> str:
    """What a search looks at, in a few lines: workload and proxy, space, objectives, constraints, strategy, budget."""
    spec, problem = assembly.spec, assembly.problem
    lines = [f"workload: {problem.outline.workload}"]
    lines.append(f"space: {counted(problem.space.size, 'designs')} of {problem.space}")
    lines.append("objectives: " + ", ".join(f"{o.direction} {o.name}" for o in problem.objectives))
    if spec.constraints:
        lines.append("constraints: " + "; ".join(spec.constraints))
    lines.append(
        f"strategy {spec.strategy.name}, budget "
        + ", ".join(f"{name} {value:g}" for name, value in spec.budget if value is not None)
        + f", {spec.workers}, seed {spec.seed}"
    )
    if problem.outline.known_at_once:
        lines.append("nothing to train: every design is computed exactly, so one evaluation completes the front")
    return "\n".join(lines)


def _check_same(study: Study, now: Mapping[str, str]) -> None:
    """Raises InputError if what results depend on has changed since the study began."""
    if changed := changes(study.record.provenance, now):
        raise InputError(
            f"study '{study.name}' cannot go on: {'; '.join(changed)}. Its results would not be comparable; put back "
            "what it was, or start a new study",
            "study",
        )


def run(
    search: str | Path | Problem,
    *,
    strategy: str | Mapping[str, object] = "random",
    budget: int | Budget | None = None,
    workers: int | Literal["all"] | Workers | None = None,
    seed: int | None = None,
    study: str | None = None,
    store: str | None = None,
    settings: Sequence[str] = (),
    data_dir: str | Path | None = None,
    cluster: str | None = None,
    listener: Listener = lambda _: None,
) -> Study:
    """Run a search on Ray and return its study.

    Args:
        search: a search file, or a problem made with :meth:`Problem.from_functions` (a new one for each search: it
            remembers what was paid for).
        strategy, budget: of a problem made from functions (a file names its own): a strategy's name or, as in a file,
            ``{"name": ..., "options": {...}}``; a number is evaluations.
        workers: how many; of a problem made from functions also what each needs
            (:class:`~explorer.workers.wanted.Workers`).
        seed, study, store, settings, data_dir: override the file's.
        cluster: address of a Ray cluster; None: what ``RAY_ADDRESS`` says, else this machine.
        listener: called with the progress.

    Raises:
        InputError: bad input; nothing that was finished is lost.
    """
    if not isinstance(search, Problem):
        if isinstance(workers, Workers):
            raise InputError("a search file says itself what its workers need; give a number", "workers")
        prepared = prepare(
            search, settings=settings, study=study, store=store, workers=workers, seed=seed, data_dir=data_dir,
            cluster=cluster,
        )  # fmt: skip
        return prepared.run(listener)
    from explorer.workers.pool import RayPool

    for name, given in (("settings", settings), ("data_dir", data_dir)):
        if given:
            raise InputError("is for search files; this is a problem made from functions", name)
    limits = budget if isinstance(budget, Budget) else Budget(_positive(budget, "budget", " or a Budget(cost=...)"))
    if search.outline.known_at_once:
        limits = replace(limits, evaluations=1)
    named = _named(strategy)
    made = make_strategy(named.name, search, seed or 0, named.options)
    opened, name = _place(study or "search", store, chosen=study is not None)
    record = StudyRecord(name, {}, os.getcwd(), search.outline.to_json(), version("reram-explorer"))
    begun = Study(opened, record)
    wanted = _wanted(workers)
    return _drive(
        begun,
        lambda: RayPool(search, wanted, cluster),
        lambda pool: _search(begun, search, made, pool, limits, (), None, listener),
        new=True,
    )


def _wanted(workers: object) -> Workers:
    if isinstance(workers, Workers):
        return workers
    return Workers(None if workers == "all" else _positive(1 if workers is None else workers, "workers"))


def _named(strategy: object) -> StrategySpec:
    """A strategy with its options, as search files may write it."""
    try:
        return StrategySpec.model_validate({"name": strategy} if isinstance(strategy, str) else strategy)
    except ValidationError as error:
        detail = error.errors()[0]
        place = f"strategy.{field_path(detail, StrategySpec)}".removesuffix(".")
        raise InputError(plain_words(detail, StrategySpec), place) from None


def _positive(value: object, what: str, alternative: str = "") -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"give a whole number from 1 up{alternative}, not {value!r}", what)
    return value
