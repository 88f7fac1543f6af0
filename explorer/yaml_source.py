"""YAML with line numbers: plain data, and the line that each field came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import yaml

from simulators.protocol import InputError

__all__ = ["Source", "read_yaml"]

Place = TypeVar("Place", int, str)

_TAG = "tag:yaml.org,2002:"
_SPECIAL = {".inf": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan"}


def _text(text: str) -> str:
    """Text that a path may hold and a file may store. Raises ValueError for anything else."""
    if "\0" in text:
        raise ValueError("a null byte")
    return text.encode().decode()


_SCALARS: Mapping[str, Callable[[str], Any]] = {
    f"{_TAG}null": lambda _: None,
    f"{_TAG}bool": lambda text: text.lower() == "true",
    f"{_TAG}int": int,
    f"{_TAG}float": lambda text: float(_SPECIAL.get(text.lower(), text)),
    f"{_TAG}str": _text,
}
"""What may stand in a search file, beside mappings and lists: no dates, sets, bytes or objects."""


class _Loader(yaml.SafeLoader):
    """YAML 1.2's core plain words: ``no`` is a word, ``0101`` is not octal, ``1e-3`` is a number. No aliases."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not read here: write it out", problem_mark=mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(f"{_TAG}{tag}", re.compile(rf"^(?:{pattern})$"), list(first))


@dataclass(frozen=True)
class Source:
    """A YAML text as data.

    Args:
        data: mappings with text as keys, lists, strings, numbers, booleans, None.
        name: file name for messages.
        lines: line (1-based) of every field by its dotted path: ``budget.evaluations``, ``initial.0.bn``.
        options: the command's option that gave a field, by dotted path: ``--set``, ``--seed``.
        repeated: the lines of every field that is written more than once, by dotted path; ``data`` has the last.
    """

    data: Any
    name: str
    lines: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    repeated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def place(self, path: str) -> tuple[int | None, str]:
        """Where a dotted path, or the nearest field around it that was written, stands: its line, and the option that
        gave it or a part of it."""
        while path and path not in self.lines and path not in self.options:
            path = path.rpartition(".")[0]
        option = next((option for given, option in self.options.items() if _within(given, path)), "")
        return self.lines.get(path), option

    def also(self, old: str, new: str) -> Source:
        """The same source, in which what stands at and below a dotted path is also found by another."""
        return replace(self, lines=_also(self.lines, old, new), options=_also(self.options, old, new))


def _also(places: Mapping[str, Place], old: str, new: str) -> dict[str, Place]:
    return {**places, **{f"{new}{path.removeprefix(old)}": places[path] for path in places if _within(path, old)}}


def _within(path: str, section: str) -> bool:
    return path == section or path.startswith(f"{section}.")


def read_yaml(text: str, name: str) -> Source:
    """Read YAML safely. Of a field that is written more than once the last is taken.

    Args:
        text: the YAML.
        name: of the file, for messages.

    Raises:
        InputError: it is not YAML, or a value is of a kind that has no place here; the message has the line.
    """
    lines: dict[str, int] = {}
    repeated: dict[str, tuple[int, ...]] = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = None if node is None else _plain(node, "", lines, repeated, name)
        return Source(data, name, lines, repeated=repeated)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{place}: this is not YAML: {problem}") from None
    except RecursionError:
        raise InputError(f"{name}: is nested too deeply for a search file") from None


def _plain(node: yaml.Node, path: str, lines: dict[str, int], repeated: dict[str, tuple[int, ...]], name: str) -> Any:
    """A node as plain data; notes the lines of everything below it, and what is repeated there."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(node, path, lines, repeated, name)
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        items = []
        for index, item in enumerate(node.value):
            below = f"{path}.{index}" if path else str(index)
            lines[below] = item.start_mark.line + 1
            items.append(_plain(item, below, lines, repeated, name))
        return items
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _SCALARS:
        raise InputError(f"{name}, line {line}: the tag {node.tag.replace(_TAG, '!!')} has no place here; remove it")
    try:
        return _SCALARS[node.tag](node.value)
    except ValueError:
        kind = node.tag.removeprefix(_TAG)
        raise InputError(f"{name}, line {line}: '{node.value[:40]}' cannot be read as {kind}") from None


def _mapping(
    node: yaml.MappingNode, path: str, lines: dict[str, int], repeated: dict[str, tuple[int, ...]], name: str
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not key.value.isprintable():
            raise InputError(f"{name}, line {line}: a field's name must be a word")
        below = f"{path}.{key.value}" if path else key.value
        if key.value in data:
            repeated[below] = (*repeated.get(below, (lines[below],)), line)
            for old in [old for old in lines if _within(old, below)]:
                del lines[old]
        lines[below] = line
        data[key.value] = _plain(value, below, lines, repeated, name)
    return data
