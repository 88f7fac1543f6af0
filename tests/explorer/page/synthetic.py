"""Pages of designs that were never evaluated, and hands to use them with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.page import rendered
from explorer.page.contents import Contents

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["settled", "slide", "synthetic"]


def settled(page: Page) -> None:
    """Wait for what follows from an action: it is drawn in the next frame."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def slide(page: Page, label: str, position: int) -> None:
    page.get_by_label(label, exact=True).evaluate(
        "(input, at) => { input.value = at; input.dispatchEvent(new Event('input')); }", position
    )
    settled(page)


def synthetic(folder: Path, values: Any) -> str:
    """The address of a page of designs with these values, all to be made large."""
    count, objectives = values.shape
    axes = [
        {"name": f"o{k}", "title": f"o{k} ↑", "better": 1, "values": values[:, k].tolist()} for k in range(objectives)
    ]
    designs = {
        "label": [f"design {place}" for place in range(count)], "feasible": [1] * count, "derived": [0] * count,
        "strategy": ["s"] * count, "evaluation": list(range(1, count + 1)), "axes": axes, "bits": [],
    }  # fmt: skip
    path = folder / "synthetic.html"
    path.write_text(rendered(Contents("synthetic", "Synthetic", ["Designs."], designs, None, "0")), encoding="utf-8")
    return path.as_uri()
