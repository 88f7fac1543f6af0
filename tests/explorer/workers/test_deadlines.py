from __future__ import annotations

from explorer import Design, Fidelity, Integer, Problem, Proposal, Space
from explorer.evaluation import Evaluation
from explorer.workers.deadlines import SHORTEST_S, TELLING, TIMES, Deadlines

PROBLEM = Problem.from_functions(
    Space({"x": Integer(0, 99)}), {"f": lambda design, epochs: design["x"] * epochs}, directions={"f": "minimize"},
    fidelity=Fidelity("epochs", 1, 20),
)  # fmt: skip


def proposal(epochs: int) -> Proposal:
    return Proposal(Design({"x": 1}), epochs)


def test_the_one_that_was_asked_for_is_that_of_all() -> None:
    assert {Deadlines(PROBLEM, 7.0).of(proposal(epochs)) for epochs in (1, 20)} == {7.0}


def test_nothing_is_known_before_a_few_have_ended() -> None:
    deadlines = Deadlines(PROBLEM, None)
    for number in range(TELLING):
        assert deadlines.of(proposal(20)) is None
        deadlines.learn(Evaluation(Design({"x": number}), "", 4, cost=4.0, duration_s=400.0 + number))
    slowest_s = (400.0 + TELLING - 1) / 4
    assert deadlines.of(proposal(20)) == TIMES * slowest_s * 20
    assert deadlines.of(proposal(1)) == max(SHORTEST_S, TIMES * slowest_s)


def test_what_cost_nothing_tells_nothing() -> None:
    deadlines = Deadlines(PROBLEM, None)
    for number in range(2 * TELLING):
        deadlines.learn(Evaluation(Design({"x": number}), "", 4, cost=0.0, duration_s=1.0))
    assert deadlines.of(proposal(20)) is None


def test_no_deadline_is_so_short_that_a_busy_machine_misses_it() -> None:
    deadlines = Deadlines(PROBLEM, None)
    for number in range(TELLING):
        deadlines.learn(Evaluation(Design({"x": number}), "", 1, cost=1.0, duration_s=0.01))
    assert deadlines.of(proposal(1)) == SHORTEST_S
