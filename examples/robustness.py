"""How placements of normalisations fare under other recipes, as in the DeepTrain paper's study of hyper-parameters.

All-BN, the paper's placement (BO-N) and no BN are trained with other learning rates, batch sizes, schedules and first
weights, one change at a time. A placement that is as good as All-BN under one recipe only would be of little use.

    python examples/robustness.py --seeds 3
"""

import argparse
from pathlib import Path

import pandas
from variants import add_options, trainings

SEARCH = Path(__file__).with_name("robustness.yaml")
RECIPES = {
    "as it is": {},
    "learning rate 0.01": {"learning_rate": 0.01},
    "learning rate 0.1": {"learning_rate": 0.1},
    "batches of 32": {"batch_size": 32},
    "batches of 256": {"batch_size": 256},
    "falling in steps": {"schedule": "step", "schedule_epochs": 3},
    "falling as a cosine": {"schedule": "cosine", "schedule_epochs": 5},
    "first weights: Kaiming": {"initialisation": "kaiming"},
    "first weights: Xavier": {"initialisation": "xavier"},
    "first weights: orthogonal": {"initialisation": "orthogonal"},
}
PLACEMENTS = ("All-BN", "BO-N", "no BN")


def placement(bits: str) -> str:
    """What the paper calls a placement."""
    return "All-BN" if "0" not in bits else "BO-N" if "1" in bits else "no BN"


def show(table: pandas.DataFrame) -> None:
    """Accuracies by recipe, and how far BO-N is from All-BN."""
    table = table.assign(placement=table.bn.map(placement))
    accuracy = 100 * table.pivot_table(index="variant", columns="placement", values="accuracy", sort=False)
    spread = 100 * table.groupby(["variant", "placement"]).accuracy.std()
    print(f"{'':<28}{''.join(f'{name:>14}' for name in PLACEMENTS)}   BO-N beside All-BN")
    for recipe, row in accuracy.iterrows():
        cells = []
        for name in PLACEMENTS:
            deviation = spread[recipe, name]
            cells.append(
                f"{row[name]:.1f}" + (f" ± {deviation:.1f}" if deviation == deviation else "")
            )  # no number, of a single training
        print(f"{recipe:<28}{''.join(f'{cell:>14}' for cell in cells)}   {row['BO-N'] - row['All-BN']:+.1f} points")
    print(f"accuracy in %; trainings of each: {table.run.nunique()}, ± their standard deviation")


def main() -> None:
    """Train and show."""
    parser = argparse.ArgumentParser(description="Placements of normalisations under other recipes.")
    add_options(parser, "results/robustness")
    variants = {
        name: [f"simulators.training.recipe.{field}={value}" for field, value in recipe.items()]
        for name, recipe in RECIPES.items()
    }
    show(trainings(SEARCH, variants, parser.parse_args(), parser))


if __name__ == "__main__":
    main()
