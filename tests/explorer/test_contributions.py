from __future__ import annotations

from pathlib import Path

import pytest

from explorer.archive import Archive
from explorer.contributions import contributions, credit_history
from explorer.evaluation import Evaluation
from explorer.plots import credit_figure
from explorer.problem import Problem
from explorer.strategies.credit import Ledger
from explorer.tables import contribution_rows
from tests.explorer.problems import evaluate, family_problem


def searched(problem: Problem) -> list[Evaluation]:
    """All-BN by hand, what is better by one strategy, what is useless by another, and a repeat."""
    return [
        evaluate(problem, {"bn": "111"}, strategy="initial"),
        evaluate(problem, {"bn": "110"}, strategy="bold"),
        evaluate(problem, {"bn": "001"}, strategy="cautious"),
        evaluate(problem, {"bn": "011"}, strategy="cautious", fidelity=5),
        evaluate(problem, {"bn": "110"}, strategy="confirm", replicate=1),
    ]


def archive_of(problem: Problem, evaluations: list[Evaluation]) -> Archive:
    archive = Archive(problem)
    for evaluation in evaluations:
        archive.add(evaluation)
    return archive


def test_each_strategy_is_told_with_what_the_front_owes_it() -> None:
    problem = family_problem()
    archive = archive_of(problem, searched(problem))
    found = {one.strategy: one for one in contributions(problem, archive)}
    assert next(iter(found)) == "bold"  # would be missed most
    assert set(found) == {"initial", "bold", "cautious"}
    assert sum(one.found for one in found.values()) == len(archive.front)
    assert sum(one.gained for one in found.values()) == pytest.approx(1.0)
    assert (found["cautious"].evaluations, found["cautious"].cost) == (2, 25.0)
    assert found["initial"].found == found["initial"].lost == 0  # C3 costs accuracy and latency here
    without = archive_of(problem, [e for e in searched(problem) if e.family != '{"bn":"110"}'])
    kept = archive.scale.hypervolume(without.front.matrix) / archive.hypervolume
    assert found["bold"].lost >= 1 - kept - 1e-9  # what was dominated comes back, if anything


def test_a_search_without_a_front_is_no_error() -> None:
    problem = family_problem(constraints=["accuracy >= 2"])
    rows = contribution_rows(contributions(problem, archive_of(problem, searched(problem))), problem.outline)
    assert [row[0] for row in rows.rows] == ["initial", "bold", "cautious"]
    assert {row[-1] for row in rows.rows} == {"0.00 %"}


def test_credit_is_told_from_before_the_first_evaluation_to_the_last() -> None:
    problem = family_problem()
    first = evaluate(problem, {"bn": "100"}, strategy="initial", fidelity=20)
    history = credit_history(Ledger(problem, ["cautious", "bold"]), [first, *searched(problem)[1:]])
    assert [shares.cost for shares in history] == [0.0, 20.0, 40.0, 60.0, 65.0]
    assert history[0].of == {"cautious": 0.5, "bold": 0.5}
    assert history[1].of == history[0].of  # the file's own designs are nobody's
    assert history[-1].of["bold"] > 0.5 > history[-1].of["cautious"]


def test_the_figure_has_a_line_for_each_member(tmp_path: Path) -> None:
    problem = family_problem()
    figure = credit_figure(credit_history(Ledger(problem, ["cautious", "bold"]), searched(problem)), problem.outline)
    assert [trace.name for trace in figure.data] == ["cautious", "bold"]
    assert figure.layout.xaxis.title.text == "cost [epochs]"
    assert len({trace.line.dash for trace in figure.data}) == 2  # told apart in grey, too
