"""Units: the one table that expressions read quantities with and that people are shown quantities with.

Numbers inside the program are SI (areas in mm2). A person writes ``1.6 us`` or ``85 C`` and is shown ``1.6 µs``.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import TypeAlias

from simulators.protocol import InputError, nearest, suggestion

__all__ = [
    "PLAIN",
    "Dimension",
    "Unit",
    "combined",
    "common_scale",
    "counted",
    "describe_dimension",
    "display_scale",
    "find_unit",
    "format_number",
    "format_quantity",
    "format_uncertain",
    "is_foreign",
    "name_dimension",
    "quantities",
    "raised",
    "read_quantity",
]

Dimension: TypeAlias = tuple[tuple[str, Fraction], ...]
"""Exponents of the base units, sorted and without zeros: W is ``(("J", 1), ("s", -1))``."""

PLAIN: Dimension = ()
"""The dimension of counts and fractions."""


def combined(left: Dimension, right: Dimension, times: int = 1) -> Dimension:
    """The dimension of a product (``times=1``) or a quotient (``times=-1``)."""
    exponents = dict(left)
    for base, exponent in right:
        exponents[base] = exponents.get(base, Fraction(0)) + times * exponent
    return tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent))


def raised(dimension: Dimension, exponent: Fraction) -> Dimension:
    """The dimension of a power."""
    return tuple((base, power * exponent) for base, power in dimension) if exponent else PLAIN


def _dimension(**exponents: int) -> Dimension:
    return tuple(sorted((base, Fraction(exponent)) for base, exponent in exponents.items()))


@dataclass(frozen=True)
class Unit:
    """One unit: ``value`` in it is ``value * factor + offset`` in SI (mm2 for areas)."""

    symbol: str
    dimension: Dimension
    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)

    def to_si(self, value: float) -> float:
        """``value`` in SI, rounded once: 57 % is 0.57 and 44 nJ is 4.4e-08 to the last bit."""
        return float(Decimal(repr(value)) * self.factor + self.offset)

    @property
    def is_si(self) -> bool:
        """Whether numbers in this unit are SI as they stand."""
        return self.factor == 1 and self.offset == 0


_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}

# Per unit: what it measures, its dimension and the prefixes that it is read and shown with. Areas are counted in mm2,
# so mm2 is a base of its own beside m.
_MEASURES: Mapping[str, tuple[str, Dimension, str]] = {
    "s": ("a time", _dimension(s=1), "fpnum"),
    "J": ("an energy", _dimension(J=1), "fpnumkMG"),
    "W": ("a power", _dimension(J=1, s=-1), "fpnumkM"),
    "Hz": ("a frequency", _dimension(s=-1), "kMGT"),
    "K": ("a temperature", _dimension(K=1), ""),
    "mm2": ("an area", _dimension(mm2=1), ""),
    "m": ("a length", _dimension(m=1), "pnum"),
    "V": ("a voltage", _dimension(V=1), "num"),
    "A": ("a current", _dimension(J=1, s=-1, V=-1), "fpnum"),
    "ohm": ("a resistance", _dimension(J=-1, s=1, V=2), "kMG"),
    "S": ("a conductance", _dimension(J=1, s=-1, V=-2), "pnum"),
}

# Units that are no prefixed SI unit.
_OTHERS = [
    Unit("min", _dimension(s=1), Decimal(60)),
    Unit("h", _dimension(s=1), Decimal(3600)),
    Unit("years", _dimension(years=1)),  # of use: no time in SI, as chips rest between trainings
    Unit("nm2", _dimension(mm2=1), Decimal("1e-12")),
    Unit("um2", _dimension(mm2=1), Decimal("1e-6")),
    Unit("cm2", _dimension(mm2=1), Decimal("1e2")),
    Unit("m2", _dimension(mm2=1), Decimal("1e6")),
    Unit("C", _dimension(K=1), offset=Decimal("273.15")),
    Unit("%", PLAIN, Decimal("0.01")),
    Unit("bit", PLAIN),
]

_UNITS: Mapping[str, Unit] = {
    unit.symbol: unit
    for unit in [
        *(
            Unit(prefix + base, dimension, Decimal(10) ** _PREFIXES[prefix])
            for base, (_, dimension, prefixes) in _MEASURES.items()
            for prefix in ["", *prefixes]
        ),
        *_OTHERS,
    ]
}

_KINDS = {PLAIN: "a plain number"} | {dimension: kind for kind, dimension, _ in _MEASURES.values()}


def _plain_symbol(symbol: str) -> str:
    """``symbol`` as the table spells it: ``µs`` (either mu) is ``us``, ``mm²`` is ``mm2``, ``°C`` is ``C``."""
    spelled = unicodedata.normalize("NFKC", symbol)  # both mu are U+03BC now, superscripts are digits
    return spelled.replace("\u03bc", "u").replace("\u03a9", "ohm").replace("°", "").replace("degC", "C")


def find_unit(symbol: str, dimension: Dimension | None = None) -> Unit:
    """The unit written ``symbol``.

    Args:
        symbol: as a person writes it.
        dimension: of what is wanted; None if it may be anything.

    Raises:
        InputError: there is none; the message names the nearest, or those of that dimension.
    """
    try:
        return _UNITS[_plain_symbol(symbol)]
    except KeyError:
        known = [unit.symbol for unit in _UNITS.values() if dimension in (None, unit.dimension)]
        if dimension is None and not nearest(symbol, known):
            bases = ", ".join([*_MEASURES, *(unit.symbol for unit in _OTHERS)])
            raise InputError(f"unknown unit '{symbol}'; known: {bases}, also with prefixes, as in us") from None
        raise InputError(f"unknown unit '{symbol}'{suggestion(symbol, known)}") from None


_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![eE][-+]?\d)\s*([^\W\d_][\w/²]*|%|°C)")


def read_quantity(text: str, unit: str) -> float | None:
    """The number that a text such as ``20 MHz`` stands for, in ``unit``; None if it is no number with a unit.

    Args:
        text: as a person writes it.
        unit: of the number that is wanted: ``Hz``, ``mm2``, ``fraction``, or empty for a count.

    Raises:
        InputError: there is no such unit, or it measures something else.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        return None
    number, symbol = float(match[1]), match[2]
    if symbol == unit:
        return number
    wanted = _UNITS.get(unit, Unit("", name_dimension(unit)))
    given = find_unit(symbol, wanted.dimension)
    if given.dimension != wanted.dimension:
        raise InputError(
            f"'{text}' is {describe_dimension(given.dimension)}, not {describe_dimension(wanted.dimension)}; write "
            + (f"it in {unit}" if wanted.dimension else "a bare number")
        )
    value = given.to_si(number)
    return value if wanted.is_si else float((Decimal(repr(value)) - wanted.offset) / wanted.factor)


def quantities(values: Sequence[float | str], unit: str) -> list[str]:
    """Values as a person may write them: ``5 MHz``, ``10 MHz``; each reads back as exactly the same number.

    Args:
        values: numbers in ``unit``, or words, which stay as they are.
        unit: as in :func:`read_quantity`; numbers of a count, or of a unit that is none of the table, stay plain.
    """
    return [_exactly(value, unit) for value in values]


def _exactly(value: float | str, unit: str) -> str:
    if isinstance(value, str) or not (unit == "fraction" or (unit in _UNITS and name_dimension(unit))):
        return str(value)
    text = format_quantity(value, unit)
    return text if read_quantity(text, unit) == value else f"{value!r} {unit}".removesuffix(" fraction")


def name_dimension(unit: str) -> Dimension:
    """The dimension of a variable's or a field's unit, such as ``s``, ``W/mm2`` or ``J/image``.

    Words that are no unit (``image``, ``layers``, ``fraction``) count things and are plain. A known unit that is not SI
    (``nm``, ``%``) is a dimension of its own, since numbers in it cannot meet SI numbers.
    """
    dimension = PLAIN
    for position, part in enumerate(unit.split("/")):
        for word in re.split(r"[\s*·]+", part.strip()):
            known = _UNITS.get(_plain_symbol(word))
            if known is not None:
                own = known.dimension if known.is_si else ((known.symbol, Fraction(1)),)
                dimension = combined(dimension, own, 1 if position == 0 else -1)
    return dimension


def describe_dimension(dimension: Dimension) -> str:
    """``dimension`` in words: ``a time``, ``in J*s``."""
    if dimension in _KINDS:
        return _KINDS[dimension]
    return "in " + "*".join(base if power == 1 else f"{base}^{power}" for base, power in dimension)


def is_foreign(dimension: Dimension) -> bool:
    """Whether numbers of this dimension are not in SI, so that a literal with a unit cannot meet them."""
    return not all(_UNITS[base].is_si for base, _ in dimension)


def format_quantity(value: float | None, unit: str) -> str:
    """``value`` for people, to 4 significant digits: ``1.6 µs``, ``214.4 mm²``, ``87.3 %``.

    Args:
        value: the number in ``unit``; None and NaN are shown as ``-``.
        unit: SI unit (``s``, ``mm2``, ``W/mm2``), ``fraction`` (shown in percent), any word, or empty for counts.
    """
    if value is None or math.isnan(value):
        return "-"
    factor, symbol = display_scale(value, unit)
    return f"{format_number(value, factor)} {symbol}".rstrip()


def format_uncertain(value: float, spread: float, unit: str) -> str:
    """``value`` with its spread, both in the same unit: ``87.2 ± 0.45 %``; the spread has two significant digits.

    Args:
        value: the number in ``unit``.
        spread: such as a standard deviation, in ``unit``.
        unit: as in :func:`format_quantity`.
    """
    if math.isnan(value):
        return "-"
    factor, symbol = display_scale(value, unit)
    return f"{format_number(value, factor, spread)} {symbol}".rstrip()


def format_number(value: float, factor: float, spread: float = 0.0) -> str:
    """``value`` in ``factor`` of its unit for people, as :func:`format_uncertain` writes it, without the unit."""
    if math.isnan(value):
        return "-"
    if not (math.isfinite(value) and math.isfinite(spread) and spread > 1e-9 * abs(value)):
        return _digits(value / factor)
    places = max(0, 1 - math.floor(math.log10(spread / factor)))
    return f"{value / factor:.{places}f} ± {spread / factor:.{places}f}"


def counted(count: float, things: str) -> str:
    """A number with what it counts, such as ``1 design`` and ``20 designs``.

    Args:
        count: the number.
        things: the noun in the plural; the singular is without its ``s``. Empty: the number alone.
    """
    number = f"{count:,}" if isinstance(count, int) else f"{count:g}"
    return f"{number} {things.removesuffix('s') if count == 1 else things}".rstrip()


def display_scale(value: float, unit: str) -> tuple[float, str]:
    """In which unit a quantity about as large as ``value`` is best shown.

    Args:
        value: the number in ``unit``.
        unit: as in :func:`format_quantity`.

    Returns:
        The factor to divide by, and the unit to write behind: (1e-6, "µs") for 1.6e-6 and "s".
    """
    if unit == "fraction":
        return 0.01, "%"
    base, slash, rest = unit.partition("/")
    exponent, prefix = 0, ""
    if base in _MEASURES and value and math.isfinite(value):
        prefixes = {_PREFIXES[prefix]: prefix for prefix in ["", *_MEASURES[base][2]]}
        exponent = int(f"{value:.3e}".partition("e")[2]) // 3 * 3  # of the rounded number: 999.96 ns is 1 µs
        exponent = min(max(exponent, min(prefixes)), max(prefixes))
        prefix = prefixes[exponent]
    symbol = prefix.replace("u", "\u00b5") + (base + slash + rest).replace("mm2", "mm²").replace("ohm", "\u03a9")
    return 10.0**exponent, symbol


def common_scale(values: Sequence[float], unit: str) -> tuple[float, str]:
    """In which unit quantities are best shown side by side: that of their median, as :func:`display_scale` gives it."""
    return display_scale(median(map(abs, values)) if values else 1.0, unit)


def _digits(value: float) -> str:
    """Four significant digits; from 1000 to 10 million all of the digits before the point."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e7 else f"{value + 0.0:.4g}"  # + 0.0: no minus before zero
