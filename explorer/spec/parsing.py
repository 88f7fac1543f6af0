"""From plain data to a checked search, or to everything that is wrong with it and what is left without."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from explorer.spec.mistakes import Mistake, SearchFileError
from explorer.spec.sections import SHORTHANDS, SearchSpec, StrategySpec
from explorer.yaml_source import Source
from simulators.protocol import plain_words, shown

__all__ = ["parse_spec"]


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
        if section in SHORTHANDS and not isinstance(source.data.get(section), dict):
            path = section  # `workers: 0` has no `workers.count`
        mistakes.append(Mistake(path, _words(detail), *source.place(path)))
    raise SearchFileError(mistakes, source.name, _rest(source.data, details))


def _repeats(source: Source) -> list[Mistake]:
    """What is written more than once."""
    mistakes = []
    for path, lines in source.repeated.items():
        *first, last = dict.fromkeys(lines)
        places = f"lines {', '.join(map(str, first))} and {last}" if first else f"line {last}"
        message = f"is written {len(lines)} times, in {places}; keep one (the other checks go by the last)"
        mistakes.append(Mistake(path, message, lines[-1], mended=True))
    return mistakes


def _words(detail: Mapping[str, Any]) -> str:
    """A pydantic error in words for the writer of a search file."""
    kind, location, value = detail["type"], detail["loc"], detail.get("input")
    if kind == "extra_forbidden" and location[0] == "strategy":
        name = location[-1]
        return f"options of a strategy stand below options: {{name: ..., options: {{{name}: {shown(value)}}}}}"
    if kind == "missing":
        mend = "name one (rex list strategies)" if location[0] == "strategy" else "every search file needs it"
        return f"is missing; {mend}"
    if kind == "string_pattern_mismatch":  # only the study's name has a pattern
        return f"write letters, digits and . _ - only, not {shown(value)}"
    return plain_words(detail, SearchSpec)


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
