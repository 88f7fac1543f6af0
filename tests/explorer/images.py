"""Full data sets, as their publishers' files hold them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulators.training.datasets import BUNDLE, read_bundle


def write_fashion_mnist(folder: Path, count: int = 10_100) -> Path:
    """The standard files, from the bundled images over and over."""
    images, labels = read_bundle(BUNDLE)
    folder.mkdir(exist_ok=True)
    for part, number in (("train", count), ("t10k", 500)):
        chosen = np.arange(number) % len(images)
        for name, magic, array in (("images-idx3", 3, images[chosen]), ("labels-idx1", 1, labels[chosen])):
            head = bytes([0, 0, 8, magic]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
            (folder / f"{part}-{name}-ubyte").write_bytes(head + array.tobytes())
    return folder
