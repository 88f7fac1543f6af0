"""What is wrong with a search file, as tests look at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.assembly import Assembly, assemble_source
from explorer.spec import SearchFileError, read_search
from explorer.yaml_source import read_yaml
from tests.explorer.searches import SEARCH, line_of, write_search


def assembled(path: Path) -> Assembly:
    return assemble_source(read_search(path), path.parent, path.name)


def mistakes_in(path: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(SearchFileError) as error:
        assembled(path)
    return [(mistake.line, mistake.field, mistake.message) for mistake in error.value.mistakes]


def told(text: str) -> tuple[list[str], str]:
    """The fields that are wrong with a search, and the message."""
    with pytest.raises(SearchFileError) as raised:
        assemble_source(read_yaml(text, "m.yaml"), Path())
    return [mistake.field for mistake in raised.value.mistakes], str(raised.value)


def check_told_alone(folder: Path, old: str, new: str, field: str, words: str) -> None:
    """Replace a text of the small search by a wrong one: that is told in its line, and nothing that follows from it."""
    (line, where, message), *more = mistakes_in(write_search(folder, (old, new)))
    assert not more, more
    assert where == field
    assert words in message, message
    section = field.partition(".")[0]
    place = old if section in ("variables", "constraints") else f"{section}:"
    in_file = place in SEARCH or place in new
    assert line == (line_of(folder / "search.yaml", new if place == old else place) if in_file else None)


MISSPELT = """\
workload: {network: vgg11, dataset: fashion-mnist}
proxy: {width: 0}
simulators:
  deeptrain:
  trainin:
    recipe: {batch_size: 0}
variables: {bn: search, reram_layer: 3}
fidelity: {epochs: 0}
objectives: [accuracy, latncy]
constraints: [peak_temprature_k <= 100 C, latency <= 100 K]
strategy: {name: nsga3, options: {popsize: 3}}
initial: [{bn: C99}]
budget: {evaluations: 3}
"""
