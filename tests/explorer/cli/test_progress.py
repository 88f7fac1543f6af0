"""What a person sees of a running search, rendered for terminals and for files."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from explorer.cli.progress import ProgressDisplay
from explorer.evaluation import Evaluation
from explorer.search import Progress
from tests.explorer.problems import evaluate, family_problem

PROBLEM = family_problem()


def progress(finished: int, confirmed: int = 0, latest: Evaluation | None = None) -> Progress:
    return Progress(
        finished, 1, 2, 20, 160.0, 7, 0.5312, elapsed_s=75.0, remaining_s=3725.0 if finished < 20 else 42.0,
        phase="searching" if finished < 20 else "confirming", confirmed=confirmed,
        to_confirm=0 if finished < 20 else 8, latest=latest, whole=finished,
    )  # fmt: skip


def shown(told: list[Progress], width: int, terminal: bool = True) -> list[str]:
    """The lines of the last thing that was drawn on a terminal, or all that came to a file."""
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, legacy_windows=False)
    with ProgressDisplay(PROBLEM.outline, console) as display:
        for step in told:
            if terminal:
                out.truncate(out.seek(0))
            display.update(step)
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", out.getvalue())
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("width", [60, 100])
def test_the_panel_shows_how_a_search_stands_and_fits_the_terminal(width: int) -> None:
    evaluation = evaluate(PROBLEM, {"bn": "110"})
    lines = shown([progress(5, latest=evaluation)], width)
    assert re.fullmatch(r"searching  [━╸╺]+  5/20  1:02:05 left", lines[0])
    assert lines[1] == "2 running   1 failed   160 epochs paid   1:15 elapsed"
    assert lines[2] == "front 7 designs   hypervolume 0.5312"
    assert lines[3].startswith(f"{PROBLEM.space.describe(evaluation.design)}: accuracy 0.76")
    assert len(lines) == 4
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [60, 100])
def test_confirmation_has_a_bar_of_its_own_with_its_own_time(width: int) -> None:
    lines = shown([progress(19), progress(20, confirmed=2)], width)
    assert re.fullmatch(r"searching   ━+  20/20", lines[0])
    assert re.fullmatch(r"confirming  [━╸╺]+  2/8    0:42 left", lines[1])
    assert "left" not in "".join(lines[2:])
    assert max(map(len, lines)) <= width


def test_a_file_gets_a_line_for_each_evaluation_and_repeats_are_told_by_their_seeds() -> None:
    first = evaluate(PROBLEM, {"bn": "110"})
    again = [replace(first, replicate=number, seed=1000 + number) for number in (1, 2)]
    failed = replace(again[1], failure="worker died")
    lines = shown(
        [progress(0), progress(5, latest=first), progress(5), progress(20, 1, again[0]), progress(20, 2, failed)],
        200,
        terminal=False,
    )
    label = PROBLEM.space.describe(first.design)
    assert len(lines) == 3
    assert lines[0].startswith(f"5/20  {label}: accuracy 0.76")
    assert lines[0].endswith("[searching; front 7, hypervolume 0.5312, 2 running, 1 failed, 1:02:05 left]")
    assert lines[1].startswith(f"confirming 1/8  {label}, seed 1001: accuracy 0.76")
    assert lines[2].startswith(f"confirming 2/8  {label}, seed 1002: failed, worker died  [confirming; ")


def test_a_search_without_a_number_of_evaluations_counts_without_an_end() -> None:
    lines = shown([replace(progress(5), wanted=None, remaining_s=None)], 100)
    assert re.search(r"  5  -:-- left$", lines[0])


def test_the_bar_is_of_the_limit_that_is_nearer() -> None:
    step = replace(progress(5, latest=evaluate(PROBLEM, {"bn": "110"})), spent=92.0, wanted_cost=180.0)
    for told in (step, replace(step, wanted=None)):
        assert re.fullmatch(r"searching  [━╸╺]+  92/180 epochs  1:02:05 left", shown([told], 60)[0])
        assert shown([told], 200, terminal=False)[0].startswith("5, 92/180 epochs  ")
    assert re.fullmatch(r"searching  [━╸╺]+  5/20  1:02:05 left", shown([replace(step, wanted_cost=900.0)], 60)[0])
    begun = replace(step, finished=0, whole=0, spent=0.0, wanted=None)
    assert "0/180 epochs" in shown([begun], 60)[0]


def test_short_evaluations_are_told_as_such() -> None:
    short = evaluate(PROBLEM, {"bn": "110"}, fidelity=3)
    step = replace(progress(5, latest=short), whole=2)
    label = PROBLEM.space.describe(short.design)
    assert shown([step], 200, terminal=False)[0].startswith(f"5/20  {label}, 3 of 20 epochs: accuracy")
    assert shown([step], 60)[1] == "5 evaluations, 2 of them with all 20 epochs"


def test_while_searching_the_repeats_that_follow_are_told_beside_the_time_that_leaves_them_out() -> None:
    evaluation = evaluate(PROBLEM, {"bn": "110"})
    step = replace(progress(5, latest=evaluation), to_confirm=10)
    lines = shown([step], 60)
    assert re.fullmatch(r"searching  [━╸╺]+  5/20  1:02:05 left", lines[0])
    assert lines[1] == "then up to 10 repeats to confirm"
    assert not any(line.startswith("confirming") for line in lines)
    assert max(map(len, lines)) <= 60
    assert "1:02:05 left, then up to 10 repeats to confirm]" in shown([step], 200, terminal=False)[0]
