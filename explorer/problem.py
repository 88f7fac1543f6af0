"""What is searched: a space, objectives, constraints, a fidelity, and what each objective reads.

A :class:`Problem` answers two questions. *Cheap*: what is known exactly of any number of designs at once
(:meth:`Problem.known`). *Expensive*: what one evaluation finds out (:meth:`Problem.evaluate`). Designs that agree in
every variable that the expensive part reads form a family: they share their expensive values.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation, Proposal
from explorer.failures import FailureKind
from explorer.outline import MEMBERS, ObjectiveInfo, Outline
from explorer.sampling import FeasibleDesigns
from explorer.space import Space, condition
from simulators.protocol import Design, Designs, Fidelity, InputError, LazyColumns, suggestion

__all__ = ["Known", "Measured", "Problem"]


@dataclass(frozen=True)
class Known:
    """What is known exactly of a batch of designs.

    Args:
        objectives: per cheap objective an array of shape (count,); NaN where the space's constraints are violated.
        fields: per field of a cheap report an array of shape (count,); NaN likewise.
        feasible: which designs can be built and satisfy every constraint that can be checked now, shape (count,).
        reason: why design ``i`` cannot be built; empty if it can.
    """

    objectives: Mapping[str, NDArray[np.float64]]
    fields: Mapping[str, NDArray[np.float64]]
    feasible: NDArray[np.bool_]
    reason: Callable[[int], str]

    def take(self, mask: NDArray[np.bool_]) -> Known:
        """What is known of the designs for which ``mask`` is true."""
        rows = np.flatnonzero(mask)
        return Known(
            {name: values[rows] for name, values in self.objectives.items()},
            LazyColumns(self.fields, lambda name: self.fields[name][rows]),
            self.feasible[rows],
            lambda index: self.reason(int(rows[index])),
        )

    def scattered(self, mask: NDArray[np.bool_]) -> Known:
        """The same as part of a larger batch: these are the designs for which ``mask`` is true, others infeasible."""
        position = np.cumsum(mask) - 1
        return Known(
            {name: _scattered(values, mask, np.nan) for name, values in self.objectives.items()},
            LazyColumns(self.fields, lambda name: _scattered(self.fields[name], mask, np.nan)),
            _scattered(self.feasible, mask, False),
            lambda index: self.reason(int(position[index])) if mask[index] else "",
        )

    def names(self, designs: Designs) -> Mapping[str, NDArray[Any]]:
        """Everything that an expression may name before an evaluation; an objective hides a field of its name."""
        layers = [self.objectives, self.fields, designs.columns]
        return LazyColumns(
            dict.fromkeys(name for layer in reversed(layers) for name in layer),
            lambda name: next(layer[name] for layer in layers if name in layer),
        )


def _scattered(values: NDArray[Any], mask: NDArray[np.bool_], fill: Any) -> NDArray[Any]:
    whole = np.full(len(mask), fill, dtype=values.dtype)
    whole[mask] = values
    return whole


@dataclass(frozen=True)
class Measured:
    """What the expensive part of an evaluation found.

    Args:
        objectives: the expensive objectives.
        fields: totals of the expensive reports.
        cost: what was paid now, in units of the fidelity.
        series: curves, such as ``accuracy`` after each epoch.
        provenance: what all that depends on and is known only where it was found.
    """

    objectives: Mapping[str, float]
    fields: Mapping[str, float]
    cost: float
    series: Mapping[str, list[float]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)


class ObjectiveError(Exception):
    """An objective could not be computed of what was measured; the cause is the exception's.

    Args:
        measured: what it was to be computed of, which is paid for.
    """

    def __init__(self, measured: Measured) -> None:
        super().__init__()
        self.measured = measured


class Problem(ABC):
    """The base of problems made from functions (:meth:`from_functions`) and from simulators.

    Args:
        space: the variables.
        objectives: at least one.
        constraints: expressions over variables, quantities and objectives; those over variables alone belong to the
            space, those over cheap quantities are checked before an evaluation, the others after it.
        fidelity: how thorough an evaluation may be; None if there is no choice.
        reads: variables that the expensive objectives read.
        seed: of the study; seeds of evaluations follow from it.
        units: unit of every quantity that expressions may name, beside variables and objectives.
        cheap_names: which of those quantities are known exactly before an evaluation.
        continues: whether an evaluation goes on from an earlier one of its family at a lower fidelity.

    Raises:
        InputError: a constraint cannot be read.
    """

    def __init__(
        self,
        space: Space,
        objectives: Sequence[ObjectiveInfo],
        *,
        constraints: Sequence[str] = (),
        fidelity: Fidelity | None = None,
        reads: Sequence[str] = (),
        seed: int = 0,
        units: Mapping[str, str] | None = None,
        cheap_names: Sequence[str] = (),
        continues: bool = False,
    ) -> None:
        if not objectives:
            raise InputError("a problem needs at least one objective", "objectives")
        for objective in objectives:
            if objective.name in space.variables:
                raise InputError(f"'{objective.name}' is a variable already; give it another name", "objectives")
        self.objectives = tuple(objectives)
        self.fidelity = fidelity
        self.seed = seed
        self.continues = continues
        self.cheap_names = tuple(cheap_names)
        self.reads = tuple(name for name in space.variables if name in set(reads))
        names: dict[str, str] = {
            **dict(units or {}),
            **{objective.name: objective.unit for objective in objectives},
            **space.units,
        }
        expensive = {objective.name for objective in objectives if not objective.cheap}  # they hide cheap quantities
        known = {*cheap_names, *space.variables, *(o.name for o in objectives)} - expensive
        parsed = [condition(text, names, space.lengths, "constraints") for text in constraints]
        of_space = [constraint for constraint in parsed if constraint.names <= set(space.variables)]
        self.space = Space(space.variables.values(), [*space.constraints, *of_space])
        rest = [constraint for constraint in parsed if constraint not in of_space]
        self.cheap_constraints = tuple(c for c in rest if c.names <= known)
        self.outcome_constraints = tuple(c for c in rest if not c.names <= known)
        self.outline = Outline(
            self.space,
            self.objectives,
            fidelity.name if fidelity else "",
            self.full_fidelity,
            self.outcome_constraints,
            names,
        )

    # -- what subclasses bring ----------------------------------------------------------------------------------

    @abstractmethod
    def quantities(self, designs: Designs) -> Known:
        """Cheap objectives and the fields of cheap reports; of constraints, only whether a design can be built."""

    @abstractmethod
    def measure(self, design: Design, fidelity: int | None, seed: int) -> Measured:
        """Run the expensive part for one design.

        Raises:
            ObjectiveError: it ran, but an objective could not be computed of it; anything else: it did not run.
        """

    # -- cheap --------------------------------------------------------------------------------------------------

    @property
    def expensive(self) -> tuple[ObjectiveInfo, ...]:
        """The objectives that an evaluation is needed for."""
        return tuple(objective for objective in self.objectives if not objective.cheap)

    @property
    def full_fidelity(self) -> int | None:
        """The fidelity that fronts are made of."""
        return self.fidelity.high if self.fidelity else None

    def known(self, designs: Designs) -> Known:
        """What is known exactly of designs, with every constraint that can be checked before an evaluation.

        Simulators and cheap functions are asked about designs that satisfy the space's constraints only.
        """
        allowed = self.space.satisfied(designs)
        if not allowed.any():
            nothing = np.full(len(designs), np.nan)
            cheap = [objective.name for objective in self.objectives if objective.cheap]
            return Known(dict.fromkeys(cheap, nothing), dict.fromkeys(self.cheap_names, nothing), allowed, lambda _: "")
        if not allowed.all():
            return self.known(designs.take(allowed)).scattered(allowed)
        found = self.quantities(designs)
        feasible = found.feasible.copy()
        for values in found.objectives.values():
            feasible &= np.isfinite(values)
        for constraint in self.cheap_constraints:
            feasible &= np.asarray(constraint.evaluate(found.names(designs)), dtype=bool)
        return Known(found.objectives, found.fields, feasible, found.reason)

    def sample(self, rng: np.random.Generator, count: int) -> Designs:
        """``count`` feasible designs, with repeats: drawn uniformly, or nearly so where feasible designs are rare.

        Raises:
            InputError: no feasible design was found; says which constraint is to blame.
        """
        return self._feasible.sample(rng, count)

    def check_feasible(self) -> None:
        """Make sure that there is a design to evaluate.

        Raises:
            InputError: nothing feasible was found; the message counts what each constraint leaves.
        """
        self._feasible.check()

    @cached_property
    def _feasible(self) -> FeasibleDesigns:
        return FeasibleDesigns(self)

    def cost(self, fidelity: int | None) -> float:
        """Price of an evaluation from the start, in units of the fidelity."""
        return float(fidelity or 1)

    def remaining_cost(self, fidelity: int | None, reached: int | None) -> float:
        """Price of an evaluation of a family that was evaluated at ``reached`` (None: at nothing): the difference,
        where evaluations go on from earlier ones."""
        if reached is None or not self.continues:
            return self.cost(fidelity)
        return max(0.0, self.cost(fidelity) - self.cost(reached))

    # -- families -----------------------------------------------------------------------------------------------

    def family(self, design: Design) -> str:
        """A name for the design's family: what the expensive part reads of it."""
        return json.dumps({name: design.to_json()[name] for name in self.reads}, separators=(",", ":"))

    @cached_property
    def others(self) -> Designs | None:
        """All choices of the variables that the expensive part does not read (a sample of them if there are many)."""
        space = self.space.subspace(set(self.space.variables) - set(self.reads))
        if space is None:
            return None
        if space.size <= MEMBERS:
            return space.at(range(space.size))
        return space.draw(np.random.default_rng(self.seed), MEMBERS)

    def members(self, design: Design) -> Designs:
        """The designs of a design's family, itself included; a sample if there are more than 200 000.

        Feasibility is not looked at.
        """
        others = self.others
        own = self.space.designs([design])
        if others is None:
            return own
        return others.with_columns({name: own[name] for name in self.reads})

    # -- expensive ----------------------------------------------------------------------------------------------

    def evaluation_seed(self, family: str, replicate: int) -> int:
        """The seed of an evaluation: a hash of the study's seed, the family and the replicate."""
        text = json.dumps([self.seed, family, replicate])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1  # 31 bits: fits every library

    def evaluate(self, proposal: Proposal) -> Evaluation:
        """Evaluate one proposal; whatever goes wrong inside becomes a failed evaluation with its reason."""
        started, clock = time.time(), time.perf_counter()
        family = self.family(proposal.design)
        seed = self.evaluation_seed(family, proposal.replicate)
        values: dict[str, float] = {}
        fields: dict[str, float] = {}
        measured = Measured({}, {}, 0.0)
        kind, reason, details = None, "", ""
        try:
            known = self.known(self.space.designs([proposal.design]))
            fields = {name: float(value[0]) for name, value in known.fields.items()}
            if not known.feasible[0]:
                kind, reason = FailureKind.INFEASIBLE, f"infeasible: {self.why_infeasible(proposal.design)}"
            else:
                measured = self.measure(proposal.design, proposal.fidelity, seed)
                fields.update(measured.fields)
                found = {**{name: float(value[0]) for name, value in known.objectives.items()}, **measured.objectives}
                values = {objective.name: found[objective.name] for objective in self.objectives}
                reason = _not_finite(values)
                kind = FailureKind.NOT_FINITE if reason else None
        except Exception as raised:
            error = raised
            if isinstance(raised, ObjectiveError) and isinstance(raised.__cause__, Exception):
                measured, error = raised.measured, raised.__cause__
                fields.update(measured.fields)
            told = str(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            kind, reason = _kind_of(error), (told.splitlines() or [type(error).__name__])[0][:500]
            details = traceback.format_exc()[-4000:]
        return Evaluation(
            design=proposal.design,
            family=family,
            fidelity=proposal.fidelity,
            replicate=proposal.replicate,
            strategy=proposal.strategy,
            seed=seed,
            values={} if reason else values,
            quantities={name: value for name, value in fields.items() if math.isfinite(value)},
            violation=0.0 if reason else self.outline.violation(proposal.design, {**fields, **values}),
            series=measured.series,
            cost=measured.cost,
            failure=reason,
            kind=kind,
            traceback=details,
            started_at=started,
            duration_s=time.perf_counter() - clock,
            provenance=measured.provenance,
        )

    def failed(
        self, proposal: Proposal, kind: FailureKind, failure: str, details: str = "", duration_s: float = 0.0
    ) -> Evaluation:
        """What becomes of a proposal whose evaluation ended without telling anything.

        Args:
            proposal: that was evaluated.
            kind, failure: why, in a word and in a line.
            details: a traceback, or what stands for it.
            duration_s: how long it took.
        """
        family = self.family(proposal.design)
        return Evaluation(
            design=proposal.design,
            family=family,
            fidelity=proposal.fidelity,
            replicate=proposal.replicate,
            strategy=proposal.strategy,
            seed=self.evaluation_seed(family, proposal.replicate),
            failure=failure,
            kind=kind,
            traceback=details[-4000:],
            duration_s=duration_s,
        )

    @property
    def varying(self) -> frozenset[str]:
        """Names of objectives, fields and curves that the same evaluation need not give again: times that are measured,
        and what was paid.
        """
        return frozenset()

    def why_infeasible(self, design: Design) -> str:
        """Why a design cannot be evaluated; empty if it can."""
        designs = self.space.designs([design])
        known = self.known(designs)
        allowed = self.space.satisfied(designs)[0]
        if allowed and (reason := known.reason(0) or _not_finite({n: v[0] for n, v in known.objectives.items()})):
            return reason
        constraints = self.cheap_constraints if allowed else self.space.constraints
        names = known.names(designs)
        return "; ".join(f"violates {c.text}" for c in constraints if not np.all(c.evaluate(names)))

    def derive(self, designs: Designs, known: Known, evaluation: Evaluation) -> dict[str, NDArray[np.float64]]:
        """Every objective of members of an evaluation's family, without running anything.

        Args:
            designs: members of the family.
            known: what :meth:`known` says of them.
            evaluation: a finished evaluation of one of the family.

        Returns:
            Per objective an array of shape (count,).
        """
        return {
            objective.name: np.asarray(known.objectives[objective.name])
            if objective.cheap
            else np.full(len(designs), evaluation.values[objective.name])
            for objective in self.objectives
        }

    def answer(self, design: Design, evaluation: Evaluation) -> Evaluation | None:
        """What evaluating a member of an evaluation's family finds, without running anything: it costs nothing.

        Args:
            design: the member.
            evaluation: finished; fidelity, replicate and seed are its own.

        Returns:
            None if the member cannot be evaluated.
        """
        designs = self.space.designs([design])
        known = self.known(designs)
        if not known.feasible[0]:
            return None
        values = {name: float(value[0]) for name, value in self.derive(designs, known, evaluation).items()}
        quantities = {**evaluation.quantities, **{name: float(value[0]) for name, value in known.fields.items()}}
        quantities = {name: value for name, value in quantities.items() if math.isfinite(value)}
        return replace(
            evaluation,
            design=design,
            values=values,
            quantities=quantities,
            violation=self.outline.violation(design, {**quantities, **values}),
            cost=0.0,
            failure=(reason := _not_finite(values)),
            kind=FailureKind.NOT_FINITE if reason else None,
            started_at=time.time(),
            duration_s=0.0,
            worker="",
            node="",
            earlier=(),
        )

    # -- from plain functions -----------------------------------------------------------------------------------

    @staticmethod
    def from_functions(
        space: Space,
        functions: Mapping[str, Callable[..., Any]],
        *,
        directions: Mapping[str, Literal["maximize", "minimize"]],
        cheap: Sequence[str] | set[str] = (),
        reads: Mapping[str, Sequence[str]] | None = None,
        fidelity: Fidelity | None = None,
        cost: Callable[[int], float] | None = None,
        constraints: Sequence[str] = (),
        units: Mapping[str, str] | None = None,
        seed: int = 0,
        continues: bool = False,
    ) -> Problem:
        """A problem made from plain functions.

        Args:
            space: the variables.
            functions: per objective ``design -> float`` or ``(design, fidelity) -> float``; a cheap one may also take
                a batch (``Designs`` to an array).
            directions: per objective ``maximize`` or ``minimize``.
            cheap: objectives that are known exactly and never modelled.
            reads: per expensive objective the variables that it reads (default: all). Designs that share all of them
                form a family.
            fidelity: how thorough an evaluation may be.
            cost: price of an evaluation at a fidelity (default: the fidelity itself, or 1).
            constraints: expressions over variables and objectives.
            units: unit per objective.
            seed: of the study.
            continues: whether an evaluation goes on from an earlier one of its family at a lower fidelity, so that only
                the difference is paid.

        Raises:
            InputError: names do not fit together.
        """
        from explorer.function_problem import FunctionProblem

        for what, names in (
            ("directions", directions),
            ("cheap", cheap),
            ("reads", reads or {}),
            ("units", units or {}),
        ):
            for name in names:
                if name not in functions:
                    raise InputError(f"'{name}' is not an objective{suggestion(name, functions)}", what)
        for name in functions:
            if directions.get(name) not in ("maximize", "minimize"):
                raise InputError(f"say maximize or minimize for '{name}', not {directions.get(name)!r}", "directions")
        return FunctionProblem(
            space, functions, directions=directions, cheap=set(cheap), reads=reads or {}, fidelity=fidelity, cost=cost,
            constraints=constraints, units=units or {}, seed=seed, continues=continues,
        )  # fmt: skip


def _kind_of(error: BaseException | None) -> FailureKind:
    """The kind of an exception: that of the first of its causes that tells it."""
    while error is not None:
        of_torch = "can't allocate memory" in str(error) or type(error).__name__ == "OutOfMemoryError"
        if isinstance(error, MemoryError) or of_torch:
            return FailureKind.OUT_OF_MEMORY
        if isinstance(error, OSError):
            return FailureKind.SYSTEM_ERROR
        error = error.__cause__
    return FailureKind.EXCEPTION


def _not_finite(values: Mapping[str, float]) -> str:
    """What to say of values that are no numbers; empty if all are."""
    wrong = [f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)]
    return "not finite: " + ", ".join(wrong) if wrong else ""
