"""Do conclusions survive if an assumption is wrong? Each is moved to both ends of its likely range, one at a time, and
each setting of which a simulator declares alternatives to each of them.

Three questions: which designs stay on the front; which conclusions turn round, and at which value; how much each
assumption moves the objectives of one design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.outline import ObjectiveInfo
from explorer.rivals import ROUNDING, Rivals, Verdict
from explorer.simulator_problem import SimulatorProblem
from explorer.worlds import Settings, Shift, World, flips_at, possible_shifts, world
from simulators.protocol import Design, InputError

__all__ = ["Effect", "Flip", "Regrouping", "Sensitivity", "Survivor", "Turn", "sensitivity", "turns"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Survivor:
    """A design of the front as it stands.

    Args:
        design: the design.
        values: its objectives as it stands.
        kept: in how many worlds it is on the front.
        lost: the worlds in which it is not, such as ``gpu_layer_power_w = 24 W``.
    """

    design: Design
    values: tuple[float, ...]
    kept: int
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Flip:
    """A conclusion that turns round.

    Args:
        shift: the assumption or setting.
        end: the end of its range at which it has turned, or the setting's other value.
        at: the value at which it turns.
        was, becomes: the conclusion in words, before and after.
    """

    shift: Shift
    end: Any
    at: Any
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.when}: {self.was}; then: {self.becomes}"

    @property
    def when(self) -> str:
        """At which value, in words."""
        text = self.shift.text
        if self.shift.assumption is None:
            return f"with {self.shift.name} = {text(self.end)}"
        way = "falls" if self.end < self.shift.standing else "rises"
        return (
            f"once {self.shift.name} {way} to {text(self.at)} (it stands at {text(self.shift.standing)} and may be "
            f"{text(self.end)})"
        )


@dataclass(frozen=True)
class Turn:
    """All conclusions that turn round at one value.

    Args:
        when: at which value, in words.
        flips: with what becomes of them, those with the same together.
    """

    when: str
    flips: Mapping[str, tuple[Flip, ...]]

    def __str__(self) -> str:
        lines = (f"{'; '.join(one.was for one in flips)}; then: {becomes}" for becomes, flips in self.flips.items())
        return "\n  ".join([f"{self.when}:", *lines])


def turns(flips: Sequence[Flip]) -> list[Turn]:
    """Conclusions that turn round, by the value at which they do."""
    found: dict[str, dict[str, tuple[Flip, ...]]] = {}
    for flip in flips:
        at = found.setdefault(flip.when, {})
        at[flip.becomes] = (*at.get(flip.becomes, ()), flip)
    return [Turn(when, together) for when, together in found.items()]


@dataclass(frozen=True)
class Regrouping:
    """A world in which groups have other best designs.

    Args:
        world: such as ``gpu_layer_power_w = 24 W``.
        counts: of groups, for each objective that spans the front.
    """

    world: str
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Effect:
    """What an assumption or a setting changes of one design.

    Args:
        shift: the assumption or setting.
        changes: for each of its ends, per objective the relative change; NaN where there is no value then.
    """

    shift: Shift
    changes: tuple[tuple[float, ...], ...]

    def largest(self, objective: int) -> float:
        """The largest relative change of an objective, without sign; infinite where there is no value then."""
        return max(np.inf if np.isnan(change[objective]) else abs(change[objective]) for change in self.changes)


@dataclass(frozen=True)
class Sensitivity:
    """What depends on assumptions.

    Args:
        objectives: those that are computed.
        of_front: those that span the front.
        worlds: how many were looked at.
        survivors: the front as it stands.
        flips: conclusions that turn round.
        conclusions: how many were looked at.
        design: whose effects are told.
        effects: of everything that changes something.
        idle: what changes nothing.
        notes: worlds that could not be had.
        groups: how many have a front each; 0: there is one front.
        regroupings: worlds in which some of them have other best designs.
        steady: how many groups keep their best designs in all worlds.
    """

    objectives: tuple[ObjectiveInfo, ...]
    of_front: tuple[ObjectiveInfo, ...]
    worlds: int
    survivors: tuple[Survivor, ...]
    flips: tuple[Flip, ...]
    conclusions: int
    design: Design
    effects: tuple[Effect, ...]
    idle: tuple[Shift, ...]
    notes: tuple[str, ...] = ()
    groups: int = 0
    regroupings: tuple[Regrouping, ...] = ()
    steady: int = 0

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; null where there is no value."""
        names = [objective.name for objective in self.objectives]
        return {
            "worlds": self.worlds,
            "conclusions": self.conclusions,
            "front": [
                {
                    **one.design.to_json(),
                    **dict(zip((objective.name for objective in self.of_front), one.values, strict=True)),
                    "kept": one.kept, "lost": list(one.lost),
                }
                for one in self.survivors
            ],
            "flips": [
                {
                    **one.shift.key, "standing": one.shift.standing,
                    "end": one.end, "at": one.at, "was": one.was, "becomes": one.becomes,
                }
                for one in self.flips
            ],
            "groups": self.groups,
            "steady": self.steady,
            "regroupings": [
                {"world": one.world, **dict(zip((o.name for o in self.of_front), one.counts, strict=True))}
                for one in self.regroupings
            ],
            "design": self.design.to_json(),
            "effects": [
                {
                    **one.shift.key, "standing": one.shift.standing,
                    "value": end,
                    **{name: c if np.isfinite(c) else None for name, c in zip(names, change, strict=True)},
                }
                for one in self.effects
                for end, change in zip(one.shift.ends, one.changes, strict=True)
            ],
            "idle": [one.name for one in self.idle],
        }  # fmt: skip


def sensitivity(
    problem: SimulatorProblem,
    settings: Settings,
    rivals: Rivals,
    initial: Sequence[Design],
    design: Design | None = None,
    listener: Callable[[int, int], None] | None = None,
) -> Sensitivity:
    """Move every assumption to both ends of its likely range, every setting to its alternatives: what changes?

    Args:
        problem: as it stands.
        settings: of each simulator, as the problem has them.
        rivals: the front as it stands and who competes for it.
        initial: the designs that conclusions are about.
        design: whose effects are told; by default the first initial one, else the first of the front.
        listener: hears how many worlds are done, and how far it is in the next one.

    Raises:
        InputError: there is nothing to move, or nothing is computed of the design.
    """
    objectives = tuple(objective for objective in problem.objectives if objective.cheap)
    shifts = possible_shifts(problem, settings)
    chosen = design or (initial[0] if initial else rivals.designs[0])
    stands = rivals.verdict(problem)
    looks = _Looks(problem, settings, objectives, tuple(initial), rivals)
    kept = np.zeros(len(rivals.designs), dtype=int)
    lost: list[list[str]] = [[] for _ in rivals.designs]
    flips: list[Flip] = []
    effects: list[Effect] = []
    idle: list[Shift] = []
    notes: list[str] = []
    regroupings: list[Regrouping] = []
    turned: NDArray[np.bool_] = np.any(stands.turned, axis=1)
    worlds = 0
    base = _objectives_of(problem, objectives, [chosen])[0]
    if not np.isfinite(base).all():
        reason = problem.why_infeasible(chosen)
        raise InputError(f"{problem.space.describe(chosen)} cannot be evaluated ({reason}): choose another", "design")
    for shift in shifts:
        changes, moved = [], False
        for end in shift.ends:
            try:
                there = world(problem, settings, shift, end)
                verdict = rivals.verdict(there.problem, partial(listener, worlds) if listener else None)
            except InputError as error:
                notes.append(f"{shift.name} cannot be moved to {shift.text(end)}: {error}")
                changes.append((np.nan,) * len(objectives))
                continue
            worlds += 1
            kept += verdict.standing
            for row in np.flatnonzero(~verdict.standing):
                lost[row].append(there.text)
            if verdict.turned.any():
                regroupings.append(Regrouping(there.text, tuple(verdict.turned.sum(axis=0).tolist())))
                turned |= np.any(verdict.turned, axis=1)
            found = list(looks.flips(there, stands, verdict))
            flips += found
            values = _objectives_of(there.problem, objectives, [chosen])[0]
            changes.append(tuple(_relative(value, before) for value, before in zip(values, base, strict=True)))
            moved = moved or bool(found) or not verdict.standing.all() or not _same(verdict.values, stands.values)
        if moved or any(change != 0 for row in changes for change in row):
            effects.append(Effect(shift, tuple(changes)))
        else:
            idle.append(shift)
    survivors = tuple(
        Survivor(one, tuple(values), int(count), tuple(worlds_lost))
        for one, values, count, worlds_lost in zip(rivals.designs, stands.values.tolist(), kept, lost, strict=True)
    )
    return Sensitivity(
        objectives, rivals.objectives, worlds, survivors, tuple(flips), looks.count(stands), chosen, tuple(effects),
        tuple(idle), tuple(notes), len(turned), tuple(regroupings), int(np.sum(~turned)),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Looks:
    """The conclusions that are looked at in every world."""

    problem: SimulatorProblem
    settings: Settings
    objectives: tuple[ObjectiveInfo, ...]
    initial: tuple[Design, ...]
    rivals: Rivals

    def count(self, stands: Verdict) -> int:
        """How many conclusions there are."""
        pairs = len(self.initial) * (len(self.initial) - 1) // 2
        return pairs * len(self.objectives) + len(self.initial) + len(stands.best)

    def flips(self, there: World, stands: Verdict, verdict: Verdict) -> Iterator[Flip]:
        """The conclusions that are others in a world."""
        for design in self.initial:
            yield from self._possible(there, f"{self._name(design)} can be evaluated", design)
        for objective in self.objectives:
            for pair in combinations(self.initial, 2):
                order = partial(self._better, objective=objective, pair=pair)
                before, after = order(self.problem), order(there.problem)
                if before is not None and after is not None and before != after:
                    was, becomes = (self._told(objective, pair, found) for found in (before, after))
                    _, value = self._flips_at(there, partial(_is_one_of, order, (before, None)))
                    yield Flip(there.shift, there.value, value, was, becomes.partition(": ")[2])
        for at, (objective, old) in enumerate(zip(self.rivals.objectives, stands.best, strict=False)):
            new = verdict.best[at].design if verdict.best else old.design
            if objective.cheap and not self._unbeaten(there.problem, objective, old.design, new):
                yield self._dethroned(there, at, old.design, new)

    def _dethroned(self, there: World, number: int, old: Design, new: Design) -> Flip:
        """The first value at which a design is the best no more, and why.

        Args:
            there: a world in which it is not.
            number: of the objective among those that span the front.
            old: the best as it stands.
            new: the best there. Where that is quick, every design is asked whether it beats the old one before.
        """
        objective, end = self.rivals.objectives[number], there.value
        while True:
            unbeaten = partial(self._unbeaten, objective=objective, old=old, new=new)
            before, value = self._flips_at(there, unbeaten)
            if before == there.shift.standing or not self.rivals.quick:
                break
            earlier = world(self.problem, self.settings, there.shift, before)
            best = self.rivals.best(earlier.problem)
            if not best or self._unbeaten(earlier.problem, objective, old, best[number].design):
                break
            new, there = best[number].design, earlier
        found = world(self.problem, self.settings, there.shift, value).problem
        possible = _feasible(found, old)
        becomes = f"{self._name(new)} beats it" if possible else f"cannot be evaluated ({found.why_infeasible(old)})"
        return Flip(there.shift, end, value, f"{objective.name}: the best is {self._name(old)}", becomes)

    def _unbeaten(self, problem: SimulatorProblem, objective: ObjectiveInfo, old: Design, new: Design) -> bool:
        """Whether the old best can be evaluated, and the new one cannot or is no better."""
        return _feasible(problem, old) and not (
            _feasible(problem, new) and self._better(problem, objective, (old, new)) == -1
        )

    def _possible(self, there: World, was: str, design: Design) -> Iterator[Flip]:
        """A flip if a design can be evaluated in one of the two only."""
        before, after = _feasible(self.problem, design), _feasible(there.problem, design)
        if before == after:
            return
        _, at = self._flips_at(there, lambda found: _feasible(found, design) == before)
        reason = (there.problem if before else self.problem).why_infeasible(design)
        if before:
            yield Flip(there.shift, there.value, at, was, f"cannot be evaluated ({reason})")
        else:
            was = f"{self._name(design)} cannot be evaluated ({reason})"
            yield Flip(there.shift, there.value, at, was, "can")

    def _flips_at(self, there: World, same: Callable[[SimulatorProblem], bool]) -> tuple[Any, Any]:
        """The values between which what is as it stands is so no more, as in a world."""

        def holds(value: float) -> bool:
            return same(world(self.problem, self.settings, there.shift, value).problem)

        return flips_at(holds, there.shift, there.value)

    def _name(self, design: Design) -> str:
        return self.problem.space.describe(design)

    def _better(self, problem: SimulatorProblem, objective: ObjectiveInfo, pair: tuple[Design, Design]) -> int | None:
        """1: the first is better, -1: the second, 0: they are equal; None where one has no value."""
        one, other = _objectives_of(problem, [objective], pair)[:, 0] * objective.sign
        if not np.isfinite([one, other]).all():
            return None
        return 0 if abs(one - other) <= ROUNDING * max(abs(one), abs(other)) else 1 if one > other else -1

    def _told(self, objective: ObjectiveInfo, pair: tuple[Design, Design], order: int) -> str:
        first, second = (self._name(design) for design in pair)
        if order == 0:
            return f"{objective.name}: {first} and {second} are equal"
        better, worse = (first, second) if order > 0 else (second, first)
        return f"{objective.name}: {better} beats {worse}"


def _is_one_of(
    order: Callable[[SimulatorProblem], object], orders: Sequence[object], problem: SimulatorProblem
) -> bool:
    return order(problem) in orders


def _feasible(problem: SimulatorProblem, design: Design) -> bool:
    return bool(problem.known(problem.space.designs([design])).feasible[0])


def _objectives_of(problem: SimulatorProblem, objectives: Sequence[ObjectiveInfo], designs: Sequence[Design]) -> Array:
    """Cheap objectives, shape (designs, objectives); NaN where there is no value."""
    known: Mapping[str, Array] = problem.known(problem.space.designs(designs)).objectives
    return np.stack([known[objective.name] for objective in objectives], axis=1)


def _relative(value: float, before: float) -> float:
    """The relative change; one that is rounding only is none."""
    if not (np.isfinite(value) and np.isfinite(before)):
        return float("nan")
    change = (value - before) / abs(before) if before else float(np.sign(value - before) * np.inf) if value else 0.0
    return 0.0 if abs(change) <= ROUNDING else float(change)


def _same(values: Array, before: Array) -> bool:
    return bool(np.allclose(values, before, rtol=ROUNDING, atol=0.0, equal_nan=True))
