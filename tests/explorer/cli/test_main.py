"""The command line as a whole."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import Any

from explorer.cli import Once


def test_a_warning_is_printed_once_however_often_it_is_given() -> None:
    text, logger = io.StringIO(), logging.getLogger("tests.once")
    printer = logging.StreamHandler(text)
    printer.addFilter(Once())
    logger.addHandler(printer)
    for count in (1, 1, 2):
        logger.warning("%d is few", count)
    logger.removeHandler(printer)
    assert text.getvalue() == "1 is few\n2 is few\n"


def test_a_command_leaves_the_printer_of_warnings_as_it_was(cli: Callable[..., Any]) -> None:
    assert logging.lastResort
    assert cli("--version").code == 0
    assert logging.lastResort.filters == []
