"""Choose items of which pairs help or harm each other: a binary quadratic program whose optimum is known."""

from itertools import product

import numpy as np
import optuna

from explorer.integrations.optuna import ThompsonBQPSampler

ITEMS = 10
WORTH = np.random.default_rng(0).normal(size=(ITEMS, ITEMS))


def objective(trial: optuna.Trial) -> float:
    chosen = np.array([trial.suggest_categorical(f"item{item}", [False, True]) for item in range(ITEMS)], dtype=float)
    return float(chosen @ WORTH @ chosen)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=ThompsonBQPSampler(seed=0))
    study.optimize(objective, n_trials=50)
    optimum = max(np.array(x) @ WORTH @ np.array(x) for x in product([0, 1], repeat=ITEMS))
    print(f"best of 50 trials: {study.best_value:.3f}; optimum of {2**ITEMS} points: {optimum:.3f}")
