"""Builds the bundled images: ``python -m simulators.training.bundle FOLDER`` with Fashion-MNIST's files in FOLDER.

The 10 000 test images of Fashion-MNIST (Xiao et al., 2017; MIT licence, see ``data/LICENSE``) in the fixed order of
:func:`simulators.training.datasets.interleaved`: classes take turns, so that the first 6 000 (training), the next 2 000
(validation) and the last 2 000 (test) hold every class equally often. The same files give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from simulators.training.datasets import BUNDLE, interleaved, read_idx

__all__ = ["write_bundle"]


def write_bundle(folder: Path, bundle: Path) -> None:
    """Write ``bundle`` from the gzipped test images and labels in ``folder``.

    Raises:
        InputError: a file is damaged.
        FileNotFoundError: a file is missing.
    """
    images = read_idx(folder / "t10k-images-idx3-ubyte.gz")
    labels = read_idx(folder / "t10k-labels-idx1-ubyte.gz")
    order = interleaved(labels)
    np.savez_compressed(bundle, images=images[order], labels=labels[order])


if __name__ == "__main__":
    write_bundle(Path(sys.argv[1]), BUNDLE)
