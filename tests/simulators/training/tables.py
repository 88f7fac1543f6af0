"""Tables of trainings that nobody trained: for tests of what reads them, never for a result."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas

from simulators.training.table import MEASURES, TableSettings, TrainingTable


def settings(epochs: int = 6, **other: object) -> TableSettings:
    given = {"network": "vgg11", "dataset": "fashion-mnist", "width": 0.125, "trained": "nothing", "epochs": epochs,
             "provenance": {"recipe": "made up"}}  # fmt: skip
    return TableSettings.model_validate({**given, **other})


def made_up_table(seed: int = 0, epochs: int = 6, replicates: int = 3, placements: int = 256) -> TrainingTable:
    """Accuracies that rise towards a random quadratic function of the bits, with noise."""
    rng = np.random.default_rng(seed)
    gains, pairs = rng.exponential(0.01, 8), np.triu(rng.normal(0, 0.004, (8, 8)), 1)
    rows = []
    for number, bits in enumerate(list(product((0, 1), repeat=8))[:placements]):
        x = np.array(bits)
        final = 0.74 + x @ gains + x @ pairs @ x
        for replicate in range(replicates):
            luck = rng.normal(0, 0.004)
            for epoch in range(1, epochs + 1):
                accuracy = round(float(np.clip(final * (1 - 0.3 * 0.4**epoch) + luck, 0, 1)), 4)
                measures = (accuracy, accuracy - 0.01, 1 - accuracy, 2.0)
                rows.append(("".join(map(str, bits)), replicate, 1000 * replicate + number, epoch, *measures))
    return TrainingTable(
        pandas.DataFrame(rows, columns=["bn", "replicate", "seed", "epoch", *MEASURES]), settings(epochs)
    )
