"""The sampler for Optuna beside Optuna's own: ``OMP_NUM_THREADS=1 python -m tests.benchmarks.optuna_samplers``.

Random quadratics of 15 bits, whose optimum is known; 80 trials each.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from explorer.integrations.optuna import ThompsonBQPSampler

BITS, TRIALS = 15, 80

SAMPLERS: dict[str, Callable[[int], BaseSampler]] = {
    "ThompsonBQPSampler": lambda seed: ThompsonBQPSampler(seed=seed),
    "TPESampler": lambda seed: TPESampler(seed=seed),
    "TPESampler, multivariate": lambda seed: TPESampler(seed=seed, multivariate=True),
    "RandomSampler": lambda seed: RandomSampler(seed=seed),
}


def worth(seed: int) -> np.ndarray:
    """Coefficients of an instance: neighbours within ten matter to each other."""
    distance = np.subtract.outer(np.arange(BITS), np.arange(BITS))
    return np.asarray(np.random.default_rng(seed).normal(size=(BITS, BITS)) * np.exp(-((distance / 10) ** 2)))


def best_share(sampler: BaseSampler, coefficients: np.ndarray) -> tuple[float, bool]:
    """The best value as a share of the optimum, and whether it is the optimum."""

    def objective(trial: optuna.Trial) -> float:
        x = np.array([trial.suggest_int(f"x{bit}", 0, 1) for bit in range(BITS)])
        return float(x @ coefficients @ x)

    study = optuna.create_study(sampler=sampler, direction="maximize")
    study.optimize(objective, n_trials=TRIALS)
    points = ((np.arange(2**BITS)[:, None] >> np.arange(BITS)) & 1).astype(float)
    optimum = float(((points @ coefficients) * points).sum(axis=1).max())
    return study.best_value / optimum, study.best_value >= optimum - 1e-9


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The sampler for Optuna beside Optuna's own.")
    parser.add_argument("--seeds", type=int, default=5, help="instances")
    seeds = range(parser.parse_args().seeds)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    print(f"{'':<26}{'share of optimum':>17}{'optimum found':>15}{'CPU s a trial':>15}")
    for name, make in SAMPLERS.items():
        began = time.process_time()
        shares, found = zip(*(best_share(make(seed), worth(seed)) for seed in seeds), strict=True)
        spent = (time.process_time() - began) / (TRIALS * len(seeds))
        print(f"{name:<26}{np.mean(shares):>17.3f}{sum(found):>11} of {len(seeds)}{spent:>15.4f}", flush=True)


if __name__ == "__main__":
    main()
