"""YAML with line numbers: plain data, and the line that each field came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from simulators.protocol import InputError

__all__ = ["Source", "read_yaml"]


class _Loader(yaml.SafeLoader):
    """Safe, with YAML 1.2's core plain words: ``no`` is a word, ``0101`` is not octal, ``1e-3`` is a number."""


_Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
    ("tag:yaml.org,2002:int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    _Loader.add_implicit_resolver(
        tag, re.compile(rf"^(?:{pattern})$"), list(first) if first != "~nN\0" else ["~", "n", "N", ""]
    )


@dataclass(frozen=True)
class Source:
    """A YAML text as data.

    Args:
        data: mappings, lists, strings, numbers, booleans.
        name: file name for messages.
        lines: line (1-based) of every field by its path: ``("budget", "evaluations")``.
    """

    data: Any
    name: str
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def line(self, path: str) -> int | None:
        """The line of a dotted path, or of the nearest field around it that the text has."""
        parts = tuple(re.sub(r"\[(\d+)\]", r".\1", path).split("."))
        while parts:
            if parts in self.lines:
                return self.lines[parts]
            parts = parts[:-1]
        return None


def read_yaml(text: str, name: str) -> Source:
    """Read YAML safely.

    Args:
        text: the YAML.
        name: of the file, for messages.

    Raises:
        InputError: it is not YAML, or a field is written twice; the message has the line.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # _Loader is a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"{place}: this is not YAML: {problem}") from None
    except ValueError as error:  # a scalar that looks like a number but is none
        raise InputError(f"{name}: {error}") from None
    lines: dict[tuple[str, ...], int] = {}
    if node is not None:
        _walk(node, (), lines, name)
    return Source(data, name, lines)


def _walk(node: yaml.Node, path: tuple[str, ...], lines: dict[tuple[str, ...], int], name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            if below in lines:
                raise InputError(
                    f"{name}, line {key.start_mark.line + 1}: '{'.'.join(below)}' is written twice (first in line "
                    f"{lines[below]}); keep one"
                )
            lines[below] = key.start_mark.line + 1
            _walk(value, below, lines, name)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = (*path, str(index))
            lines[below] = value.start_mark.line + 1
            _walk(value, below, lines, name)
