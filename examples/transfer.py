"""Does a placement of normalisations that is good on one data set serve on another?

On Fashion-MNIST every placement of VGG-11 was trained (the table that comes with the product, see ``bn_table.py``). The
best of them with 1, 2, ... normalisations, All-BN, no BN and some random ones are trained on CIFAR-10, from a folder of
its standard files. Shown are both accuracies of each, how well their orders agree, and what is lost by taking over the
best placement of few normalisations instead of the best that was tried on CIFAR-10 itself.

    python -m simulators.training.fetch cifar10 data
    python examples/transfer.py --data-dir data
"""

import argparse
from pathlib import Path

import numpy as np
import pandas
from scipy.stats import spearmanr
from variants import add_options, trainings, whole

from simulators.training.table import SHIPPED, read_table

SEARCH = Path(__file__).with_name("transfer.yaml")
OTHERS = 2**8 - 9
"""Placements that are not the best of their number of normalisations."""

FEW = 3
"""Normalisations: what saves hardware has no more."""


def known() -> pandas.Series:
    """Accuracy on Fashion-MNIST of every placement, a mean over trainings; bits as text."""
    means = read_table(SHIPPED).means
    return pandas.Series({bn: float(curve.measures[-1, 0]) for bn, curve in means.items()})


def chosen(accuracy: pandas.Series, at_random: int) -> list[str]:
    """The best placement of every number of normalisations, and some drawn at random."""
    ones = accuracy.index.str.count("1")
    best = accuracy.groupby(ones).idxmax().tolist()
    others = accuracy.index.difference(best)
    drawn = np.random.default_rng(0).choice(others, at_random, replace=False).tolist()
    return [*best, *drawn]


def show(table: pandas.DataFrame, before: pandas.Series) -> None:
    """Both accuracies, and what became of the order."""
    after = table.groupby("bn").accuracy.agg(["mean", "std"]).sort_values("mean", ascending=False)
    after["before"] = before[after.index]
    print(f"{'BN after':<28}{'Fashion-MNIST':>14}{'CIFAR-10':>16}")
    for bits, row in after.iterrows():
        places = " ".join(f"C{place}" for place, bit in enumerate(bits, 1) if bit == "1") or "none"
        spread = f" ± {100 * row['std']:.1f}" if table.run.nunique() > 1 else ""
        cell = f"{100 * row['mean']:.1f}{spread}%"
        print(f"{places:<28}{100 * row['before']:>13.1f}%{cell:>16}")
    order = spearmanr(after["before"], after["mean"]).statistic
    few = after[[bits.count("1") <= FEW for bits in after.index]]
    taken = few["mean"][few["before"].idxmax()]
    to_few, to_all = (100 * (best["mean"].max() - taken) for best in (few, after))
    print(f"rank correlation of both accuracies over {len(after)} placements: {order:.2f}")
    print(
        f"of at most {FEW} normalisations, the best on Fashion-MNIST is {to_few:.1f} points below the best on CIFAR-10"
    )
    print(f"and {to_all:.1f} points below the best of all there")


def main() -> None:
    """Train and show."""
    parser = argparse.ArgumentParser(description="Placements of one data set on another.")
    parser.add_argument("--data-dir", type=Path, required=True, help="the folder with cifar-10-batches-bin")
    parser.add_argument("--images", type=whole(1), default=10_000, help="that are trained on")
    parser.add_argument("--random", type=whole(0, OTHERS), default=7, help="placements drawn at random")
    add_options(parser, "results/transfer")
    options = parser.parse_args()
    before = known()
    placements = chosen(before, options.random)
    settings = [
        f"variables.bn=[{', '.join(placements)}]",
        f"budget.evaluations={len(placements)}",
        "workload.dataset=cifar10",
        "proxy.data=full",
        f"proxy.train_images={options.images}",
        f"simulators.training.data_dir={options.data_dir.absolute()}",
    ]
    show(trainings(SEARCH, {"cifar10": settings}, options, parser), before)


if __name__ == "__main__":
    main()
