"""Random search: feasible designs drawn uniformly, without repeats. The baseline that everything must beat."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.evaluation import Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy
from simulators.protocol import InputError

__all__ = ["RandomSearch"]


class RandomSearch(Strategy):
    """Draws feasible designs uniformly; it has no options."""

    name = "random"

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        for option in self.options:
            raise InputError("random search has no options", f"strategy.options.{option}")

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        while len(proposals) < count and (proposal := self.anything_new()):
            proposals.append(proposal)
        return proposals
