"""Who found what: the part that each strategy of a search has in its front, and how the shares of a portfolio moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from explorer.archive import Archive
from explorer.evaluation import Evaluation
from explorer.strategies.portfolio import Portfolio

__all__ = ["Contribution", "Shares", "WhoFound", "contributions", "shares_history"]


@dataclass(frozen=True)
class Contribution:
    """Of one strategy.

    Args:
        strategy: its name; ``initial`` for the designs of the search file.
        evaluations, cost: of its proposals, in units of the fidelity; repeats that confirm are left out.
        found: designs on the front that it proposed or that are of a family that it proposed to train.
        lost: share of the front's hypervolume that no other strategy's designs cover.
    """

    strategy: str
    evaluations: int
    cost: float
    found: int
    lost: float


@dataclass(frozen=True)
class Shares:
    """How a portfolio shares out its cost at some moment.

    Args:
        cost: paid so far, in units of the fidelity.
        of: share of what is spent next, by member.
    """

    cost: float
    of: Mapping[str, float]


@dataclass(frozen=True)
class WhoFound:
    """Who found what in a portfolio's search.

    Args:
        contributions: of each strategy.
        history: of the members' shares.
    """

    contributions: Sequence[Contribution]
    history: Sequence[Shares]


def contributions(archive: Archive) -> list[Contribution]:
    """Of every strategy that proposed something, the one that would be missed most first.

    Args:
        archive: all evaluations and their front.
    """
    evaluations = _searched(archive.evaluations)
    names = list(dict.fromkeys(evaluation.strategy for evaluation in evaluations))
    whole = archive.hypervolume or 1.0
    found = []
    for name in names:
        own = [evaluation for evaluation in evaluations if evaluation.strategy == name]
        others = archive.front.matrix[[point.strategy != name for point in archive.front]]
        found.append(
            Contribution(
                name,
                len(own),
                sum(evaluation.cost for evaluation in own),
                len(archive.front) - len(others),
                1 - archive.scale.hypervolume(others) / whole if len(archive.front) else 0.0,
            )
        )
    return sorted(found, key=lambda one: -one.lost)


def shares_history(portfolio: Portfolio, evaluations: Sequence[Evaluation]) -> list[Shares]:
    """How the shares of a portfolio's members moved, from before the first evaluation on.

    Args:
        portfolio: that knows of no evaluation yet.
        evaluations: of the search, in order of arrival.
    """
    cost, found = 0.0, [Shares(0.0, portfolio.shares)]
    for evaluation in _searched(evaluations):
        portfolio.update([evaluation], [])
        cost += evaluation.cost
        found.append(Shares(cost, portfolio.shares))
    return found


def _searched(evaluations: Iterable[Evaluation]) -> list[Evaluation]:
    """Without replicates and derived members of families."""
    return [e for e in evaluations if e.replicate == 0 and not e.derived_from]
