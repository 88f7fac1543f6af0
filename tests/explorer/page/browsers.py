"""A real browser, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["CHROMIUM", "browser", "why_none"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

ALONE = [  # nothing is asked of the network, and nothing is kept
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def why_none() -> str:
    """Why no browser can be started; empty if one can."""
    return "" if CHROMIUM else "no Chromium: apt-get install chromium"


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium without a window, with a fresh profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ALONE, headless=True)
        try:
            yield started
        finally:
            started.close()
