from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from explorer.spec import SearchFileError, parse_spec, read_search
from tests.explorer.searches import write_search


def test_a_wrong_setting_is_not_blamed_on_a_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(write_search(tmp_path), ["budget.evaluations=-1", "proxy={width: 1}", "nme=x"]))
    assert {(m.field, m.line) for m in error.value.mistakes} == {("budget.evaluations", None), ("nme", None)}
    assert "\n  --set budget.evaluations: write 1 or more, not -1" in str(error.value)
    assert "\n  --set nme: there is no such field (did you mean 'name'?)" in str(error.value)


def test_a_search_file_error_crosses_process_borders(tmp_path: Path) -> None:
    with pytest.raises(SearchFileError) as error:
        parse_spec(read_search(write_search(tmp_path, ("seed: 0", "seed: x"))))
    copy = pickle.loads(pickle.dumps(error.value))  # noqa: S301  # our own
    assert str(copy) == str(error.value)
    assert copy.mistakes == error.value.mistakes
