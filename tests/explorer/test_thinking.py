from __future__ import annotations

import os
import threading
import time

import pytest
from threadpoolctl import threadpool_info

from explorer import Integer, Problem, Proposal, Space, make_strategy
from explorer.strategies.base import Strategy
from explorer.thinking import Aside, InTurn, Question

PROBLEM = Problem.from_functions(Space({"x": Integer(0, 99)}), {"f": lambda d: d["x"]}, directions={"f": "minimize"})


class Slow(Strategy):
    """Thinks until it may answer."""

    name = "slow"

    def __init__(self) -> None:
        super().__init__(PROBLEM, 0)
        self.may = threading.Event()
        self.thread = ""
        self.threads: list[int] = []

    def suggest(self, count: int) -> list[Proposal]:
        self.may.wait(60)
        self.thread = threading.current_thread().name
        self.threads = [pool["num_threads"] for pool in threadpool_info()]
        return [proposal for proposal in [self.anything_new()] if proposal]


def test_aside_nobody_waits_and_the_answer_wakes_who_asked() -> None:
    strategy, woken = Slow(), threading.Event()
    thinker = Aside(strategy, woken.set)
    thinker.ask(Question((), (), 1, 0.0))
    assert thinker.busy
    assert thinker.take() is None
    strategy.may.set()
    assert woken.wait(60)
    assert thinker.busy, "until the answer is taken"
    suggestion = thinker.take()
    assert suggestion
    assert len(suggestion.proposals) == 1
    assert not thinker.busy
    assert thinker.take() is None
    assert strategy.thread == "strategy"
    assert set(strategy.threads) <= {1}
    strategy.may.clear()
    thinker.ask(Question((), (), 1, 0.0))
    thinker.close(0.01)
    assert thinker.busy, "what it thinks of still is not waited for any longer"
    strategy.may.set()
    thinker.close(60)
    assert "strategy" not in [thread.name for thread in threading.enumerate()]


def test_what_a_strategy_raises_aside_is_raised_where_its_answer_is_taken() -> None:
    class Broken(Slow):
        def suggest(self, count: int) -> list[Proposal]:
            raise RuntimeError("no idea")

    woken = threading.Event()
    thinker = Aside(Broken(), woken.set)
    thinker.ask(Question((), (), 1, 0.0))
    assert woken.wait(60)
    with pytest.raises(RuntimeError, match="no idea"):
        thinker.take()
    thinker.close()


def test_in_turn_and_aside_give_the_same_answers() -> None:
    woken = threading.Event()
    aside, in_turn = Aside(make_strategy("random", PROBLEM, 3), woken.set), InTurn(make_strategy("random", PROBLEM, 3))
    for count in (1, 4, 2):
        woken.clear()
        found = []
        for thinker in (in_turn, aside):
            thinker.ask(Question((), (), count, 0.0))
        assert woken.wait(60)
        for thinker in (in_turn, aside):
            suggestion = thinker.take()
            assert suggestion
            found.append([proposal.design["x"] for proposal in suggestion.proposals])
        assert found[0] == found[1]
        assert len(found[0]) == count
    aside.close()


def test_a_strategy_that_thinks_for_ever_does_not_keep_the_process() -> None:
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        Aside(Slow(), lambda: None).ask(Question((), (), 1, 0.0))
        time.sleep(0.1)
        os.write(write, b"x")
        os._exit(0 if threading.active_count() >= 2 and all(t.daemon for t in threading.enumerate()[1:]) else 1)
    assert os.read(read, 1) == b"x"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
