"""One seed becomes many."""

from __future__ import annotations

import hashlib

__all__ = ["derived"]


def derived(seed: int, purpose: str) -> int:
    """A seed of its own for every purpose."""
    return int.from_bytes(hashlib.sha256(f"{seed} {purpose}".encode()).digest()[:8], "big") >> 1
