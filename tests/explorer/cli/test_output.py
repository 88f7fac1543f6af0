from __future__ import annotations

import re
from pathlib import Path

import pytest

from explorer.cli.output import print_rows, write
from explorer.tables import Rows
from simulators.protocol import InputError


def test_what_was_written_is_said_in_one_line_however_long_its_name_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / f"{200 * 'p'}.html"
    write("a page", path)
    assert path.read_text() == "a page"
    assert capsys.readouterr() == ("", f"wrote {path}\n")
    with pytest.raises(InputError, match="is there already"):
        write("another", path)
    assert capsys.readouterr() == ("", "")
    write("text", None)
    assert capsys.readouterr() == ("text\n", "")


def test_brackets_in_a_table_are_text_and_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Rows("[red]title", ("[bold]name", "area [mm2]"), (("[/]", "1.5"), ("a[b]", "[link=x]")), ("[i]note",)))
    printed = capsys.readouterr().out
    for text in ("[red]title", "[bold]name", "area [mm2]", "[/]", "a[b]", "[link=x]", "[i]note"):
        assert text in printed


def test_on_a_narrow_terminal_units_and_differences_go_below_the_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows("", ("design", "latency [us]", "energy [mJ]"), (("a design", "12.8 (-55 %)", "1.392 (-17 %)"),))
    print_rows(rows)
    assert "12.8 (-55 %) " in capsys.readouterr().out
    monkeypatch.setattr("explorer.cli.output.PLAIN_WIDTH", 36)
    print_rows(rows)
    lines = [[cell.strip() for cell in re.split("[│┃]", line)[1:-1]] for line in capsys.readouterr().out.splitlines()]
    cells = [line for line in lines if line]
    assert cells == [
        ["", "latency", "energy"], ["design", "[us]", "[mJ]"], ["a design", "12.8", "1.392"], ["", "(-55 %)", "(-17 %)"]
    ]  # fmt: skip
