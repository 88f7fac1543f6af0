"""Several strategies in one search: all learn from everything, and who adds hypervolume for the least cost asks more.

Cost is shared out by credit (:mod:`explorer.strategies.credit`): a strategy of short evaluations makes more proposals
than one of long ones for the same share. A floor keeps every strategy asking, for what pays late in a search seldom
pays early. (A bandit by probability matching with a minimum; Thierens, GECCO 2005.)

Most strategies begin with random designs, and all learn from the same ones: who needs the cheapest ones draws them for
all, and until a strategy knows enough to choose it is given the floor alone.
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

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class PortfolioOptions(BaseModel):
    """Options of the strategy."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

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
            raise ValueError(f"write a list of strategies, such as [thompson-bqp, cf-mesmo], not {value!r}")
        for member in value:
            if not isinstance(member, str | Mapping | Member):
                raise ValueError(f"write a strategy's name, or {{name: ..., options: ...}}, not {member!r}")
        return tuple({"name": member} if isinstance(member, str) else member for member in value)


def _made(member: Member, number: int, problem: Problem, seed: int) -> Strategy:
    """A member; what is wrong with it is told with its place in the list."""
    try:
        return make_strategy(member.name, problem, seed, member.options)
    except InputError as error:
        place = error.field.removeprefix("strategy")
        raise InputError(error.message, f"strategy.options.members.{number}{place}") from None


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
            member.name: _made(member, number, problem, seed) for number, member in enumerate(self._options.members)
        }
        self._ledger = Ledger(problem, names, self._options.floor, self._options.memory)
        self._due = dict.fromkeys(names, 0.0)  # cost that each should have asked for by now and has not
        self._charged: set[str] = set()  # what is in this account
        self._running: list[Proposal] = []
        self._reached: dict[str, int] = {}  # of families: the highest fidelity that is or will be paid for

    @property
    def shares(self) -> dict[str, float]:
        """Of the cost of what is proposed next, by member; they add up to 1."""
        shares, floor = self._ledger.shares, self._options.floor / len(self._members)
        choosing = self._choosing()
        total = sum(shares[name] for name in choosing)
        left = 1 - floor * (len(shares) - len(choosing))
        return {name: left * shares[name] / total if name in choosing else floor for name in shares}

    def _choosing(self) -> list[str]:
        """Members that know enough to choose; while there are none, the one that needs the cheapest opening."""
        opening = {name: strategy.opening_cost for name, strategy in self._members.items()}
        return [name for name, cost in opening.items() if cost == 0] or [min(opening, key=opening.__getitem__)]

    def update(self, finished: Sequence[Evaluation], running: Sequence[Proposal]) -> None:
        super().update(finished, running)
        for evaluation in finished:  # one by one: what each is worth depends on who knew enough before it
            self._credit(evaluation)
            for member in self._members.values():
                member.update([evaluation], running)
        self._running = list(running)
        for member in self._members.values():
            member.update([], running)

    def _credit(self, evaluation: Evaluation) -> None:
        """Charge and credit who proposed an evaluation; random ones of an opening are to nobody's credit."""
        name = evaluation.strategy
        if name in self._members and evaluation.replicate == 0 and not evaluation.derived_from:
            self._charge(name, evaluation)
            if self._members[name].opening_cost > 0:
                evaluation = replace(evaluation, strategy="")
        self._ledger.add(evaluation)
        if not evaluation.failed and evaluation.replicate == 0:
            self._reached[evaluation.family] = max(self._reached.get(evaluation.family, 0), evaluation.fidelity or 1)

    def suggest(self, count: int) -> list[Proposal]:
        for strategy in self._members.values():
            strategy.budget, strategy.elapsed_s = self.budget, self.elapsed_s
        proposals: list[Proposal] = []
        asked = dict(self._members)  # without those that have nothing left to propose
        while len(proposals) < count and asked:
            choosing = self._choosing()
            ready = [name for name in asked if name in choosing or self._due[name] >= self._whole_cost(1)]
            name = max(ready or asked, key=self._due.__getitem__)
            found = next(iter(asked[name].suggest(1)), None)
            if found is None:
                del asked[name]
                continue
            if proposal := self._own(found, name):
                self._charge(name, proposal)
                proposals.append(proposal)
                for strategy in self._members.values():
                    strategy.update([], [*self._running, *proposals])
        return proposals

    def _charge(self, name: str, proposal: Proposal | Evaluation) -> None:
        """Note who asked for what; a resumed search hears of it only once it is finished."""
        if proposal.key not in self._charged:
            self._charged.add(proposal.key)
            cost = self._paid_for(proposal)
            for member, share in self.shares.items():
                self._due[member] += cost * (share - (member == name))

    def _paid_for(self, proposal: Proposal | Evaluation) -> float:
        """Note that a proposal is paid for; what that still takes (1 where evaluations cost nothing at all)."""
        family, fidelity = self.problem.family(proposal.design), proposal.fidelity or 1
        reached = self._reached.get(family)
        self._reached[family] = max(fidelity, reached or 0)
        if self.problem.cost(proposal.fidelity) == 0:
            return 1.0
        return 0.0 if reached == fidelity else self.problem.remaining_cost(proposal.fidelity, reached)

    def _own(self, found: Proposal, name: str) -> Proposal | None:
        """A member's proposal with its name, unless another one made the same."""
        if found.key in self._taken:
            self.repeats += 1
            return None
        self._taken.add(found.key)
        return replace(found, strategy=name)
