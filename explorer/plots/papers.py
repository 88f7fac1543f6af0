"""Vector graphics for papers: Matplotlib in a plain style that survives grey print and a narrow column."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simulators.protocol import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLUMN", "MARKERS", "STYLES", "drawn", "panels", "paper_style"]

COLUMN = 3.5  # inches: a column of a paper with two
MARKERS = ("D", "s", "^", "P", "v")
STYLES = ("-", "--", ":", "-.")
STYLE: Any = {
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "legend.fontsize": 7, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "lines.linewidth": 1.2, "svg.fonttype": "none", "svg.hashsalt": "reram-explorer",
    "pdf.fonttype": 42, "figure.constrained_layout.use": True,
}  # fmt: skip


@contextmanager
def paper_style() -> Iterator[None]:
    """Within it, Matplotlib draws in the style of papers.

    Raises:
        InputError: Matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise InputError(
            "pictures for papers are drawn by Matplotlib, which is not installed: pip install 'reram-explorer[papers]'"
        ) from None
    with mpl.rc_context(STYLE):
        yield


def panels(rows: int, columns: int, width: float, height: float, **options: Any) -> tuple[Figure, list[list[Axes]]]:
    """A figure with panels; needs no display.

    Args:
        rows, columns: of panels.
        width, height: in inches.
        options: of :meth:`matplotlib.figure.Figure.subplots`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, **options).tolist()


def drawn(figure: Figure, form: str) -> bytes:
    """A figure as ``svg``, ``pdf`` or ``png``, the same bytes every time."""
    out = io.BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(form, {})
    with paper_style():
        figure.savefig(out, format=form, metadata=undated, dpi=300)
    return out.getvalue()
