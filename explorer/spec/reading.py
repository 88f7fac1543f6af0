"""Search files and ``--set`` as plain data; nothing but its being YAML is checked yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.spec.parsing import parse_spec
from explorer.spec.sections import SHORTHANDS
from explorer.yaml_source import Source, read_yaml
from simulators.protocol import InputError

__all__ = ["override", "read_search", "read_settings"]


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


def read_settings(settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """``--set key=value`` texts as values by dotted path; values are YAML.

    Args:
        settings: the texts.
        option: what gave them, for messages.

    Raises:
        InputError: a setting is not ``key=value``, is given twice, or its value has a field twice.
    """
    values = {}
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not all(path.split(".")):
            raise InputError(f"'{setting}' is not key=value, such as budget.evaluations=10", option)
        if path in values:
            raise InputError("it is given twice; keep one", f"{option} {path}")
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
            if place is data and section in SHORTHANDS:
                inner = _written_out(section, inner)
            if inner is not None and not isinstance(inner, dict):
                raise InputError(f"'{path}': {section} is no section, but {inner!r}", "--set")
            place[section] = dict(inner or {})
            place = place[section]
        place[last] = value
        lines = {field: line for field, line in lines.items() if field != path and not field.startswith(f"{path}.")}
        given[path] = (options or {}).get(path, "--set")
    return replace(source, data=data, lines=lines, options=given)


def _written_out(section: str, value: Any) -> Any:
    try:
        return SHORTHANDS[section](value)
    except ValueError as error:
        raise InputError(str(error), section) from None
