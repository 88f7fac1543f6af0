from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from explorer import InputError, Study, load_study, make_strategy, run
from explorer.launch import _to_confirm, prepare, resume, take_up
from explorer.spec import ConfirmSpec
from simulators.protocol import Folder
from tests.explorer.conftest import Outcome
from tests.explorer.images import write_fashion_mnist
from tests.explorer.problems import family_problem
from tests.explorer.searches import HUNG_S, REX, environment, rex, write_search
from tests.explorer.test_search import Run, noisy_problem
from tests.ftp import Ftp

HARDWARE_ONLY = (
    ("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""),
    ("{evaluations: 5}", "{evaluations: 1}"),
)  # fmt: skip


def test_a_search_file_runs_to_its_budget_and_keeps_everything(finished: Study) -> None:
    evaluations = finished.evaluations
    assert len(evaluations) == 5
    assert len({e.key for e in evaluations}) == 5
    assert not any(e.failed for e in evaluations)
    assert {e.strategy for e in evaluations} == {"initial", "random"}
    assert all(set(e.values) == {"accuracy", "latency", "area"} for e in evaluations)
    assert all(0 <= e.quantities["test_accuracy"] <= 1 for e in evaluations)
    assert all(e.worker and e.duration_s > 0 and e.started_at > 0 for e in evaluations)
    assert finished.record.provenance["training.images_sha256"]
    assert finished.record.code_version
    frame = finished.front().to_pandas()
    assert len(frame) == len(finished.front()) > 0
    assert list(frame["area"]) == [point.values["area"] for point in finished.front()]


def test_the_same_seed_and_one_worker_give_the_same_designs_and_values(ray_cluster: None, tmp_path: Path) -> None:
    path = write_search(tmp_path, ("strategy: random", "strategy: tpe"), ("{evaluations: 5}", "{evaluations: 4}"))
    one, two = (run(path, workers=1, seed=7, store=str(tmp_path / f"{name}.db")) for name in ("one", "two"))
    assert [(e.design, e.values, e.seed) for e in one.evaluations] == [
        (e.design, e.values, e.seed) for e in two.evaluations
    ]


def test_nothing_is_written_before_a_search_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_search(tmp_path)
    monkeypatch.chdir(tmp_path)
    prepared = prepare(path)
    assert prepared.study.reference == "results/small.db"
    assert sorted(tmp_path.iterdir()) == [path]


def test_every_study_gets_files_of_its_own(ray_cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_search(tmp_path, *HARDWARE_ONLY)
    monkeypatch.chdir(tmp_path)
    assert [run(path).reference for _ in range(2)] == ["results/small.db", "results/small-2.db"]
    assert run(path, study="mine").reference == "results/mine.db"
    with pytest.raises(InputError, match=r"holds a study 'mine': go on with `rex resume results/mine.db"):
        run(path, study="mine")
    assert [run(path, store="all.db").reference for _ in range(2)] == ["all.db", "all.db#small-2"]
    with pytest.raises(InputError, match="holds a study 'small-2'"):
        run(path, store="all.db#small-2")
    assert run(path, store="all.db#third").name == "third"
    pages = [
        prepare(path, store=store, study=study).page.name
        for store, study in (("new.db", "new"), ("new.db", "other"), ("all.db", "new"))
    ]
    assert len(set(pages)) == 3, "no page replaces that of another study"


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("search.yaml", "is not a SQLite database"),
        ("search.yaml/x.db", "cannot be written"),
        (".", "is a folder"),
        ("x.db#a/b", "letters, digits"),
        ("sqlite:///:memory:", "is no file"),
        ("nonsense://x", "a store is a SQLite file .* or a PostgreSQL database .*, not nonsense"),
        ("mysql://u@h/db", "a store is a SQLite file .* or a PostgreSQL database .*, not mysql"),
    ],
)
def test_a_store_that_cannot_be_used_is_refused_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, words: str
) -> None:
    path = write_search(tmp_path)
    before = path.read_text()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words):
        prepare(path, store=store)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == before


def test_checkpoints_that_cannot_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("seed: 0", "checkpoints: search.yaml"))
    with pytest.raises(InputError, match=r"checkpoints: .*cannot be written"):
        prepare(path, store=str(tmp_path / "x.db"))
    assert list(tmp_path.iterdir()) == [path]


def test_trainings_that_a_search_kept_on_a_server_go_on_elsewhere(ray_cluster: None, tmp_path: Path) -> None:
    changes = (("{evaluations: 5}", "{evaluations: 2}"),)
    with Ftp(tmp_path) as ftp:
        path = write_search(tmp_path, *changes, ("seed: 0", f"seed: 0\ncheckpoints: {ftp.url('/kept')}"))
        study = run(path, store=str(tmp_path / "short.db"))
        assert study.record.search["checkpoints"] == ftp.url("/kept")
        assert len(list((tmp_path / "kept").iterdir())) == len(study.evaluations) == 2
        longer = prepare(path, store=str(tmp_path / "long.db"), settings=["fidelity.epochs=3"])
        found = [longer.problem.evaluate(proposal) for proposal in longer.assembly.initial]
    assert [(e.family, e.cost, e.series["accuracy"][:1]) for e in found] == [
        (e.family, 2, e.series["accuracy"]) for e in study.evaluations
    ]


def test_relative_paths_start_at_the_search_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "searches").mkdir()
    path = write_search(tmp_path / "searches", ("seed: 0", "checkpoints: kept"))
    monkeypatch.chdir(tmp_path)
    assert prepare(path).problem.checkpoints == Folder(tmp_path / "searches" / "kept")  # type: ignore[attr-defined]  # of simulators


def test_a_machine_without_the_gpus_asked_for_is_one_message_and_leaves_nothing(
    ray_cluster: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_search(tmp_path, ("workers: 1", "workers: {count: 1, gpus: 64}"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"a worker asks for 64 GPU \(the largest node has 0 GPU\)"):
        run(path)
    assert list(tmp_path.iterdir()) == [path]


def test_resuming_a_finished_study_does_nothing(ray_cluster: None, finished_copy: Study) -> None:
    before = finished_copy.rows
    assert resume(finished_copy.reference).run().rows == before


def test_resuming_with_a_larger_budget_goes_on(ray_cluster: None, finished_copy: Study) -> None:
    before = finished_copy.evaluations
    after = resume(finished_copy.reference, settings=["budget.evaluations=7"], workers=1).run().evaluations
    assert after[:5] == before
    assert len(after) == len({e.key for e in after}) == 7


@pytest.mark.parametrize("setting", ["seed=3", "variables.bn=all", "strategy=tpe", "proxy.width=0.5", "name=other"])
def test_resuming_cannot_change_what_is_searched(finished_copy: Study, setting: str) -> None:
    with pytest.raises(InputError, match="only budget, confirm, workers and checkpoints_limit can be"):
        resume(finished_copy.reference, settings=[setting])


def test_a_job_that_is_started_again_goes_on_with_its_study_or_begins_it(finished_copy: Study, tmp_path: Path) -> None:
    path, store = write_search(tmp_path, name="again.yaml"), finished_copy.reference
    again = take_up(path, store=store)
    assert not again.new
    assert again.complete
    assert again.study.evaluations == finished_copy.evaluations
    larger = take_up(path, store=store, settings=["budget.evaluations=9", "workers.memory=2 GiB"], workers="all")
    assert not larger.complete
    assert larger.spec.budget.evaluations == 9
    assert (larger.spec.workers.count, larger.spec.workers.memory) == ("all", 2**31)
    with pytest.raises(InputError, match=r"holds a study 'small' of another search than .*again.yaml: choose another"):
        take_up(path, store=store, seed=5)
    other = take_up(path, store=str(tmp_path / "other.db"))
    assert other.new
    assert other.study.name == "small"
    assert take_up(path, store=store, study="second").new
    assert not (tmp_path / "other.db").exists()


def test_confirming_repeats_families_with_other_seeds_outside_the_budget(
    ray_cluster: None, finished_copy: Study
) -> None:
    settings = ["confirm={replicates: 2, families: 1}"]
    study = resume(finished_copy.reference, settings=settings).run()
    repeats = [e for e in study.evaluations if e.replicate]
    first = {e.family: e.seed for e in study.evaluations if not e.replicate}
    initial = {e.family for e in study.evaluations if e.strategy == "initial"}
    assert initial <= {e.family for e in repeats} <= set(first)
    assert len(repeats) <= len(initial) + 1
    assert {e.replicate for e in repeats} == {1}
    assert all(e.seed != first[e.family] for e in repeats)
    again = resume(finished_copy.reference, settings=settings).run()
    assert len(again.evaluations) == len(study.evaluations), "repeats are not repeated"


def test_a_study_whose_images_have_changed_is_not_resumed(ray_cluster: None, tmp_path: Path) -> None:
    data = write_fashion_mnist(tmp_path / "data")
    path = write_search(
        tmp_path, ("seed: 0", "data_dir: data"), ("train_images: 300", "train_images: 80"),
        ("{evaluations: 5}", "{evaluations: 2}"),
    )  # fmt: skip
    study = run(path, store=str(tmp_path / "x.db"))
    assert not any(e.failed for e in study.evaluations)
    assert resume(study.reference)
    images = bytearray((data / "train-images-idx3-ubyte").read_bytes())
    images[5000] ^= 255
    (data / "train-images-idx3-ubyte").write_bytes(images)
    elsewhere = tmp_path / "moved"  # a path that this process has not read yet
    shutil.copytree(tmp_path / "data", elsewhere / "data")
    ended = rex("resume", study.reference, cwd=tmp_path)
    assert ended.returncode == 2
    assert "cannot go on: training.images_sha256 was" in ended.stderr
    assert "Traceback" not in ended.stderr
    shutil.rmtree(data)
    ended = rex("resume", study.reference, cwd=tmp_path)
    assert ended.returncode == 2
    assert "data_dir: " in ended.stderr
    assert len(load_study(study.reference).evaluations) == 2


OBJECTIVE = """
from objectives import objective

@objective(direction="minimize", unit="J s")
def product(hardware):
    return hardware.energy_j * hardware.latency_s
"""


def test_a_study_with_a_file_objective_is_read_without_the_file_and_not_resumed_once_that_changed(
    ray_cluster: None, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(OBJECTIVE)
    changes = (*HARDWARE_ONLY[1:], ("[accuracy, latency, area]", "['./mine.py:product', area]"))
    study = run(write_search(tmp_path, *changes), store=str(tmp_path / "x.db"))
    front = study.front().to_json()
    assert resume(study.reference)
    (tmp_path / "mine.py").write_text("raise SystemExit('never run when a study is read')")
    again = load_study(study.reference)
    assert again.front().to_json() == front
    assert len(again.front("area < 1000 mm2")) > 0
    (tmp_path / "mine.py").write_text(OBJECTIVE + "\n# changed")
    with pytest.raises(InputError, match=r"cannot go on: \./mine.py was"):
        resume(study.reference)
    (tmp_path / "mine.py").unlink()
    with pytest.raises(InputError, match="cannot read"):
        resume(study.reference)


def test_a_study_of_an_own_network_is_read_without_its_file_and_not_resumed_once_that_changed(
    ray_cluster: None, tmp_path: Path
) -> None:
    written = (Path(__file__).parents[2] / "examples" / "my_network.py").read_text()
    (tmp_path / "mine.py").write_text(written)
    path = write_search(tmp_path, ("vgg11", "./mine.py:build"), ("{evaluations: 5}", "{evaluations: 2}"))
    study = run(path, store=str(tmp_path / "x.db"))
    assert not any(evaluation.failed for evaluation in study.evaluations)
    front = study.front().to_json()
    (tmp_path / "mine.py").write_text("raise SystemExit('never run when a study is read')")
    assert load_study(study.reference).front().to_json() == front
    (tmp_path / "mine.py").write_text(f"{written}# changed")
    with pytest.raises(InputError, match=r"cannot go on: \./mine.py was"):
        resume(study.reference)


def test_functions_that_are_all_known_exactly_take_one_evaluation(ray_cluster: None, tmp_path: Path) -> None:
    from explorer import Integer, Problem, Space

    functions = {"cost": lambda design: design["x"], "gain": lambda design: design["x"] ** 2}
    directions: dict[str, Literal["maximize", "minimize"]] = {"cost": "minimize", "gain": "maximize"}
    problem = Problem.from_functions(
        Space({"x": Integer(0, 30)}), functions, directions=directions, cheap=set(functions)
    )
    study = run(problem, budget=12, store=str(tmp_path / "x.db"))
    assert len(study.evaluations) == 1
    assert len(study.front()) == 31


def test_strategies_take_options_from_python_too(ray_cluster: None, tmp_path: Path) -> None:
    from explorer import Integer, Problem, Space

    problem = Problem.from_functions(Space({"x": Integer(0, 30)}), {"loss": lambda design: design["x"]},
                                     directions={"loss": "minimize"})  # fmt: skip
    strategy = {"name": "nsga2", "options": {"population_size": 4}}
    assert len(run(problem, strategy=strategy, budget=3, store=str(tmp_path / "x.db")).evaluations) == 3
    wrong: dict[str, object] = {
        "strategy.option: there is no such field .did you mean 'options'": {"name": "nsga2", "option": {}},
        "strategy.options: write a mapping, not 3": {"name": "nsga2", "options": 3},
        "strategy: write a mapping of name, options, not 7": 7,
        "strategy.name: is missing": {"options": {}},
    }
    for words, given in wrong.items():
        with pytest.raises(InputError, match=words):
            run(problem, strategy=given, budget=3, store=str(tmp_path / "y.db"))  # type: ignore[arg-type]  # on purpose


# -- interrupted -----------------------------------------------------------------------------------------------------


def _heeding_control_c() -> None:
    """A suite that runs in the background of a script ignores Ctrl-C, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


ENDLESS = 5000
"""Evaluations of a search that no machine ends before a test has looked at it: it trains for half an hour."""


def started(folder: Path, wanted: int) -> subprocess.Popen[bytes]:
    """An endless search in a session of its own, once ``wanted`` of its evaluations have been told."""
    log = folder / "log"
    endless = ("{evaluations: 5}", f"{{evaluations: {ENDLESS}}}")
    path = write_search(folder, ("vgg11", "vgg16"), endless, ("[{bn: all}, {bn: none}]", "[{bn: all}]"))
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(REX), "run", path.name, "--store", "x.db"], cwd=folder, env=environment(RAY_ADDRESS=""),
            stdout=out, stderr=out, start_new_session=True, preexec_fn=_heeding_control_c,
        )  # fmt: skip
    deadline = time.monotonic() + HUNG_S
    while len(re.findall(rf"(?m)^\d+/{ENDLESS}", log.read_text())) < wanted:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return process


def evaluators(session: int) -> list[int]:
    """Processes of a session that evaluate."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            command = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z" and b"Evaluator" in command:
            found.append(int(path.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for left-over processes in /proc")
def test_a_running_search_is_not_run_twice_and_a_killed_one_resumes_to_exactly_its_budget(
    ray_cluster: None, cli: Callable[..., Outcome], tmp_path: Path
) -> None:
    process = started(tmp_path, 2)
    for command in (("resume", "x.db"), ("run", "search.yaml", "--store", "x.db", "--study", "small")):
        refused = cli(*command)
        assert (refused.code, refused.out) == (2, "")
        assert command[0] == "run" or (
            f"study 'small' in x.db is being run by process {process.pid} on {socket.gethostname()}" in refused.err
        )
    assert cli("status", "x.db").code == 0, "looking is always allowed"
    other = write_search(tmp_path, *HARDWARE_ONLY, name="other.yaml")
    assert cli("run", other, "--store", "x.db", "--study", "other").code == 0
    assert evaluators(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = load_study(f"{tmp_path / 'x.db'}#small").rows
    budget = len({e.family for e in kept}) + 3  # members of families that were trained cost nothing and do not count
    assert 5 <= budget < ENDLESS
    assert cli("resume", "x.db#small", "--workers", "1", "--set", f"budget.evaluations={budget}").code == 0
    rows = load_study(f"{tmp_path / 'x.db'}#small").rows
    assert rows[: len(kept)] == kept
    evaluations = [e for e in rows if not e.derived_from]
    assert len(evaluations) == len({e.key for e in evaluations})
    assert len({e.family for e in evaluations}) == budget
    assert not any(e.failed for e in evaluations)
    assert not list(tmp_path.glob("*.lock"))
    deadline = time.monotonic() + HUNG_S
    while evaluators(process.pid):
        assert time.monotonic() < deadline, "evaluators outlive their driver"
        time.sleep(0.2)


def test_nothing_is_printed_before_it_is_sure_that_the_study_can_be_written(tmp_path: Path) -> None:
    path = write_search(tmp_path, *HARDWARE_ONLY)
    ended = rex("run", path, "--store", "/proc/rex/x.db", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "/proc/rex/x.db cannot be written" in ended.stderr


def test_control_c_ends_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    process = started(tmp_path, 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    code, log = process.wait(timeout=HUNG_S), (tmp_path / "log").read_text()
    assert code == 130, log
    assert "interrupted; nothing that was finished is lost: rex resume x.db" in log
    assert "Traceback" not in log
    told = len(re.findall(rf"(?m)^\d+/{ENDLESS}", log))
    assert 2 <= told <= len(load_study(tmp_path / "x.db").evaluations) < ENDLESS


def test_a_confirmed_search_chooses_the_same_families_again() -> None:
    search, confirm = Run(noisy_problem(), 12).search, ConfirmSpec(replicates=2, families=1)
    chosen = _to_confirm(search.problem, search.finished, (), confirm)
    family = search.problem.family(chosen[0].design)
    first = next(evaluation for evaluation in search.finished if evaluation.family == family)
    worst = {objective.name: -1e3 * objective.sign for objective in search.problem.expensive}
    search.archive.add(replace(first, replicate=1, values={**first.values, **worst}))  # it was luck: off the front
    assert family not in {point.family for point in search.archive.front}
    assert _to_confirm(search.problem, search.finished, (), confirm) == chosen


def test_what_only_a_search_file_can_use_is_refused_for_functions() -> None:
    problem = family_problem()
    for name, given in (("settings", ["seed=3"]), ("data_dir", "x")):
        with pytest.raises(InputError, match=f"{name}: is for search files"):
            run(problem, budget=3, **{name: given})  # type: ignore[arg-type]  # of either type
    with pytest.raises(InputError, match=r"budget: give a whole number from 1 up or a Budget.cost=\.\.\.., not \{"):
        run(problem, budget={"epochs": 40})  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(InputError, match="strategy: give a strategy's name"):
        make_strategy({"name": "random"}, problem)  # type: ignore[arg-type]  # wrong on purpose
