"""A repeated evaluation as a table."""

from __future__ import annotations

from explorer.naming import SHORT
from explorer.rerun import Compared, Rerun
from explorer.tables import Rows
from explorer.units import counted

__all__ = ["rerun_rows"]


def rerun_rows(found: Rerun) -> Rows:
    """Every number as it is stored, as it is now, and the difference; all digits, since the last one counts.

    Of curves only points that differ are shown: their ends are fields, too.

    Args:
        found: the evaluation, then and now. Rows that differ stand out.
    """
    shown = [number for number in found.numbers if number.kind != "curve" or not number.equal]
    rows = [(_title(number), _text(number.stored), _text(number.now), _difference(number)) for number in shown]
    emphasised = {index for index, number in enumerate(shown) if not number.equal}
    failures = (found.stored.failure, found.now.failure)
    if any(failures):
        rows.insert(0, ("failure", failures[0] or "none", failures[1] or "none",
                        "none" if failures[0] == failures[1] else "another"))  # fmt: skip
        emphasised = {index + 1 for index in emphasised} | ({0} if failures[0] != failures[1] else set())
    stored = found.stored
    replicate = f", repeat {stored.replicate}" if stored.replicate else ""
    title = (
        f"Evaluation {stored.number} (key {stored.digest[:SHORT]}), {found.description}{replicate}, seed {stored.seed}"
    )
    return Rows(title, ("number", "stored", "now", "difference"), tuple(rows), tuple(_verdict(found)),
                frozenset(emphasised))  # fmt: skip


def _verdict(found: Rerun) -> list[str]:
    """What came out, in words."""
    total, differing = counted(len(found.numbers), "numbers"), len(found.differing)
    curves = sum(number.kind == "curve" and number.equal for number in found.numbers)
    stored, now = found.stored.failure, found.now.failure
    if stored and stored == now:
        told = "it fails again, for the same reason"
    elif stored:
        told = "it failed then, and does not fail now" if not now else "it fails again, for another reason"
    elif now:
        told = "it did not fail then, and fails now"
    elif not differing:
        told = f"all {total} are equal, to the last digit"
    else:
        told = f"{differing} of {total} differ"
    return [
        told,
        *([f"not shown: {counted(curves, 'numbers')} of curves, equal too"] if curves else []),
        "not compared: times that are measured, and what was paid",
        *(f"likely reason: {reason}" for reason in found.reasons),
    ]


def _title(number: Compared) -> str:
    return f"{number.name} [{number.unit}]" if number.unit else number.name


def _text(value: float | None) -> str:
    return "-" if value is None else repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _difference(number: Compared) -> str:
    if number.difference is None:
        return "0" if number.equal else "-"
    return "0" if number.difference == 0 else f"{number.difference:+.3g}"
