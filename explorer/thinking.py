"""Where a strategy thinks: in turn with everything else, or aside, in a thread of its own.

Aside, a slow suggestion stops nobody: results are stored and proposals that wait are handed out meanwhile. One thread,
as a strategy has one state; it hears of results when it is asked, never in between.
"""

from __future__ import annotations

import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue

from threadpoolctl import ThreadpoolController

from explorer.evaluation import Evaluation, Proposal
from explorer.strategies.base import Strategy

__all__ = ["Aside", "InTurn", "Question", "Suggestion", "Thinker"]


@dataclass(frozen=True)
class Question:
    """What a strategy is asked.

    Args:
        news: what finished since it was asked last.
        running: all that runs now or is about to.
        count: proposals that are wanted.
        elapsed_s: since the search began.
    """

    news: Sequence[Evaluation]
    running: Sequence[Proposal]
    count: int
    elapsed_s: float


@dataclass(frozen=True)
class Suggestion:
    """What it answers.

    Args:
        proposals: as many as were wanted, or fewer.
        time_s: that it took.
        error: that the strategy raised instead.
    """

    proposals: Sequence[Proposal]
    time_s: float
    error: BaseException | None = None


def answer(strategy: Strategy, question: Question, now: Callable[[], float]) -> Suggestion:
    """Ask a strategy, with one thread for its libraries: more would fight with the workers for the cores."""
    began = now()
    with _libraries(len(sys.modules)).limit(limits=1):  # of this thread: OpenMP keeps a limit for each
        strategy.elapsed_s = question.elapsed_s
        strategy.update(question.news, question.running)
        proposals = strategy.suggest(question.count)
    return Suggestion(proposals, now() - began)


@lru_cache(maxsize=1)
def _libraries(_: int) -> ThreadpoolController:
    """The libraries that have threads; looked for again, which takes milliseconds, when modules have been loaded."""
    return ThreadpoolController()


class Thinker(ABC):
    """Asks a strategy, one question at a time."""

    @property
    @abstractmethod
    def busy(self) -> bool:
        """Whether a question is open: asked, and its answer not taken yet."""

    @abstractmethod
    def ask(self, question: Question) -> None:
        """Ask; call only while :attr:`busy` is false."""

    @abstractmethod
    def take(self) -> Suggestion | None:
        """The answer, once; None if there is none (yet).

        Raises:
            Exception: what the strategy raised.
        """

    def close(self, patience_s: float = 0.0) -> None:  # noqa: ARG002  # of those that think aside
        """No more questions.

        Args:
            patience_s: how long to wait for an answer that is still being thought of: nobody needs it, but libraries do
                not like it when a process ends in the middle of their work.
        """
        return


class InTurn(Thinker):
    """Thinks while it is asked.

    Args:
        strategy: who is asked.
        now: the clock.
    """

    def __init__(self, strategy: Strategy, now: Callable[[], float] = time.monotonic) -> None:
        self._strategy = strategy
        self._now = now
        self._answer: Suggestion | None = None

    @property
    def busy(self) -> bool:
        return self._answer is not None

    def ask(self, question: Question) -> None:
        self._answer = answer(self._strategy, question, self._now)

    def take(self) -> Suggestion | None:
        taken, self._answer = self._answer, None
        return taken


class Aside(Thinker):
    """Thinks in a thread of its own, which does not keep the process from ending.

    Args:
        strategy: who is asked; nobody else may use it from now on until :meth:`close`, but while no question is open.
        wake: called, in that thread, when there is an answer.
    """

    def __init__(self, strategy: Strategy, wake: Callable[[], None]) -> None:
        self._strategy = strategy
        self._wake = wake
        self._questions: SimpleQueue[Question | None] = SimpleQueue()
        self._answers: SimpleQueue[Suggestion] = SimpleQueue()
        self._open = False
        self._thread = threading.Thread(target=self._think, name="strategy", daemon=True)
        self._thread.start()

    def _think(self) -> None:
        while question := self._questions.get():
            try:
                found = answer(self._strategy, question, time.monotonic)
            except BaseException as error:  # raised where the answer is taken
                found = Suggestion((), 0.0, error)
            self._answers.put(found)
            self._wake()

    @property
    def busy(self) -> bool:
        return self._open

    def ask(self, question: Question) -> None:
        self._open = True
        self._questions.put(question)

    def take(self) -> Suggestion | None:
        if self._answers.empty():
            return None
        self._open = False
        found = self._answers.get()
        if found.error is not None:
            raise found.error
        return found

    def close(self, patience_s: float = 0.0) -> None:
        self._questions.put(None)
        self._thread.join(patience_s)
