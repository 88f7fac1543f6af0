"""Studies that differ in luck only, under a name of what they have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence

from explorer.study import Study

__all__ = ["grouped"]

LUCK = {"name", "seed", "store", "checkpoints", "checkpoints_limit", "data_dir", "workers", "reproducible"}
"""Fields of a search that are not what was searched, nor how."""


def grouped(studies: Sequence[Study]) -> dict[str, list[Study]]:
    """Studies of the same search with other seeds, together.

    Args:
        studies: in the order in which they are shown.

    Returns:
        By a name: the strategy, if that tells the groups apart, else the study's own.
    """
    groups: dict[str, list[Study]] = {}
    for study in studies:
        groups.setdefault(_what(study), []).append(study)
    found = list(groups.values())
    names = [_strategy(some[0]) for some in found]
    if len(set(names)) < len(names):
        names = [some[0].name for some in found]
    if len(set(names)) < len(names):  # of several stores
        names = [some[0].reference for some in found]
    return dict(zip(names, found, strict=True))


def _what(study: Study) -> str:
    """What is searched and how, as text."""
    spec = study.spec
    if spec is None:
        return study.reference
    return json.dumps(spec.model_dump(mode="json", exclude=LUCK), sort_keys=True)


def _strategy(study: Study) -> str:
    spec = study.spec
    return study.name if spec is None else spec.strategy.name
