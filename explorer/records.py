"""Flat rows as JSON and CSV: what is no finite number is left empty, whole numbers have no point."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["records_csv", "records_json"]


def records_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a JSON array; what is no finite number is null."""
    return json.dumps([{name: _finite(value) for name, value in row.items()} for row in rows], indent=1)


def records_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Rows as CSV with a header, also if there are none.

    Args:
        rows: each with all columns.
        columns: names, in their order.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: _finite(value) for name, value in row.items()}
        writer.writerow({n: int(v) if isinstance(v, float) and v.is_integer() else v for n, v in cells.items()})
    return out.getvalue()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
