"""Objectives: the decorator, how reports are injected, and how an objective is found by name or in a user's file."""

from __future__ import annotations

import dis
import importlib
import inspect
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from simulators.protocol import (
    OBJECTIVES,
    Designs,
    InputError,
    Report,
    executed,
    file_and_name,
    find_plugin,
    is_in_file,
    plugin_names,
    read_user_file,
    suggestion,
)

__all__ = ["DESIGNS", "Direction", "Objective", "find_objective", "objective", "objective_names", "per_design"]

Direction = Literal["maximize", "minimize"]

DESIGNS = "designs"
"""The parameter name that receives the designs themselves instead of a report."""


@dataclass(frozen=True)
class Objective:
    """A number that a search makes large or small.

    Args:
        name: as in search files, tables and expressions.
        function: takes reports (by parameter name) and returns an array of shape (count,).
        direction: ``maximize`` or ``minimize``.
        unit: SI unit of the value, ``mm2`` for areas, ``fraction`` for 0 to 1, empty for a count.
        bounds: least and greatest possible value where they are known.
        file: the user's file that defines it, as named in the search file; empty for installed objectives.
        systematic_error, random_error: report fields with standard errors of the value: what all evaluations have in
            common (accuracy is measured on so many images), and what an evaluation's seed decides (chips that were
            drawn). Tables and plots show them.
    """

    name: str
    function: Callable[..., Any]
    direction: Direction
    unit: str = ""
    bounds: tuple[float, float] | None = None
    file: str = ""
    systematic_error: str = ""
    random_error: str = ""

    @property
    def meaning(self) -> str:
        """First line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the reports that it needs: its parameters without a default."""
        parameters = inspect.signature(self.function).parameters.values()
        return tuple(parameter.name for parameter in parameters if parameter.default is parameter.empty)

    @property
    def mentions(self) -> frozenset[str]:
        """The names and words in its function's code, such as the fields of reports that it reads."""
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        return frozenset(_words_in(code)) if isinstance(code, types.CodeType) else frozenset()

    @property
    def asks(self) -> Mapping[str, frozenset[str]]:
        """The fields that its function's code asks each of its reports for, as in ``training.accuracy``.

        The code is only looked at, never run. What it asks for in other ways, such as in a function that it calls, is
        not seen; of one that looks first whether a field is there, nothing is said.
        """
        code = getattr(inspect.unwrap(self.function), "__code__", None)
        if not isinstance(code, types.CodeType) or self.mentions & {"hasattr", "AttributeError"}:
            return {}
        return {name: frozenset(_attributes_of(name, code)) for name in self.reads}

    def evaluate(self, reports: Mapping[str, Report | Designs], count: int) -> NDArray[np.float64]:
        """The objective of every design, shape (count,).

        Args:
            reports: at least what :attr:`reads` names.
            count: number of designs; a scalar result stands for all.

        Raises:
            InputError: the function asks a report for a field that it has not, raises, or returns no number per design.
        """
        try:
            result = self.function(**{name: reports[name] for name in self.reads})
        except AttributeError as error:
            raise InputError(f"objective '{self.name}': {error}") from error
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{self.file or place.filename}, line {place.lineno}"
            told = (str(error).strip().splitlines() or [""])[0]  # all of it is in the traceback
            raise InputError(f"objective '{self.name}' raised {type(error).__name__}: {told} ({where})") from error
        return per_design(result, count, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        module, name = self.function.__module__, self.function.__qualname__
        if module == "__main__" or "<locals>" in name:  # another process cannot import it: cloudpickle takes the code
            return Objective, tuple(getattr(self, part.name) for part in fields(self))
        # The decorated name holds the Objective, not the function: pickle finds that name by itself.
        return _from_module, (module, name)


def _words_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):  # a function within
            yield from _words_in(constant)
        elif isinstance(constant, str):
            yield constant


def _attributes_of(name: str, code: types.CodeType) -> Iterator[str]:
    loaded: object = None  # the variable that the instruction before has put on the stack
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and loaded == name:
            yield instruction.argval
        loaded = instruction.argval if instruction.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) else None
        if isinstance(loaded, tuple):  # newer versions load two at once
            loaded = loaded[-1]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):  # a function within
            yield from _attributes_of(name, constant)


def per_design(result: Any, count: int, name: str) -> NDArray[np.float64]:
    """What a function of ``count`` designs returned, as an array of shape (count,); one number stands for all.

    An array of one number does so too: a batch holds a variable that all of its designs share only once, and what is
    computed from such variables alone is as short.

    Args:
        result: of the function.
        count: number of designs.
        name: the objective's, for messages.

    Raises:
        InputError: there is not one number per design.
    """
    try:
        values = None if result is None else np.asarray(result, dtype=np.float64)
    except (TypeError, ValueError):
        values = None
    if values is None:
        raise InputError(f"objective '{name}' returned {result!r:.80}; return one number per design")
    if values.shape not in ((), (1,), (count,)):
        raise InputError(
            f"objective '{name}' returned an array of shape {values.shape} for {count} designs; "
            "return one number per design"
        )
    return np.broadcast_to(values, (count,))


def objective(
    *,
    direction: Direction,
    unit: str = "",
    bounds: tuple[float, float] | None = None,
    name: str = "",
    systematic_error: str = "",
    random_error: str = "",
) -> Callable[[Callable[..., Any]], Objective]:
    """Make a function an objective.

    Args:
        direction: ``maximize`` or ``minimize``.
        unit: SI unit of the value (see :class:`Objective`).
        bounds: least and greatest possible value where they are known.
        name: the function's name unless given.
        systematic_error, random_error: report fields with standard errors of the value (see :class:`Objective`).

    Raises:
        InputError: the direction is neither of the two, or a parameter of the function is not a plain name.
    """
    if direction not in ("maximize", "minimize"):
        raise InputError(f"direction '{direction}' is not allowed; choose maximize or minimize")

    def wrap(function: Callable[..., Any]) -> Objective:
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
                raise InputError(
                    f"objective '{function.__name__}': parameter '{parameter}' must be a plain name; it says which "
                    "report is read (hardware, training, designs, or a simulator's name)"
                )
        return Objective(
            name or function.__name__, function, direction, unit, bounds, "", systematic_error, random_error
        )

    return wrap


def objective_names() -> list[str]:
    """Names of the installed objectives."""
    return plugin_names(OBJECTIVES)


def find_objective(name: str, folder: Path | None = None) -> Objective:
    """The objective called ``name``, or the one in a user's file, ``./my_objectives.py:carbon``.

    Args:
        name: an installed objective's name, or ``FILE.py:FUNCTION``.
        folder: relative files are looked for here (the search file's folder).

    Raises:
        InputError: there is none of that name; or the file or function is missing, is no objective, or fails to load.
    """
    if not is_in_file(name):
        found = find_plugin(OBJECTIVES, name, "objective")
        if not isinstance(found, Objective):
            raise InputError(f"objective '{name}' is registered as {found!r}; decorate it with @objective(...)")
        return found
    file, function = file_and_name(name, "objective")
    return _from_source(read_user_file(name, folder or Path(), "objective"), file, function)


def _from_module(module: str, attribute: str) -> Objective:
    """The objective that a module holds under the name of its function."""
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, Objective):
        raise TypeError(f"{module}.{attribute} is no longer an objective")
    return found


def _from_source(source: str, file: str, function: str) -> Objective:
    """The objective ``function`` of a file's text."""
    module = executed(source, file, "objective")
    found = module.__dict__.get(function)
    if not isinstance(found, Objective):
        known = [name for name, value in module.__dict__.items() if isinstance(value, Objective)]
        problem = "is not decorated with @objective(...)" if callable(found) else "is not in the file"
        raise InputError(f"objective '{function}' {problem} '{file}'{suggestion(function, known)}")
    parts = {part.name: getattr(found, part.name) for part in fields(found)}
    return _FileObjective(**{**parts, "file": file}, source=source, attribute=function)


@dataclass(frozen=True)
class _FileObjective(Objective):
    """An objective of a user's file, with the text that it came from."""

    source: str = ""
    attribute: str = ""

    def __reduce__(self) -> tuple[Any, ...]:
        # A user's file cannot be imported on another node: its text travels instead.
        return _from_source, (self.source, self.file, self.attribute)
