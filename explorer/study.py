"""Studies: everything that was evaluated, read back from the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.evaluation import Evaluation
from explorer.expressions import Expression
from explorer.naming import Name
from explorer.outline import Outline
from explorer.results import Results
from explorer.space import condition
from explorer.spec import SearchSpec, parse_spec
from explorer.standing import Standing
from explorer.store import Store, StudyRecord, parse_reference, shown, store_file
from explorer.units import counted
from explorer.yaml_source import Source
from simulators.protocol import Design

if TYPE_CHECKING:
    import optuna
    import pandas

    from explorer.assembly import Assembly
    from explorer.explanation import Explanation
    from explorer.fronts import Front
    from explorer.problem import Problem
    from explorer.rerun import Rerun
    from explorer.simulator_problem import Bench
    from explorer.trained_model import Retraining, TrainedModel

__all__ = ["Study", "load_study"]


@dataclass(frozen=True, eq=False)
class Study:
    """A study in a store.

    Args:
        store: where it is.
        record: what the study keeps beside its evaluations.
    """

    store: Store
    record: StudyRecord

    @property
    def name(self) -> str:
        """The study's name."""
        return self.record.name

    @property
    def reference(self) -> str:
        """What to write as STUDY on the command line."""
        alone = store_file(self.store.url) is not None and set(self.store.names()) <= {self.name}
        return shown(self.store.url) if alone else f"{shown(self.store.url)}#{self.name}"

    @cached_property
    def outline(self) -> Outline:
        """Variables, objectives and constraints of what was searched."""
        return Outline.from_json(self.record.outline)

    @property
    def spec(self) -> SearchSpec | None:
        """The search file; None if the problem was made from functions."""
        return parse_spec(Source(self.record.search, self.name)) if self.record.search else None

    @cached_property
    def rows(self) -> list[Evaluation]:
        """Everything that is stored: evaluations that were run, and members of families derived from them."""
        return self.store.evaluations(self.name)

    @cached_property
    def results(self) -> Results:
        """The designs that were evaluated at full fidelity, or follow from such, replicates averaged."""
        return Results(self.outline, self.rows)

    @property
    def evaluations(self) -> list[Evaluation]:
        """Evaluations that were run, failed ones included, in order of arrival."""
        return [evaluation for evaluation in self.rows if not evaluation.derived_from]

    @property
    def standing(self) -> Standing | None:
        """How the search that runs the study, or the last that did, said that it stands; None if none did."""
        row = self.store.standing(self.name)
        return None if row is None else Standing.from_json(row)

    def __repr__(self) -> str:
        spec, repeats = self.spec, sum(evaluation.replicate > 0 for evaluation in self.evaluations)
        parts = [
            *([f"strategy {spec.strategy.name}"] if spec else []),
            counted(len(self.evaluations) - repeats, "evaluations"),
            *([counted(repeats, "repeats")] if repeats else []),
            f"{counted(len(self.front()), 'designs')} on the front",
        ]
        return f"<Study {shown(self.store.url)}#{self.name}: {', '.join(parts)}>"

    def refresh(self) -> Study:
        """The same study as it stands now; only what was written since is read."""
        now = Study(self.store, self.store.find(self.name))
        if "rows" in vars(self) and now.record.created_at == self.record.created_at:  # evaluations are only ever added
            new = self.store.evaluations(self.name, self.rows)
            vars(now)["rows"] = [*self.rows, *new]
            if "results" in vars(self) and now.outline == self.outline:
                vars(now)["results"] = Results(now.outline, new, self.results)
        return now

    @property
    def uses_files(self) -> bool:
        """Whether objectives or the network come from a user's Python file, which reading never runs."""
        return self.spec is None or bool(self.spec.user_names)

    def assemble(self, spec: SearchSpec | None = None, **options: Any) -> Assembly:
        """The search put together again, as :func:`explorer.assembly.assemble` does.

        Args:
            spec: another than the study's.
            options: of :func:`explorer.assembly.assemble`.

        Raises:
            InputError: a simulator or objective that it names is not installed any more.
        """
        from explorer.assembly import assemble

        spec = spec or self.spec
        if spec is None:
            from simulators.protocol import InputError

            raise InputError(
                f"study '{self.name}' was made from Python functions: call explorer.run with the same problem", "study"
            )
        return assemble(spec, Path(self.record.folder), name=self.name, **options)

    def bench(self, spec: SearchSpec) -> Bench:
        """The simulators put together again; objectives are not looked at, so that their files are not run.

        Args:
            spec: the study's.

        Raises:
            InputError: one of them is not installed any more.
        """
        from explorer.assembly.loading import Collector, load

        found = Collector(None, ())
        loaded = load(spec, Path(self.record.folder), found)
        found.stop(self.name)
        return loaded.bench

    def front(
        self,
        where: str | Expression | None = None,
        *,
        objectives: Sequence[str] = (),
        at_fidelity: int | None = None,
        what_if: Sequence[str] = (),
    ) -> Front:
        """The Pareto front, at full fidelity and completed over families.

        Args:
            where: keep only designs for which this expression is true; the front is that of the designs that are left.
            objectives: of which the front is, such as ``["accuracy", "power_w:min"]``; by default all of the study.
            at_fidelity: after so many epochs, instead of all.
            what_if: constraints in place of those of the search that speak of the same quantities.

        Raises:
            InputError: as :meth:`explorer.query.Query.answer`, which says how designs are found that were not proposed.
        """
        from explorer.query import Query

        return Query(where, objectives, at_fidelity, what_if).answer(self)

    def why_empty(self) -> str:
        """Why no design is on the front, in words: no whole evaluation yet, or constraints that all of them break."""
        from explorer.query import Query

        return Query().empty(self).why

    def explain(
        self, objective: str = "", *, where: str | Expression | None = None, mass: float = 0.9, seed: int = 0
    ) -> Explanation:
        """Which choices move an objective, by how much, and how sure that is.

        An objective that is trained is explained by the study's evaluations. One that is computed is explained by the
        simulators themselves: the search is put together again, as to resume it, which runs a user's Python files.

        Args:
            objective: by default the first that an evaluation is needed for, else the first.
            where: look only at evaluations (or designs, if computed) for which this expression is true.
            mass: of the intervals.
            seed: of the sampler: same seed, same numbers.

        Raises:
            InputError: an unknown objective, too few evaluations, an expression that cannot be read, or a search that
                cannot be put together again or computes something else now.
        """
        from explorer.explanation import explain, explained_objective

        info = explained_objective(self.outline, objective)
        expression = None
        if where is not None:
            expression = condition(where, self.outline.units, self.outline.space.lengths, "where")
        if info.cheap:
            from explorer.exact_explanation import explain_exact
            from explorer.recomputing import computing

            return explain_exact(computing(self, info.name, expression), info.name, mass=mass, seed=seed)
        evaluations = [evaluation for evaluation in self.evaluations if not evaluation.failed]
        if expression is not None:
            evaluations = [
                e for e in evaluations if _holds(expression, self.outline, e.design, {**e.quantities, **e.values})
            ]
        return explain(self.outline, evaluations, info.name, mass=mass, seed=seed)

    def model(
        self, design: Name, *, simulator: str = "", begin: Callable[[Retraining], None] = lambda _: None
    ) -> TrainedModel:
        """The network that was trained for a design, as a file: weights, placement, recipe and chip.

        Args:
            design: the number of an evaluation, the beginning of its key, or settings such as ``bn=C5,C7``.
            simulator: the training simulator, where the search has several.
            begin: called before anything is trained again, because it was not kept.

        Raises:
            InputError: as :func:`explorer.trained_model.trained_model`.
        """
        from explorer.trained_model import trained_model

        return trained_model(self, design, simulator=simulator, begin=begin)

    def rerun(
        self, evaluation: Name, problem: Problem | None = None, *, begin: Callable[[Evaluation], None] = lambda _: None
    ) -> Rerun:
        """An evaluation repeated from scratch, beside what is stored of it; the study stays as it is.

        The search is put together again, as to resume it, which runs a user's Python files.

        Args:
            evaluation: its number, the beginning of its key, or settings such as ``bn=C5,C7``.
            problem: of a study that was made from functions: a new one, since one remembers what was paid for.
            begin: called with what is stored before it is repeated.

        Raises:
            InputError: as :func:`explorer.rerun.rerun`.
        """
        from explorer.rerun import rerun

        return rerun(self, evaluation, problem, begin=begin)

    def to_optuna(self, storage: str | Path | None = None, name: str = "") -> optuna.Study:
        """As an Optuna study, for Optuna's dashboard, plots and importances; a second call brings it up to date.

        Args:
            storage: a file or a URL, as :func:`explorer.integrations.optuna_view.to_optuna` takes it; None: in memory.
            name: of the Optuna study; by default this one's.

        Raises:
            InputError: the storage cannot be used, or holds another study of this name.
        """
        from explorer.integrations.optuna_view import to_optuna

        return to_optuna(self, storage, name)

    def to_pandas(self) -> pandas.DataFrame:
        """All evaluations that were run, one row each, see :func:`explorer.frames.evaluations_frame`."""
        from explorer.frames import evaluations_frame

        return evaluations_frame(self)

    def to_parquet(self, path: str | Path) -> None:
        """The same, with the curves over the epochs, as a Parquet file that was not there before.

        Raises:
            InputError: it is there already, or cannot be written.
        """
        from explorer.frames import evaluations_frame
        from explorer.parquet import write_parquet

        write_parquet(evaluations_frame(self, curves=True), self.outline.units, Path(path))


def _holds(expression: Expression, outline: Outline, design: Design, values: Mapping[str, Any]) -> bool:
    names = {**values, **outline.space.designs([design]).columns}  # bits as an array
    missing = expression.names - set(names)
    return not missing and bool(np.all(expression.evaluate(names)))


def load_study(reference: str | Path) -> Study:
    """Open a study for reading.

    Args:
        reference: ``PATH``, ``PATH#name`` or ``URL#name``.

    Raises:
        InputError: there is no such study.
    """
    url, name = parse_reference(str(reference))
    store = Store(url)
    return Study(store, store.find(name))
