from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulators.protocol import field_path, plain_words, shown


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    share: float = Field(0.5, gt=0, le=1)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    needed: str = Field(max_length=3)
    count: int | None = Field(1, ge=1, le=100_000)
    decay: float = Field(0.5, ge=0, lt=1)
    above: float = Field(1.0, gt=0.5)
    below: float = Field(-1.0, lt=0)
    half: float = Field(0.0, le=0.5)
    whole: int = 1
    number: float = 1.0
    flag: bool = False
    kind: Literal["a", "b"] = "a"
    names: list[str] = Field(["x"], min_length=1)
    table: dict[str, float] = {}
    file: Path = Path()
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    some: Annotated[float, Field(gt=0)] | list[float] = 1.0


def words(**settings: object) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"needed": "x", **settings})
    (detail,) = refused.value.errors()
    return plain_words(detail, Settings)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("count", 0, "write 1 to 100000, not 0"),
        ("count", 10**6, "write 1 to 100000, not 1000000"),
        ("decay", 1, "write 0 or more and below 1, not 1"),
        ("above", 0.5, "write a number above 0.5, not 0.5"),
        ("below", 0, "write a number below 0, not 0"),
        ("half", 1, "write at most 0.5, not 1"),
        ("inner", {"share": 2}, "write a number above 0 and at most 1, not 2"),
        ("inner", {"share": 0}, "write a number above 0 and at most 1, not 0"),
    ],
)
def test_a_number_out_of_range_is_told_both_limits_of_its_field(field: str, value: object, told: str) -> None:
    assert words(**{field: value}) == told


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("needed", 3, "write text, not 3"),
        ("needed", "long", "write at most 3 characters, not 'long'"),
        ("whole", "many", "write a whole number, not 'many'"),
        ("whole", 2.5, "write a whole number, not 2.5"),
        ("whole", None, "write a whole number, not nothing"),
        ("whole", "1" * 5000, f"write a whole number, not '{'1' * 56}..."),
        ("number", "much", "write a number, not 'much'"),
        ("number", [], "write a number, not []"),
        ("number", float("nan"), "write a finite number, not nan"),
        ("flag", 2, "write true or false, not 2"),
        ("flag", [], "write true or false, not []"),
        ("kind", "c", "write 'a' or 'b', not 'c'"),
        ("names", "x", "write a list, not 'x'"),
        ("names", [], "name at least one"),
        ("names", [1], "write text, not 1"),
        ("table", 3, "write a mapping, not 3"),
        ("table", {"a": "b"}, "write a number, not 'b'"),
        ("file", 3, "write a path, not 3"),
        ("inner", 3, "write a mapping of share, not 3"),
    ],
)
def test_a_value_of_a_wrong_kind_is_told_what_to_write(field: str, value: object, told: str) -> None:
    assert words(**{field: value}) == told


def test_a_field_that_there_is_not_is_told_which_is_meant_and_one_that_is_missing_that_it_is() -> None:
    assert words(cuont=1) == "there is no such field (did you mean 'count'?)"
    assert words(inner={"shrae": 1}) == "there is no such field (did you mean 'share'?)"
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({})
    assert plain_words(refused.value.errors()[0], Settings) == "is missing"


def test_a_value_is_shown_as_python_writes_it_but_never_at_length() -> None:
    assert [shown(value) for value in (None, "", 0, "a", [1])] == ["nothing", "nothing", "0", "'a'", "[1]"]
    assert shown("x" * 60) == f"'{'x' * 56}..."
    assert shown("x" * 58) == f"'{'x' * 58}'"


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({"count": 0}, "count"),
        ({"inner": {"share": 2}}, "inner.share"),
        ({"inners": [{}, {"share": 2}]}, "inners.1.share"),
        ({"inners": [{"shard": 2}]}, "inners.0.shard"),
        ({"some": 0}, "some"),  # of both types of the union
        ({"some": [1, "x"]}, "some"),
        ({"inners": 3}, "inners"),
        ({"colour": 3}, "colour"),
    ],
)
def test_places_are_fields_and_numbers_of_items(settings: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"needed": "x", **settings})
    assert field_path(refused.value.errors()[0], Settings) == place
