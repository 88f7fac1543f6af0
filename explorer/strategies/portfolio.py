"""Several strategies in one search: all learn from everything, and who adds hypervolume for the least cost asks more.

Proposals are shared out by credit: the hypervolume that a strategy's evaluations added to the front, for each unit of
cost that they paid, older gains fading. A floor keeps every strategy asking, for what pays late in a search seldom pays
early. (A bandit by probability matching with a minimum; Thierens, GECCO 2005.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from explorer.archive import Archive
from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.base import Strategy, make_strategy, read_options
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
    floor: float = Field(0.2, ge=0, le=1, description="Share of the proposals that is given out evenly.")
    memory: float = Field(0.9, gt=0, le=1, description="What a gain still counts after the strategy's next evaluation.")

    @field_validator("members", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return tuple({"name": member} if isinstance(member, str) else member for member in value)


@dataclass(eq=False)
class _Account:
    """Of one member.

    Args:
        strategy: the member.
        gained, paid: hypervolume and cost of its evaluations, fading.
        due: proposals that it should have been asked for by now and was not.
    """

    strategy: Strategy
    gained: float = 0.0
    paid: float = 0.0
    due: float = 0.0


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
        self._accounts = {
            member.name: _Account(make_strategy(member.name, problem, seed, member.options))
            for member in self._options.members
        }
        self._archive = Archive(problem)
        self._running: list[Proposal] = []

    @property
    def shares(self) -> dict[str, float]:
        """Of the next proposals, by member; they add up to 1."""
        even = 1 / len(self._accounts)
        untried = [account for account in self._accounts.values() if account.paid == 0]
        rates = {
            name: account.gained / account.paid if account.paid else 0.0 for name, account in self._accounts.items()
        }
        total = sum(rates.values())
        if untried or total == 0:  # nothing tells them apart yet
            return dict.fromkeys(self._accounts, even)
        floor = self._options.floor
        return {name: floor * even + (1 - floor) * rate / total for name, rate in rates.items()}

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:
            if evaluation.derived_from:
                continue
            before = self._archive.hypervolume
            scale = self._archive.scale
            self._archive.add(evaluation)
            if self._archive.scale is not scale:  # a wider box: what was there fills less of it
                before = min(before, self._archive.hypervolume)
            account = self._accounts.get(evaluation.strategy)
            if account:
                account.gained = self._options.memory * account.gained + max(0.0, self._archive.hypervolume - before)
                account.paid = self._options.memory * account.paid + evaluation.cost
        self._running = list(running)
        for account in self._accounts.values():
            account.strategy.update(finished, running)

    def suggest(self, count: int) -> list[Proposal]:
        proposals: list[Proposal] = []
        asked = dict(self._accounts)  # without those that have nothing left to propose
        while len(proposals) < count and asked:
            for name, share in self.shares.items():
                self._accounts[name].due += share
            name = max(asked, key=lambda name: asked[name].due)
            found = next(iter(asked[name].strategy.suggest(1)), None)
            self._accounts[name].due -= 1
            if found is None:
                del asked[name]
            elif proposal := self._own(found):
                proposals.append(proposal)
                for account in self._accounts.values():
                    account.strategy.update([], [*self._running, *proposals])
        return proposals

    def _own(self, found: Proposal) -> Proposal | None:
        """A member's proposal, unless another one made the same."""
        if found.key in self._taken:
            self.repeats += 1
            return None
        self._taken.add(found.key)
        return replace(found, strategy=found.strategy or self.name)
