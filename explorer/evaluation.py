"""What crosses the border between a strategy and the workers: proposals go down, evaluations come back."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from explorer.failures import Attempt, FailureKind
from simulators.protocol import Bits, Design

__all__ = ["Evaluation", "Proposal", "digest_of"]


@dataclass(frozen=True)
class Proposal:
    """A design to be evaluated at a fidelity.

    Args:
        design: the design.
        fidelity: how thoroughly; None where the problem has no fidelity.
        replicate: repeats of the same evaluation, with another seed each.
        strategy: who proposed it.
    """

    design: Design
    fidelity: int | None = None
    replicate: int = 0
    strategy: str = ""

    @property
    def key(self) -> str:
        """Tells evaluations apart: the same key is never evaluated twice in a study."""
        return json.dumps([self.design.to_json(), self.fidelity, self.replicate], sort_keys=True)


@dataclass(frozen=True)
class Evaluation:
    """One design at one fidelity: what came out, what it cost, or why it failed.

    Args:
        design, fidelity, replicate, strategy: of the proposal.
        family: name of the design's family.
        seed: everything random followed from it.
        values: the objectives; empty if it failed.
        quantities: the reports' other totals.
        violation: distance from satisfying the constraints on outcomes; 0 if it does.
        series: curves such as ``accuracy`` after each epoch.
        cost: what was paid now, in units of the fidelity. What a training had paid when it was killed is in no
            evaluation's cost: the one that goes on from its checkpoint pays the rest only.
        failure: why it failed; empty if it did not.
        kind: the same in one of a few words; None if it did not fail, or was written before there were kinds.
        traceback: where it failed.
        started_at: seconds since 1970, by the clock of the driver.
        duration_s: how long it took, earlier attempts left out.
        worker: who ran it: address and process.
        node: Ray's identifier of the node where it ran.
        earlier: attempts at it that failed before.
        derived_from: key of the evaluation that this member of a family follows from; empty if it was run.
        provenance: what its results depend on and only its worker knows, such as the kind of machine.
        number: of the evaluation in its study, in order of arrival from 1 on; for a derived one, of the evaluation that
            it follows from. Not kept: the store counts when it is read; 0 where nobody has counted.
    """

    design: Design
    family: str
    fidelity: int | None = None
    replicate: int = 0
    strategy: str = ""
    seed: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    quantities: Mapping[str, float] = field(default_factory=dict)
    violation: float = 0.0
    series: Mapping[str, list[float]] = field(default_factory=dict)
    cost: float = 0.0
    failure: str = ""
    kind: FailureKind | None = None
    traceback: str = ""
    started_at: float = 0.0
    duration_s: float = 0.0
    worker: str = ""
    node: str = ""
    earlier: tuple[Attempt, ...] = ()
    derived_from: str = ""
    provenance: Mapping[str, str] = field(default_factory=dict)
    number: int = field(default=0, compare=False)

    @property
    def key(self) -> str:
        """See :attr:`Proposal.key`."""
        return Proposal(self.design, self.fidelity, self.replicate).key

    @property
    def digest(self) -> str:
        """SHA-256 of the key: a name of it in every study, of which people write the beginning."""
        return digest_of(self.key)

    @property
    def failed(self) -> bool:
        """Whether there are no values, or some that are no finite numbers."""
        return bool(self.failure) or not all(map(math.isfinite, self.values.values()))

    @property
    def feasible(self) -> bool:
        """Finished, and every constraint is satisfied."""
        return not self.failed and self.violation == 0.0

    def by(self, worker: str) -> Evaluation:
        """The same evaluation with the name of the worker that ran it."""
        return replace(self, worker=worker)

    def proposed_by(self, strategy: str) -> Evaluation:
        """The same evaluation with the name of the strategy that proposed it."""
        return replace(self, strategy=strategy)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values (the design's bit vectors as strings)."""
        return {
            **{name: value for name, value in vars(self).items() if name != "number"},
            "earlier": [asdict(attempt) for attempt in self.earlier],
            "design": self.design.to_json(),
            "violation": _json_number(self.violation),
            "series": {name: [_json_number(value) for value in values] for name, values in self.series.items()},
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any], bits: frozenset[str]) -> Evaluation:
        """Read back what :meth:`to_json` wrote.

        Args:
            row: the JSON object.
            bits: names of the variables that are binary vectors.
        """
        design = Design({name: Bits(value) if name in bits else value for name, value in row["design"].items()})
        violation = math.inf if row["violation"] is None else row["violation"]
        series = {
            name: [math.nan if value is None else value for value in values] for name, values in row["series"].items()
        }
        kind = FailureKind(row["kind"]) if row.get("kind") else None
        earlier = tuple(
            Attempt(**{**attempt, "kind": FailureKind(attempt["kind"])}) for attempt in row.get("earlier", ())
        )
        read = {"design": design, "violation": violation, "series": series, "kind": kind, "earlier": earlier}
        return cls(**{**row, **read})


def digest_of(key: str) -> str:
    """A name of bounded length for a key: 64 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def _json_number(value: float) -> float | None:
    """JSON has no NaN and no infinity: PostgreSQL would not take them."""
    return value if math.isfinite(value) else None
