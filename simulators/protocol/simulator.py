"""The simulator itself: hardware simulators are cheap, exact and vectorised; training simulators are expensive."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from simulators.protocol.errors import InputError
from simulators.protocol.folders import Folder
from simulators.protocol.reports import Field, ModelFile, Report, View
from simulators.protocol.user_files import is_in_file, read_user_file
from simulators.protocol.variables import Design, Designs, Variable

if TYPE_CHECKING:
    from simulators.protocol.assumptions import Assumption, Assumptions

__all__ = ["Fidelity", "HardwareSimulator", "Simulator", "TrainingSimulator", "ValidationCase", "Workload"]


@dataclass(frozen=True)
class Workload:
    """The full-size network and its data set.

    Args:
        network: name of a network (``rex list networks``), or ``FILE.py:FUNCTION`` of a user's file that builds one.
        dataset: name of a data set; it fixes input size, channels and classes unless they are given.
        mode: ``training`` (forward, backward and weight gradients) or ``inference``.
        input_size: height and width of the (square) input.
        classes: number of classes.
        options: the network's own options, such as ``stem: imagenet`` or ``head: classic``.
        source: the text of the user's file (:meth:`with_source`).
    """

    network: str
    dataset: str = "cifar10"
    mode: Literal["training", "inference"] = "training"
    input_size: int | None = None
    classes: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    source: str = field(default="", repr=False)

    def with_source(self, folder: Path) -> Workload:
        """The same with the text of the user's file, if ``network`` names one: workers may run where the file is not.

        Args:
            folder: relative files are looked for here.

        Raises:
            InputError: there is no such file.
        """
        if self.source or not is_in_file(self.network):
            return self
        try:
            return replace(self, source=read_user_file(self.network, folder, "network"))
        except InputError as error:
            raise error.under("workload.network") from None

    def __str__(self) -> str:
        options = "".join(f", {name} {value}" for name, value in self.options)
        return f"{self.network} on {self.dataset}{options}, {self.mode}"


@dataclass(frozen=True)
class Fidelity:
    """How thorough an expensive evaluation is: an integer number of ``name`` (epochs) from ``low`` to ``high``."""

    name: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not (isinstance(self.low, int) and isinstance(self.high, int) and 1 <= self.low <= self.high):
            allowed = "must be whole numbers from at least 1 up, the lower one first"
            raise InputError(f"{self.name} {allowed}, got {self.low} to {self.high}", "fidelity")

    def parse(self, value: object) -> int:
        """``value`` as a fidelity.

        Raises:
            InputError: it is not an integer in the range.
        """
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            kind = "" if isinstance(value, int) else ", a whole number"
            raise InputError(f"{value!r} {self.name} is not allowed; choose {self.low} to {self.high}{kind}")
        return value


@dataclass(frozen=True)
class ValidationCase:
    """One published figure beside the model's.

    Args:
        name: what is compared.
        published: the figure as printed; None where the paper gives a band only.
        modelled: what the model says.
        unit: unit of both.
        tier: ``exact`` (1 %), ``tight`` (10 %), ``band`` (within ``low`` to ``high``), ``calibrated`` (an input: a
            constant was fitted to it), ``prediction`` (there is no figure to compare with) or ``known mismatch``.
        source: where the figure is printed.
        assumption: what the modelled figure hangs on.
        low, high: the accepted band of the tier ``band``, the one that a fit aimed at (``calibrated``), and the one
            that a known mismatch lies outside of.
    """

    name: str
    published: float | None
    modelled: float
    unit: str
    tier: Literal["exact", "tight", "band", "calibrated", "prediction", "known mismatch"]
    source: str
    assumption: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def deviation(self) -> float | None:
        """(modelled - published) / published; None without a published figure."""
        if not self.published:
            return None
        return (self.modelled - self.published) / self.published

    @property
    def tolerance(self) -> float | None:
        """The accepted deviation as a fraction; None where a band or nothing is accepted."""
        return {"exact": 0.01, "tight": 0.10}.get(self.tier)

    @property
    def verdict(self) -> Literal["yes", "NO", "input", "predicted", "mismatch"]:
        """``yes``/``NO``: the model is as close as the tier says, or not; ``input``: calibrated, so it shows nothing,
        unless the fit missed its own band (``NO``); ``predicted``: nothing to compare with; ``mismatch``: it is known
        not to come out.
        """
        if self.tier == "prediction":
            return "predicted"
        if not self._accepted:
            return "mismatch" if self.tier == "known mismatch" else "NO"
        return "input" if self.tier == "calibrated" else "yes"

    @property
    def holds(self) -> bool:
        """Whether there is nothing new against the model: inputs, predictions and known mismatches are no news."""
        return self.verdict != "NO"

    @property
    def _accepted(self) -> bool:
        if self.tolerance is not None:
            return self.deviation is not None and abs(self.deviation) <= self.tolerance
        if self.low is None and self.high is None:
            return self.tier == "calibrated"
        above = self.low is None or self.modelled >= self.low
        return above and (self.high is None or self.modelled <= self.high)


class Simulator(ABC):
    """What every simulator brings; subclass :class:`HardwareSimulator` or :class:`TrainingSimulator`.

    A simulator is constructed from its settings (the mapping beside its name in a search file), checks them at once and
    raises :class:`InputError`. It must be picklable and cheap to construct: data is loaded when first needed. Settings
    that ``paths`` names are files or folders: in a search file they start at the file. ``fields`` are those of its
    reports; settings may add some: ``optional`` names such fields and variables, with a setting that brings each, as
    YAML has it. One that declares ``assumptions`` takes a setting of that name, replaced values by name, and keeps
    those in force as ``assumed``.
    ``alternatives`` names settings with the other values that are as defensible as the default; with one of them a
    simulator may offer fewer values of its variables.
    """

    name: ClassVar[str]
    meaning: ClassVar[str]
    kind: ClassVar[Literal["hardware", "training"]]
    fields: Mapping[str, Field]
    optional: ClassVar[Mapping[str, str]] = {}
    paths: ClassVar[frozenset[str]] = frozenset()
    assumptions: ClassVar[Sequence[Assumption]] = ()
    assumed: Assumptions
    alternatives: ClassVar[Mapping[str, Sequence[object]]] = {}

    @abstractmethod
    def __init__(self, settings: Mapping[str, object] | None = None) -> None: ...

    @abstractmethod
    def variables(self, workload: Workload) -> tuple[Variable, ...]:
        """Everything that can be chosen, for this workload.

        Raises:
            InputError: the workload's network, data set or options are unknown.
        """

    def check(self, workload: Workload) -> None:
        """Look at what a run would need (files, devices) without running.

        Raises:
            InputError: something is missing; the message says what and how to mend it.
        """
        self.variables(workload)

    def in_force(self) -> Mapping[str, float]:
        """The value of every assumption: as declared, unless ``assumed`` says that a setting replaced it."""
        return {a.name: a.value for a in self.assumptions} | dict(getattr(self, "assumed", {}))

    def views(self) -> Sequence[View]:
        """Named tables and listings for ``rex simulate --view``; ``summary`` is shown where none is named."""
        return ()

    def validation(self) -> Sequence[ValidationCase]:
        """Published figures beside modelled ones, for ``rex validate``."""
        return ()

    def provenance(self, workload: Workload) -> dict[str, str]:
        """What results depend on beside the design: checksums of data, recipe, versions."""
        return {"workload": str(workload)}


class HardwareSimulator(Simulator):
    """Exact, vectorised, microseconds per design."""

    kind = "hardware"

    @abstractmethod
    def simulate(self, designs: Designs, workload: Workload, *, breakdown: bool = False) -> Report:
        """Totals of all designs; a variable that ``designs`` lacks takes its default.

        Args:
            designs: any number of designs.
            workload: the full-size network.
            breakdown: also fill ``by_layer`` and ``by_component`` (memory: designs x layers).
        """


class TrainingSimulator(Simulator):
    """Expensive and noisy, with a fidelity; continues from the family's checkpoint where there is one.

    Its report's totals hold ``paid``: the fidelity units really spent by this call (0 when the checkpoint already held
    the answer), beside its own fields; ``training_time_s``, if it is among them, is what all units took when they were
    trained. ``rounding`` names the entries of its provenance by which results are only rounded: versions of libraries,
    kinds of devices.
    """

    kind = "training"
    rounding: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def fidelity(self) -> Fidelity:
        """The fidelity that it offers, with its default range."""

    def reads(self, workload: Workload) -> tuple[str, ...]:
        """Names of the variables that change its result; designs that share these form a family."""
        return tuple(variable.name for variable in self.variables(workload))

    def trained(self, workload: Workload) -> str:  # noqa: ARG002  # simulators with a proxy read it
        """What is really trained, in a few words for captions: the workload itself, or a proxy such as a narrow one."""
        return "the full network"

    @abstractmethod
    def simulate(
        self, design: Design, workload: Workload, *, fidelity: int, seed: int = 0, checkpoints: Folder | None = None
    ) -> Report:
        """Train one design for ``fidelity`` units; the report's count is 1.

        Args:
            design: the design; variables that it lacks take their defaults.
            workload: names the network and the data set; a proxy of it is trained if the settings say so.
            fidelity: how long (epochs, from the start of training).
            seed: seeds everything random: the same call gives the same values wherever it runs.
            checkpoints: folder shared by all workers; None keeps nothing. One that cannot be read or written in the
                middle of a search costs time, not a training: it goes on without, with a warning.
        """

    def export(
        self,
        design: Design,  # noqa: ARG002  # for simulators that have models
        workload: Workload,  # noqa: ARG002
        *,
        fidelity: int,  # noqa: ARG002
        seed: int = 0,  # noqa: ARG002
        checkpoints: Folder | None = None,  # noqa: ARG002
        provenance: Mapping[str, str] | None = None,  # noqa: ARG002
        origin: Mapping[str, Any] | None = None,  # noqa: ARG002
        begin: Callable[[int], None] = lambda _: None,  # noqa: ARG002
    ) -> ModelFile:
        """The network that :meth:`simulate` trains and judges, as a file; simulators that have none leave this out.

        Args:
            design, workload, fidelity, seed: as for :meth:`simulate`.
            checkpoints: where the training may be kept; what is not there is trained again, and kept there.
            provenance: what was noted of the training when it was done, by :meth:`provenance` and in its report: it may
                be kept for another machine than this.
            origin: plain values that are kept in the file as they stand: whose network it is.
            begin: called before anything is trained again, with the number of fidelity units.

        Raises:
            InputError: it has no models, or as for :meth:`simulate`.
        """
        raise InputError(
            f"'{self.name}' has no networks to give: it is for simulators that train some and can write them to a file"
        )
