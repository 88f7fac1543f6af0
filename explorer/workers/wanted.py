"""What a search asks of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, inf

from simulators.protocol import InputError

__all__ = ["Workers"]

LEAST = 1e-4  # of a resource: Ray counts it in these
RAYS_OWN = {"CPU", "GPU", "memory", "object_store_memory"}


@dataclass(frozen=True)
class Workers:
    """How many workers, what each needs, and how much patience there is with them.

    Args:
        count: number of workers; None: as many as the nodes have room for, whenever that changes.
        cpus, gpus: of each; a fraction of a GPU shares one.
        memory_bytes: of each: what Ray sets aside for it on its node, and the most that an evaluation may add to what
            its process has; None: no limit.
        resources: amounts of what nodes offer under names of their own.
        attempts: at an evaluation, before its design is given up.
        deadline_s: seconds an attempt may take; None: ten times as long as the slowest so far would have taken for its
            cost, ten minutes at least, from the fifth that ended on.
        patience_s: how long a search goes on without a single worker, while a cluster starts machines; None: five
            minutes, but none at all if no node there is has room for one.
        working_dir: folder of code that Ray brings to every node; None: nodes have what they need.

    Raises:
        InputError: something of it cannot be.
    """

    count: int | None = 1
    cpus: float = 1.0
    gpus: float = 0.0
    memory_bytes: int | None = None
    resources: Mapping[str, float] = field(default_factory=dict)
    attempts: int = 3
    deadline_s: float | None = None
    patience_s: float | None = None
    working_dir: str | None = None

    def __post_init__(self) -> None:
        amounts = {"cpus": self.cpus, **self.resources}
        for name, amount in amounts.items():
            if not LEAST <= amount < inf:
                raise InputError(f"{name} is {amount:g}; give at least {LEAST:g}", "workers")
        if not (self.gpus == 0 or LEAST <= self.gpus <= 1 or (self.gpus > 1 and self.gpus == self.gpus // 1)):
            raise InputError(f"gpus is {self.gpus:g}; give a part of one, or a whole number of them", "workers")
        for name in RAYS_OWN & self.resources.keys():
            raise InputError(f"resources holds {name}; write cpus, gpus and memory instead", "workers")
        if self.count is not None and self.count < 1:
            raise InputError(f"count is {self.count}; give a whole number from 1 up, or None for all", "workers")
        if self.attempts < 1:
            raise InputError(f"attempts is {self.attempts}; give 1 or more", "workers")

    @property
    def of_each(self) -> dict[str, float]:
        """What one worker takes of its node, by Ray's names of it."""
        amounts = {"CPU": self.cpus, "GPU": self.gpus, "memory": float(self.memory_bytes or 0), **self.resources}
        return {name: amount for name, amount in amounts.items() if amount > 0}

    def room_on(self, node: Mapping[str, float]) -> int:
        """How many workers a node has room for."""
        rooms = [node.get(name, 0.0) / amount for name, amount in self.of_each.items()]
        most = min(rooms, default=inf)
        return floor(most + 1e-9) if most < inf else 1
