from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from explorer import InputError, Study, load_study
from explorer.evaluation import Proposal
from explorer.failures import FailureKind
from explorer.fronts import completion
from explorer.store import Store, StudyRecord
from simulators.protocol import Bits
from tests.explorer.problems import accuracy, all_designs, evaluate, family_problem

PROBLEM = family_problem()
DESIGNS = all_designs(PROBLEM)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Whole evaluations with their families, a short one, a repeat, and one that failed."""
    store = Store(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    store.create(StudyRecord("mine", {}, "", PROBLEM.outline.to_json(), "0"))
    whole = [evaluate(PROBLEM, design) for design in DESIGNS[0:31:6]]
    failed = PROBLEM.failed(Proposal(DESIGNS[37], 20), FailureKind.DEADLINE, "deadline: took longer than 4 s", "", 4.0)
    short = evaluate(PROBLEM, DESIGNS[7], fidelity=3)
    again = evaluate(PROBLEM, DESIGNS[0], replicate=1)
    failed = replace(failed, started_at=1.7e9)
    store.append("mine", [*whole, *completion(PROBLEM, whole), short, again, failed])
    return Study(store, store.find("mine"))


def keys(study: Study) -> set[str]:
    """Of all that is stored; a member of a family may have been run, too."""
    return {row.key for row in study.rows}


@pytest.mark.parametrize("place", [None, "view.db", "view.journal"])
def test_the_best_trials_are_the_front(study: Study, tmp_path: Path, place: str | None) -> None:
    view = study.to_optuna(place and tmp_path / place)
    assert [direction.name for direction in view.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    assert view.metric_names == ["accuracy", "latency", "area"]
    found = {tuple(trial.values) for trial in view.best_trials}
    front = {tuple(point.values[name] for name in view.metric_names) for point in study.front()}
    assert found == front
    assert len(front) > 1
    derived = [trial for trial in view.best_trials if "derived_from" in trial.user_attrs]
    assert derived, "members of families, too"


def test_what_is_no_whole_evaluation_is_there_but_never_best(study: Study) -> None:
    trials = {trial.user_attrs["evaluation"]: trial for trial in study.to_optuna().trials
              if "derived_from" not in trial.user_attrs}  # fmt: skip
    *_, short, again, failed = study.evaluations
    assert trials[short.number].state is TrialState.PRUNED
    assert trials[short.number].user_attrs["epochs"] == 3
    assert trials[short.number].user_attrs["accuracy"] == short.values["accuracy"]
    assert trials[again.number].state is TrialState.PRUNED
    assert trials[again.number].user_attrs["replicate"] == 1
    assert trials[failed.number].state is TrialState.FAIL
    assert trials[failed.number].user_attrs["failure"] == "deadline: took longer than 4 s"
    assert trials[failed.number].user_attrs["kind"] == "deadline"
    assert trials[failed.number].duration.total_seconds() == pytest.approx(4.0)
    bits = short.design["bn"]
    assert isinstance(bits, Bits)
    assert [trials[short.number].params[f"bn[{item}]"] for item in (1, 2, 3)] == list(bits)


@pytest.mark.parametrize("place", ["view.db", "view.journal"])
def test_a_second_call_adds_what_is_new(study: Study, tmp_path: Path, place: str) -> None:
    before = study.to_optuna(tmp_path / place).trials
    assert len(study.to_optuna(tmp_path / place).trials) == len(before) == len(keys(study))
    new = (design for design in DESIGNS if Proposal(design, 20).key not in keys(study))
    study.store.append("mine", [evaluate(PROBLEM, next(new))])
    after = study.to_optuna(tmp_path / place).trials
    assert len(after) == len(before) + 1
    assert [trial.user_attrs for trial in after[:-1]] == [trial.user_attrs for trial in before]
    assert after[-1].user_attrs["evaluation"] == len(study.refresh().evaluations)


def test_designs_that_break_constraints_on_outcomes_are_not_best(tmp_path: Path) -> None:
    problem = family_problem(constraints=["accuracy >= 0.5"])
    store = Store(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    store.create(StudyRecord("mine", {}, "", problem.outline.to_json(), "0"))
    store.append("mine", [evaluate(problem, design) for design in DESIGNS])
    study = Study(store, store.find("mine"))
    values = [trial.values for trial in study.to_optuna().best_trials]
    assert values
    assert all(reached >= 0.5 for reached, _, _ in values)
    assert any(e.values["accuracy"] < 0.5 for e in study.evaluations), "otherwise this shows nothing"


def test_a_curve_of_the_only_objective_is_told(tmp_path: Path) -> None:
    problem = family_problem(functions={"accuracy": accuracy}, directions={"accuracy": "maximize"},
                             cheap=set())  # fmt: skip
    store = Store(f"sqlite:///{tmp_path / 'x.db'}", create=True)
    store.create(StudyRecord("mine", {}, "", problem.outline.to_json(), "0"))
    store.append("mine", [replace(evaluate(problem, DESIGNS[0]), series={"accuracy": [0.25, math.nan, 0.5]})])
    (trial,) = Study(store, store.find("mine")).to_optuna().trials
    assert trial.intermediate_values == {1: 0.25, 3: 0.5}


def test_another_study_is_never_mixed_up_with_this_one(study: Study, tmp_path: Path) -> None:
    place = tmp_path / "view.db"
    other = optuna.create_study(storage=f"sqlite:///{place}", study_name="mine", directions=["maximize"] * 3)
    other.add_trial(optuna.create_trial(values=[1.0, 2.0, 3.0]))
    with pytest.raises(InputError, match="holds a study 'mine' with 1 trials that are not of"):
        study.to_optuna(place)
    assert len(study.to_optuna(place, "another name").trials) == len(keys(study))
    with pytest.raises(InputError, match="is the study's own store"):
        study.to_optuna(study.reference)
    with pytest.raises(InputError, match="there is no folder"):
        study.to_optuna(tmp_path / "none" / "view.db")
    (tmp_path / "text.db").write_text("no database, but more than a few bytes of text" * 100)
    with pytest.raises(InputError, match="cannot be used as an Optuna storage"):
        study.to_optuna(tmp_path / "text.db")
    with pytest.raises(InputError, match="postgresql://user:") as error:
        study.to_optuna("postgresql://user:secret@127.0.0.1:1/x")
    assert "secret" not in str(error.value)


def test_from_the_command_line(study: Study, tmp_path: Path, cli: Callable[..., Any]) -> None:
    done = cli("optuna", study.reference, "view.journal", "--watch")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"study 'mine' of Optuna is up to date: {len(keys(study))} trials\n"
    assert cli("optuna", study.reference, "none/view.journal").code == 2
    assert load_study(study.reference).rows == study.rows
