"""What pydantic refuses, in this project's words: what to write, and what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulators.protocol.discovery import suggestion

__all__ = ["field_path", "foremost", "plain_words", "shown"]

LONGEST = 60  # characters of a value in a message

_WANTED: Mapping[str, str] = {
    "string_type": "text",
    "string_too_long": "at most {max_length} characters",
    **dict.fromkeys(["int_type", "int_from_float", "int_parsing", "int_parsing_size"], "a whole number"),
    **dict.fromkeys(["float_type", "float_parsing"], "a number"),
    "finite_number": "a finite number",
    **dict.fromkeys(["bool_type", "bool_parsing"], "true or false"),
    "list_type": "a list",
    "path_type": "a path",
    "literal_error": "{expected}",
}
"""What to write instead, by the kind of pydantic's complaint."""

_UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""A field that is not known, of a model and of a dataclass."""

_LIMITS: Mapping[str, str] = {"gt": "above {}", "ge": "{} or more", "lt": "below {}", "le": "at most {}"}
"""The limits of a number in words, lower ones first."""


def foremost(details: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Which of pydantic's complaints to tell if only one is told: a misspelt field before that it is missing."""
    return next((detail for detail in details if detail["type"] in _UNKNOWN), details[0])


def plain_words(detail: Mapping[str, Any], model: Any) -> str:
    """One of pydantic's complaints in plain words; a number that is out of range is told all limits of its field.

    Args:
        detail: an item of ``ValidationError.errors()``.
        model: the class that refused, for the names and limits of its fields.
    """
    kind, location, value, context = detail["type"], detail["loc"], detail.get("input"), detail.get("ctx", {})
    if kind in _UNKNOWN:
        return f"there is no such field{suggestion(str(location[-1]), _fields(_inner(model, location[:-1])))}"
    if kind == "missing":
        return "is missing"
    if kind == "too_short":
        return "name at least one"
    if kind == "value_error":
        return str(context["error"])
    if kind in ("model_type", "dict_type", "dataclass_type"):
        names = ", ".join(_fields(_inner(model, location)))
        return f"write a mapping{f' of {names}' if names else ''}, not {shown(value)}"
    if context.keys() & _LIMITS.keys():
        field = _fields(_inner(model, location[:-1])).get(location[-1])
        return f"write {_within({**_limits(field), **context})}, not {shown(value)}"
    if kind in _WANTED:
        return f"write {_WANTED[kind].format(**context)}, not {shown(value)}"
    message = str(detail["msg"])
    return f"{message[0].lower()}{message[1:]}, got {shown(value)}"


def field_path(detail: Mapping[str, Any], model: Any) -> str:
    """Where one of pydantic's complaints is, dotted: fields and numbers of items, without the types of a union.

    Args:
        detail: an item of ``ValidationError.errors()``.
        model: the class that refused.
    """
    steps, inner = [], model
    for part in detail["loc"]:
        if isinstance(part, int) or part in _fields(inner):
            inner = _inner(inner, [part])
            steps.append(str(part))
    if detail["type"] in _UNKNOWN:
        steps.append(str(detail["loc"][-1]))
    return ".".join(steps)


def shown(value: Any) -> str:
    """A value in messages: as Python writes it, cut where it is long; nothing for None and empty text."""
    if value is None or value == "":
        return "nothing"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _limits(field: Any) -> dict[str, float]:
    """The limits that a field's declaration gives."""
    parts = getattr(field, "metadata", ())
    return {name: getattr(part, name) for part in parts for name in _LIMITS if hasattr(part, name)}


def _within(limits: Mapping[str, float]) -> str:
    numbers = {name: f"{limit:g}" if isinstance(limit, float) else str(limit) for name, limit in limits.items()}
    if {"ge", "le"} <= numbers.keys():
        return f"{numbers['ge']} to {numbers['le']}"
    words = " and ".join(phrase.format(numbers[name]) for name, phrase in _LIMITS.items() if name in numbers)
    return words if words[0].isdigit() or words.startswith("at most") else f"a number {words}"


def _inner(model: Any, location: Sequence[Any]) -> Any:
    """The model at a location of an outer one; None if there is none."""
    for part in location:
        if isinstance(part, int):
            continue  # of a list of models
        field = _fields(model).get(part)
        annotation = getattr(field, "annotation", None)
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((candidate for candidate in candidates if _fields(candidate)), None)
    return model


def _fields(model: Any) -> Mapping[str, Any]:
    """The fields of a model or of one of pydantic's dataclasses by name; none of what is neither."""
    return getattr(model, "__pydantic_fields__", {})
