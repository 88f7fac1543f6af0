"""What a simulator returns: reports, and views for people."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulators.protocol.simulator import Workload
    from simulators.protocol.variables import Designs

__all__ = ["Field", "LazyColumns", "Maps", "ModelFile", "Quantity", "Report", "Table", "Text", "View"]


@dataclass(frozen=True)
class Field:
    """One number of a report.

    Args:
        unit: SI; ``mm2`` for areas.
        meaning: one line.
        repeats: whether the same call gives the same number again; not so a time that was measured, or what hangs on
            what was paid before.
    """

    unit: str
    meaning: str
    repeats: bool = True


class LazyColumns(Mapping[str, "NDArray[Any]"]):
    """Arrays by name, each computed when it is first read: totals of which some cost more than all others together.

    Args:
        names: of all arrays, in their order.
        compute: of a name its array.
    """

    def __init__(self, names: Iterable[str], compute: Callable[[str], NDArray[Any]]) -> None:
        self._computed: dict[str, NDArray[Any] | None] = dict.fromkeys(names)
        self._compute = compute

    def __getitem__(self, name: str) -> NDArray[Any]:
        found = self._computed[name]
        if found is None:
            found = self._computed[name] = self._compute(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._computed)

    def __len__(self) -> int:
        return len(self._computed)

    def __contains__(self, name: object) -> bool:
        return name in self._computed

    def __reduce__(self) -> tuple[type[dict[str, NDArray[Any]]], tuple[dict[str, NDArray[Any]]]]:
        return dict, (dict(self),)  # what is sent elsewhere is complete


@dataclass(frozen=True, eq=False)
class Report:
    """What a simulator says of a batch of designs.

    Totals are read as attributes: ``report.latency_s``.

    Args:
        totals: per field an array of shape (count,), SI units in the name (``energy_j``, ``area_mm2``).
        infeasible: per reason a mask of shape (count,). A reason is a format string over the totals:
            ``needs {crossbars_needed:.0f} crossbars, has {crossbars_available:.0f}``.
        layers: names of the network's layers, the columns of ``by_layer``.
        by_layer: per quantity an array of shape (count, len(layers)).
        by_component: per quantity and component an array of shape (count,); components sum to the total.
        series: curves of one design, such as ``accuracy`` after each epoch.
        provenance: what the numbers depend on and is known only where they are made, such as the kind of machine.
    """

    totals: Mapping[str, NDArray[np.float64]]
    infeasible: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    layers: Sequence[str] = ()
    by_layer: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    by_component: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    series: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> NDArray[np.float64]:
        if name.startswith("_") or name == "totals":  # unpickling asks before ``totals`` is there
            raise AttributeError(name)
        try:
            return self.totals[name]
        except KeyError:
            from simulators.protocol.discovery import suggestion

            raise AttributeError(f"no field '{name}' in this report{suggestion(name, self.totals)}") from None

    @property
    def count(self) -> int:
        """Number of designs."""
        return len(next(iter(self.totals.values())))

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Which designs can be built, shape (count,)."""
        feasible = np.ones(self.count, dtype=bool)
        for mask in self.infeasible.values():
            feasible &= ~mask
        return feasible

    def reason(self, index: int = 0) -> str:
        """Why design ``index`` cannot be built; empty where it can."""
        reasons = [text for text, mask in self.infeasible.items() if mask[index]]
        named = {name for text in reasons for _, name, _, _ in string.Formatter().parse(text) if name}
        numbers = {name: float(self.totals[name][index]) for name in named}
        return "; ".join(text.format(**numbers) for text in reasons)

    def row(self, index: int = 0) -> dict[str, float]:
        """The totals of one design as plain floats."""
        return {name: float(values[index]) for name, values in self.totals.items()}


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A trained network as a file, with what is needed to build it again.

    Args:
        content: of the file.
        report: of its training, as the simulator gives it; ``paid`` is what was trained for the file.
        reader: how it is read, in a few words.
    """

    content: bytes
    report: Report
    reader: str


@dataclass(frozen=True)
class Quantity:
    """A cell of a table: people see it in a unit of its size, programs get ``value`` as it stands.

    Args:
        value: the number; NaN where there is none.
        unit: SI (``mm2`` for areas), ``fraction`` (shown in percent), or empty for counts.
    """

    value: float
    unit: str


@dataclass(frozen=True)
class Table:
    """A view's table; cells are text, counts or :class:`Quantity` s.

    Column titles are the keys of ``--format json``: those of quantities name the SI unit as fields do (``area_mm2``).
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Text:
    """A view's plain text: a listing, a schedule."""

    title: str
    body: str


@dataclass(frozen=True, eq=False)
class Maps:
    """A view's picture: quantities over a plane, one map beside the other, all on one scale.

    Args:
        title: what is seen.
        panels: per map its name and an array of shape (rows, columns); NaN where there is nothing.
        quantity: what the numbers are; ends in its SI unit where it has one.
        unit: of the numbers, as in :class:`Quantity`.
        axes: what rows and columns are.
        notes: lines below.
    """

    title: str
    panels: Mapping[str, NDArray[np.float64]]
    quantity: str
    unit: str
    axes: tuple[str, str]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class View:
    """A named look at one design: ``rex simulate NAME --view VIEW``."""

    name: str
    meaning: str
    render: Callable[[Designs, Workload], Table | Text | Maps]
