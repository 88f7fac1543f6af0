"""Evaluations from elsewhere: what leaves a study and comes back is what it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pandas
import pytest

from explorer import InputError, Study, load_study
from explorer.answers import IMPORTED, SOURCE, without_answered
from explorer.fronts import Front
from explorer.importing import read_rows, read_trials, take_in
from tests.explorer.searches import write_search
from tests.explorer.studies import REPLAYED, TRAINED, evaluated, rewritten


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return evaluated(tmp_path_factory.mktemp("source"), *TRAINED, changes=REPLAYED)


@pytest.fixture(scope="module")
def problem(source: Study) -> Any:
    return source.assemble(check_run=False).problem


@pytest.mark.parametrize("name", ["all.csv", "all.parquet"])
def test_what_is_exported_comes_back_as_it_was(
    cli: Callable[..., Any], source: Study, problem: Any, tmp_path: Path, name: str
) -> None:
    assert cli("export", source.reference, "--out", name).code == 0
    found = take_in(problem, [], read_rows(tmp_path / name), name)
    assert len(found.taken) == len(source.evaluations)
    for own, there in zip(found.taken, source.evaluations, strict=True):
        assert (own.design, own.fidelity, own.replicate, own.seed) == (
            there.design, there.fidelity, there.replicate, there.seed,
        )  # fmt: skip
        assert own.values == there.values, "to the last digit"
        assert own.key == there.key
        assert own.family == there.family
        assert own.violation == there.violation
        assert own.quantities["test_accuracy"] == there.quantities["test_accuracy"]
        assert (own.strategy, own.cost, own.provenance) == (IMPORTED, 0.0, {SOURCE: name})
    assert (found.there, found.failed, found.infeasible, found.differing) == (0, 0, (0, ""), (0, ""))
    again = take_in(problem, [*found.taken, *found.derived], read_rows(tmp_path / name), name)
    assert (again.taken, again.there) == ([], len(source.evaluations))


def test_imported_evaluations_cost_no_budget_but_answer(source: Study, problem: Any) -> None:
    rows = [{"bn": "C3", "reram_layers": 1, "gpu_layers": 1, "crossbar_size": 64, "cell_bits": 2, "accuracy": 0.8}]
    (taken,) = take_in(problem, [], rows, "x").taken
    assert list(without_answered(problem.outline, [taken])) == []
    own = replace(source.evaluations[0], design=taken.design, family=taken.family)
    assert list(without_answered(problem.outline, [taken, own])) == [], (
        "what it answers is no run of this study's either"
    )
    assert list(without_answered(problem.outline, [own])) == [own]


def row(**changes: object) -> dict[str, object]:
    whole = {"bn": "00100000", "reram_layers": 1, "gpu_layers": 1, "crossbar_size": 64, "cell_bits": 2, "accuracy": 0.8}
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def test_what_is_computed_is_computed_here_and_differences_are_told(problem: Any) -> None:
    found = take_in(problem, [], [row(latency=1.0), row(bn="none", accuracy="80 %")], "x")
    first, second = found.taken
    assert first.values["latency"] == problem.known(problem.space.designs([first.design])).objectives["latency"][0]
    assert second.values["accuracy"] == 0.8
    count, told = found.differing
    assert count == 1
    assert told.startswith("row 1: latency is ")
    assert told.endswith(" here, 1 there")
    assert {member.family for member in found.derived} <= {first.family, second.family}
    assert found.derived


def test_what_failed_and_what_is_not_feasible_here_is_left_out_and_told(problem: Any) -> None:
    rows = [row(failure="no luck", accuracy=None), row(reram_layers=3, crossbar_size=64), row()]
    found = take_in(problem, [], rows, "x")
    assert (len(found.taken), found.failed) == (1, 1)
    assert found.infeasible[0] == 1
    assert found.infeasible[1].startswith("row 2: violates area < 250 mm2")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(accuracy=None)], "no column 'accuracy'"),
        ([row(bn=None, nb="all")], "no column 'bn'; known: accuracy, "),
        ([row(), row(accuracy=None)], "row 2: accuracy is missing"),
        ([row(), row(bn=None)], "row 2: bn is missing"),
        ([row(bn="0010")], "row 1: bn: "),
        ([row(crossbar_size=65)], "row 1: crossbar_size: "),
        ([row(accuracy="good")], "row 1: accuracy is 'good', which is no number"),
        ([row(accuracy="3 K")], "row 1: accuracy is '3 K', which is no number"),
        ([row(accuracy=float("inf"))], "row 1: accuracy is inf, which is no finite number"),
        ([row(fidelity=13)], "row 1: 13"),
        ([row(fidelity="2.5")], "row 1: fidelity is '2.5'; give a whole number from 1 on"),
        ([row(replicate=-1)], "row 1: replicate is -1; give a whole number from 0 on"),
    ],
)
def test_rows_that_cannot_be_read_are_named(problem: Any, rows: list[dict[str, object]], words: str) -> None:
    with pytest.raises(InputError) as caught:
        take_in(problem, [], rows, "x")
    assert words in str(caught.value)


def test_an_empty_file_takes_in_nothing(problem: Any) -> None:
    assert take_in(problem, [], [], "x").taken == []


def test_a_study_is_begun_with_what_is_known_and_goes_on_from_it(
    ray_cluster: None, cli: Callable[..., Any], source: Study, tmp_path: Path
) -> None:
    source.to_pandas().to_csv(tmp_path / "known.csv", index=False)
    path = write_search(tmp_path, *REPLAYED, ("{evaluations: 5}", "{evaluations: 2}"))
    ended = cli("import", str(path), "known.csv", "--store", "warm.db")
    assert ended.code == 0, ended.err
    assert f"{len(TRAINED)} evaluations of known.csv are in warm.db now" in ended.err
    study = load_study("warm.db")
    assert {evaluation.strategy for evaluation in study.evaluations} == {IMPORTED}
    assert values(study.front()) == values(source.front("area > 0")), "completed over families"
    assert cli("import", "warm.db", "known.csv").err.count(f"{len(TRAINED)} were there already") == 1
    ended = cli("resume", "warm.db")
    assert ended.code == 0, ended.err
    run = list(without_answered(study.outline, study.refresh().evaluations))
    assert len(run) == 2, "the budget is that of the search's own evaluations"
    assert study.refresh().evaluations[: len(TRAINED)] == study.evaluations


def values(front: Front) -> set[tuple[float, ...]]:
    return {tuple(row) for row in front.matrix.tolist()}


def test_a_study_of_optuna_is_read_by_names_of_parameters(source: Study, tmp_path: Path, problem: Any) -> None:
    source.to_optuna(tmp_path / "view.journal", "seen")
    rows = read_trials(str(tmp_path / "view.journal"), "seen", source)
    found = take_in(problem, [], rows, "seen")
    whole = [evaluation for evaluation in source.evaluations if not evaluation.replicate]
    assert [own.values for own in found.taken] == [evaluation.values for evaluation in whole]
    storage = f"sqlite:///{tmp_path / 'own.db'}"
    own = optuna.create_study(study_name="own", storage=storage, directions=["maximize", "minimize", "minimize"])
    params = {name: value for name, value in row().items() if name != "accuracy"}
    fixed = {name: optuna.distributions.CategoricalDistribution((value,)) for name, value in params.items()}
    own.add_trial(optuna.create_trial(params=params, distributions=fixed, values=[0.8, 1e-5, 100.0]))  # type: ignore[arg-type]  # choices
    (taken,) = take_in(problem, [], read_trials(storage, "own", source), "own").taken
    assert taken.values["accuracy"] == 0.8
    with pytest.raises(InputError, match=r"has no study 'seem' \(did you mean 'seen'\?\)"):
        read_trials(str(tmp_path / "view.journal"), "seem", source)
    with pytest.raises(InputError, match="there is no file"):
        read_trials(str(tmp_path / "none.journal"), "seen", source)
    optuna.create_study(study_name="other", storage=storage, direction="maximize")
    with pytest.raises(InputError, match="study 'other' is after something without a name, not after accuracy"):
        read_trials(storage, "other", source)


def test_bad_files_are_one_message_and_leave_no_study(cli: Callable[..., Any], source: Study, tmp_path: Path) -> None:
    path = write_search(tmp_path, *REPLAYED)
    (tmp_path / "bad.csv").write_text("bn,accuracy\nall,0.8\n")
    (tmp_path / "bad.parquet").write_text("no parquet")
    (tmp_path / "x.txt").write_text("")
    for name, words in (
        ("bad.csv", "rex: FILE: no column 'reram_layers'"), ("bad.parquet", "rex: FILE: bad.parquet cannot be read"),
        ("x.txt", "rex: FILE: x.txt ends with neither .csv nor .parquet"), ("none.csv", "rex: FILE: there is no file"),
    ):  # fmt: skip
        ended = cli("import", str(path), name, "--store", "new.db")
        assert ended.code == 2
        assert words in ended.err
        with pytest.raises(InputError):
            load_study("new.db")
    ended = cli("import", "none.db", "bad.csv")
    assert ended.code == 2


def test_another_process_that_drives_the_study_is_not_disturbed(
    cli: Callable[..., Any], source: Study, tmp_path: Path
) -> None:
    study = rewritten(source, tmp_path, source.rows[:1])
    pandas.DataFrame([row()]).to_csv(tmp_path / "one.csv", index=False)
    with study.store.driven(study.name):
        ended = cli("import", study.reference, "one.csv")
    assert ended.code == 2
    assert len(study.refresh().rows) == 1
