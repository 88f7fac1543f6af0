"""A search file becomes a problem: objectives, what a run writes, and what is not needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.assembly import assemble_source
from explorer.spec import read_search
from simulators.protocol import Bits
from tests.explorer.assembly.mistakes import assembled, check_told_alone, mistakes_in
from tests.explorer.searches import line_of, write_search

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_search_file_becomes_a_problem_with_its_initial_designs(tmp_path: Path) -> None:
    assembly = assembled(write_search(tmp_path))
    problem = assembly.problem
    assert problem.space.size == 256 * 3 * 2 * 7 * 4  # gpu_layers and cell_bits are searched unless they are given
    assert [objective.name for objective in problem.objectives] == ["accuracy", "latency", "area"]
    assert [objective.cheap for objective in problem.objectives] == [False, True, True]
    assert problem.reads == ("bn",)
    assert problem.full_fidelity == 1
    assert [proposal.design["bn"] for proposal in assembly.initial] == [Bits("11111111"), Bits("00000000")]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_nothing_is_wrong_with_the_examples(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert assemble_source(read_search(path), path.parent).problem.objectives


def test_only_simulators_that_something_reads_are_kept(tmp_path: Path) -> None:
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[latency, area]"), ("fidelity: {epochs: 1}\n", ""))
    assert set(assembled(path).problem.simulators) == {"deeptrain"}


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("[accuracy, latency", "[acuracy, latency", "objectives.0", "did you mean 'accuracy'?"),
        ("[accuracy, latency", "[accuracy, accuracy", "objectives.1", "named twice"),
        ("[accuracy, latency", "[accuracy, ./none.py:f", "objectives.1", "cannot read"),
        ("[deeptrain, training]", "[deeptrain]", "objectives.0", "no report is called 'training'"),
    ],
)
def test_a_wrong_objective_is_told_alone_with_how_to_mend_it(
    tmp_path: Path, old: str, new: str, field: str, words: str
) -> None:
    check_told_alone(tmp_path, old, new, field, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('never mind')", "fails to load: RuntimeError: never mind"),
        ("def f(hardware): return 1", "not decorated"),
        ("x = 3", "is not in the file"),
        ("from objectives import objective\n@objective(direction='up')\ndef f(hardware): ...", "direction 'up'"),
        ("from objectives import objective\n@objective(direction='minimize')\ndef f(*a): ...", "plain name"),
        ("from objectives import objective\n@objective(direction='minimize')\ndef f(hardwear): ...", "hardwear"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_a_file_with_a_broken_objective_is_a_mistake_in_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy, './mine.py:f', area]"))
    found = mistakes_in(path)
    assert [(line, field) for line, field, _ in found] == [(line_of(path, "objectives:"), "objectives.1")]
    assert words in found[0][2]


HELD_OUT_OBJECTIVES = """
from objectives import objective

FIELD = "test_" + "accuracy"

@objective(direction="maximize")
def plain(training):
    return training.test_accuracy

@objective(direction="maximize")
def within(training):
    def read():
        return training.totals["test_accuracy"]
    return read()

@objective(direction="maximize")
def hidden(training):
    return getattr(training, FIELD)
"""


@pytest.mark.parametrize("name", ["plain", "within"])
def test_an_objective_may_not_read_held_out_accuracy(tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(HELD_OUT_OBJECTIVES)
    path = write_search(tmp_path, ("[accuracy, latency, area]", f"[accuracy, latency, area, './mine.py:{name}']"))
    ((line, field, message),) = mistakes_in(path)
    assert (line, field) == (line_of(path, "objectives:"), "objectives.3")
    assert "no search may look at test_accuracy: it is held out" in message


def test_an_objective_that_finds_another_way_to_held_out_accuracy_gets_none(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(HELD_OUT_OBJECTIVES)
    path = write_search(tmp_path, ("[accuracy, latency, area]", "[accuracy, latency, area, './mine.py:hidden']"))
    assembly = assembled(path)
    evaluation = assembly.problem.evaluate(assembly.initial[0])
    assert "objective 'hidden': no field 'test_accuracy' in this report" in evaluation.failure


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("nonsense://foo", "not nonsense"),
        ("postgresql://user:secret@host:port/db", "the URL of the store cannot be read"),
        ("postgresql:/host/db", "the URL of the store cannot be read"),
        ("postgresql+nothing://host/db", "cannot open the store"),
        ("/dev/null/search.db", "cannot be written"),
        ("/dev/null/folder/search.db", "cannot be written"),
        (".", "is a folder"),
    ],
)
def test_a_store_that_no_run_could_use_is_a_mistake_of_the_file(tmp_path: Path, store: str, words: str) -> None:
    ((line, field, message),) = mistakes_in(path := write_search(tmp_path, ("seed: 0", f"store: {store}")))
    assert (line, field) == (line_of(path, "store:"), "store")
    assert words in message
    assert "secret" not in message


def test_a_store_is_looked_at_without_making_or_asking_anything(tmp_path: Path) -> None:
    for store in (tmp_path / "new" / "search.db", "postgresql://nobody@nowhere.invalid/db"):
        assembled(write_search(tmp_path, ("seed: 0", f"store: {store}")))
    assert [path.name for path in tmp_path.iterdir()] == ["search.yaml"]


def test_checkpoints_that_cannot_be_written_are_a_mistake_of_the_file(tmp_path: Path) -> None:
    ((_, field, message),) = mistakes_in(write_search(tmp_path, ("seed: 0", "checkpoints: /dev/null/x")))
    assert (field, "cannot be written" in message) == ("checkpoints", True)
