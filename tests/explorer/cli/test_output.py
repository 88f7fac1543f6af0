from __future__ import annotations

import re

import pytest

from explorer.cli.output import print_rows
from explorer.tables import Rows


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
