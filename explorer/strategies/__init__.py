"""Strategies: one file each; ``base`` holds the protocol."""

from explorer.strategies.base import Strategy, make_strategy

__all__ = ["Strategy", "make_strategy"]
