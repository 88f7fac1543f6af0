"""The sampler as a package of OptunaHub's registry."""

from explorer.integrations.optuna import ThompsonBQPSampler

__all__ = ["ThompsonBQPSampler"]
