"""Several strategies in one search: all learn from everything, and who adds hypervolume for the least cost asks more.

Cost is shared out by credit (:mod:`explorer.strategies.credit`): a strategy of short evaluations makes more proposals
than one of long ones for the same share. A floor keeps every strategy asking, for what pays late in a search seldom
pays early. (A bandit by probability matching with a minimum; Thierens, GECCO 2005.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, make_strategy, read_options
from explorer.strategies.credit import Ledger
from simulators.protocol import InputError

__all__ = ["Portfolio", "PortfolioOptions"]


class Member(BaseModel):
    """One of the strategies."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class PortfolioOptions(BaseModel):
    """Options of the strategy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    members: tuple[Member, ...] = Field(
        (Member(name="thompson-bqp"), Member(name="cf-mesmo")), min_length=1,
        description="Names of strategies, or mappings of name and options.",
    )  # fmt: skip
    floor: float = Field(0.1, ge=0, le=1, description="Share of the cost that is given out evenly.")
    memory: float = Field(
        10.0, gt=0, description="Whole evaluations paid after which what was gained and paid counts half."
    )

    @field_validator("members", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return tuple({"name": member} if isinstance(member, str) else member for member in value)


class Portfolio(Strategy):
    """Several strategies side by side, each asked as often as its gains of hypervolume deserve.

    Options: see :class:`PortfolioOptions`.
    """

    name = "portfolio"

    def __init__(self, problem: Problem, seed: int = 0, options: Mapping[str, object] | None = None) -> None:
        super().__init__(problem, seed, options)
        self._options = read_options(PortfolioOptions, self.name, self.options)
        names = [member.name for member in self._options.members]
        if len(set(names)) < len(names):
            raise InputError(f"{', '.join(names)}: each member can be there once", "strategy.options.members")
        if self.name in names:
            raise InputError("a portfolio cannot be its own member", "strategy.options.members")
        self._members = {
            member.name: make_strategy(member.name, problem, seed, member.options) for member in self._options.members
        }
        self._ledger = self.new_ledger()
        self._due = dict.fromkeys(names, 0.0)  # cost that each should have asked for by now and has not
        self._running: list[Proposal] = []

    @property
    def shares(self) -> dict[str, float]:
        """Of the cost of what is proposed next, by member; they add up to 1."""
        return self._ledger.shares

    def new_ledger(self) -> Ledger:
        """The members' credit before anything was evaluated."""
        names = [member.name for member in self._options.members]
        return Ledger(self.problem, names, self._options.floor, self._options.memory)

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            self._ledger.add(evaluation)
        self._running = list(running)
        for member in self._members.values():
            member.update(finished, running)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        asked = dict(self._members)  # without those that have nothing left to propose
        while len(proposals) < count and asked:
            name = max(asked, key=self._due.__getitem__)
            found = next(iter(asked[name].suggest(1)), None)
            if found is None:
                del asked[name]
                continue
            cost = self.problem.cost(found.fidelity) or 1.0
            for member, share in self.shares.items():
                self._due[member] += cost * (share - (member == name))
            if proposal := self._own(found):
                proposals.append(proposal)
                for strategy in self._members.values():
                    strategy.update([], [*self._running, *proposals])
        return proposals

    def _own(self, found: Proposal) -> Proposal | None:
        """A member's proposal, unless another one made the same."""
        if found.key in self._taken:
            self.repeats += 1
            return None
        self._taken.add(found.key)
        return replace(found, strategy=found.strategy or self.name)
