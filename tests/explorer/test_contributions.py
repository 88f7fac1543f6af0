from __future__ import annotations

from pathlib import Path

import pytest

from explorer.archive import Archive
from explorer.contributions import contributions, shares_history
from explorer.evaluation import Evaluation
from explorer.plots.portfolio import shares_figure
from explorer.problem import Problem
from explorer.strategies.portfolio import Portfolio
from explorer.tables import contribution_rows
from tests.explorer.problems import evaluate, family_problem


def searched(problem: Problem) -> list[Evaluation]:
    """All-BN by hand, what is better by one strategy, what is useless by another, and a repeat."""
    return [
        evaluate(problem, {"bn": "111"}, strategy="initial"),
        evaluate(problem, {"bn": "110"}, strategy="nsga2"),
        evaluate(problem, {"bn": "001"}, strategy="random"),
        evaluate(problem, {"bn": "011"}, strategy="random", fidelity=5),
        evaluate(problem, {"bn": "110"}, strategy="confirm", replicate=1),
    ]


def portfolio(problem: Problem) -> Portfolio:
    return Portfolio(problem, 0, {"members": ["random", {"name": "nsga2", "options": {"population_size": 2}}]})


def archive_of(problem: Problem, evaluations: list[Evaluation]) -> Archive:
    archive = Archive(problem)
    for evaluation in evaluations:
        archive.add(evaluation)
    return archive


def test_each_strategy_is_told_with_what_the_front_owes_it() -> None:
    problem = family_problem()
    archive = archive_of(problem, searched(problem))
    found = {one.strategy: one for one in contributions(archive)}
    assert next(iter(found)) == "nsga2"  # would be missed most
    assert set(found) == {"initial", "nsga2", "random"}
    assert sum(one.found for one in found.values()) == len(archive.front)
    assert (found["random"].evaluations, found["random"].cost) == (2, 25.0)
    assert found["initial"].found == found["initial"].lost == 0  # C3 costs accuracy and latency here
    without = archive_of(problem, [e for e in searched(problem) if e.family != '{"bn":"110"}'])
    kept = archive.scale.hypervolume(without.front.matrix) / archive.hypervolume
    assert found["nsga2"].lost >= 1 - kept - 1e-9  # what was dominated comes back, if anything


def test_a_search_without_a_front_is_no_error() -> None:
    problem = family_problem(constraints=["accuracy >= 2"])
    rows = contribution_rows(contributions(archive_of(problem, searched(problem))), problem.outline)
    assert [row[0] for row in rows.rows] == ["initial", "nsga2", "random"]
    assert {row[-1] for row in rows.rows} == {"0.00 %"}


def test_shares_are_told_from_before_the_first_evaluation_to_the_last() -> None:
    problem = family_problem()
    first = evaluate(problem, {"bn": "100"}, strategy="initial", fidelity=20)
    history = shares_history(portfolio(problem), [first, *searched(problem)])
    assert [shares.cost for shares in history] == [0.0, 20.0, 40.0, 60.0, 80.0, 85.0]
    assert history[0].of == history[1].of == pytest.approx({"random": 0.95, "nsga2": 0.05})  # it needs two evaluations
    assert history[2].of == {"random": 0.5, "nsga2": 0.5}  # the file's own designs are nobody's
    assert history[-1].of["nsga2"] > 0.5 > history[-1].of["random"]


def test_who_opens_is_told_too() -> None:
    problem = family_problem()
    members = [{"name": "qlog-nehvi", "options": {"initial": 2}}, "random"]
    history = shares_history(Portfolio(problem, 0, {"members": members, "floor": 0.2}), searched(problem))
    floor = {"qlog-nehvi": 0.1, "random": 0.9}
    assert [shares.of for shares in history[:2]] == [pytest.approx(floor)] * 2
    assert history[2].of["qlog-nehvi"] > 0.4  # two whole evaluations: it can choose


def test_the_figure_has_a_line_for_each_member(tmp_path: Path) -> None:
    problem = family_problem()
    figure = shares_figure(shares_history(portfolio(problem), searched(problem)), problem.outline)
    assert [trace.name for trace in figure.data] == ["random", "nsga2"]
    assert figure.layout.xaxis.title.text == "cost [epochs]"
    assert len({trace.line.dash for trace in figure.data}) == 2  # told apart in grey, too
