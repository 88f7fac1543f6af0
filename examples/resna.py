"""Noise-aware training (ReSNA), as in the tutorial's "ReSNA Results": ResNet-20 on 8-bit cells and 64 x 64 crossbars.

Every pair of temperature and read frequency is a chip. A network that was trained without noise and one that was
trained with the noise of that chip are written to three such chips each; what is shown is the mean accuracy of these.
What is trained here is a narrow network on the bundled images (settings in ``resna.yaml``, those of the full study
beside them): how much is lost and won back is to be compared with the tutorial's figure, not the accuracy itself.

    python examples/resna.py --seeds 2
"""

import argparse
from pathlib import Path

import numpy as np
import pandas
from variants import add_options, trainings

SEARCH = Path(__file__).with_name("resna.yaml")
IN_TRAINING = "simulators.training.chip.in_training"
VARIANTS = {"plain": [f"{IN_TRAINING}=none"], "ReSNA": [f"{IN_TRAINING}=noise"]}
CHIP = ["temperature_k", "frequency_hz"]


def show(table: pandas.DataFrame) -> None:
    """Accuracy of both by temperature and frequency, and what training with noise wins."""
    means = table.pivot_table(index=CHIP, columns="variant", values="accuracy")
    runs = table.run.nunique()
    # both are judged on the same images: of a difference, only seeds and chips are uncertain
    kinds = "seeds and chips" if runs > 1 else "chips; how seeds differ is not known of one training of each"
    chips = table.assign(variance=table.accuracy_chips_error**2).groupby([*CHIP, "variant"]).variance.mean()
    seeds = table.groupby([*CHIP, "variant"]).accuracy.var()
    error = np.sqrt(np.fmax(chips, seeds).groupby(CHIP).sum() / runs)
    print(f"{'':>22}{'plain':>8}{'ReSNA':>8}{'gain':>8}   accuracy in %; gain in points")
    for chip, row in means.iterrows():
        temperature, frequency = chip
        print(
            f"{temperature:>8.0f} K {frequency / 1e6:>7.0f} MHz  {100 * row['plain']:>7.1f} {100 * row['ReSNA']:>7.1f} "
            f"{100 * (row['ReSNA'] - row['plain']):>+7.1f} ± {100 * error[chip]:.1f}"
        )
    print(f"±: one standard error, of {kinds}")
    gain = 100 * (means["ReSNA"] - means["plain"]).mean()
    print(f"mean gain {gain:+.2f} points over {len(means)} chips; trainings of each: {runs}")


def main() -> None:
    """Train both ways and show."""
    parser = argparse.ArgumentParser(description="What noise costs, and what training with it wins back.")
    add_options(parser, "results/resna")
    show(trainings(SEARCH, VARIANTS, parser.parse_args(), parser))


if __name__ == "__main__":
    main()
