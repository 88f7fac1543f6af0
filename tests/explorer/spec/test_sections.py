from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from explorer.spec import SearchSpec, read_search
from explorer.yaml_source import read_yaml

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_the_json_schema_accepts_the_examples(path: Path) -> None:
    jsonschema.validate(read_search(path).data, SearchSpec.model_json_schema())


def test_the_json_schema_refuses_what_the_reader_refuses() -> None:
    schema = SearchSpec.model_json_schema()
    data = read_search(EXAMPLES / "demo.yaml").data
    for wrong in ({"seed": "x"}, {"budgets": {}}, {"workers": "two"}, {"budget": {"evaluations": 0}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **wrong}, schema)


def test_the_readme_shows_the_demo() -> None:
    section = (EXAMPLES.parent / "README.md").read_text().partition("## The search file")[2]
    shown = section.partition("```yaml\n")[2].partition("```")[0]
    assert read_yaml(shown, "README.md").data == read_search(EXAMPLES / "demo.yaml").data
