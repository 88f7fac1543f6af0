"""What may stand in a search file: a model for each section."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from explorer.units import counted, read_quantity
from explorer.workers.wanted import Workers
from simulators.protocol import InputError, is_in_file, shown

__all__ = [
    "NAME", "SHORTHANDS", "BudgetSpec", "ConfirmSpec", "SearchSpec", "StrategySpec", "WorkerSpec", "WorkloadSpec",
]  # fmt: skip

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""What a study may be called: files are named after it."""


class _Section(BaseModel):
    # strict: `evaluations: true` and `evaluations: "5"` are mistakes, not numbers
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _seconds(value: Any) -> Any:
    seconds = read_quantity(value, "s") if isinstance(value, str) else None
    return value if seconds is None else seconds


Seconds: TypeAlias = Annotated[
    Annotated[float, Field(gt=0)] | None, BeforeValidator(_seconds, json_schema_input_type=float | str | None)
]
"""A time: a number, or one with a unit such as ``2 h``."""


def _bytes(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return int(TypeAdapter(ByteSize).validate_python(value))
    except ValidationError:
        raise ValueError(f"write a size such as 4 GiB or 500 MB, not {shown(value)}") from None


Size: TypeAlias = Annotated[
    Annotated[int, Field(ge=2**20)] | None, BeforeValidator(_bytes, json_schema_input_type=int | str | None)
]
"""Bytes: a number, or one with a unit such as ``4 GiB``."""


def _count(value: Any) -> Any:
    if value == "all" or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f"write a whole number from 1 up, or all, not {shown(value)}")


class WorkloadSpec(_Section):
    """The full-size network and its data set; hardware is always simulated for this one."""

    network: str = Field(
        description="Name of a network (rex list networks), or FILE.py:FUNCTION that builds a PyTorch module."
    )
    dataset: str = Field("cifar10", description="Name of a data set; fixes input size, channels and classes.")
    mode: Literal["training", "inference"] = Field("training", description="What the chip does.")
    input_size: int | None = Field(
        None, ge=1, le=100_000, description="Height and width of the input, if not the data set's."
    )
    classes: int | None = Field(None, ge=1, le=10_000_000, description="Number of classes, if not the data set's.")
    options: dict[str, str] = Field({}, description="The network's own options, such as {head: classic}.")


class StrategySpec(_Section):
    """Who says what to try next."""

    name: str = Field(description="Name of a strategy (rex list strategies).")
    options: dict[str, Any] = Field(
        {}, description="The strategy's own options; 'grey_box: false' hides from any strategy which objectives are "
        "cheap and which designs are of one family."
    )  # fmt: skip


class BudgetSpec(_Section):
    """When the search ends: at the first limit that is reached."""

    evaluations: int | None = Field(None, ge=1, description="Finished evaluations, failed ones included.")
    epochs: float | None = Field(
        None, gt=0, description="Epochs trained, all evaluations together; another name for cost."
    )
    cost: float | None = Field(None, gt=0, description="Cost paid, in units of the fidelity.")
    wall_time_s: Seconds = Field(None, description="Time that one run may take: seconds, or with a unit such as 2 h.")

    @model_validator(mode="after")
    def _some_limit(self) -> BudgetSpec:
        if not self.model_fields_set or all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("give at least one limit: evaluations, epochs, cost or wall_time_s")
        if self.epochs is not None and self.cost is not None:
            raise ValueError("epochs and cost are the same limit; give one of them")
        return self


class ConfirmSpec(_Section):
    """After the search: repeat trainings with other seeds, so that a good point is told from luck."""

    replicates: int = Field(3, ge=1, description="Trainings behind each confirmed family, the search's own included.")
    families: int = Field(2, ge=0, description="Families of the front to confirm, beside the initial designs.")


class WorkerSpec(_Section):
    """Who evaluates."""

    count: Annotated[
        int | Literal["all"],
        PlainValidator(_count, json_schema_input_type=Annotated[int, Field(ge=1)] | Literal["all"]),
    ] = Field(
        1, description="Number of Ray workers; 'all': as many as the nodes have room for, also when these change."
    )
    cpus: float = Field(1.0, gt=0, description="CPU cores of each.")
    gpus: float = Field(0.0, ge=0, description="GPUs of each; a fraction shares one.")
    memory: Size = Field(
        None, description="Memory of each, such as 4 GiB: set aside on its node, and the most an evaluation may take."
    )
    resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="What each needs of what nodes offer under names of their own, such as {fast_disk: 1}."
    )
    attempts: int = Field(
        3, ge=1, le=100, description="Attempts at an evaluation whose worker or node fails or that takes too long."
    )
    deadline_s: Seconds = Field(
        None, description="Time that an attempt may take; default ten times that of the slowest so far, at least 600 s."
    )
    patience_s: Seconds = Field(
        None, description="Time to wait for a worker when there is none, such as 15 min where machines are started."
    )
    working_dir: str | None = Field(
        None,
        description="Code that every node gets, where it lacks it: a folder, relative to this file, or URL of a .zip.",
    )
    grace_s: Annotated[float, BeforeValidator(_seconds, json_schema_input_type=float | str), Field(ge=0)] = Field(
        30.0, description="Time that running evaluations have to end after SIGTERM; each epoch is kept anyway."
    )

    @model_validator(mode="after")
    def _can_be(self) -> WorkerSpec:
        try:
            self.wanted(Path())
        except InputError as error:
            raise ValueError(error.message) from None
        return self

    def __str__(self) -> str:
        return "workers wherever there is room" if self.count == "all" else counted(self.count, "workers")

    def wanted(self, folder: Path, count: int | None = None) -> Workers:
        """What that asks of workers.

        Args:
            folder: of the search file: relative paths start there.
            count: another number of them.
        """
        number = None if self.count == "all" else self.count
        return Workers(
            count or number, self.cpus, self.gpus, self.memory, self.resources, self.attempts, self.deadline_s,
            self.patience_s, self._code(folder),
        )  # fmt: skip

    def _code(self, folder: Path) -> str | None:
        if self.working_dir is None or "://" in self.working_dir:
            return self.working_dir
        return str(folder / self.working_dir)


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _counted(value: Any) -> Any:
    is_count = value == "all" or (isinstance(value, int) and not isinstance(value, bool))
    return {"count": value} if is_count else value


def _settings_by_name(value: Any) -> Any:
    """``[deeptrain, training]`` and ``{deeptrain: , training: {...}}`` both name simulators with their settings."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        repeated = [name for index, name in enumerate(value) if name in value[:index]]
        if repeated:
            raise ValueError(f"{repeated[0]} is named twice")
        return {name: {} for name in value}
    if isinstance(value, list):
        raise ValueError(
            "write a list of names, or one mapping with settings: {deeptrain: {}, training: {device: cpu}}"
        )
    if isinstance(value, dict):
        return {name: {} if settings is None else settings for name, settings in value.items()}
    return value


SHORTHANDS: Mapping[str, Callable[[Any], Any]] = {
    "strategy": _named,
    "workers": _counted,
    "simulators": _settings_by_name,
}
"""Sections that may be written shorter, and how to write them out."""


def _none_or_mapping(value: Any) -> Any:
    if value is None or value == "none" or isinstance(value, dict):
        return value
    raise ValueError(f"write none, or a mapping such as {{width: 0.125}}, not {shown(value)}")


class SearchSpec(_Section):
    """A search file."""

    name: str = Field("search", pattern=NAME, max_length=100, description="Name of the study.")
    workload: WorkloadSpec = Field(description="The full-size network and its data set.")
    proxy: Annotated[
        dict[str, Any] | Literal["none"] | None,
        BeforeValidator(_none_or_mapping),
    ] = Field(
        None,
        description="What is really trained when the workload is too dear: width, data, ...; 'none': the workload.",
    )
    simulators: Annotated[
        dict[str, dict[str, Any]],
        BeforeValidator(_settings_by_name, json_schema_input_type=list[str] | dict[str, dict[str, Any] | None]),
    ] = Field(description="Simulators by name with their settings (rex list simulators).")
    variables: dict[str, Any] = Field(
        {}, description="Per variable a value (fixed), a list of values, {low, high}, or 'search' for all its values."
    )
    fidelity: dict[str, Any] | None = Field(
        None, description="Range of the training simulator's fidelity: {epochs: 4} or {epochs: {low: 1, high: 4}}."
    )
    objectives: list[str] = Field(min_length=1, description="Names (rex list objectives) or FILE.py:FUNCTION.")
    constraints: list[str] = Field([], description="Expressions such as 'area < 250 mm2'.")
    strategy: Annotated[StrategySpec, BeforeValidator(_named, json_schema_input_type=str | StrategySpec)] = Field(
        StrategySpec(name="random"), description="What to try next."
    )
    initial: list[dict[str, Any]] = Field(
        [], description="Designs that are evaluated first; variables that are left out take their defaults."
    )
    budget: BudgetSpec = Field(description="When the search ends.")
    confirm: ConfirmSpec | None = Field(None, description="Repeats after the search.")
    workers: Annotated[
        WorkerSpec, BeforeValidator(_counted, json_schema_input_type=int | Literal["all"] | WorkerSpec)
    ] = Field(WorkerSpec(), description="Who evaluates.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Everything random follows from it.")
    reproducible: bool = Field(
        False,
        description="Same seed, same designs also with several workers: the strategy hears of results in the order of "
        "its proposals. Workers wait for slow ones. A search that was resumed may differ.",
    )
    store: str | None = Field(None, description="File or database URL; default results/NAME.db.")
    checkpoints: str | None = Field(
        None,
        description="Folder of checkpoints: a path, or a URL of fsspec's such as s3://bucket/folder; default beside "
        "the store. Searches that share it share their trainings.",
    )
    checkpoints_limit: Size = Field(
        None,
        description="At most so much of them, such as 50 GB: those written longest ago are removed; what needs one of "
        "them again is trained anew.",
    )
    data_dir: str | None = Field(None, description="Folder of the full data sets.")

    @property
    def user_names(self) -> list[str]:
        """What is named as FILE.py:FUNCTION."""
        return [name for name in (*self.objectives, self.workload.network) if is_in_file(name)]
