"""Names without the unit that they end with: ``peak_temperature`` for ``peak_temperature_k``."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["full_name"]


def full_name(name: str, units: Mapping[str, str]) -> str:
    """What a name means: itself, or the one known name that is longer by its unit only.

    Args:
        name: as a person writes it.
        units: every known name with its unit.

    Returns:
        The known name; ``name`` as it is if it is known, or means none of them or several.
    """
    if name in units:
        return name
    meant = [known for known, unit in units.items() if unit and known == f"{name}_{unit.lower()}"]
    return meant[0] if len(meant) == 1 else name
