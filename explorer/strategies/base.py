"""The protocol of strategies: which design is worth trying next?

A strategy knows nothing of Ray or storage. Subclass :class:`Strategy`, register the class (or a function that returns
one) under the entry-point group ``reram_explorer.strategies``, and inherit
``tests/explorer/strategies/conformance.py`` for its tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from explorer.black_box import BlackBox
from explorer.budget import Budget
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from simulators.protocol import STRATEGIES, Design, InputError, field_path, find_plugin, plain_words, suggestion

__all__ = ["Strategy", "make_strategy", "read_options"]


DRAWS = 1000  # random designs that must all be taken before a space counts as nearly used up
ENUMERABLE = 1_000_000  # a nearly used up space of this size is enumerated


class Strategy(ABC):
    """Suggests proposals and learns from evaluations.

    Args:
        problem: what is searched.
        seed: everything random follows from it.
        options: the strategy's own, as in the search file.

    Raises:
        InputError: an unknown option, or a value that is not allowed.
    """

    name: ClassVar[str]

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        self.problem = problem
        self.seed = seed
        self.options = dict(options or {})
        self._rng = np.random.default_rng([seed, 0x5EED])
        self.budget = Budget()
        """When the search ends, as far as that is known; a search tells it before it asks for proposals."""
        self.elapsed_s = 0.0
        """Since this run of the search began, as far as that is known."""
        self.repeats = 0
        """Proposals that were dropped because they were taken already."""
        self._taken: set[str] = set()
        self._drawn: Iterator[Design] = iter(())
        self._left: Iterator[Design] | None = None

    @abstractmethod
    def suggest(self, count: int) -> list[Proposal]:
        """Up to ``count`` proposals, none of which was evaluated, is running or was suggested before.

        Fewer (or none) only when nothing new is left.
        """

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        """Learn.

        Args:
            finished: new since the last call, whoever proposed them; failed ones included.
            running: everything that runs now.
        """
        self._taken.update(evaluation.key for evaluation in finished if not evaluation.derived_from)
        self._taken.update(proposal.key for proposal in running)

    @property
    def opening_cost(self) -> float:
        """What the random evaluations cost that it still wants before it chooses; 0 where it does, or does not say.

        Evaluations that others propose count, too. A portfolio leaves the opening to whom it costs the least.
        """
        return 0.0

    def _whole_cost(self, count: int) -> float:
        """Of so many evaluations at full fidelity; they count where nothing costs anything, too."""
        return max(0, count) * (self.problem.cost(self.problem.full_fidelity) or 1.0)

    def propose(self, design: Design, fidelity: int | None = None) -> Proposal | None:
        """A proposal for ``design`` at ``fidelity`` (default: full); None if it is taken already."""
        proposal = Proposal(design, fidelity or self.problem.full_fidelity, strategy=self.name)
        if proposal.key in self._taken:
            self.repeats += 1
            return None
        self._taken.add(proposal.key)
        return proposal

    def anything_new(self) -> Proposal | None:
        """A random feasible design that is not taken; None when the space is used up.

        A space of more than a million designs counts as used up when a thousand random designs are taken.
        """
        if self._left is None:
            for _ in range(DRAWS):  # the first is new unless the space is nearly used up
                if proposal := self.propose(self._draw()):
                    return proposal
            if self.problem.space.size > ENUMERABLE:
                return None
            self._left = self._shuffled()
        return next(filter(None, map(self.propose, self._left)), None)

    def _draw(self) -> Design:
        """The next of endless random feasible designs."""
        design = next(self._drawn, None)
        if design is None:
            self._drawn = iter(self.problem.space.unpack(self.problem.sample(self._rng, 64)))
            design = next(self._drawn)
        return design

    def _shuffled(self) -> Iterator[Design]:
        """All feasible designs, each once, in random order."""
        space = self.problem.space
        chunks = [chunk.take(self.problem.known(chunk).feasible) for chunk in space.enumerate()]
        ends = np.cumsum([len(chunk) for chunk in chunks])
        for index in self._rng.permutation(ends[-1]):
            number = np.searchsorted(ends, index, side="right")
            yield from space.unpack(chunks[number].take(np.array([index - ends[number]])))  # rows from the chunk's end


OptionsModel = TypeVar("OptionsModel", bound=BaseModel)


def read_options(model: type[OptionsModel], strategy: str, options: Mapping[str, object]) -> OptionsModel:
    """A strategy's options, checked.

    Args:
        model: the options; forbids extra ones.
        strategy: the strategy's name, for messages.
        options: as in the search file.

    Raises:
        InputError: the first option that there is not, or whose value is not allowed; ``field`` names it.
    """
    try:
        return model.model_validate(options)
    except ValidationError as error:
        first = error.errors()[0]
        of_it = [detail for detail in error.errors() if detail["loc"][:1] == first["loc"][:1]]
        # of an option that may be several things, what it is nearest to being
        detail = max(of_it, key=lambda detail: (len(detail["loc"]), not detail["type"].endswith("_type")))
        place = f"strategy.options.{field_path(detail, model)}"
        if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
            near = suggestion(str(detail["loc"][0]), model.model_fields)
            raise InputError(f"{strategy} has no such option{near}", place) from None
        raise InputError(plain_words(detail, model), place) from None


def make_strategy(name: str, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> Strategy:
    """The strategy called ``name`` for a problem.

    Args:
        name: see ``rex list strategies``.
        problem: what is searched.
        seed: everything random follows from it.
        options: the strategy's own; ``grey_box: false``, for any of them, hides from it which objectives are cheap and
            which designs are of one family.

    Raises:
        InputError: unknown strategy or options.
    """
    if not isinstance(name, str):
        raise InputError(f"give a strategy's name (its options are an argument of their own), not {name!r}", "strategy")
    found = find_plugin(STRATEGIES, name, "strategy")
    own = dict(options or {})
    grey_box = own.pop("grey_box", True)
    if not isinstance(grey_box, bool):
        raise InputError(f"true or false, not {grey_box!r}", "strategy.options.grey_box")
    strategy = found(problem if grey_box else BlackBox(problem), seed, own)
    if not isinstance(strategy, Strategy):
        raise InputError(f"strategy '{name}' is registered as {found!r}, which makes no Strategy")
    return strategy
