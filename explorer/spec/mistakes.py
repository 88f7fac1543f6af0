"""What is wrong with a search file: its mistakes, each with its line or option, told in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.spec.sections import SearchSpec
from explorer.yaml_source import Source
from simulators.protocol import InputError

__all__ = ["Mistake", "SearchFileError", "mistake_of"]


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
        if self.option not in ("", "--set") and not self.line:
            return f"{self.option}: {self.message}"  # the option says which field
        line = f"line {self.line}" + (f" and {self.option}" if self.option else "")
        place = f"{line}: " if self.line else f"{self.option} ".lstrip()
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
