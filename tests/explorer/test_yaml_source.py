from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from explorer.yaml_source import Source, read_yaml
from simulators.protocol import InputError

TEXT = """\
# a comment
name: demo
budget:
  evaluations: 3
initial:
  - {bn: all}
  - bn: none
    layers: [1,
             2]
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("name", 2),
        ("budget", 3),
        ("budget.evaluations", 4),
        ("initial.0.bn", 6),
        ("initial.1.bn", 7),
        ("initial.1.layers.1", 9),
        ("budget.wall_time_s", 3),
        ("initial.1.layers.7.deeper", 8),
        ("unknown", None),
        ("", None),
    ],
)
def test_line_is_that_of_the_field_or_of_the_nearest_one_around_it(path: str, line: int | None) -> None:
    assert read_yaml(TEXT, "f").place(path) == (line, "")


def test_a_name_with_a_dot_has_its_line() -> None:
    assert read_yaml("a: 1\nb.c: 2", "f").place("b.c") == (2, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("0101", "0101"),
        ("10000101", 10000101),
        ("1e-3", 0.001),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("~", None),
        ("", None),
        ("'5'", "5"),
        ("+3", 3),
        (".5", 0.5),
        ("{a: ~, b: }", {"a": None, "b": None}),
        ("{1: x, ~: y, true: z}", {"1": "x", "~": "y", "true": "z"}),
    ],
)
def test_plain_words_mean_what_they_look_like(text: str, value: object) -> None:
    assert read_yaml(text, "f").data == value


def test_nan_is_read() -> None:
    assert math.isnan(read_yaml(".nan", "f").data)


def test_of_a_field_that_is_repeated_the_last_is_taken_and_all_lines_are_known() -> None:
    source = read_yaml("a: {x: 1, y: 2}\nb:\n  c: 2\n  c: 3\na: {x: 5}\na: {x: 6}", "f")
    assert source.data == {"a": {"x": 6}, "b": {"c": 3}}
    assert source.repeated == {"a": (1, 5, 6), "b.c": (3, 4)}
    assert source.place("a.x") == (6, "")
    assert source.place("a.y") == (6, ""), "nothing is left of what was overwritten"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: [1, 2\nb: 3", "line 2", "not YAML"),
        ("a:\n\tb: 3", "line 2", "cannot start any token"),
        ("a: &x 1\nb: *x", "line 2", "aliases"),
        ("a: &x [*x]", "line 1", "aliases"),
        ("a: 1\nb: !!python/object:os.system ls", "line 2", "has no place here"),
        ("b: !foo {}", "line 1", "!foo"),
        ("b: !!set {a, b}", "line 1", "!!set"),
        ("b: !!timestamp 2001-01-01", "line 1", "!!timestamp"),
        ("b: !!binary aGVsbG8=", "line 1", "!!binary"),
        ("b: !!int hello", "line 1", "'hello' cannot be read as int"),
        ("a: 1\nb: " + "9" * 5000, "line 2", "cannot be read as int"),
        ("? {a: 1}\n: 3", "line 1", "must be a word"),
        ('a: 1\nb: "\\ud800"', "line 2", "cannot be read as str"),
        ('a: 1\nb: "\\0"', "line 2", "cannot be read as str"),
        ('"a\\nb": 1', "line 1", "must be a word"),
        ("a: 1\n---\nb: 2", "line 2", "another document"),
        ("a: \0", "f", "not YAML"),
        ("[" * 3000 + "]" * 3000, "f", "nested too deeply"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_line(text: str, place: str, words: str) -> None:
    with pytest.raises(InputError) as error:
        read_yaml(text, "f")
    assert place in str(error.value)
    assert words in str(error.value)


WORDS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=("C", "Z")))  # JSON splits what is above
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_what_is_written_as_json_is_read_back(data: object) -> None:
    assert read_yaml(json.dumps(data), "f").data == data


@given(st.text() | st.text(alphabet="{}[]:-,&*!|>?'\"#%@` \n\tab1~."))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        source = read_yaml(text, "f")
    except InputError:
        return
    assert isinstance(source, Source)
    assert yaml.safe_dump(source.data)
