"""Search files: what may stand in them, and everything that is wrong with one in one go."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from explorer.units import read_quantity
from explorer.yaml_source import Source, read_yaml
from simulators.protocol import InputError, suggestion

__all__ = ["Mistake", "SearchFileError", "SearchSpec", "override", "parse_spec", "read_search", "read_settings"]


NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""What a study may be called: files are named after it."""


class _Section(BaseModel):
    # strict: `evaluations: true` and `evaluations: "5"` are mistakes, not numbers
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _seconds(value: Any) -> Any:
    seconds = read_quantity(value, "s") if isinstance(value, str) else None
    return value if seconds is None else seconds


class WorkloadSpec(_Section):
    """The full-size network and its data set; hardware is always simulated for this one."""

    network: str = Field(description="Name of a network (rex list networks).")
    dataset: str = Field("cifar10", description="Name of a data set; fixes input size, channels and classes.")
    mode: Literal["training", "inference"] = Field("training", description="What the chip does.")
    input_size: int | None = Field(
        None, ge=1, le=100_000, description="Height and width of the input, if not the data set's."
    )
    classes: int | None = Field(None, ge=1, le=10_000_000, description="Number of classes, if not the data set's.")
    options: dict[str, str] = Field({}, description="The network's own options, such as {head: classic}.")


class StrategySpec(_Section):
    """Who says what to try next."""

    name: str = Field("random", description="Name of a strategy (rex list strategies).")
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
    wall_time_s: Annotated[
        Annotated[float, Field(gt=0)] | None, BeforeValidator(_seconds, json_schema_input_type=float | str | None)
    ] = Field(None, description="Time that one run may take: seconds, or with a unit such as 2 h.")

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

    count: int = Field(1, ge=1, description="Number of Ray workers.")
    cpus: float = Field(1.0, gt=0, description="CPU cores of each.")
    gpus: float = Field(0.0, ge=0, description="GPUs of each; a fraction shares one.")


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


def _counted(value: Any) -> Any:
    return {"count": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _settings_by_name(value: Any) -> Any:
    """``[deeptrain, training]`` and ``{deeptrain: , training: {...}}`` both name simulators with their settings."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        repeated = [name for index, name in enumerate(value) if name in value[:index]]
        if repeated:
            raise ValueError(f"{repeated[0]} is named twice")
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {name: {} if settings is None else settings for name, settings in value.items()}
    return value


_SHORTHANDS: Mapping[str, Callable[[Any], Any]] = {
    "strategy": _named,
    "workers": _counted,
    "simulators": _settings_by_name,
}
"""Sections that may be written shorter, and how to write them out."""


def _none_or_mapping(value: Any) -> Any:
    if value is None or value == "none" or isinstance(value, dict):
        return value
    raise ValueError(f"write none, or a mapping such as {{width: 0.125}}, not {_shown(value)}")


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
        StrategySpec(), description="What to try next."
    )
    initial: list[dict[str, Any]] = Field(
        [], description="Designs that are evaluated first; variables that are left out take their defaults."
    )
    budget: BudgetSpec = Field(description="When the search ends.")
    confirm: ConfirmSpec | None = Field(None, description="Repeats after the search.")
    workers: Annotated[WorkerSpec, BeforeValidator(_counted, json_schema_input_type=int | WorkerSpec)] = Field(
        WorkerSpec(), description="Who evaluates."
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Everything random follows from it.")
    reproducible: bool = Field(
        False,
        description="Same seed, same designs also with several workers: the strategy hears of results in the order of "
        "its proposals. Workers wait for slow ones. A search that was resumed may differ.",
    )
    store: str | None = Field(None, description="File or database URL; default results/NAME.db.")
    checkpoints: str | None = Field(None, description="Folder of checkpoints; default beside the store.")
    data_dir: str | None = Field(None, description="Folder of the full data sets.")


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with a search file.

    Args:
        field: dotted path, empty for the whole file.
        message: what is wrong, and how to mend it.
        line: of the file.
        option: the command's option that gave the field.
        mended: all other checks go by a value that is right, so this mistake hides nothing.
    """

    field: str
    message: str
    line: int | None = None
    option: str = ""
    mended: bool = False

    def __str__(self) -> str:
        if self.option not in ("", "--set"):
            return f"{self.option}: {self.message}"  # the option says which field
        place = f"line {self.line}: " if self.line else f"{self.option} ".lstrip()
        return f"{place}{self.field}: {self.message}" if self.field else f"{place}{self.message}"


class SearchFileError(InputError):
    """Everything that is wrong with a search file.

    Args:
        mistakes: at least one.
        name: of the file.
        rest: the search without what has mistakes, so that the others can be looked at too.
        unchecked: the fields that nothing can be said of, by the mistake's field that has to be mended first.
    """

    def __init__(
        self,
        mistakes: Sequence[Mistake],
        name: str = "search file",
        rest: SearchSpec | None = None,
        unchecked: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.mistakes = tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line or 0))
        self.name = name
        self.rest = rest
        self.unchecked = unchecked or {}
        count = len(self.mistakes)
        head = f"{name}: {count} mistake{'s' if count > 1 else ''}"
        until = [f"until {first} is mended: {', '.join(fields)}" for first, fields in self.unchecked.items()]
        last = [f"not checked {'; '.join(until)}"] if until else []
        super().__init__("\n  ".join([head, *map(str, self.mistakes), *last]))

    def __reduce__(self) -> Any:
        return type(self), (self.mistakes, self.name, None, self.unchecked)


def mistake_of(error: InputError, source: Source | None = None, *, mended: bool = False) -> Mistake:
    """An error as a mistake, with its line or its option."""
    return Mistake(error.field, error.message, *(source.place(error.field) if source else (None, "")), mended)


def _repeats(source: Source) -> list[Mistake]:
    """What is written more than once."""
    mistakes = []
    for path, lines in source.repeated.items():
        *first, last = dict.fromkeys(lines)
        places = f"lines {', '.join(map(str, first))} and {last}" if first else f"line {last}"
        message = f"is written {len(lines)} times, in {places}; keep one (the other checks go by the last)"
        mistakes.append(Mistake(path, message, lines[-1], mended=True))
    return mistakes


def read_settings(settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """``--set key=value`` texts as values by dotted path; values are YAML.

    Args:
        settings: the texts.
        option: what gave them, for messages.

    Raises:
        InputError: a setting is not ``key=value``, or its value has a field twice.
    """
    values = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not all(path.split(".")):
            raise InputError(f"'{setting}' is not key=value, such as budget.evaluations=10", option)
        source = read_yaml(text, f"{option} {path}")
        if source.repeated:
            raise InputError(f"{', '.join(source.repeated)} is written more than once; keep one", f"{option} {path}")
        values[path] = source.data
    return values


def override(source: Source, values: Mapping[str, Any], options: Mapping[str, str] | None = None) -> Source:
    """A search with other values; they have no line.

    Args:
        source: of the search; its data is a mapping.
        values: by dotted path.
        options: the option that gave a value, where that is not ``--set``.

    Raises:
        InputError: a path leads through something that is no section.
    """
    data, lines, given = dict(source.data), dict(source.lines), dict(source.options)
    for path, value in values.items():
        *sections, last = path.split(".")
        place = data
        for section in sections:
            inner = place.get(section)
            if place is data and section in _SHORTHANDS:
                inner = _SHORTHANDS[section](inner)
            if inner is not None and not isinstance(inner, dict):
                raise InputError(f"'{path}': {section} is no section, but {inner!r}", "--set")
            place[section] = dict(inner or {})
            place = place[section]
        place[last] = value
        lines = {field: line for field, line in lines.items() if field != path and not field.startswith(f"{path}.")}
        given[path] = (options or {}).get(path, "--set")
    return replace(source, data=data, lines=lines, options=given)


def parse_spec(source: Source) -> SearchSpec:
    """A search as a checked model.

    Raises:
        SearchFileError: every field that is wrong.
    """
    if not isinstance(source.data, dict):
        wrong = "the file is empty: a" if source.data is None else "a"
        message = f"{wrong} search file is a mapping of sections such as workload, objectives, budget (rex schema)"
        raise SearchFileError([Mistake("", message, 1)], source.name)
    mistakes, details = _repeats(source), []
    try:
        spec = SearchSpec.model_validate(source.data)
        if not mistakes:
            return spec
    except ValidationError as error:
        details = error.errors()
    for detail in details:
        path = ".".join(str(part) for part in detail["loc"] if "[" not in str(part))  # without types of a union
        section = path.partition(".")[0]
        if section in _SHORTHANDS and not isinstance(source.data.get(section), dict):
            path = section  # `workers: 0` has no `workers.count`
        mistakes.append(Mistake(path, _words(detail), *source.place(path)))
    raise SearchFileError(mistakes, source.name, _rest(source.data, details))


_EMPTY: Mapping[str, Any] = {"initial": {}, "objectives": "", "constraints": ""}
_STAND_INS: Mapping[str, Any] = {
    "workload": {"network": ""}, "simulators": {}, "objectives": [""], "budget": {"evaluations": 1}
}  # fmt: skip


def _rest(data: Mapping[str, Any], details: Iterable[Mapping[str, Any]]) -> SearchSpec:
    """What is left of a search without its wrong fields, so that the others can be looked at too."""
    left = copy.deepcopy(dict(data))
    for detail in details:
        _set_aside(left, detail["loc"])
    if isinstance(left.get("workload"), dict):
        left["workload"].setdefault("network", "")
    try:
        return SearchSpec.model_validate({**_STAND_INS, **left})
    except ValidationError as error:  # a section makes no sense without what was set aside
        wrong = {detail["loc"][0] for detail in error.errors()}
    return SearchSpec.model_validate({**_STAND_INS, **{n: v for n, v in left.items() if n not in wrong}})


def _set_aside(data: dict[str, Any], location: Sequence[Any]) -> None:
    """Take the field at a location out of a search; an empty item is left in its list, so that none is renumbered."""
    section, *below = location
    inner = data.get(section)
    if below and section == "simulators" and isinstance(inner, dict):
        inner[below[0]] = None  # without its settings, but named
    elif section == "strategy" and isinstance(inner, dict) and below and below[0] not in StrategySpec.model_fields:
        options = inner.setdefault("options", {})
        value = inner.pop(below[0])
        if isinstance(options, dict):
            options.setdefault(below[0], value)  # an option in the wrong place is looked at as one
    elif below and isinstance(inner, dict) and below[0] in inner:
        _set_aside(inner, below)
    elif below and isinstance(inner, list):
        inner[below[0]] = _EMPTY[section]
    else:
        data.pop(section, None)


def _words(detail: Mapping[str, Any]) -> str:
    """A pydantic error in plain words."""
    kind, location, value = detail["type"], detail["loc"], detail.get("input")
    if kind == "extra_forbidden" and location[0] == "strategy":
        name = location[-1]
        return f"options of a strategy stand below options: {{name: ..., options: {{{name}: {_shown(value)}}}}}"
    if kind == "extra_forbidden":
        return f"there is no such field{suggestion(str(location[-1]), _fields_at(location[:-1]))}"
    if kind == "missing":
        return "is missing; every search file needs it"
    if kind in ("model_type", "dict_type"):
        fields = _fields_at(location)
        return f"write a mapping{' of ' + ', '.join(fields) if fields else ''}, not {_shown(value)}"
    if kind == "list_type":
        return f"write a list, not {_shown(value)}"
    if kind == "string_pattern_mismatch":
        return f"write letters, digits and . _ - only, not {_shown(value)}"
    if kind == "too_short":
        return "name at least one"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if kind in _WANTED:
        return f"write {_WANTED[kind].format(**detail.get('ctx', {}))}, not {_shown(value)}"
    message = str(detail["msg"])
    return f"{message[0].lower()}{message[1:]}, got {_shown(value)}"


_WANTED: Mapping[str, str] = {
    "string_type": "text",
    "string_too_long": "at most {max_length} characters",
    **dict.fromkeys(["int_type", "int_from_float", "int_parsing", "int_parsing_size"], "a whole number"),
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "at most {le:.0f}",
    "literal_error": "{expected}",
}
"""What to write instead, by the kind of pydantic's complaint."""


def _shown(value: Any) -> str:
    """A value in messages."""
    if value is None or value == "":
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _fields_at(location: Sequence[Any]) -> list[str]:
    model: Any = SearchSpec
    for part in location:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        if field is None:
            return []
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if hasattr(c, "model_fields")), None)
    return list(model.model_fields) if hasattr(model, "model_fields") else []


def read_search(path: Path, settings: Sequence[str] = ()) -> Source:
    """A search file as plain data with overrides applied; nothing but its being YAML is checked yet.

    Args:
        path: the file.
        settings: ``key=value`` overrides.

    Raises:
        InputError: the file cannot be read, or is no mapping in YAML; or a setting makes no sense.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not a text file; a search file is YAML") from None
    except OSError as error:
        raise InputError(f"cannot read the search file {path} ({error.strerror})") from None
    except ValueError as error:  # such as a null byte in the path
        raise InputError(f"cannot read the search file {str(path)!r} ({error})") from None
    source = read_yaml(text, str(path))
    if not isinstance(source.data, dict):
        parse_spec(source)
    return override(source, read_settings(settings))
