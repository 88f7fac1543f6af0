"""What a strategy has seen of families: values at fidelities, how far trainings got, what runs and what failed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from explorer.evaluation import Evaluation, Proposal
from explorer.problem import Problem
from explorer.strategies.unit_encoding import UnitEncoding
from simulators.protocol import Designs

__all__ = ["FamilyRecord", "Observations"]

Array = NDArray[np.float64]


@dataclass(eq=False)
class FamilyRecord:
    """One family.

    Args:
        own: the variables that its evaluations read, one row.
        point: the same as coordinates, shape (dimensions,).
        finished: the highest fidelity that an evaluation finished at; 0 for none.
        running: the highest fidelity that runs; 0 for none.
        failed: whether an evaluation failed.
    """

    own: Designs
    point: Array
    finished: int = 0
    running: int = 0
    failed: bool = False

    @property
    def reached(self) -> int:
        """The highest fidelity that is or will be known."""
        return max(self.finished, self.running)


class Observations:
    """Everything that is known of a problem's families.

    Where an evaluation brings the curve of an objective, its values on the way are observations too: a training of 12
    epochs tells what one of 4 would have told.

    Args:
        problem: whose families they are.
        encoding: of the variables that the expensive part reads.
        levels: fidelities of interest, ascending: of curves only these are kept.
    """

    def __init__(self, problem: Problem, encoding: UnitEncoding, levels: Sequence[int]) -> None:
        self.problem, self.levels = problem, tuple(levels)
        self._encoding = encoding
        self.families: dict[str, FamilyRecord] = {}
        self._finished: set[str] = set()  # families
        self._running: set[str] = set()
        # per objective, by family, replicate and fidelity; in the direction that is to be made large
        self._values: dict[str, dict[tuple[str, int, int], float]] = {o.name: {} for o in problem.expensive}

    def names(self, designs: Designs) -> list[str]:
        """A name for the family of each design (of which only the variables that make a family are looked at)."""
        return [row.tobytes().hex() for row in self._encoding.encode(designs)]

    def record(self, designs: Designs) -> FamilyRecord:
        """The family of a single design."""
        (name,) = self.names(designs)
        if name not in self.families:
            own = Designs({variable: designs[variable] for variable in self.problem.reads}, 1)
            self.families[name] = FamilyRecord(own, self._encoding.encode(own)[0])
        return self.families[name]

    def add(self, evaluation: Evaluation) -> None:
        """Take in a finished evaluation that was run."""
        designs = self.problem.space.designs([evaluation.design])
        record = self.record(designs)
        (name,) = self.names(designs)
        if evaluation.failed:
            record.failed = True
            self._finished.add(name)
            return
        last = evaluation.fidelity or 1
        if evaluation.replicate == 0:  # another replicate is another training
            record.finished = max(record.finished, last)
            self._finished.add(name)
        for objective in self.problem.expensive:
            found, value = self._values[objective.name], evaluation.values[objective.name]
            found[name, evaluation.replicate, last] = objective.sign * value
            curve = evaluation.series.get(objective.name, [])
            if len(curve) == last and curve[-1] == value:
                for level in self.levels:
                    if level < last and math.isfinite(curve[level - 1]):
                        found[name, evaluation.replicate, level] = objective.sign * curve[level - 1]

    def set_running(self, running: Sequence[Proposal]) -> None:
        """Say what runs now; what ran before does so no longer."""
        for name in self._running:
            self.families[name].running = 0
        self._running.clear()
        for proposal in running:
            self.start(proposal)

    def start(self, proposal: Proposal) -> None:
        """Say that one more evaluation runs."""
        if proposal.replicate == 0:
            designs = self.problem.space.designs([proposal.design])
            record = self.record(designs)
            record.running = max(record.running, proposal.fidelity or 1)
            self._running.update(self.names(designs))

    @property
    def started(self) -> int:
        """Number of families of which something is or will be known, failures included."""
        return len(self._finished | self._running)

    def data(self, objective: str, limit: int) -> tuple[Array, Array, Array]:
        """Coordinates (N x dimensions), fidelities (N,) and values (N,) of an objective.

        Of more than ``limit`` values, curves are thinned; what they end in is kept.
        """
        found, levels = self._values[objective], list(self.levels)
        ends: dict[tuple[str, int], int] = {}
        for name, replicate, fidelity in found:
            ends[name, replicate] = max(fidelity, ends.get((name, replicate), 0))
        while len(found) > limit and levels:
            levels = levels[1::2]
            found = {key: v for key, v in found.items() if key[2] in levels or key[2] == ends[key[0], key[1]]}
        points = np.array([self.families[name].point for name, _, _ in found])
        fidelities = np.array([fidelity for _, _, fidelity in found], dtype=np.float64)
        return points.reshape(-1, self._encoding.dimensions), fidelities, np.array(list(found.values()))
